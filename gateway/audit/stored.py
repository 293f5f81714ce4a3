"""Rows as the database holds them, streamed: whatever somebody wrote into a column, it is read and not refused."""

from collections.abc import Iterable, Iterator

from sqlalchemy import Column, ColumnElement, Connection, Table, select, type_coerce
from sqlalchemy.types import NullType

from gateway.audit.chain import Head
from gateway.audit.play_seal import SEALED as SEALED_OF_PLAY
from gateway.audit.suspects import Row
from gateway.audit.tables import plays, trail, trail_head
from gateway.audit.trail import SEALED

TRAIL_COLUMNS = (*SEALED, "seal")
PLAY_COLUMNS = (*SEALED_OF_PLAY, "seal", "key", "keyed_at", "disposition", "heard_ms")
_AT_ONCE = 1000


def head_in(connection: Connection) -> Head | None:
    """Return the head of the trail."""
    row = connection.execute(select(*_raw(trail_head, ("seq", "seal")))).first()
    return None if row is None else Head(seq=row[0], seal=row[1])


def rows_in(connection: Connection) -> Iterator[Row]:
    """Stream the trail in order: the values of `TRAIL_COLUMNS`."""
    return _streamed(connection, trail, TRAIL_COLUMNS, (trail.c.seq,))


def plays_in(connection: Connection, *conditions: ColumnElement[bool]) -> Iterator[Row]:
    """Stream plays, oldest first: the values of `PLAY_COLUMNS`."""
    return _streamed(connection, plays, PLAY_COLUMNS, (plays.c.played_at, plays.c.play_id), conditions)


def _streamed(
    connection: Connection,
    table: Table,
    names: Iterable[str],
    order: Iterable[Column[object]],
    conditions: Iterable[ColumnElement[bool]] = (),
) -> Iterator[Row]:
    statement = select(*_raw(table, names)).where(*conditions).order_by(*order)
    with connection.execute(statement, execution_options={"yield_per": _AT_ONCE}) as result:
        for portion in result.partitions():
            yield from map(tuple, portion)


def _raw(table: Table, names: Iterable[str]) -> list[ColumnElement[object]]:
    return [type_coerce(table.c[name], NullType()) for name in names]
