"""A pool for calls: connections are ready or not there. A thread of its own opens them, and no call ever does.

Where answers come too late the server is left alone, until a new connection and then one call have shown that it
answers: a server that is paused costs the first calls their budget, and the others nothing.
"""

import os
import threading
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from math import inf
from time import monotonic
from typing import Any

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, Pool

from gateway.db.call_connection import CallConnection

log: structlog.stdlib.BoundLogger = structlog.get_logger("gateway.db")

_PROBE_SECONDS = 1.0
_CANCEL_SECONDS = 0.25
# So many late answers within so many seconds, and the server is left alone.
_STRIKES, _STRIKES_WITHIN = 2, 2.0
_PAUSE_SECONDS, _LONGEST_PAUSE = 0.25, 2.0
# At the very start whoever asks waits for the outcome of the first attempt; there are no calls yet.
_START_SECONDS = 5.0
_STOP_SECONDS = 3.0
# A short doubt, which the next connection dispels, ends nobody's statement.
_GONE_AFTER = 0.3


class NoConnectionError(psycopg.OperationalError):
    """No connection to the database is ready; the call goes on without it, and the keeper is opening one."""


class State(Enum):
    """What the pool knows of the server. In `TRIAL` one borrower tries it, and the others go without."""

    STARTING = auto()
    SOUND = auto()
    TRIAL = auto()
    AWAY = auto()


class ReadyPool(Pool):
    """Lends connections that its keeper has opened; whoever finds none is refused, at the latest after the time-out.

    The keeper's thread starts with the first borrower, who must come after a fork.
    """

    def __init__(self, creator: Callable[..., Any], pool_size: int = 12, timeout: float = 0.25, **more: Any) -> None:  # noqa: ANN401  (SQLAlchemy's own arguments of a pool)
        """Keep up to `pool_size` connections; each is lent with a budget of `timeout` seconds."""
        super().__init__(creator, **more)
        self._arguments = {"pool_size": pool_size, "timeout": timeout, **more}
        self._size = pool_size
        self._budget = timeout
        # Two conditions on one lock: a connection that comes back concerns borrowers, and must not wake the keeper.
        lock = threading.RLock()
        self._changed, self._to_do = threading.Condition(lock), threading.Condition(lock)
        self._ready: deque[ConnectionPoolEntry] = deque()
        self._late: deque[CallConnection] = deque()
        self._strikes: deque[float] = deque(maxlen=_STRIKES)
        # How many connections there are, ready or lent, and how many there should be.
        self._open, self._wanted, self._waiting = 0, 1, 0
        self._pid = os.getpid()
        # Kept, for to let go of them would be to close the parent's connections.
        self._inherited: list[ConnectionPoolEntry] = []
        self._epoch = 0
        self._state = State.STARTING
        self._away_since = inf
        self._pause = _PAUSE_SECONDS
        self._stopped = threading.Event()
        self._keeper: threading.Thread | None = None

    @property
    def state(self) -> State:
        """What is known of the server."""
        return self._state

    @property
    def is_gone(self) -> bool:
        """Tell whether the server has been away for so long that nobody should go on waiting for it."""
        return self._state is State.AWAY and monotonic() - self._away_since > _GONE_AFTER

    def strike(self) -> None:
        """Take the news that an answer came too late."""
        with self._changed:
            now = monotonic()
            self._strikes.append(now)
            if self._state is State.TRIAL:
                self._pause = min(self._pause * 2, _LONGEST_PAUSE)
                self._leave_alone()
            elif len(self._strikes) == _STRIKES and now - self._strikes[0] < _STRIKES_WITHIN:
                self._leave_alone()

    def renew(self) -> None:
        """Close every connection, a lent one when it returns: this server is no longer the one to ask."""
        with self._changed:
            self._drop_all()

    def bury(self, connection: CallConnection) -> None:
        """Let the keeper cancel and close what a call could not wait for."""
        with self._changed:
            self._late.append(connection)
            self._to_do.notify()

    def dispose(self) -> None:
        """End the keeper and close what is not lent."""
        self._stopped.set()
        with self._changed:
            self._to_do.notify()
        if self._keeper is not None:
            self._keeper.join(timeout=_STOP_SECONDS)
        self.renew()
        while self._late:
            self._late.popleft().pgconn.finish()

    def recreate(self) -> Pool:
        """Return a new pool like this one."""
        return ReadyPool(self._creator, **{**self._arguments, "dialect": self._dialect, "_dispatch": self.dispatch})

    def status(self) -> str:
        """Describe the pool in a line."""
        return f"{self._state.name.lower()}: {self._open} open, {len(self._ready)} ready, at most {self._size}"

    def _do_get(self) -> ConnectionPoolEntry:
        """Lend a connection with a budget, of which waiting for it was a part. Raises NoConnectionError."""
        began = monotonic()
        with self._changed:
            if self._pid != os.getpid():
                self._begin_after_fork()
            entry = self._take() or self._await(began)
            if not self._ready and self._open < self._size:
                # The next borrower shall find one too.
                self._ask_for(self._open + 1)
        connection = entry.dbapi_connection
        if isinstance(connection, CallConnection):
            waited = monotonic() - began
            # Nobody waits longer than a budget but at the very start.
            connection.left = self._budget - waited if waited < self._budget else self._budget
        return entry

    def _await(self, began: float) -> ConnectionPoolEntry:
        """Wait for a connection while the keeper may be opening one. Raises NoConnectionError."""
        # A half is for the connection, the rest for the answer; at the very start there are no calls yet.
        give_up = began + (_START_SECONDS if self._state is State.STARTING else self._budget / 2)
        self._waiting += 1
        try:
            while True:
                longest = give_up - monotonic()
                if longest <= 0 and not self._open:
                    # There is none at all, and none could be opened in this time: the others need not wait to see it.
                    self._leave_alone()
                if longest <= 0 or self._state in {State.TRIAL, State.AWAY}:
                    raise NoConnectionError("no connection to the database is ready")
                self._ask_for(self._open + self._waiting)
                self._changed.wait(longest)
                entry = self._take()
                if entry is not None:
                    return entry
        finally:
            self._waiting -= 1

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        """Take a connection back, or count one less where it was lost or is no longer wanted."""
        with self._changed:
            if record.dbapi_connection is not None and record.info.get("epoch") == self._epoch:
                self._ready.append(record)
                if self._state is State.TRIAL:
                    self._trust()
                self._changed.notify()
            else:
                self._lose(record)

    def _take(self) -> ConnectionPoolEntry | None:
        """Return a connection that still lives, if one may be lent."""
        if self._state is State.AWAY or (self._state is State.TRIAL and self._open > len(self._ready)):
            return None
        while self._ready:
            entry = self._ready.pop()
            connection = entry.dbapi_connection
            if isinstance(connection, CallConnection) and connection.is_quiet():
                return entry
            self._lose(entry)
        return None

    def _ask_for(self, many: int) -> None:
        """Have the keeper open so many, lent ones included. Raises NoConnectionError after the end."""
        if self._stopped.is_set():
            raise NoConnectionError("the pool is closed")
        self._wanted = min(self._size, max(self._wanted, many))
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._keep, name="postgresql", daemon=True)
            self._keeper.start()
        self._to_do.notify()

    def _begin_after_fork(self) -> None:
        """Begin anew in a child: the thread did not come along, and the connections are the parent's."""
        self._inherited.extend(self._ready)
        self._ready.clear()
        self._late.clear()
        self._open, self._wanted, self._state = 0, 1, State.SOUND
        self._pid, self._keeper = os.getpid(), None

    def _leave_alone(self) -> None:
        """Lend nothing until the keeper has found the server alive; every connection that there is, is in doubt."""
        if self._state is not State.AWAY:
            self._state, self._away_since = State.AWAY, monotonic()
        self._drop_all()

    def _drop_all(self) -> None:
        self._epoch += 1
        while self._ready:
            self._lose(self._ready.pop())
        self._changed.notify_all()
        self._to_do.notify()

    def _lose(self, entry: ConnectionPoolEntry) -> None:
        self._open -= 1
        entry.close()
        self._to_do.notify()

    def _trust(self) -> None:
        self._state = State.SOUND
        self._strikes.clear()
        self._pause = _PAUSE_SECONDS

    def _keep(self) -> None:
        """Open what is wanted and bury what is late, to the end: the keeper's thread."""
        while not self._stopped.is_set():
            with self._changed:
                while not (self._late or self._open < self._wanted or self._stopped.is_set()):
                    self._to_do.wait()
            self._bury_late()
            if self._open < self._wanted and not self._stopped.is_set() and not self._add_one():
                self._stopped.wait(self._pause)

    def _add_one(self) -> bool:
        """Open a connection and see that the server answers on it; return whether it did."""
        try:
            entry = self._create_connection()
            self._probe(entry)
        except (psycopg.Error, SQLAlchemyError, OSError) as error:
            self._note_failure(error)
            return False
        with self._changed:
            # It has just answered, whatever others were dropped for meanwhile.
            entry.info["epoch"] = self._epoch
            if self._state is State.STARTING:
                self._trust()
            elif self._state is State.AWAY:
                self._state = State.TRIAL
                log.warning("database_back")
            self._open += 1
            self._ready.append(entry)
            self._changed.notify_all()
        return True

    def _probe(self, entry: ConnectionPoolEntry) -> None:
        """Ask for nothing, for an answer: a pooler between us lets itself be connected to without any server."""
        connection = entry.dbapi_connection
        if isinstance(connection, CallConnection):
            connection.left = _PROBE_SECONDS
            try:
                connection.execute("SELECT 1", prepare=False)
            except psycopg.Error:
                entry.close()
                raise

    def _note_failure(self, error: Exception) -> None:
        """Let nobody wait where there is no connection at all, and say so once."""
        with self._changed:
            if self._open:
                return
            known = self._state is State.AWAY
            self._leave_alone()
        if not known:
            log.warning("database_away", why=type(error).__name__)

    def _bury_late(self) -> None:
        """Cancel what runs for nobody, as long as the server takes it, and close."""
        lives = True
        while self._late:
            connection = self._late.popleft()
            if lives:
                try:
                    connection.cancel_safe(timeout=_CANCEL_SECONDS)
                except psycopg.Error:
                    lives = False
            connection.pgconn.finish()
