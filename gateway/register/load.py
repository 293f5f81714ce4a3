"""Many orders at once: their rows as the database takes them, and the quickest way into each database.

The rows are the ones that `orders.row_of` and `lines.row_of` make; a test holds them against each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table

from gateway.db.metadata import Instant
from gateway.domain.order import Order
from gateway.privacy.blind_index import index_line
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.register import own_words
from gateway.register.lines import Line
from gateway.register.orders import row_of
from gateway.register.tables import lines, orders
from gateway.register.tables import own_words as own_words_table

Value = str | bytes | int | None
Values = tuple[Value, ...]
# What one order is made of: the number of its row in the file, its own row, its lines', its own words'.
Loaded = tuple[int, Values, Sequence[Values], Sequence[Values]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LINES = ("line_id", "order_id", "line_index", "line", "zone", "evidence")
_WORDS = ("order_id", "language", "text")
_ORDERS = tuple(column.name for column in orders.columns if column.name != "purged_at")
_CASE_INDEX = _ORDERS.index("case_index")
_INSTANTS = tuple(place for place, name in enumerate(_ORDERS) if isinstance(orders.c[name].type, Instant))
_values_of = itemgetter(*_ORDERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """Rows that go in together."""

    orders: list[Values] = field(default_factory=list)
    lines: list[Values] = field(default_factory=list)
    words: list[Values] = field(default_factory=list)

    @classmethod
    def of(cls, loaded: Iterable[Loaded]) -> "Portion":
        """Put the rows of several orders together."""
        portion = cls()
        for _number, order, on, words in loaded:
            portion.orders.append(order)
            portion.lines.extend(on)
            portion.words.extend(words)
        return portion


def order_id(batch_id: str, number: int) -> str:
    """Return the id of the order in a row of a batch's file: always the same one, so that a second try finds it."""
    return f"ord_{batch_id.removeprefix('bat_')}{number:06x}"


def load_of(
    number: int, order: Order, on: Sequence[Line], words: Mapping[str, str], cipher: FieldCipher, keys: KeyRing
) -> Loaded:
    """Return the rows of an order, encrypted, with the instants as the database holds them."""
    row = row_of(order, cipher, keys)
    suffix = order.order_id.removeprefix("ord_")
    return (
        number,
        _order(row),
        [_line(f"line_{suffix}{place:03x}", order.order_id, line, cipher, keys) for place, line in enumerate(on)],
        [
            (order.order_id, language, cipher.encrypt(text, place=own_words.place(order.order_id, language)))
            for language, text in words.items()
        ],
    )


def case_index_of(loaded: Loaded) -> bytes:
    """Return the blind index of an order's case number."""
    index = loaded[1][_CASE_INDEX]
    return index if isinstance(index, bytes) else b""


def write(connection: Connection, portion: Portion) -> None:
    """Insert rows in the caller's transaction. Raises the driver's own IntegrityError."""
    for table, names, rows in (
        (orders, _ORDERS, portion.orders),
        (lines, _LINES, portion.lines),
        (own_words_table, _WORDS, portion.words),
    ):
        if rows:
            _insert(connection, table, names, rows)


def _insert(connection: Connection, table: Table, names: Sequence[str], rows: list[Values]) -> None:
    columns = ", ".join(names)
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        # Names of this module's own tables: nothing of anybody's goes into the statement.
        statement = f"INSERT INTO {table.name} ({columns}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608
        driver.executemany(statement, rows)
        return
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _line(line_id: str, order_id: str, line: Line, cipher: FieldCipher, keys: KeyRing) -> Values:
    return (
        line_id,
        order_id,
        index_line(line.number, keys),
        cipher.encrypt(line.number.number, place=f"lines.line:{line_id}"),
        line.zone,
        cipher.encrypt(line.evidence, place=f"lines.evidence:{line_id}") if line.evidence else None,
    )


def _order(row: Mapping[str, Any]) -> Values:
    """Return the values of a row, its instants as the database holds them."""
    values = list(_values_of(row))
    for place in _INSTANTS:
        instant: datetime | None = values[place]
        if instant is not None:
            values[place] = (instant - _EPOCH) // _MICROSECOND
    return tuple(values)
