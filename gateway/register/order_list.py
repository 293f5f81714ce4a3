"""Lists of orders: by court, district, state, case number or line, within the asker's reach, page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    func,
    select,
)

from gateway.db.metadata import Instant
from gateway.db.rows import all_rows
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

# A process keeps the statements of so many kinds of lists, and never what they found: putting one together takes longer
# than the database takes to answer it.
_KEPT = 128
_NOW = bindparam("now", type_=Instant())
_MARK = bindparam("mark", type_=Instant())
# What may be asked for, by the name of the value that is asked for.
_CONDITIONS: Mapping[str, ColumnElement[bool]] = {
    "court_id": orders.c.court_id == bindparam("court_id"),
    "cases": orders.c.case_index.in_(bindparam("cases", expanding=True)),
    "lines": orders.c.order_id.in_(
        select(line_rows.c.order_id).where(line_rows.c.line_index.in_(bindparam("lines", expanding=True)))
    ),
    "batch_id": orders.c.batch_id == bindparam("batch_id"),
    "mark": (orders.c.drafted_at < _MARK) | ((orders.c.drafted_at == _MARK) & (orders.c.order_id < bindparam("after"))),
}
_EVERY_COLUMN = tuple(orders.c)
_ONE = select(orders).where(orders.c.order_id == bindparam("order_id"))
_OPEN_DISPUTES = (
    select(disputes.c.order_id, func.count())
    .where(disputes.c.order_id.in_(bindparam("order_ids", expanding=True)), disputes.c.resolved_at.is_(None))
    .group_by(disputes.c.order_id)
)


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
    return _entries(connection, page_of(connection, query, keys, now, _EVERY_COLUMN), keys)


def page_of(
    connection: Connection, query: OrderQuery, keys: KeyRing, now: datetime, columns: tuple[Column[Any], ...]
) -> list[Any]:
    """Return the rows of a page, newest first, as named tuples of `columns`. Raises UnknownEntryError."""
    values: dict[str, Any] = {"now": now, "most": query.limit, **_values(connection, query, keys)}
    if query.after:
        mark = connection.execute(
            select(orders.c.drafted_at).where(orders.c.order_id == query.after, within(query.reach))
        ).scalar()
        if mark is None:
            raise UnknownEntryError(what="order", shown=query.after, cure="Begin the list again from its first page")
        values |= {"mark": mark, "after": query.after}
    statement = _listing(columns, query.reach, query.district_id, query.state, frozenset(values))
    return all_rows(connection.execute(statement, values))


def open_disputes(connection: Connection, order_ids: Sequence[str]) -> dict[str, int]:
    """Return how many disputes are open about each order that has any."""
    if not order_ids:
        return {}
    return {row[0]: row[1] for row in connection.execute(_OPEN_DISPUTES, {"order_ids": order_ids})}


def one(connection: Connection, order_id: str, keys: KeyRing) -> ListedOrder:
    """Return one order as lists show it. Raises UnknownEntryError through the caller, who asked where it lies."""
    rows = all_rows(connection.execute(_ONE, {"order_id": order_id}))
    return _entries(connection, rows, keys)[0]


def _entries(connection: Connection, rows: Any, keys: KeyRing) -> tuple[ListedOrder, ...]:  # noqa: ANN401  (rows of any shape)
    cipher = FieldCipher(keys)
    ids = [row.order_id for row in rows]
    found = lines.of_orders(connection, ids, cipher)
    counts = open_disputes(connection, ids)
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


def _values(connection: Connection, query: OrderQuery, keys: KeyRing) -> dict[str, Any]:
    """Return what a query asks for, by the names that the statement has for it."""
    found: dict[str, Any] = {}
    if query.court_id:
        found["court_id"] = query.court_id
    if query.case_number:
        # Each court numbers its cases by itself, and the index of a case number holds whose it is.
        of_courts = (query.court_id,) if query.court_id else courts.ids(connection)
        found["cases"] = [index for court in of_courts for index in indexes_of_case(court, query.case_number, keys)]
    if query.line is not None:
        found["lines"] = indexes_of_line(query.line, keys)
    if query.batch_id:
        found["batch_id"] = query.batch_id
    return found


@lru_cache(maxsize=_KEPT)
def _listing(
    columns: tuple[Column[Any], ...],
    reach: Reach,
    district_id: str,
    state: OrderState | None,
    given: frozenset[str],
) -> Select[Any]:
    """Return the statement of a list that is asked for the values `given`."""
    found = [within(reach), visible()]
    if district_id:
        reached = districts.below(frozenset({district_id}))
        found.append(orders.c.district_id.in_(select(reached.c.district_id)))
    if state is not None:
        found.append(in_state(state, _NOW))
    found.extend(condition for name, condition in _CONDITIONS.items() if name in given)
    newest = select(*columns).where(*found).order_by(orders.c.drafted_at.desc(), orders.c.order_id.desc())
    return newest.limit(bindparam("most", type_=Integer))


def in_state(state: OrderState, now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
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
