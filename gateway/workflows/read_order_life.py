"""Read one order's life as a timeline: what officers, keys and time did to it, and what time is going to do.

Whoever may read an order may read its own life, though not the trail as a whole. What the trail tells of disclosures of
the order is left to auditors.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Connection, Row, func, or_, select, type_coerce

from gateway.audit.tables import plays, trail
from gateway.audit.tags import Tag
from gateway.domain.notice import Purpose
from gateway.domain.rights import CALLEE, Right
from gateway.domain.subject import SubjectKind
from gateway.register import courts, disputes, orders, remarks
from gateway.register.disputes import Dispute, DisputeQuery
from gateway.register.remarks import Remark
from gateway.register.tables import lines as line_rows
from gateway.register.tables import orders as order_rows
from gateway.workflows.access import demand_order, place_of
from gateway.workflows.change import Errand
from gateway.workflows.office import Office
from gateway.workflows.read_names import read_names

LONGEST = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUARTER = timedelta(minutes=15)
_TOLD = frozenset(
    {
        Tag.ORDER_DRAFTED,
        Tag.ORDER_EDITED,
        Tag.ORDER_SUBMITTED,
        Tag.ORDER_RETURNED,
        Tag.ORDER_APPROVED,
        Tag.ORDER_SUSPENDED,
        Tag.ORDER_RESUMED,
        Tag.ORDER_EXTENDED,
        Tag.ORDER_LIFTED,
        Tag.ORDER_SATISFIED,
        Tag.ORDERS_IMPORTED,
        Tag.NOTICE_PROPOSED,
        Tag.NOTICE_APPROVED,
        Tag.LINE_SUSPENDED,
        Tag.LINE_RESUMED,
        Tag.LINE_REMOVED,
        Tag.DATA_PURGED,
    }
)


class LifeKind(Enum):
    """What kind of event it is; a page puts it into words."""

    DONE = "done"
    REMARKED = "remarked"
    PLAYED = "played"
    KEY_PRESSED = "key_pressed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_RESOLVED = "dispute_resolved"
    WARNING_BEGINS = "warning_begins"
    IN_FORCE_FROM = "in_force_from"
    EXPIRES = "expires"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeEvent:
    """One event; what does not belong to its kind is empty or None.

    DONE has `tag`, perhaps the order's `version` and, in `text`, what the officer wrote. PLAYED and KEY_PRESSED sum up
    a day of the court's: `count` of them, the last one at `at`. A dispute has `subject_id` and a `word`: the ground, or
    the resolution. `actor_name` is the id where the asker may not know the name.
    """

    kind: LifeKind
    at: datetime
    is_future: bool = False
    actor: str = ""
    actor_name: str = ""
    tag: Tag | None = None
    version: int | None = None
    subject_id: str = ""
    word: str = ""
    text: str = ""
    purpose: Purpose | None = None
    key: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLife:
    """The newest LONGEST events, the oldest of them first, and how many older ones are left out."""

    events: tuple[LifeEvent, ...]
    left_out: int


def read_order_life(office: Office, order_id: str, errand: Errand) -> OrderLife:
    """Return an order's life; plays and disputes are in it for who may read those. Raises UnknownEntryError."""
    actor = errand.actor
    with office.reading.begin() as connection:
        demand_order(connection, actor, order_id, Right.ORDERS_READ)
        place = place_of(connection, *orders.whereabouts(connection, order_id))
        row = connection.execute(select(order_rows).where(order_rows.c.order_id == order_id)).one()
        found = list(_by_time(row))
        inbox: tuple[Dispute, ...] = ()
        if actor.may(Right.DISPUTES_READ, place):
            query = DisputeQuery(reach=actor.reach(Right.DISPUTES_READ), order_id=order_id, limit=LONGEST)
            inbox = disputes.listed(connection, query, office.keys)
            found.extend(_disputed(inbox))
        if actor.may(Right.PLAYS_READ, place):
            zone = ZoneInfo(courts.get(connection, row.court_id).zone)
            found.extend(_played(connection, order_id, zone))
        done, left_out = _done(connection, order_id, row.batch_id, inbox)
        found.extend(_with_words(done, remarks.of_order(connection, order_id, office.keys)))
    ordered = sorted(found, key=lambda each: each.at)
    kept = ordered[-LONGEST:]
    names = read_names(office, {each.actor for each in kept if each.actor}, errand)
    return OrderLife(
        events=tuple(
            replace(each, is_future=each.at > errand.at, actor_name=names.get(each.actor, each.actor)) for each in kept
        ),
        left_out=left_out + len(ordered) - len(kept),
    )


def _by_time(row: Row[Any]) -> Iterator[LifeEvent]:
    """Tell what time alone does to an approved order, as far as no officer ended it before."""
    if row.approved_at is None:
        return
    warned = row.subject_kind == SubjectKind.ORGANISATION.value
    silenced = min((each for each in (row.lifted_at, row.suspended_at) if each is not None), default=None)
    for kind, at, end in (
        (LifeKind.WARNING_BEGINS, row.warned_from if warned else None, silenced),
        (LifeKind.IN_FORCE_FROM, row.in_force_from, silenced),
        (LifeKind.EXPIRES, row.valid_until, row.lifted_at),
    ):
        if at is not None and (end is None or at <= end):
            yield LifeEvent(kind=kind, at=at)


def _disputed(inbox: Iterable[Dispute]) -> Iterator[LifeEvent]:
    for each in inbox:
        opened = LifeEvent(
            kind=LifeKind.DISPUTE_OPENED, at=each.opened_at, actor=CALLEE.actor_id, subject_id=each.dispute_id
        )
        yield replace(opened, word=each.ground.value)
        if each.resolved_at is not None and each.resolution is not None:
            yield LifeEvent(
                kind=LifeKind.DISPUTE_RESOLVED,
                at=each.resolved_at,
                actor=each.resolved_by or "",
                subject_id=each.dispute_id,
                word=each.resolution.value,
                text=each.note,
            )


def _done(
    connection: Connection, order_id: str, batch_id: str | None, inbox: Iterable[Dispute]
) -> tuple[list[LifeEvent], int]:
    """Return what the trail tells of the order and of its lines, and how many older entries are left out."""
    on = connection.execute(select(line_rows.c.line_id).where(line_rows.c.order_id == order_id)).scalars()
    # A line that was removed is no more; a dispute about it still has its id.
    ids = {order_id, *on, *(each.line_id for each in inbox)}
    own = (trail.c.subject_id.in_(ids)) & (trail.c.tag.in_([each.value for each in _TOLD]))
    brought = (trail.c.subject_id == (batch_id or "")) & (trail.c.tag == Tag.ORDERS_IMPORTED.value)
    which = or_(own, brought) if batch_id else own
    statement = select(trail).where(which).order_by(trail.c.seq.desc()).limit(LONGEST)
    rows = connection.execute(statement).all()
    total = len(rows)
    if total == LONGEST:
        total = connection.execute(select(func.count()).select_from(trail).where(which)).scalar() or 0
    return [_read(row) for row in reversed(rows)], total - len(rows)


def _read(row: Row[Any]) -> LifeEvent:
    try:
        details = json.loads(row.details)
    except ValueError:
        details = {}
    version = details.get("version") if isinstance(details, dict) else None
    return LifeEvent(
        kind=LifeKind.DONE,
        at=row.at,
        actor=row.actor,
        tag=Tag(row.tag),
        version=version if isinstance(version, int) else None,
        subject_id=row.subject_id,
    )


def _with_words(done: list[LifeEvent], written: Iterable[Remark]) -> Iterator[LifeEvent]:
    """Put each remark to what it was written on; one whose entry is not there stands for itself."""
    words = {(each.about, each.at, each.written_by): each for each in written}
    for event in done:
        remark = words.pop((event.tag.value if event.tag else "", event.at, event.actor), None)
        yield event if remark is None else replace(event, text=remark.text)
    known = {each.value: each for each in Tag}
    for each in words.values():
        yield LifeEvent(
            kind=LifeKind.REMARKED, at=each.at, actor=each.written_by, tag=known.get(each.about), text=each.text
        )


def _played(connection: Connection, order_id: str, zone: ZoneInfo) -> list[LifeEvent]:
    """Sum up plays by the court's days and purposes, and keys by what was pressed; see count_orders for quarters."""
    quarter = (type_coerce(plays.c.played_at, BigInteger) // (_QUARTER // timedelta(microseconds=1))).label("quarter")
    rows = connection.execute(
        select(
            quarter,
            plays.c.purpose,
            plays.c.key,
            func.count(),
            func.max(plays.c.played_at),
            func.max(plays.c.keyed_at),
        )
        .where(plays.c.order_id == order_id)
        .group_by(quarter, plays.c.purpose, plays.c.key)
    )
    found: dict[tuple[object, ...], LifeEvent] = {}
    for quarters, purpose, key, number, played_at, keyed_at in rows:
        day = (_EPOCH + int(quarters) * _QUARTER).astimezone(zone).date()
        play = LifeEvent(kind=LifeKind.PLAYED, at=played_at, purpose=Purpose(purpose), count=number)
        _add(found, (day, purpose), play)
        if key is not None:
            at = played_at if keyed_at is None else keyed_at
            _add(found, (day, purpose, key), replace(play, kind=LifeKind.KEY_PRESSED, at=at, key=key))
    return list(found.values())


def _add(found: dict[tuple[object, ...], LifeEvent], key: tuple[object, ...], event: LifeEvent) -> None:
    known = found.get(key)
    found[key] = event if known is None else replace(known, at=max(known.at, event.at), count=known.count + event.count)
