"""The library of several hosts: content lies in a bucket, and what was fetched from it on the disk as well.

What is named by its hash never changes, so a copy on the disk is as good as the bucket's: while the bucket is slow or
away, what was fetched before goes on being served. A copy is asked for again once a day, so that a recording that was
removed for good is gone from every host; one that nobody asked for in a week is removed by itself.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from gateway.audio.library import EXTENSION, Library
from gateway.bucket import Bucket, DamagedObjectError, StorageError

_FOLDER = "renditions"
_FRESH = timedelta(days=1)
_AGAIN = timedelta(minutes=10)
_UNUSED = timedelta(days=7)
# What was asked for a moment ago is being read, and stays.
_IN_USE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLibrary(Library):
    """A library in `bucket`, with copies of at most `room` bytes below `root`; `clock` tells the copies' age.

    The file times of a copy say when the bucket was asked about it (modified) and when it was last used (accessed).
    """

    bucket: Bucket
    room: int
    clock: Callable[[], datetime]

    def holds(self, sha256: str) -> bool:
        """Tell whether the bucket has the content. Raises StorageError."""
        return self.bucket.has(_name(sha256))

    def older_than(self, instant: datetime) -> Iterator[str]:
        """Yield the SHA-256 of what was stored before `instant`. Raises StorageError."""
        for each in self.bucket.stored(_FOLDER):
            sha256 = Path(each.name).stem
            if each.at < instant and each.name == _name(sha256):
                yield sha256

    def remove(self, sha256: str) -> None:
        """Remove content from the bucket and the copy that is here; other hosts ask again within a day of use."""
        self.bucket.remove(_name(sha256))
        Library.remove(self, sha256)

    def _keep(self, copy: Path, sha256: str) -> None:
        """Put it into the bucket first: a copy that only this host had would look whole here, and be missing there."""
        self.bucket.put(_name(sha256), copy)
        self._keep_here(copy, sha256)

    def _find(self, sha256: str) -> Path | None:
        path, now = self._place(sha256), self.clock()
        asked_at = _asked_at(path)
        if asked_at is not None and asked_at > (now - _FRESH).timestamp() and _used(path, now, asked_at):
            return path
        try:
            found = self._ask(sha256, now)
        except DamagedObjectError as error:
            structlog.get_logger().error("damaged_rendition", message=str(error))
            return None
        except StorageError:
            # It may be here from yesterday, or by another thread meanwhile. Each request would wait for the bucket if
            # the copy did not count as fresh for a while.
            if _used(path, now, (now - _FRESH + _AGAIN).timestamp()):
                return path
            raise
        return path if found else None

    def _ask(self, sha256: str, now: datetime) -> bool:
        """Ask the bucket about a copy, and fetch it where there is none."""
        path = self._place(sha256)
        if not path.exists():
            return self._fetch(sha256)
        if not self.bucket.has(_name(sha256)):
            path.unlink(missing_ok=True)
            return False
        return _used(path, now, now.timestamp()) or self._fetch(sha256)

    def _fetch(self, sha256: str) -> bool:
        self.root.mkdir(parents=True, exist_ok=True)
        with self._draft() as copy:
            path = Path(copy.name)
            if not self.bucket.fetch(_name(sha256), path):
                return False
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                    raise DamagedObjectError(url=self.bucket.url, what=_name(sha256), why="its hash is another")
                os.fsync(file.fileno())
            self._keep_here(path, sha256)
        return True

    def _keep_here(self, copy: Path, sha256: str) -> None:
        now = self.clock().timestamp()
        os.utime(copy, (now, now))
        Library._keep(self, copy, sha256)  # noqa: SLF001  (what this class extends)
        self._make_room()

    def _make_room(self) -> None:
        """Remove copies that nobody asked for in a week, and then those unused for longest, until the rest has room."""
        now = self.clock()
        copies = sorted(_copies(self.root))
        taken = sum(size for _used_at, size, _path in copies)
        for used_at, size, path in copies:
            if used_at > (now - _IN_USE).timestamp():
                return
            if taken <= self.room and used_at > (now - _UNUSED).timestamp():
                return
            path.unlink(missing_ok=True)
            taken -= size


def _name(sha256: str) -> str:
    return f"{_FOLDER}/{sha256[:2]}/{sha256}.{EXTENSION}"


def _asked_at(path: Path) -> float | None:
    """Return when the bucket was last asked about a copy; None where there is no copy."""
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def _used(path: Path, now: datetime, asked_at: float) -> bool:
    """Note that a copy is used and when the bucket was asked about it; False where there is no copy any more."""
    try:
        os.utime(path, (now.timestamp(), asked_at))
    except OSError:
        # A disk that takes no notes still gives what it holds.
        return path.exists()
    return True


def _copies(root: Path) -> Iterator[tuple[float, int, Path]]:
    for path in root.glob(f"??/*.{EXTENSION}"):
        with suppress(OSError):
            status = path.stat()
            yield status.st_atime, status.st_size, path
