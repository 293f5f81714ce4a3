"""The hot path: what the register says about a called line, in one statement; only a private notice has replies too."""

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, bindparam, exists, not_, select

from gateway.db.driver import Prepared
from gateway.domain.e164 import E164
from gateway.domain.notice import Purpose
from gateway.domain.standing import NoOrders, OrderOnLine, UnderOrders
from gateway.domain.zones import candidate_zones
from gateway.privacy.blind_index import indexes_of_line
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.register.courts import COLUMNS, caps_of
from gateway.register.districts import silent_districts
from gateway.register.notices import RENDITION, Parts, assemble, read_rendition, replies_of
from gateway.register.orders import read_order
from gateway.register.tables import courts, lines, notices, orders, renditions

# A row for each language of each notice, in playing order; one row for an order that has none.
_ON_LINE = (
    select(
        orders,
        *(column for column in COLUMNS if column.name not in {"court_id", "name", "zone"}),
        lines.c.line_id,
        lines.c.zone.label("line_zone"),
        lines.c.suspended_at.label("line_suspended_at"),
        not_(orders.c.district_id.in_(select(silent_districts().c.district_id))).label("district_enabled"),
        notices.c.purpose.label("part_purpose"),
        *(column.label(f"part_{column.name}") for column in RENDITION),
    )
    .join(lines, lines.c.order_id == orders.c.order_id)
    .join(courts, courts.c.court_id == orders.c.court_id)
    .outerjoin(notices, notices.c.order_id == orders.c.order_id)
    .outerjoin(renditions, renditions.c.rendition_id == notices.c.rendition_id)
    .order_by(orders.c.order_id, lines.c.line_id, notices.c.purpose, notices.c.position)
)
_STANDING = (
    orders.c.lifted_at.is_(None),
    orders.c.suspended_at.is_(None),
    lines.c.suspended_at.is_(None),
    orders.c.district_id.not_in(select(silent_districts().c.district_id)),
)
_STILL_STANDS = (
    select(orders.c.order_id)
    .join(lines, lines.c.order_id == orders.c.order_id)
    .where(orders.c.order_id == bindparam("order_id"), *_STANDING)
)
_IS_LINE = lines.c.line_index == bindparam("line_index")
_IS_LINE_UNDER_ANY_KEY = lines.c.line_index.in_(bindparam("line_indexes", expanding=True))
_ON_LINE_NOW, _ON_LINE_UNDER_ANY_KEY = Prepared(_ON_LINE.where(_IS_LINE)), _ON_LINE.where(_IS_LINE_UNDER_ANY_KEY)
_STANDS_NOW, _STANDS_UNDER_ANY_KEY = (
    Prepared(_STILL_STANDS.where(_IS_LINE)),
    _STILL_STANDS.where(_IS_LINE_UNDER_ANY_KEY),
)


def stands(order_id: str, line_index: str) -> ColumnElement[bool]:
    """Return the condition that an order stands on a line, for a statement with parameters of these two names."""
    return exists(
        select(orders.c.order_id)
        .join(lines, lines.c.order_id == orders.c.order_id)
        .where(
            orders.c.order_id == bindparam(order_id),
            lines.c.line_index == bindparam(line_index),
            *_STANDING,
        )
    )


class Lookup:
    """Asks the primary database about one line. A positive answer is never cached: lifting is immediate."""

    def __init__(self, keys: KeyRing) -> None:
        """Find lines with the index key of `keys`, read them with its field key."""
        self._keys = keys
        self._cipher = FieldCipher(keys)

    def still_stands(self, connection: Connection, order_id: str, line: tuple[bytes, ...]) -> bool:
        """Tell whether no officer, key or switch has ended the order on this line since it was last read."""
        if len(line) == 1:
            return bool(_STANDS_NOW.rows(connection, {"order_id": order_id, "line_index": line[0]}))
        found = connection.execute(_STANDS_UNDER_ANY_KEY, {"order_id": order_id, "line_indexes": line})
        return found.first() is not None

    def standing_of(self, connection: Connection, line: E164) -> UnderOrders | NoOrders:
        """Return every order on the line, in whatever state; histories of plays are left to the evidence."""
        rows = _rows_on(connection, indexes_of_line(line, self._keys))
        if not rows:
            return NoOrders()
        # By the line's row: while keys change, an order might have the number twice, under two keys.
        by_line: dict[str, list[Any]] = {}
        for row in rows:
            by_line.setdefault(row.line_id, []).append(row)
        private = any(row.subject_kind == "natural_person" for row in rows)
        reply_parts = replies_of(connection) if private else {}
        return UnderOrders(tuple(self._on_line(each, line, reply_parts) for each in by_line.values()))

    def _on_line(self, rows: list[Any], line: E164, reply_parts: Parts) -> OrderOnLine:
        row = rows[0]
        order = read_order(row, self._cipher)
        return OrderOnLine(
            order=order,
            caps=caps_of(row),
            zones=(ZoneInfo(row.line_zone),) if row.line_zone else candidate_zones(line),
            line_suspended=row.line_suspended_at is not None,
            district_enabled=bool(row.district_enabled),
            notices=assemble(order.subject, _parts(rows), reply_parts),
        )


def _rows_on(connection: Connection, indexes: tuple[bytes, ...]) -> list[Any]:
    if len(indexes) == 1:
        return _ON_LINE_NOW.rows(connection, {"line_index": indexes[0]})
    return list(connection.execute(_ON_LINE_UNDER_ANY_KEY, {"line_indexes": indexes}))


def _parts(rows: list[Any]) -> Parts:
    """Return the renditions of one order by purpose, in playing order."""
    found: Parts = {}
    for row in rows:
        if row.part_purpose is not None:
            purpose = Purpose(row.part_purpose)
            found[purpose] = (*found.get(purpose, ()), read_rendition(row, prefix="part_"))
    return found
