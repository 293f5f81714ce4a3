"""The library: WAV files stored and found by the SHA-256 of their content."""

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gateway.audio.errors import NotWavError

EXTENSION = "wav"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK_BYTES = 1 << 20
_HEADER_BYTES = 12


@dataclass(frozen=True, slots=True)
class Library:
    """A content-addressed store under `root`; a name in it never changes what it holds."""

    root: Path

    def add(self, file: Path) -> str:
        """Store the content of `file` and return its SHA-256 in hex. Raises NotWavError, OSError.

        Content that is already there is left alone. The copy gets its final name only once it is whole and on disk, so
        that a crash or a full disk leaves no half file where a call might fetch it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with file.open("rb") as source, tempfile.NamedTemporaryFile(dir=self.root, prefix=".adding-") as copy:
            sha256 = _copy(source, copy.file, name=file.name)
            final = self._place(sha256)
            final.parent.mkdir(exist_ok=True)
            _publish(Path(copy.name), final)
        return sha256

    def path_of(self, sha256: str, extension: str) -> Path | None:
        """Find stored content; None means the library holds no such file, whatever was asked for."""
        if extension != EXTENSION or _SHA256.fullmatch(sha256) is None:
            return None
        path = self._place(sha256)
        return path if path.is_file() else None

    def _place(self, sha256: str) -> Path:
        return self.root / sha256[:2] / f"{sha256}.{EXTENSION}"


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
