"""The shelf: the folder in which the workers of one machine share a copy of the screen, and who of them writes it.

Whoever wants to write takes the lock, and nobody waits for it: a worker that does not get it takes what the other one
will have written. The lock is the kernel's, so that it ends with the process that has it, however that comes about.
"""

import fcntl
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine

from gateway.privacy.ring import KeyRing
from gateway.register.screen import Screen
from gateway.register.screen_builder import Instructions
from gateway.register.screen_changes import Position, key_id
from gateway.register.screen_copy import Origin, ScreenCopyError, head_of, opened, write

_PROGRAM = "gateway.register.screen_builder"
_Seen = tuple[int, int, int]


class BuildFailedError(Exception):
    """The program that reads all lines ended with an error; it is started again after a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The right to write, held until `release`."""

    descriptor: int

    def release(self) -> None:
        """Let go of it."""
        os.close(self.descriptor)


class Shelf:
    """One worker's view of the shared copy. `reading` is the engine that reads all lines."""

    def __init__(self, folder: Path, reading: Engine, keys: KeyRing) -> None:
        """Share the copy in `folder`, which is made where it is missing and the one that it lies in is there."""
        self.reading = reading
        self._folder = folder
        self._path = folder / "lines"
        self._keys = keys
        url = reading.url
        self._database = f"{url.get_backend_name()}://{url.host or ''}:{url.port or ''}/{url.database}"
        self._seen: _Seen | None = None
        self._program: subprocess.Popen[bytes] | None = None

    def take_over(self, screen: Screen, connection: Connection | None) -> bool:
        """Let `screen` adopt the copy if it is another one than it has, and of use; each is looked at once.

        Raises ScreenCopyError for a copy that is damaged, of another database or of other keys; OSError.
        """
        seen = self._look()
        if seen is None or seen == self._seen:
            return False
        try:
            if head_of(self._path).build == screen.build:
                self._seen = seen
                return False
            with opened(self._path) as copy:
                self._demand_origin(copy.head.origin)
                adopted = screen.adopt(copy, connection)
        except ScreenCopyError:
            self._seen = seen
            raise
        self._seen = seen
        return adopted

    def holds(self, position: Position) -> bool:
        """Tell whether the copy is as new as this."""
        with suppress(ScreenCopyError, OSError):
            return head_of(self._path).position == position
        return False

    def of_child(self) -> "Shelf":
        """Return the view of a process that was forked from this one, which starts without connections."""
        self.reading.dispose(close=False)
        return Shelf(self._folder, self.reading, self._keys)

    def lock(self) -> Lock | None:
        """Return the right to write, or None where another worker has it. Raises OSError."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        return Lock(descriptor=descriptor)

    def put(self, screen: Screen, connection: Connection) -> None:
        """Write a copy of `screen`; the caller has the lock. Raises OSError."""
        origin = Origin(database=self._database, key_id=key_id(connection))
        write(self._path, screen.head(origin), screen.lines)
        self._seen = self._look()

    @property
    def is_building(self) -> bool:
        """Tell whether this worker's program is reading all lines. Raises BuildFailedError, once, where it failed."""
        if self._program is None:
            return False
        status = self._program.poll()
        if status is None:
            return True
        self._program = None
        if status:
            raise BuildFailedError(f"status {status}")
        return False

    def build(self, lock: Lock) -> None:
        """Start the program that reads all lines and writes the copy; it has the lock until it ends. Raises OSError."""
        database = self.reading.url.render_as_string(hide_password=False)
        instructions = Instructions(database=database, origin=self._database, path=str(self._path))
        program = subprocess.Popen(  # noqa: S603  (this interpreter, and a module of this package)
            [sys.executable, "-m", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(lock.descriptor,),
        )
        self._program = program
        if program.stdin is not None:
            # Where it has ended already, its status tells.
            with suppress(BrokenPipeError), program.stdin:
                program.stdin.write(instructions.to_json())

    def stop(self) -> None:
        """End the program where it still runs: what it has read is of no use."""
        if self._program is not None:
            self._program.terminate()
            self._program.wait()
            self._program = None

    def _look(self) -> _Seen | None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def _demand_origin(self, origin: Origin) -> None:
        if origin.database != self._database:
            raise ScreenCopyError(path=self._path, why="it is of another database")
        if all(origin.key_id != each.key_id for each in self._keys.known):
            raise ScreenCopyError(path=self._path, why="it is of other keys")
