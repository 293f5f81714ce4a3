"""Find orders by what somebody types in a hurry: a case number, or a line in any way that numbers are written."""

from dataclasses import dataclass

from gateway.domain.e164 import E164
from gateway.domain.errors import GatewayError, InvalidNumberError
from gateway.domain.rights import Right
from gateway.register.order_list import OrderQuery
from gateway.workflows.change import Errand
from gateway.workflows.office import Office
from gateway.workflows.read_orders import list_orders


class NothingFoundError(GatewayError):
    """No order that you may read has this case number or this line; look for the whole number as it stands there."""

    code = "nothing_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was meant: the one order's id, or, where there are several, the line or the case number that they share."""

    order_id: str = ""
    line: str = ""
    case_number: str = ""


def find_order(office: Office, text: str, errand: Errand) -> Found:
    """Return the order that a case number or a line names, within the asker's reach. Raises NothingFoundError."""
    line = _line(text)
    by_line = _ids(office, errand, line=line) if line is not None else frozenset()
    by_case = _ids(office, errand, case_number=text.strip()) if text.strip() else frozenset()
    every = by_line | by_case
    if not every:
        raise NothingFoundError(field="sought")
    if len(every) == 1:
        return Found(order_id=next(iter(every)))
    # One order cannot be in both unless it is the only one: a case number is no line.
    return Found(line=line.number) if line is not None and by_line else Found(case_number=text.strip())


def _line(text: str) -> E164 | None:
    try:
        return E164.parse(text)
    except InvalidNumberError:
        return None


def _ids(office: Office, errand: Errand, *, line: E164 | None = None, case_number: str = "") -> frozenset[str]:
    reach = errand.actor.reach(Right.ORDERS_READ)
    query = OrderQuery(reach=reach, line=line, case_number=case_number, limit=2)
    return frozenset(each.order.order_id for each in list_orders(office, query, errand))
