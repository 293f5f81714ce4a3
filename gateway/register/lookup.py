"""The hot path: what the register says about a called line. Core only, one statement for the orders."""

from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, not_, select

from gateway.domain.e164 import E164
from gateway.domain.standing import NoOrders, OrderOnLine, UnderOrders
from gateway.domain.zones import candidate_zones
from gateway.privacy.blind_index import indexes_of_line
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.register.courts import COLUMNS, caps_of
from gateway.register.districts import silent_districts
from gateway.register.notices import assemble, parts_of, replies_of
from gateway.register.orders import read_order
from gateway.register.tables import courts, lines, orders

_ON_LINE = (
    select(
        orders,
        *(column for column in COLUMNS if column.name not in {"court_id", "name", "zone"}),
        lines.c.zone.label("line_zone"),
        lines.c.suspended_at.label("line_suspended_at"),
        not_(orders.c.district_id.in_(select(silent_districts().c.district_id))).label("district_enabled"),
    )
    .join(lines, lines.c.order_id == orders.c.order_id)
    .join(courts, courts.c.court_id == orders.c.court_id)
)
_STILL_STANDS = (
    select(orders.c.order_id)
    .join(lines, lines.c.order_id == orders.c.order_id)
    .where(
        orders.c.order_id == bindparam("order_id"),
        orders.c.lifted_at.is_(None),
        orders.c.suspended_at.is_(None),
        lines.c.suspended_at.is_(None),
        orders.c.district_id.not_in(select(silent_districts().c.district_id)),
    )
)
# While keys are being changed, a line may stand under any key of the ring; at all other times one comparison will do.
_IS_LINE = lines.c.line_index == bindparam("line_index")
_IS_LINE_UNDER_ANY_KEY = lines.c.line_index.in_(bindparam("line_indexes", expanding=True))
_ON_LINE_NOW, _ON_LINE_UNDER_ANY_KEY = _ON_LINE.where(_IS_LINE), _ON_LINE.where(_IS_LINE_UNDER_ANY_KEY)
_STANDS_NOW, _STANDS_UNDER_ANY_KEY = _STILL_STANDS.where(_IS_LINE), _STILL_STANDS.where(_IS_LINE_UNDER_ANY_KEY)


class Lookup:
    """Asks the primary database about one line. A positive answer is never cached: lifting is immediate."""

    def __init__(self, keys: KeyRing) -> None:
        """Find lines with the index key of `keys`, read them with its field key."""
        self._keys = keys
        self._cipher = FieldCipher(keys)

    def still_stands(self, connection: Connection, order_id: str, line: tuple[bytes, ...]) -> bool:
        """Tell whether no officer, key or switch has ended the order on this line since it was last read."""
        if len(line) == 1:
            found = connection.execute(_STANDS_NOW, {"order_id": order_id, "line_index": line[0]})
        else:
            found = connection.execute(_STANDS_UNDER_ANY_KEY, {"order_id": order_id, "line_indexes": line})
        return found.first() is not None

    def standing_of(self, connection: Connection, line: E164) -> UnderOrders | NoOrders:
        """Return every order on the line, in whatever state; histories of plays are left to the evidence."""
        indexes = indexes_of_line(line, self._keys)
        if len(indexes) == 1:
            rows = connection.execute(_ON_LINE_NOW, {"line_index": indexes[0]}).all()
        else:
            rows = connection.execute(_ON_LINE_UNDER_ANY_KEY, {"line_indexes": indexes}).all()
        if not rows:
            return NoOrders()
        parts = parts_of(connection, [row.order_id for row in rows])
        private = any(row.subject_kind == "natural_person" for row in rows)
        reply_parts = replies_of(connection) if private else {}
        found = []
        for row in rows:
            order = read_order(row, self._cipher)
            found.append(
                OrderOnLine(
                    order=order,
                    caps=caps_of(row),
                    zones=(ZoneInfo(row.line_zone),) if row.line_zone else candidate_zones(line),
                    line_suspended=row.line_suspended_at is not None,
                    district_enabled=bool(row.district_enabled),
                    notices=assemble(order.subject, parts.get(order.order_id, {}), reply_parts),
                )
            )
        return UnderOrders(tuple(found))
