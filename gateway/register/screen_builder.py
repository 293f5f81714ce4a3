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
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from gateway.clock import utc_now
from gateway.db.engine import open_for_screens
from gateway.register.screen_changes import count_lines, every_line, key_id, present
from gateway.register.screen_copy import Head, Origin, write
from gateway.register.screen_filter import LineFilter

_NICENESS = 10
_PORTION = 20_000


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
            found = _indexes(connection)
            while portion := list(islice(found, _PORTION)):
                lines.add(portion)
    finally:
        engine.dispose()
    head = Head(build=secrets.token_hex(8), built_at=begun, origin=origin, position=position, has_removed=False)
    write(Path(instructions.path), head, lines)


def _indexes(connection: Connection) -> Iterator[bytes]:
    """Yield every index by the driver's shortest way: ten million rows through SQLAlchemy take three times as long."""
    statement = every_line(connection.dialect.name)
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        for row in driver.execute(str(statement.compile(connection))):
            yield row[0]
        return
    query = str(statement.compile(connection))
    # A cursor on the server: its rows come some thousands at a time, and fit into any memory.
    with driver.transaction(), driver.cursor("every_line", binary=True) as cursor:
        cursor.execute(query)
        while portion := cursor.fetchmany(_PORTION):
            for row in portion:
                yield row[0]


def main() -> None:
    """Carry out the instructions on the standard input."""
    os.nice(_NICENESS)
    build(Instructions(**json.load(sys.stdin)))


if __name__ == "__main__":
    main()
