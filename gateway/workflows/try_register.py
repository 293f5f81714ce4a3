"""What the register says about a line to somebody who may not see all of it; nothing is written, and nothing locked."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from gateway.audit.tables import plays
from gateway.domain.e164 import E164
from gateway.domain.errors import GatewayError
from gateway.domain.notice import Purpose
from gateway.domain.rights import Actor, NotAllowedError, Reach, Right
from gateway.domain.standing import History, NoOrders, Standing, Unavailable, UnderOrders
from gateway.privacy.blind_index import indexes_of_line
from gateway.register.batches import visible
from gateway.register.lookup import Lookup
from gateway.register.reach import within
from gateway.register.tables import orders
from gateway.workflows.office import Office

# As far back as the caps of a court look, and a day more.
_REMEMBERED = timedelta(days=31)
_COUNTED = (Purpose.OPENER.value, Purpose.PRIVATE.value)


def reach_to_try(actor: Actor) -> Reach:
    """Return where `actor` may read orders. Raises NotAllowedError where that is nowhere."""
    reach = actor.reach(Right.ORDERS_READ)
    if reach.is_empty:
        raise NotAllowedError(right=Right.ORDERS_READ.value, where="any court")
    return reach


def standing_within(office: Office, line: E164, reach: Reach, at: datetime) -> Standing:
    """Return the orders on a line that lie within `reach`, with the plays under these orders; others are not there.

    A row that does not open is silent, as it is in a call. Raises SQLAlchemyError.
    """
    with office.reading.begin() as connection:
        try:
            standing = Lookup(office.keys).standing_of(connection, line)
        except GatewayError as error:
            return Unavailable(error.code)
        if not isinstance(standing, UnderOrders):
            return standing
        seen = _seen(connection, [each.order.order_id for each in standing.orders], reach)
        history = _history(connection, indexes_of_line(line, office.keys), seen, at)
    found = tuple(replace(each, history=history) for each in standing.orders if each.order.order_id in seen)
    return UnderOrders(found) if found else NoOrders()


def _seen(connection: Connection, order_ids: Sequence[str], reach: Reach) -> frozenset[str]:
    statement = select(orders.c.order_id).where(orders.c.order_id.in_(order_ids), within(reach), visible())
    return frozenset(connection.execute(statement).scalars())


def _history(connection: Connection, line: tuple[bytes, ...], order_ids: frozenset[str], at: datetime) -> History:
    """Read the private plays on a line as `past_of` does, under the orders seen alone: others would show through."""
    statement = select(plays.c.purpose, plays.c.played_at, plays.c.key, plays.c.keyed_at).where(
        plays.c.line_index.in_(line),
        plays.c.order_id.in_(order_ids),
        plays.c.purpose.in_(_COUNTED),
        plays.c.played_at > at - _REMEMBERED,
    )
    rows = connection.execute(statement.order_by(plays.c.played_at)).all()
    contents = [row for row in rows if row.purpose == Purpose.PRIVATE.value]
    return History(
        openers=tuple(row.played_at for row in rows if row.purpose == Purpose.OPENER.value),
        contents=tuple(row.played_at for row in contents),
        acknowledged_at=max((row.keyed_at for row in contents if row.key == "2"), default=None),
    )
