"""The screen: which lines are certainly under no order, known without asking the database.

Holding a line back too long would only delay a new notice; a line that is on the screen is always confirmed in the
database. So staleness can never prolong a lifted notice. Every line that an approved order ever named stays on it.
"""

import threading
from collections.abc import Callable

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from gateway.domain.e164 import E164
from gateway.privacy.blind_index import indexes_of_line
from gateway.privacy.ring import KeyRing
from gateway.register.installation import generation
from gateway.register.tables import lines, orders

# The lines of a draft stay off the screen: nothing can be played to them before a second officer has approved it.
_APPROVED = (
    select(lines.c.line_index)
    .join(orders, orders.c.order_id == lines.c.order_id)
    .where(orders.c.approved_at.is_not(None))
)


class Screen:
    """A set of blind indexes, replaced whole. Readers take no lock: they see the old set or the new one."""

    def __init__(self, keys: KeyRing) -> None:
        """Start empty and not loaded: until then nothing can be said of any line."""
        self._keys = keys
        self._indexes: frozenset[bytes] = frozenset()
        self._generation = -1

    @property
    def is_loaded(self) -> bool:
        """Tell whether the screen ever was read from the database."""
        return self._generation >= 0

    @property
    def size(self) -> int:
        """Return how many lines are on the screen."""
        return len(self._indexes)

    def may_hold(self, line: E164) -> bool:
        """Return False only for a line that certainly was under no order when the screen was last read."""
        return any(index in self._indexes for index in indexes_of_line(line, self._keys))

    def refresh(self, connection: Connection) -> None:
        """Read the lines again if any were added. The generation is read first: lines may only be newer than it."""
        present = generation(connection)
        if present != self._generation:
            self._indexes = frozenset(connection.execute(_APPROVED).scalars())
            self._generation = present


class ScreenKeeper:
    """Keeps a screen current from a thread of its own, one in each worker, started after the fork."""

    def __init__(
        self,
        screen: Screen,
        engine: Engine,
        *,
        every: float,
        failed: Callable[[Exception], None],
        first: Callable[[], object] = lambda: None,
    ) -> None:
        """Refresh `screen` each `every` seconds; `failed` is told when the database is away.

        `first` is called before each refresh: a worker learns of a new key before it reads lines that stand under it.
        """
        self._first = first
        self._screen = screen
        self._engine = engine
        self._every = every
        self._failed = failed
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="screen", daemon=True)

    def start(self) -> None:
        """Load once, so that the screen stands before traffic, then go on in the background."""
        self._refresh()
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopped.wait(self._every):
            self._refresh()

    def _refresh(self) -> None:
        self._first()
        try:
            with self._engine.connect() as connection:
                self._screen.refresh(connection)
        except (SQLAlchemyError, OSError) as error:
            self._failed(error)
