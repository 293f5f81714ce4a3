"""Lists of orders: by court, district, state, case number or line, within the asker's reach, page by page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, select

from gateway.domain.e164 import E164
from gateway.domain.order import Order, OrderState
from gateway.domain.rights import Reach
from gateway.domain.subject import SubjectKind
from gateway.privacy.blind_index import indexes_of_case, indexes_of_line
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.register import courts, districts, lines
from gateway.register.batches import visible
from gateway.register.errors import UnknownEntryError
from gateway.register.lines import LineEntry
from gateway.register.orders import read_order
from gateway.register.reach import within
from gateway.register.tables import disputes, orders
from gateway.register.tables import lines as line_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQuery:
    """Which orders to list, newest first; `after` is the id that the page before ended with."""

    reach: Reach
    court_id: str = ""
    district_id: str = ""
    case_number: str = ""
    line: E164 | None = None
    state: OrderState | None = None
    batch_id: str = ""
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgedOrder:
    """What is left of an order whose personal data was purged."""

    order_id: str
    court_id: str
    district_id: str
    subject_kind: SubjectKind
    drafted_at: datetime
    lifted_at: datetime | None
    valid_until: datetime | None
    purged_at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedOrder:
    """An order with its lines and how many disputes about it are open."""

    order: Order | PurgedOrder
    lines: tuple[LineEntry, ...]
    open_disputes: int


def listed(connection: Connection, query: OrderQuery, keys: KeyRing, now: datetime) -> tuple[ListedOrder, ...]:
    """Return a page of orders, newest first. Raises UnknownEntryError where the order before it is gone meanwhile."""
    statement = select(orders).where(within(query.reach), *_conditions(connection, query, keys, now))
    if query.after:
        mark = connection.execute(
            select(orders.c.drafted_at).where(orders.c.order_id == query.after, within(query.reach))
        ).scalar()
        if mark is None:
            raise UnknownEntryError(what="order", shown=query.after, cure="Begin the list again from its first page")
        statement = statement.where(
            (orders.c.drafted_at < mark) | ((orders.c.drafted_at == mark) & (orders.c.order_id < query.after))
        )
    rows = connection.execute(
        statement.order_by(orders.c.drafted_at.desc(), orders.c.order_id.desc()).limit(query.limit)
    ).all()
    return _entries(connection, rows, keys)


def one(connection: Connection, order_id: str, keys: KeyRing) -> ListedOrder:
    """Return one order as lists show it. Raises UnknownEntryError through the caller, who asked where it lies."""
    rows = connection.execute(select(orders).where(orders.c.order_id == order_id)).all()
    return _entries(connection, rows, keys)[0]


def _entries(connection: Connection, rows: Any, keys: KeyRing) -> tuple[ListedOrder, ...]:  # noqa: ANN401  (rows of any shape)
    cipher = FieldCipher(keys)
    ids = [row.order_id for row in rows]
    found = lines.of_orders(connection, ids, cipher)
    opened = (
        select(disputes.c.order_id, func.count())
        .where(disputes.c.order_id.in_(ids), disputes.c.resolved_at.is_(None))
        .group_by(disputes.c.order_id)
    )
    counts: dict[str, int] = {row[0]: row[1] for row in connection.execute(opened)} if ids else {}
    return tuple(
        ListedOrder(
            order=_purged(row) if row.purged_at is not None else read_order(row, cipher),
            lines=found.get(row.order_id, ()),
            open_disputes=counts.get(row.order_id, 0),
        )
        for row in rows
    )


def _purged(row: Row[*tuple[Any, ...]]) -> PurgedOrder:
    return PurgedOrder(
        order_id=row.order_id,
        court_id=row.court_id,
        district_id=row.district_id,
        subject_kind=SubjectKind(row.subject_kind),
        drafted_at=row.drafted_at,
        lifted_at=row.lifted_at,
        valid_until=row.valid_until,
        purged_at=row.purged_at,
        version=row.version,
    )


def _conditions(connection: Connection, query: OrderQuery, keys: KeyRing, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [visible()]
    if query.court_id:
        found.append(orders.c.court_id == query.court_id)
    if query.district_id:
        reached = districts.below(frozenset({query.district_id}))
        found.append(orders.c.district_id.in_(select(reached.c.district_id)))
    if query.case_number:
        # Each court numbers its cases by itself, and the index of a case number holds whose it is.
        of_courts = (query.court_id,) if query.court_id else courts.ids(connection)
        indexes = [index for court in of_courts for index in indexes_of_case(court, query.case_number, keys)]
        found.append(orders.c.case_index.in_(indexes))
    if query.line is not None:
        named = select(line_rows.c.order_id).where(line_rows.c.line_index.in_(indexes_of_line(query.line, keys)))
        found.append(orders.c.order_id.in_(named))
    if query.batch_id:
        found.append(orders.c.batch_id == query.batch_id)
    if query.state is not None:
        found.append(in_state(query.state, now))
    return found


def in_state(state: OrderState, now: datetime) -> ColumnElement[bool]:
    """Return the condition that an order is in `state` at `now`: `Order.state_at` in SQL, tested to agree with it."""
    row = orders.c
    unlifted = row.lifted_at.is_(None)
    expired = and_(row.valid_until.is_not(None), row.valid_until <= now)
    alive = and_(unlifted, (row.valid_until.is_(None)) | (row.valid_until > now))
    going = and_(alive, row.suspended_at.is_(None))
    approved = and_(going, row.approved_at.is_not(None), row.valid_until.is_not(None))
    unapproved = and_(going, (row.approved_at.is_(None)) | (row.valid_until.is_(None)))
    match state:
        case OrderState.LIFTED:
            return row.lifted_at.is_not(None)
        case OrderState.EXPIRED:
            return and_(unlifted, expired)
        case OrderState.SUSPENDED:
            return and_(alive, row.suspended_at.is_not(None))
        case OrderState.DRAFT:
            return and_(unapproved, row.submitted_at.is_(None))
        case OrderState.SUBMITTED:
            return and_(unapproved, row.submitted_at.is_not(None))
        case OrderState.IN_FORCE:
            return and_(approved, row.in_force_from <= now)
        case OrderState.WARNED:
            return and_(approved, row.in_force_from > now, row.warned_from <= now)
        case OrderState.APPROVED:
            return and_(approved, row.in_force_from > now, row.warned_from > now)
