"""Read every line of a large register and leave the screen's copy of them: a program, so that calls are not its matter.

Ten million rows keep a Python interpreter busy for many seconds. In a thread of a worker, each call would have to wait
for the interpreter again and again; in a process of its own, and a nicer one, it takes what calls leave over.
"""

import json
import os
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from gateway.clock import utc_now
from gateway.db.engine import open_for_screens
from gateway.privacy.blind_index import INDEX_BYTES
from gateway.register.screen_changes import count_lines, draft_orders, every_line, key_id, present
from gateway.register.screen_copy import Head, Origin, write
from gateway.register.screen_filter import LineFilter

_NICENESS = 10
_PORTION = 20_000
# So many blocks of 8 KiB hold some ten thousands of lines, and a megabyte of indexes.
_STRETCH = 500
_BLOCKS = "SELECT pg_relation_size('lines') / current_setting('block_size')::bigint"
_JOINED = """
SELECT string_agg(line_index, ''::bytea) FROM lines
WHERE ctid >= %s::tid AND ctid < %s::tid AND order_id <> ALL (%s::text[])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions:
    """What the program needs to know; it comes through a pipe, for the database's address may hold a password."""

    database: str = field(repr=False)
    origin: str
    path: str

    def to_json(self) -> bytes:
        """Return it as it goes through the pipe."""
        return json.dumps({"database": self.database, "origin": self.origin, "path": self.path}).encode()


def build(instructions: Instructions) -> None:
    """Read all lines, and write the copy. Raises SQLAlchemyError, OSError."""
    # It asks each thing once: nothing is worth preparing, and a pooler may stand between.
    engine = open_for_screens(instructions.database, prepares=False)
    try:
        with engine.connect() as connection:
            # What is announced after this is read on top of the copy; the lines are those of one moment after it.
            begun, position = utc_now(), present(connection)
            origin = Origin(database=instructions.origin, key_id=key_id(connection))
            lines = LineFilter.with_room_for(count_lines(connection))
            for portion in _portions(connection):
                lines.add(portion)
    finally:
        engine.dispose()
    head = Head(build=secrets.token_hex(8), built_at=begun, origin=origin, position=position, has_removed=False)
    write(Path(instructions.path), head, lines)


def _portions(connection: Connection) -> Iterator[list[bytes]]:
    """Yield every index, some ten thousands at a time, by the driver's shortest way."""
    if connection.dialect.name == "sqlite":
        found: Any = _driver(connection).execute(str(every_line("sqlite").compile(connection)))
        while rows := found.fetchmany(_PORTION):
            yield [row[0] for row in rows]
        return
    # Read once, and before the lines: an order that is approved meanwhile is announced, and read on top.
    drafts = list(connection.execute(draft_orders()).scalars())
    with _driver(connection).transaction():
        yield from _blocks(_driver(connection), drafts)


def _blocks(driver: Any, drafts: list[str]) -> Iterator[list[bytes]]:  # noqa: ANN401  (psycopg's connection)
    """Yield what a stretch of the table holds after the other, in one snapshot: no row can move between two of them.

    PostgreSQL puts the indexes of a stretch together into one value. Ten million rows one by one cost both sides more
    than all the rest of the work.
    """
    driver.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    blocks = driver.execute(_BLOCKS).fetchone()[0]
    for first in range(0, blocks, _STRETCH):
        stretch = (f"({first},0)", f"({first + _STRETCH},0)", drafts)
        joined = driver.execute(_JOINED, stretch, binary=True).fetchone()[0] or b""
        yield [joined[at : at + INDEX_BYTES] for at in range(0, len(joined), INDEX_BYTES)]


def _driver(connection: Connection) -> Any:  # noqa: ANN401  (either driver's connection)
    return connection.connection.driver_connection


def main() -> None:
    """Carry out the instructions on the standard input."""
    os.nice(_NICENESS)
    build(Instructions(**json.load(sys.stdin)))


if __name__ == "__main__":
    main()
