"""Orders as a list shows them: what each is called, whom it concerns, where it stands, and its first lines.

Nothing else is read: a list of fifty decrypts what it shows, and no legal basis and no evidence.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select

from gateway.db.rows import all_rows
from gateway.domain.order import Life, OrderState, is_one_of, state_of
from gateway.domain.subject import SubjectKind
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.register.order_list import OrderQuery, open_disputes, page_of
from gateway.register.orders import read_drafters, read_name
from gateway.register.tables import lines, orders

SHOWN_LINES = 3

_COLUMNS = (
    orders.c.order_id,
    orders.c.court_id,
    orders.c.district_id,
    orders.c.case_number,
    orders.c.subject_kind,
    orders.c.subject,
    orders.c.drafted_by,
    orders.c.earlier_drafters,
    orders.c.drafted_at,
    orders.c.submitted_at,
    orders.c.approved_by,
    orders.c.approved_at,
    orders.c.warned_from,
    orders.c.in_force_from,
    orders.c.valid_until,
    orders.c.suspended_at,
    orders.c.lifted_at,
    orders.c.purged_at,
)
_LINES = (
    select(lines.c.order_id, lines.c.line_id, lines.c.line)
    .where(lines.c.order_id.in_(bindparam("order_ids", expanding=True)))
    .order_by(lines.c.order_id, lines.c.line_id)
)
_KINDS = {kind.value: kind for kind in SubjectKind}
_PERSONAL = SubjectKind.NATURAL_PERSON.value


class OrderOutline(NamedTuple):
    """One order in a list. `numbers` are its first lines, at most SHOWN_LINES, of `lines` in all.

    What is left of a purged order has neither case number nor name, and no lines.
    """

    order_id: str
    court_id: str
    district_id: str
    case_number: str
    name: str
    kind: SubjectKind
    state: OrderState
    drafted_at: datetime
    is_purged: bool
    numbers: tuple[str, ...]
    lines: int
    open_disputes: int


def outlined(connection: Connection, query: OrderQuery, keys: KeyRing, now: datetime) -> tuple[OrderOutline, ...]:
    """Return a page of orders, newest first. Raises UnknownEntryError where the order before it is gone meanwhile."""
    cipher = FieldCipher(keys)
    rows = page_of(connection, query, keys, now, _COLUMNS)
    ids = [row.order_id for row in rows]
    on = _lines_of(connection, ids)
    opened = open_disputes(connection, ids)
    return tuple(_outline(row, on.get(row.order_id, ()), opened.get(row.order_id, 0), cipher, now) for row in rows)


def _outline(row: Any, on: Sequence[Any], disputes: int, cipher: FieldCipher, now: datetime) -> OrderOutline:  # noqa: ANN401  (a row)
    order_id, is_purged = row.order_id, row.purged_at is not None
    if is_purged:
        case_number, name = "", ""
    else:
        case_number = cipher.decrypt(row.case_number, place=f"orders.case_number:{order_id}")
        name = read_name(cipher.decrypt(row.subject, place=f"orders.subject:{order_id}"), order_id)
    shown = on[:SHOWN_LINES]
    return OrderOutline(
        order_id=order_id,
        court_id=row.court_id,
        district_id=row.district_id,
        case_number=case_number,
        name=name,
        kind=_KINDS[row.subject_kind],
        state=_state_of(row, now),
        drafted_at=row.drafted_at,
        is_purged=is_purged,
        numbers=tuple([cipher.decrypt(each.line, place=f"lines.line:{each.line_id}") for each in shown]),
        lines=len(on),
        open_disputes=disputes,
    )


def _state_of(row: Any, now: datetime) -> OrderState:  # noqa: ANN401  (a named tuple of the query's columns)
    def has_one_officer() -> bool:
        drafters = (row.drafted_by, *read_drafters(row.earlier_drafters))
        return row.approved_by is None or is_one_of(row.approved_by, drafters)

    life = Life(
        row.submitted_at,
        row.approved_at,
        row.warned_from,
        row.in_force_from,
        row.valid_until,
        row.suspended_at,
        row.lifted_at,
    )
    return state_of(life, now, is_personal=row.subject_kind == _PERSONAL, has_one_officer=has_one_officer)


def _lines_of(connection: Connection, order_ids: Sequence[str]) -> dict[str, list[Any]]:
    """Return the rows of the lines of each order that has any; a page has few enough orders for one statement."""
    found: dict[str, list[Any]] = {}
    if order_ids:
        for row in all_rows(connection.execute(_LINES, {"order_ids": order_ids})):
            found.setdefault(row.order_id, []).append(row)
    return found
