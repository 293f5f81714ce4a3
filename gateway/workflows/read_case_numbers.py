"""Read the case numbers of orders by id, for lists that name orders and show nothing else of them."""

from collections.abc import Iterable

from sqlalchemy import select

from gateway.domain.rights import Right
from gateway.register.reach import within
from gateway.register.tables import orders
from gateway.workflows.change import Errand
from gateway.workflows.office import Office

_MOST = 500


def read_case_numbers(office: Office, order_ids: Iterable[str], errand: Errand) -> dict[str, str]:
    """Return the case numbers of the orders that the asker may read; purged ones have none, and are left out.

    One statement for each 500 ids.
    """
    wanted = sorted(set(order_ids))
    found: dict[str, str] = {}
    may = within(errand.actor.reach(Right.ORDERS_READ))
    with office.reading.begin() as connection:
        for start in range(0, len(wanted), _MOST):
            asked = orders.c.order_id.in_(wanted[start : start + _MOST])
            statement = select(orders.c.order_id, orders.c.case_number).where(
                asked, may, orders.c.case_number.is_not(None)
            )
            for row in connection.execute(statement):
                place = f"orders.case_number:{row.order_id}"
                found[row.order_id] = office.cipher.decrypt(row.case_number, place=place)
    return found
