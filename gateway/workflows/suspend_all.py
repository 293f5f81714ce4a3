"""Suspend every order that could be heard, in the caller's transaction."""

from dataclasses import dataclass

from sqlalchemy import select, update

from gateway.audit.tags import Tag
from gateway.domain.events import Event
from gateway.domain.order import OrderState, suspend
from gateway.privacy.errors import WrongKeyError
from gateway.register import orders
from gateway.register.errors import UnreadableOrderError
from gateway.register.tables import orders as orders_table
from gateway.workflows.change import Change

_HEARD = {OrderState.APPROVED, OrderState.WARNED, OrderState.IN_FORCE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended:
    """How many orders were suspended, and how many of these cannot be read."""

    orders: int = 0
    unreadable: int = 0


def suspend_all(change: Change, *, because: str) -> Suspended:
    """Suspend what is approved, warned of or in force; `because` is an id that the trail keeps as the reason.

    One order that cannot be read is silenced too, and does not keep the others from being restored.
    """
    rows = change.connection.execute(
        select(orders_table.c.order_id, orders_table.c.court_id)
        .where(
            orders_table.c.approved_at.is_not(None),
            orders_table.c.lifted_at.is_(None),
            orders_table.c.suspended_at.is_(None),
            orders_table.c.purged_at.is_(None),
            orders_table.c.valid_until > change.errand.at,
        )
        .order_by(orders_table.c.order_id)
    ).all()
    suspended = unreadable = 0
    for order_id, court_id in rows:
        try:
            suspended += _suspend(change, order_id, because)
        except (WrongKeyError, UnreadableOrderError):
            change.connection.execute(
                update(orders_table).where(orders_table.c.order_id == order_id).values(suspended_at=change.errand.at)
            )
            change.note(Tag.ORDER_SUSPENDED, order_id, court_id=court_id, was="unreadable", because=because)
            suspended, unreadable = suspended + 1, unreadable + 1
    return Suspended(orders=suspended, unreadable=unreadable)


def _suspend(change: Change, order_id: str, because: str) -> int:
    order = orders.get(change.connection, order_id, change.keys)
    was = order.state_at(change.errand.at)
    if was not in _HEARD:
        return 0
    saved = orders.save(change.connection, suspend(order, change.errand.at))
    change.note(
        Tag.ORDER_SUSPENDED,
        order_id,
        court_id=order.court_id,
        was=was.value,
        version=saved.version,
        because=because,
    )
    change.tell(Event.ORDER_SUSPENDED, court_id=order.court_id, order=order_id, was=was.value)
    return 1
