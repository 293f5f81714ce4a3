"""The orders on the home page: to approve, own drafts, about to expire, and those that lack a notice.

The indexes that hold what waits (migration 0008) answer each of them: no list reads all orders.
"""

from datetime import timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, func, not_, or_, select

from gateway.db.metadata import Instant
from gateway.domain.order import Order, OrderState
from gateway.domain.rights import Right
from gateway.domain.subject import SubjectKind
from gateway.register.batches import BatchState
from gateway.register.order_list import in_state
from gateway.register.orders import read_order
from gateway.register.tables import batches, notices, orders
from gateway.workflows.waiting import ASKERS, NOW, Asker, Desk, Listing, Waiting, listing

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
    reach = desk.asker.actor.reach(Right.ORDERS_APPROVE)
    approved = _named(desk, BatchState.APPROVED)
    ready = _named(desk, BatchState.READY) if reach.districts and not reach.everywhere else ()
    return desk.waiting(_to_approve(desk.asker, approved, ready), _reader(desk))


def drafts(desk: Desk) -> Waiting[Order]:
    """Return the asker's own drafts, those too that an approver sent back, the newest first."""
    named = _named(desk, BatchState.READY, BatchState.APPROVED)
    return desk.waiting(_drafts(desk.asker, named), _reader(desk))


def expiring(desk: Desk, soon: timedelta) -> Waiting[Order]:
    """Return approved orders that end soon, suspended ones too, the first to end first."""
    return desk.waiting(_expiring(desk.asker), _reader(desk), soon=desk.errand.at + soon)


def silent(desk: Desk) -> Waiting[Order]:
    """Return orders that would be heard, were it not that a notice of theirs is missing; the first to end first.

    The MOST_LOOKED_THROUGH that run longest are looked through, the latest approved ones among them; `doctor` looks
    through all, and for the files too.
    """
    return desk.waiting(_silent(desk.asker), _reader(desk))


@lru_cache(maxsize=ASKERS)
def _to_approve(asker: Asker, approved: tuple[str, ...], ready: tuple[str, ...]) -> Listing:
    wanted = select(orders).where(
        _UNAPPROVED,
        orders.c.submitted_at.is_not(None),
        in_state(OrderState.SUBMITTED, NOW),
        asker.reached(Right.ORDERS_APPROVE),
        asker.is_others(orders.c.drafted_by),
        asker.is_nothing_of(orders.c.earlier_drafters),
        _shown_singly(asker, approved, ready),
    )
    return listing(wanted, orders.c.submitted_at, orders.c.order_id)


@lru_cache(maxsize=ASKERS)
def _drafts(asker: Asker, named: tuple[str, ...]) -> Listing:
    wanted = select(orders).where(
        _UNAPPROVED,
        orders.c.submitted_at.is_(None),
        in_state(OrderState.DRAFT, NOW),
        asker.reached(Right.ORDERS_DRAFT),
        func.lower(orders.c.drafted_by) == asker.actor.actor_id.lower(),
        _of_a_batch_or_none(named),
    )
    return listing(wanted, orders.c.drafted_at.desc(), orders.c.order_id.desc())


@lru_cache(maxsize=ASKERS)
def _expiring(asker: Asker) -> Listing:
    wanted = select(orders).where(
        _APPROVED,
        orders.c.valid_until > NOW,
        orders.c.valid_until <= bindparam("soon", type_=Instant()),
        asker.reached(Right.ORDERS_READ),
    )
    return listing(wanted, orders.c.valid_until, orders.c.order_id)


@lru_cache(maxsize=ASKERS)
def _silent(asker: Asker) -> Listing:
    latest = (
        select(orders.c.order_id)
        .where(
            _APPROVED,
            orders.c.valid_until > NOW,
            orders.c.suspended_at.is_(None),
            asker.reached(Right.ORDERS_READ),
        )
        .order_by(orders.c.valid_until.desc())
        .limit(MOST_LOOKED_THROUGH)
    )
    wanted = select(orders).where(orders.c.order_id.in_(latest), _LACKS_A_NOTICE)
    return listing(wanted, orders.c.valid_until, orders.c.order_id)


def _shown_singly(asker: Asker, approved: tuple[str, ...], ready: tuple[str, ...]) -> ColumnElement[bool]:
    """Return the condition that an order does not wait as a part of a ready batch that the asker sees as a whole."""
    reach = asker.actor.reach(Right.ORDERS_APPROVE)
    alone = _of_a_batch_or_none(approved)
    if reach.everywhere or not reach.districts:
        return alone
    elsewhere = and_(orders.c.court_id.not_in(reach.courts), _of_a_batch_or_none(ready))
    return or_(alone, elsewhere)


def _of_a_batch_or_none(named: tuple[str, ...]) -> ColumnElement[bool]:
    """Return the condition that an order is of no batch, or of one of these.

    The batches are named: so both databases go to their orders by the index, and pass by a hundred thousand others.
    """
    alone: ColumnElement[bool] = orders.c.batch_id.is_(None)
    return or_(alone, orders.c.batch_id.in_(named)) if named else alone


def _named(desk: Desk, *states: BatchState) -> tuple[str, ...]:
    """Return the batches in these states that have orders left to approve."""
    return tuple(desk.connection.execute(_UNFINISHED, {"states": [each.value for each in states]}).scalars())


def _reader(desk: Desk) -> Any:  # noqa: ANN401  (a function of a row)
    cipher = desk.cipher

    def read(row: Row[Any]) -> Order:
        return read_order(row, cipher)

    return read
