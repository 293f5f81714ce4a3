"""One moment of the register for all that a page asks: what it shows then agrees, and it is asked for once."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol, Self

from sqlalchemy import Connection, Engine


class Reading(Protocol):
    """What lists and pages read with: an engine, where each reading has its own moment, or a `Snapshot`.

    `engine` is for what must have a moment of its own, such as an examination that goes on after a failure.
    """

    @property
    def engine(self) -> Engine:
        """Return the engine."""

    def connect(self) -> AbstractContextManager[Connection]:
        """Lend a connection."""

    def begin(self) -> AbstractContextManager[Connection]:
        """Lend a connection in a transaction."""


class Snapshot:
    """One transaction on an engine for reading, begun by the first who reads and ended with the snapshot.

    It is for one thread. `engine` must be one whose transactions see one state, as `open_for_reading` makes them.
    """

    def __init__(self, engine: Engine) -> None:
        """Remember the engine; nothing is asked yet."""
        self.engine = engine
        self._end = ExitStack()
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        """Ask nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the connection back."""
        self._connection = None
        self._end.close()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Lend the connection; it is not given back before the snapshot ends."""
        if self._connection is None:
            self._connection = self._end.enter_context(self.engine.connect())
        yield self._connection

    begin = connect
