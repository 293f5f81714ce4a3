"""The keeper: the thread that loads a worker's screen before traffic, and keeps it current."""

import os
import threading
import time
import weakref
from collections.abc import Callable
from datetime import datetime, timedelta
from math import inf

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.clock import utc_now
from gateway.register.screen import Screen
from gateway.register.screen_changes import NOWHERE, are_few
from gateway.register.screen_copy import ScreenCopyError
from gateway.register.screen_memory import map_large_blocks
from gateway.register.screen_shelf import BuildFailedError, Lock, Shelf
from gateway.register.screen_wake import Wake

# More lines are read by a program of their own.
FEW_LINES = 100_000
# gunicorn ends a worker that has not begun to answer after 30 s (config/gunicorn.conf.py, `timeout`).
_PATIENCE_SECONDS = 20.0
_PAUSE_SECONDS = 0.05
_SAVE_SECONDS = 60.0
_AGAIN_SECONDS = 10.0
_REMEMBER = timedelta(days=1)
# A screen that was not looked after for longer, beyond the time between two looks, is not up to date.
_CURRENT_SECONDS = 5.0


class ScreenKeeper:
    """Keeps a screen current from a thread of its own, one in each worker, started after the fork.

    Falls open: while the database is away the screen stays as it was, which can only mean silence.
    """

    def __init__(
        self,
        screen: Screen,
        engine: Engine,
        *,
        every: float,
        failed: Callable[[Exception], None],
        first: Callable[[], object] = lambda: None,
        shelf: Shelf | None = None,
        clock: Callable[[], datetime] = utc_now,
        few: int = FEW_LINES,
    ) -> None:
        """Ask `engine` each `every` seconds, or when it tells; `failed` hears what went wrong.

        `first` is called before each look: a worker learns of a new key before it reads lines that stand under it.
        Without a `shelf`, nothing is shared or saved, and every line is read in this process; with one, only up to
        `few` lines are.
        """
        self._first = first
        self._screen = screen
        self._engine = engine
        self._every = every
        self._failed = failed
        self._shelf = shelf
        self._clock = clock
        self._few = few
        self._saved = NOWHERE
        self._save_at = self._build_at = 0.0
        self._looked_at = -inf
        self._waits = False
        self._lock: Lock | None = None
        self._parents: list[Wake] = []
        self._wake = Wake(engine, every)
        self._stands = threading.Event()
        self._thread = self._new_thread()

    @property
    def is_current(self) -> bool:
        """Tell whether the screen holds every line that the database had a few seconds ago."""
        return self._screen.is_complete and time.monotonic() - self._looked_at < self._every + _CURRENT_SECONDS

    def start(self) -> None:
        """Load, so that the screen stands before traffic, then go on in the background.

        Where another worker is reading all lines, or a program of this one, its copy is waited for, but not for ever.
        """
        map_large_blocks()
        self._thread.start()
        self._stands.wait(_PATIENCE_SECONDS)
        # A server that loads the application before it forks has its workers go on here, each with a thread of its own.
        mine = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _go_on(mine()))

    def stop(self) -> None:
        """End the thread, and the program that reads lines."""
        self._wake.stop()
        self._thread.join(timeout=5)
        if not self._thread.is_alive():
            self._wake.close()
            if self._shelf is not None:
                self._shelf.stop()

    def go_on_after_fork(self) -> None:
        """Begin again in a child: threads did not come along, and connections and the program are the parent's."""
        if self._wake.is_stopped:
            return
        self._engine.dispose(close=False)
        if self._lock is not None:
            # The parent goes on with its own; a lock ends when nobody has it open any more.
            self._lock.release()
            self._lock = None
        if self._shelf is not None:
            self._shelf = self._shelf.of_child()
        # Kept, for to let go of it would be to close the parent's connection.
        self._parents.append(self._wake)
        self._wake = Wake(self._engine, self._every)
        self._stands = threading.Event()
        self._thread = self._new_thread()
        self._thread.start()

    def _new_thread(self) -> threading.Thread:
        return threading.Thread(target=self._run, name="screen", daemon=True)

    def _run(self) -> None:
        """Load, then look again and again.

        All of it is this thread's: memory that one thread gives back, another one does not get from glibc's malloc.
        """
        try:
            self._look()
            while self._waits and not self._screen.is_loaded and not self._wake.is_stopped:
                time.sleep(_PAUSE_SECONDS)
                self._look()
        finally:
            self._stands.set()
        while self._wake.wait():
            self._look()

    def _look(self) -> None:
        self._first()
        try:
            with self._engine.connect() as connection:
                self._bring_up_to_date(connection)
            self._looked_at = time.monotonic()
        except (SQLAlchemyError, OSError) as error:
            self._failed(error)
            if not self._screen.is_loaded:
                self._take_over(None)

    def _bring_up_to_date(self, connection: Connection) -> None:
        if self._screen.is_loaded:
            self._screen.catch_up(connection)
        self._take_over(connection)
        if not self._screen.is_complete or self._screen.remembers_too_long(self._clock() - _REMEMBER):
            self._read_all(connection)
        elif self._shelf is not None and self._screen.position != self._saved and time.monotonic() >= self._save_at:
            self._save_at = time.monotonic() + _SAVE_SECONDS
            self._save(self._shelf, connection)

    def _take_over(self, connection: Connection | None) -> bool:
        """Adopt the copy of another worker, or of an earlier life; one that is of no use is passed over."""
        try:
            return self._shelf is not None and self._shelf.take_over(self._screen, connection)
        except (ScreenCopyError, OSError) as error:
            self._failed(error)
            return False

    def _read_all(self, connection: Connection) -> None:
        if self._shelf is None:
            self._screen.read_all(connection)
            return
        self._waits = True
        if self._is_being_read(self._shelf) or time.monotonic() < self._build_at:
            return
        try:
            self._lock = self._shelf.lock()
        except OSError as error:
            # A folder that cannot be written to shares nothing, and keeps nobody from reading.
            self._failed(error)
            self._read_here(self._shelf)
            return
        if self._lock is None:
            return
        try:
            # Another worker may have written just before it let go of the lock.
            if not self._take_over(connection):
                self._read_with(self._shelf, self._lock, connection)
        finally:
            self._lock.release()
            self._lock = None

    def _is_being_read(self, shelf: Shelf) -> bool:
        try:
            return shelf.is_building
        except BuildFailedError as error:
            self._failed(error)
            self._build_at = time.monotonic() + _AGAIN_SECONDS
            return False

    def _read_with(self, shelf: Shelf, lock: Lock, connection: Connection) -> None:
        if not are_few(connection, self._few):
            shelf.build(lock)
            return
        self._read_here(shelf)
        shelf.put(self._screen, connection)
        self._saved = self._screen.position

    def _read_here(self, shelf: Shelf) -> None:
        with shelf.reading.connect() as connection:
            self._screen.read_all(connection)

    def _save(self, shelf: Shelf, connection: Connection) -> None:
        """Renew the copy where no other worker has done so, that a start without a database knows of new lines."""
        self._lock = shelf.lock()
        if self._lock is None:
            return
        try:
            if not shelf.holds(self._screen.position):
                shelf.put(self._screen, connection)
            self._saved = self._screen.position
        finally:
            self._lock.release()
            self._lock = None


def _go_on(keeper: ScreenKeeper | None) -> None:
    """Let a keeper that is still in use go on in a child."""
    if keeper is not None:
        keeper.go_on_after_fork()
