"""The vault: files that name people (authority documents, refused rows), encrypted on the disk or in a bucket.

Each file has a key of its own, which the register keeps encrypted: a rotation re-encrypts that key and not the file,
and who forgets the key has destroyed the file. The construction is STREAM (Hoang and others, 2015)
over AES-256-GCM: chunks carry their number, and the last one a mark, so that none can be moved or cut off.
"""

import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.bucket import Bucket
from gateway.privacy.errors import FileTooLargeError, SealedFileError

_CHUNK = 64 * 1024
_TAG = 16
_SHARED = "vault"
_NAME = re.compile(r"[a-z0-9_]{4,60}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """A file in the vault: the SHA-256 (hex) and length of what went in, and the key (hex) that opens it."""

    name: str
    sha256: str
    size: int
    key: str = field(repr=False)


class Vault:
    """A folder of sealed files, or a bucket of them, which several hosts share."""

    def __init__(self, folder: Path, bucket: Bucket | None = None) -> None:
        """Keep files in `folder`, which is made on first use and closed to others.

        With a bucket they are kept there, and `folder` has those that are being sent or read, encrypted too.
        """
        self._folder = folder
        self._bucket = bucket

    def seal(self, name: str, source: BinaryIO, *, limit: int) -> SealedFile:
        """Read `source` to its end into a new sealed file.

        Raises FileTooLargeError beyond `limit` bytes, StorageError where the bucket does not take it.
        """
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{name}.{secrets.token_hex(4)}")
        key = secrets.token_bytes(32)
        digest, size = hashlib.sha256(), 0
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
                aead, number = AESGCM(key), 0
                chunk = _read(source)
                while True:
                    following = _read(source)
                    size += len(chunk)
                    if size > limit:
                        raise FileTooLargeError(limit=limit)
                    digest.update(chunk)
                    target.write(aead.encrypt(_nonce(number, last=not following), chunk, name.encode()))
                    if not following:
                        break
                    chunk, number = following, number + 1
                target.flush()
                os.fsync(target.fileno())
            self._keep(draft, name)
        finally:
            draft.unlink(missing_ok=True)
        return SealedFile(name=name, sha256=digest.hexdigest(), size=size, key=key.hex())

    def read(self, name: str, key: str) -> Iterator[bytes]:
        """Yield the content in chunks.

        Raises SealedFileError where the file is gone, changed or cut off, StorageError where the bucket is away.
        """
        aead = AESGCM(bytes.fromhex(key))
        try:
            with self._opened(name) as file:
                number, chunk = 0, file.read(_CHUNK + _TAG)
                while chunk:
                    following = file.read(_CHUNK + _TAG)
                    yield aead.decrypt(_nonce(number, last=not following), chunk, name.encode())
                    number, chunk = number + 1, following
                if number == 0:
                    raise SealedFileError(name=name, why="it is empty")
        except OSError as error:
            raise SealedFileError(name=name, why=error.strerror or "it cannot be read") from error
        except InvalidTag as error:
            raise SealedFileError(name=name, why="it was changed or belongs to another key") from error

    def remove(self, name: str) -> None:
        """Remove a file; one that is gone already is as good. Raises StorageError."""
        path = self._path(name)
        if self._bucket is None:
            path.unlink(missing_ok=True)
        else:
            self._bucket.remove(f"{_SHARED}/{name}")

    def names(self) -> frozenset[str]:
        """Return the name of every file. Raises StorageError."""
        if self._bucket is not None:
            found = {each.name.removeprefix(f"{_SHARED}/") for each in self._bucket.stored(_SHARED)}
        else:
            found = {path.name for path in self._folder.iterdir()} if self._folder.is_dir() else set()
        return frozenset(name for name in found if _NAME.fullmatch(name))

    def _keep(self, draft: Path, name: str) -> None:
        """Give a finished file its name, in one step."""
        if self._bucket is not None:
            self._bucket.put(f"{_SHARED}/{name}", draft)
            return
        path = self._path(name)
        draft.replace(path)
        _fsync(path.parent)

    @contextmanager
    def _opened(self, name: str) -> Iterator[IO[bytes]]:
        path = self._path(name)
        if self._bucket is None:
            with path.open("rb") as file:
                yield file
            return
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=f".{name}.") as copy:
            if not self._bucket.download(f"{_SHARED}/{name}", Path(copy.name)):
                raise SealedFileError(name=name, why="it is not in the object storage")
            yield copy.file

    def _path(self, name: str) -> Path:
        if _NAME.fullmatch(name) is None:
            raise SealedFileError(name=name, why="no file of the vault has such a name")
        return self._folder / name


def _read(source: BinaryIO) -> bytes:
    """Read a whole chunk: a stream from a network may give less than was asked for."""
    parts, missing = [], _CHUNK
    while missing:
        part = source.read(missing)
        if not part:
            break
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _fsync(folder: Path) -> None:
    """Keep a new name through a power cut: the register, which refers to it, is as durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
