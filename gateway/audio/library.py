"""The library: WAV files stored and found by the SHA-256 of their content."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from gateway.audio.errors import NotWavError

EXTENSION = "wav"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK_BYTES = 1 << 20
_HEADER_BYTES = 12
_DRAFT = ".adding-"


@dataclass(frozen=True, slots=True)
class Library:
    """A content-addressed store under `root`; a name in it never changes what it holds."""

    root: Path

    def add(self, file: Path) -> str:
        """Store the content of `file` and return its SHA-256 in hex. Raises NotWavError, OSError, StorageError.

        Content that is already there is left alone, and counts as stored now. The copy gets its final name only once it
        is whole and on disk, so that a crash or a full disk leaves no half file where a call might fetch it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with file.open("rb") as source, self._draft() as copy:
            sha256 = _copy(source, copy.file, name=file.name)
            self._keep(Path(copy.name), sha256)
        return sha256

    def path_of(self, sha256: str, extension: str) -> Path | None:
        """Find stored content; None means the library holds no such file, whatever was asked for. Raises StorageError.

        The file stays where it is for a minute at least: open it now, and keep its name no longer.
        """
        if extension != EXTENSION or _SHA256.fullmatch(sha256) is None:
            return None
        return self._find(sha256)

    def holds(self, sha256: str) -> bool:
        """Tell whether content is stored, without fetching it. Raises StorageError."""
        return self.path_of(sha256, EXTENSION) is not None

    def older_than(self, instant: datetime) -> Iterator[str]:
        """Yield the SHA-256 of what was stored before `instant`. Raises StorageError."""
        for path in self.root.glob(f"??/*.{EXTENSION}"):
            if _SHA256.fullmatch(path.stem) is not None and _is_older(path, instant):
                yield path.stem

    def remove(self, sha256: str) -> None:
        """Remove content; what is gone already is as good. Raises OSError, StorageError."""
        self._place(sha256).unlink(missing_ok=True)

    def sweep(self, instant: datetime) -> int:
        """Remove what a process that was killed left half written before `instant`; return how many files."""
        left = [path for path in self.root.glob(f"{_DRAFT}*") if _is_older(path, instant)]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def _find(self, sha256: str) -> Path | None:
        path = self._place(sha256)
        return path if path.is_file() else None

    def _keep(self, copy: Path, sha256: str) -> None:
        """Make a finished copy part of the library; `copy` itself goes away."""
        final = self._place(sha256)
        final.parent.mkdir(exist_ok=True)
        _publish(copy, final)

    def _draft(self) -> "tempfile._TemporaryFileWrapper[bytes]":
        return tempfile.NamedTemporaryFile(dir=self.root, prefix=_DRAFT)

    def _place(self, sha256: str) -> Path:
        return self.root / sha256[:2] / f"{sha256}.{EXTENSION}"


def _is_older(path: Path, instant: datetime) -> bool:
    try:
        return path.stat().st_mtime < instant.timestamp()
    except FileNotFoundError:
        return False


def _copy(source: IO[bytes], copy: IO[bytes], *, name: str) -> str:
    digest = hashlib.sha256()
    chunk = source.read(_CHUNK_BYTES)
    # Every WAV file opens with RIFF, four bytes of length, WAVE (Microsoft, Multimedia Programming Interface 1.0).
    if len(chunk) < _HEADER_BYTES or chunk[:4] != b"RIFF" or chunk[8:_HEADER_BYTES] != b"WAVE":
        raise NotWavError(file=name)
    while chunk:
        digest.update(chunk)
        copy.write(chunk)
        chunk = source.read(_CHUNK_BYTES)
    copy.flush()
    os.fsync(copy.fileno())
    return digest.hexdigest()


def _publish(copy: Path, final: Path) -> None:
    """Give the finished copy its final name in one step: a hard link, which unlike a rename never replaces."""
    times = copy.stat()
    with suppress(FileNotFoundError):
        os.utime(final, ns=(times.st_atime_ns, times.st_mtime_ns))
        return
    try:
        final.hardlink_to(copy)
    except FileExistsError:
        return
    for folder in (final.parent, final.parent.parent):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
