"""Writing what was checked: from a file beside the database into it, in transactions so short that nobody waits.

SQLite has one writer at a time, and whoever waits for it asks again in steps of up to 25 ms (sqlite3.c,
sqliteDefaultBusyCallback) while a call has 250 ms. So a transaction lasts well under 100 ms, and a pause follows that
is longer than a step: the next writer always gets in between.
"""

import marshal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import IO, TYPE_CHECKING

from sqlalchemy import Connection, Engine, delete, select

from gateway.domain.errors import GatewayError
from gateway.late import late
from gateway.privacy.ring import KeyRing
from gateway.register import batches
from gateway.register.load import Loaded, Portion, case_index_of, write
from gateway.register.tables import installation, lines, notices, orders, own_words, proposals, remarks
from gateway.workflows.import_crew import receive, send

if TYPE_CHECKING:
    import psycopg
else:
    # Looked at when a row collides; a register on SQLite does without it otherwise.
    psycopg = late("psycopg")

_HOLD_SECONDS = 0.06
_PAUSE_SECONDS = 0.03
_FEWEST, _FIRST, _MOST = 50, 250, 2_000
_COPIED = 5_000


class KeysChangedError(GatewayError):
    """The keys were changed while the file was being imported; import it again, and it goes on where it stopped."""

    code = "keys_changed"


class Spool:
    """Encrypted rows on their way to the database, in a file that has no name and ends with the process."""

    def __init__(self) -> None:
        """Open the file."""
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `close`)

    def put(self, loaded: bytes) -> None:
        """Add marshalled rows at the end."""
        send(self._file, loaded)

    def rows(self) -> Iterator[Loaded]:
        """Yield every row from the beginning."""
        self._file.seek(0)
        while (frame := receive(self._file)) is not None:
            yield from marshal.loads(frame)  # noqa: S302  (our own, and only this process has the file)

    def close(self) -> None:
        """Close the file, which removes it."""
        self._file.close()


@dataclass(slots=True)
class Pace:
    """How many rows go in at once: as many as the last ones allow within the time that others can wait."""

    sqlite: bool
    size: int = field(init=False)
    longest: float = 0.0
    _free_at: float = 0.0

    def __post_init__(self) -> None:
        """Begin with few, where it matters."""
        self.size = _FIRST if self.sqlite else _COPIED

    def held(self, rows: int, seconds: float) -> None:
        """Learn from a transaction that held the write lock."""
        self.longest = max(self.longest, seconds)
        if self.sqlite:
            fitting = int(rows * _HOLD_SECONDS / max(seconds, 0.001))
            self.size = max(_FEWEST, min(_MOST, fitting, self.size * 2))
            self._free_at = time.monotonic() + _PAUSE_SECONDS

    def pause(self) -> None:
        """Let others write before the next transaction."""
        time.sleep(max(0.0, self._free_at - time.monotonic()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """The writing of one batch by one loader."""

    engine: Engine
    keys: KeyRing
    key_id: str
    court_id: str
    batch_id: str
    loader: str
    clock: Callable[[], datetime]

    def write_all(self, rows: Iterator[Loaded], progress: Callable[[int], None]) -> tuple[list[int], float]:
        """Write every row; return the rows whose case was taken meanwhile, and the longest hold in seconds.

        Raises BatchTakenError, KeysChangedError.
        """
        pace = Pace(sqlite=self.engine.dialect.name == "sqlite")
        collided: list[int] = []
        written = 0
        portion = _next(rows, pace.size)
        while portion:
            taken, seconds = self._write(portion)
            collided.extend(taken)
            pace.held(len(portion), seconds)
            written += len(portion)
            progress(written)
            portion = _next(rows, pace.size)
            pace.pause()
        return collided, pace.longest

    def _write(self, loaded: Sequence[Loaded]) -> tuple[list[int], float]:
        try:
            return [], self._insert(loaded)
        except (sqlite3.IntegrityError, psycopg.IntegrityError):
            with self.engine.begin() as connection:
                taken = _present(connection, self.court_id, loaded)
            collided = [each for each in loaded if case_index_of(each) in taken]
            if not collided:
                raise
            left = [each for each in loaded if case_index_of(each) not in taken]
            return [each[0] for each in collided], self._insert(left)

    def _insert(self, loaded: Sequence[Loaded]) -> float:
        with self.engine.begin() as connection:
            began = time.monotonic()
            batches.renew(connection, self.batch_id, self.loader, self.clock())
            # What another key wrote would be unreadable once that key is retired.
            if connection.execute(select(installation.c.key_id)).scalar() != self.key_id:
                raise KeysChangedError
            write(connection, Portion.of(loaded))
        return time.monotonic() - began


def remove_waiting(engine: Engine, batch_id: str, progress: Callable[[int], None]) -> int:
    """Remove a batch's orders that are neither approved nor over, a portion at a time; return how many there were.

    The batch is hidden by then. What was never approved has never been heard, and nothing refers to it.
    """
    pace = Pace(sqlite=engine.dialect.name == "sqlite")
    removed = 0
    while True:
        with engine.begin() as connection:
            began = time.monotonic()
            chosen = select(orders.c.order_id).where(batches.waiting(batch_id)).limit(pace.size)
            doomed = connection.execute(chosen).scalars().all()
            for table in (own_words, proposals, remarks, notices, lines, orders):
                for at in range(0, len(doomed), _FEWEST * 10):
                    some = doomed[at : at + _FEWEST * 10]
                    connection.execute(delete(table).where(table.c.order_id.in_(some)))
        if not doomed:
            return removed
        pace.held(len(doomed), time.monotonic() - began)
        removed += len(doomed)
        progress(removed)
        pace.pause()


def _present(connection: Connection, court_id: str, loaded: Sequence[Loaded]) -> set[bytes]:
    indexes = [case_index_of(each) for each in loaded]
    statement = select(orders.c.case_index).where(orders.c.court_id == court_id, orders.c.case_index.in_(indexes))
    return set(connection.execute(statement).scalars())


def _next(rows: Iterator[Loaded], size: int) -> list[Loaded]:
    return list(islice(rows, size))
