"""An S3 bucket, of Amazon's or of anything that speaks the same: for files that several hosts need.

Every request is bounded in time, and only so many are under way at once, so that storage which is slow or away never
takes the threads that answer calls. One that fails makes the following ones fail at once, for a few seconds.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from gateway.domain.errors import GatewayError
from gateway.late import late
from gateway.settings import Settings

if TYPE_CHECKING:
    import fsspec
else:
    fsspec = late("fsspec")

_Answer = TypeVar("_Answer")


class StorageError(GatewayError):
    """The object storage {url} failed at {what}: {why}. Nothing was half done; try again when it is back."""

    code = "storage"


class DamagedObjectError(StorageError):
    """The object storage {url} holds {what} damaged: {why}. Give the notice again, or restore the object."""

    code = "storage_damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long a request may take, in seconds: to connect, without a byte, in all for small files and for large ones.

    At most `quick_places` small fetches and `slow_places` other requests are under way at once in a process, and one
    waits `quick_patience` or `slow_patience` for its turn. gunicorn has four threads a worker: one is left for calls.
    After a failure nothing is tried for `rest` seconds.
    """

    connect: float = 2.5
    silence: float = 10.0
    quick: float = 2.5
    slow: float = 60.0
    quick_places: int = 2
    slow_places: int = 1
    quick_patience: float = 0.25
    slow_patience: float = 1.0
    rest: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object: its name below the bucket's prefix, its size in bytes, and when it was written."""

    name: str
    size: int
    at: datetime


class _Places:
    """So many requests at once, the next of which waits so long for its turn."""

    def __init__(self, number: int, patience: float) -> None:
        self._free = threading.BoundedSemaphore(number)
        self._patience = patience

    @contextmanager
    def taken(self, refusal: StorageError) -> Iterator[None]:
        """Take a place, or raise `refusal`."""
        if not self._free.acquire(timeout=self._patience):
            raise refusal
        try:
            yield
        finally:
            self._free.release()


class Bucket:
    """The objects below s3://bucket/prefix; credentials come from the usual places of AWS, such as its environment.

    fsspec, s3fs and what they need are imported when a bucket is made, and never where none is. Each object is written
    in one request or as parts that become visible together, so that nobody ever reads half an upload.
    """

    def __init__(self, url: str, endpoint: str = "", *, bounds: Bounds | None = None) -> None:
        """Name the place, of which nothing is asked yet. `endpoint` is where the API is, empty for Amazon's own."""
        parts = urlsplit(url)
        self.url = url
        self._root = f"{parts.netloc}{parts.path.rstrip('/')}"
        self._endpoint = endpoint
        self._bounds = bounds or Bounds()
        self._quick = _Places(self._bounds.quick_places, self._bounds.quick_patience)
        self._slow = _Places(self._bounds.slow_places, self._bounds.slow_patience)
        self._lock = threading.Lock()
        self._opened: tuple[int, Any] | None = None
        self._resting_until = 0.0
        # Loading what speaks to S3 takes most of a second: now, not in a request. What is wrong, a request will say.
        with suppress(Exception):
            self._system().connect(timeout=self._bounds.quick)

    def fetch(self, name: str, target: Path) -> bool:
        """Copy a small object into `target`; False where there is none. Raises StorageError, OSError of the disk."""
        return self._get(name, target, self._quick, self._bounds.quick)

    def download(self, name: str, target: Path) -> bool:
        """Copy an object of any size into `target`; False where there is none. Raises StorageError."""
        return self._get(name, target, self._slow, self._bounds.slow)

    def has(self, name: str) -> bool:
        """Tell whether there is such an object. Raises StorageError."""
        bucket, _, key = self._path(name).partition("/")
        seconds = self._bounds.quick
        return self._asked(
            name,
            self._quick,
            lambda: self._system().call_s3("head_object", Bucket=bucket, Key=key, timeout=seconds),
        )

    def put(self, name: str, source: Path) -> None:
        """Write the whole of `source`, in the place of what is there. Raises StorageError; then nothing is visible."""
        path, seconds = self._path(name), self._bounds.slow
        self._bounded(name, self._slow, lambda: self._system().put_file(str(source), path, timeout=seconds))

    def remove(self, name: str) -> None:
        """Remove an object; one that is gone already is as good. Raises StorageError."""
        path, seconds = self._path(name), self._bounds.slow
        self._asked(name, self._slow, lambda: self._system().rm_file(path, timeout=seconds))

    def stored(self, folder: str) -> tuple[Stored, ...]:
        """Return every object below `folder` (empty for all). Raises StorageError."""
        top = f"{self._root}/{folder}".rstrip("/")
        seconds = self._bounds.slow
        found: dict[str, Any] = self._bounded(
            folder or "its list", self._slow, lambda: self._system().find(top, detail=True, timeout=seconds)
        )
        skipped = len(self._root) + 1
        return tuple(
            Stored(name=path[skipped:], size=entry["size"], at=entry["LastModified"]) for path, entry in found.items()
        )

    def demand(self) -> None:
        """Make sure that the bucket is there and lists its objects for us. Raises StorageError."""
        bucket = self._root.partition("/")[0]
        seconds = self._bounds.quick
        self._bounded(
            "its list",
            self._quick,
            lambda: self._system().call_s3("list_objects_v2", Bucket=bucket, MaxKeys=1, timeout=seconds),
        )

    def close(self) -> None:
        """Close connections; a later request opens them again."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None and opened[0] == os.getpid():
            opened[1].close_session(opened[1].loop, opened[1].s3)

    def _get(self, name: str, target: Path, places: _Places, seconds: float) -> bool:
        path = self._path(name)
        return self._asked(name, places, lambda: self._system().get_file(path, str(target), timeout=seconds))

    def _asked(self, name: str, places: _Places, request: Callable[[], object]) -> bool:
        """Carry a request out; False where there is no such object."""

        def asked() -> bool:
            try:
                request()
            except FileNotFoundError:
                return False
            return True

        return self._bounded(name, places, asked)

    def _bounded(self, what: str, places: _Places, request: Callable[[], _Answer]) -> _Answer:
        with places.taken(self._error(what, "too many requests are under way")):
            if time.monotonic() < self._resting_until:
                raise self._error(what, "it did not answer a moment ago")
            try:
                return request()
            except PermissionError as error:
                # It answers, and at once: the next request may be one that is allowed.
                raise self._error(what, "access was denied") from error
            except FileNotFoundError as error:
                raise self._error(what, "there is no such bucket") from error
            except Exception as error:
                # s3fs lets errors of aiobotocore, botocore and aiohttp through, none of which is imported unless used.
                self._resting_until = time.monotonic() + self._bounds.rest
                raise self._error(what, type(error).__name__) from error

    def _error(self, what: str, why: str) -> StorageError:
        return StorageError(url=self.url, what=what, why=why)

    def _path(self, name: str) -> str:
        if any(part in {"", ".", ".."} for part in name.split("/")):
            raise self._error(repr(name), "no object has such a name")
        return f"{self._root}/{name}"

    def _system(self) -> Any:  # noqa: ANN401  (s3fs makes its methods when it is loaded; it has no types)
        """Return the file system, which belongs to one process: connections do not survive a fork."""
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                self._opened = (os.getpid(), self._open())
            return self._opened[1]

    def _open(self) -> Any:  # noqa: ANN401  (as above)
        config: dict[str, Any] = {
            "connect_timeout": self._bounds.connect,
            "read_timeout": self._bounds.silence,
            "retries": {"total_max_attempts": 1},
        }
        if self._endpoint:
            # Stores of one's own rarely have a name in the DNS for every bucket.
            config["s3"] = {"addressing_style": "path"}
        system = fsspec.filesystem(
            "s3",
            endpoint_url=self._endpoint or None,
            config_kwargs=config,
            use_listings_cache=False,
            skip_instance_cache=True,
        )
        system.retries = 1
        return system


def bucket_of(settings: Settings) -> Bucket | None:
    """Return the bucket that the settings name; None where files lie in the data folder."""
    return Bucket(settings.storage_url, settings.storage_endpoint) if settings.storage_url else None
