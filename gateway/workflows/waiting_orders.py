"""The orders on the home page: to approve, own drafts, about to expire, and those that lack a notice.

The indexes that hold what waits (migration 0008) answer each of them: no list reads all orders.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, func, not_, or_, select

from gateway.domain.order import Order, OrderState
from gateway.domain.rights import Right
from gateway.domain.subject import SubjectKind
from gateway.register.batches import BatchState
from gateway.register.order_list import in_state
from gateway.register.orders import read_order
from gateway.register.tables import batches, notices, orders
from gateway.workflows.waiting import Desk, Waiting

MOST_LOOKED_THROUGH = 5_000
_UNAPPROVED = and_(orders.c.approved_at.is_(None), orders.c.lifted_at.is_(None), orders.c.purged_at.is_(None))
_APPROVED = and_(orders.c.approved_at.is_not(None), orders.c.lifted_at.is_(None))


def _lacks(purpose: str) -> ColumnElement[bool]:
    made = select(notices.c.order_id).where(notices.c.order_id == orders.c.order_id, notices.c.purpose == purpose)
    return not_(made.exists())


_IS_OF_ORGANISATION = orders.c.subject_kind == SubjectKind.ORGANISATION.value
_LACKS_A_NOTICE = or_(
    and_(_IS_OF_ORGANISATION, or_(_lacks("public"), _lacks("warning"))),
    and_(not_(_IS_OF_ORGANISATION), or_(_lacks("opener"), _lacks("private"))),
)
_UNFINISHED = select(batches.c.batch_id).where(
    batches.c.state.in_(bindparam("states", expanding=True)), batches.c.approved < batches.c.accepted
)


def to_approve(desk: Desk) -> Waiting[Order]:
    """Return submitted orders that the asker may approve, the longest waiting first."""
    wanted = select(orders).where(
        _UNAPPROVED,
        orders.c.submitted_at.is_not(None),
        in_state(OrderState.SUBMITTED, desk.errand.at),
        desk.reached(Right.ORDERS_APPROVE),
        desk.is_others(orders.c.drafted_by),
        desk.is_nothing_of(orders.c.earlier_drafters),
        _shown_singly(desk),
    )
    return desk.waiting(wanted, _reader(desk), (orders.c.submitted_at, orders.c.order_id))


def drafts(desk: Desk) -> Waiting[Order]:
    """Return the asker's own drafts, those too that an approver sent back, the newest first."""
    wanted = select(orders).where(
        _UNAPPROVED,
        orders.c.submitted_at.is_(None),
        in_state(OrderState.DRAFT, desk.errand.at),
        desk.reached(Right.ORDERS_DRAFT),
        func.lower(orders.c.drafted_by) == desk.errand.actor.actor_id.lower(),
        _of_a_batch_or_none(desk, BatchState.READY, BatchState.APPROVED),
    )
    return desk.waiting(wanted, _reader(desk), (orders.c.drafted_at.desc(), orders.c.order_id.desc()))


def expiring(desk: Desk, soon: timedelta) -> Waiting[Order]:
    """Return approved orders that end soon, suspended ones too, the first to end first."""
    now = desk.errand.at
    wanted = select(orders).where(
        _APPROVED,
        orders.c.valid_until > now,
        orders.c.valid_until <= now + soon,
        desk.reached(Right.ORDERS_READ),
    )
    return desk.waiting(wanted, _reader(desk), (orders.c.valid_until, orders.c.order_id))


def silent(desk: Desk) -> Waiting[Order]:
    """Return orders that would be heard, were it not that a notice of theirs is missing; the first to end first.

    The MOST_LOOKED_THROUGH that run longest are looked through, the latest approved ones among them; `doctor` looks
    through all, and for the files too.
    """
    latest = (
        select(orders.c.order_id)
        .where(
            _APPROVED,
            orders.c.valid_until > desk.errand.at,
            orders.c.suspended_at.is_(None),
            desk.reached(Right.ORDERS_READ),
        )
        .order_by(orders.c.valid_until.desc())
        .limit(MOST_LOOKED_THROUGH)
    )
    wanted = select(orders).where(orders.c.order_id.in_(latest), _LACKS_A_NOTICE)
    return desk.waiting(wanted, _reader(desk), (orders.c.valid_until, orders.c.order_id))


def _shown_singly(desk: Desk) -> ColumnElement[bool]:
    """Return the condition that an order does not wait as a part of a ready batch that the asker sees as a whole."""
    reach = desk.errand.actor.reach(Right.ORDERS_APPROVE)
    if reach.everywhere:
        return _of_a_batch_or_none(desk, BatchState.APPROVED)
    alone = _of_a_batch_or_none(desk, BatchState.APPROVED)
    if not reach.districts:
        return alone
    elsewhere = and_(orders.c.court_id.not_in(reach.courts), _of_a_batch_or_none(desk, BatchState.READY))
    return or_(alone, elsewhere)


def _of_a_batch_or_none(desk: Desk, *states: BatchState) -> ColumnElement[bool]:
    """Return the condition that an order is of no batch, or of one in these states that has orders left to approve.

    The batches are named: so both databases go to their orders by the index, and pass by a hundred thousand others.
    """
    named = tuple(desk.connection.execute(_UNFINISHED, {"states": [each.value for each in states]}).scalars())
    alone: ColumnElement[bool] = orders.c.batch_id.is_(None)
    return or_(alone, orders.c.batch_id.in_(named)) if named else alone


def _reader(desk: Desk) -> Any:  # noqa: ANN401  (a function of a row)
    cipher = desk.cipher

    def read(row: Row[Any]) -> Order:
        return read_order(row, cipher)

    return read
