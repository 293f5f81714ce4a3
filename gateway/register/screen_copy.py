"""The saved copy of a screen: one file that every worker of a machine loads, and none has to trust.

It is written beside its place and renamed, so that whoever opens it has a whole one; a checksum finds what a disk did
to it. It says which database and which key it is of, and how far it had read: what was announced since is read on top.
It holds bits of keyed hashes: without the key it tells nothing of any line, and nothing in it makes a notice play.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from gateway.domain.errors import GatewayError
from gateway.register.screen_changes import Position
from gateway.register.screen_filter import SHARDS, LineFilter

_MAGIC = b"court-notice-gateway screen 1\n"
_CHECKSUM_BYTES = 32
_PORTION_BYTES = 1 << 18
_LONGEST_HEAD_BYTES = 4096


class ScreenCopyError(GatewayError):
    """The saved screen {path} is not used: {why}. The gateway writes it anew by itself; nothing has to be done."""

    code = "screen_copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a screen comes from: the database's address without a password, and the id of the key it is tied to."""

    database: str
    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a copy says of itself. `build` names the reading of all lines that it goes back to, begun at `built_at`.

    `has_removed` says that lines of it have left the register since.
    """

    build: str
    built_at: datetime
    origin: Origin
    position: Position
    has_removed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """An open copy whose checksum holds."""

    head: Head
    capacity: int
    hashes: int
    size: int
    shard_bytes: int
    file: BinaryIO
    begin: int

    def shards(self) -> Iterator[bytes]:
        """Yield the bits of each shard in turn."""
        self.file.seek(self.begin)
        for _ in range(SHARDS):
            yield self.file.read(self.shard_bytes)


def write(path: Path, head: Head, lines: LineFilter) -> None:
    """Put a copy in the place of the one that is there. Raises OSError, and leaves that one as it is."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    checksum = hashlib.blake2b(digest_size=_CHECKSUM_BYTES)
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            for portion in _portions(head, lines):
                checksum.update(portion)
                file.write(portion)
            file.write(checksum.digest())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


@contextmanager
def opened(path: Path) -> Iterator[Copy]:
    """Open a copy for as long as the context lasts. Raises ScreenCopyError, OSError."""
    with path.open("rb") as file:
        _demand_checksum(path, file)
        file.seek(0)
        yield _read_head(path, file)


def head_of(path: Path) -> Head:
    """Return what a copy says of itself, without looking at the rest of it. Raises ScreenCopyError, OSError."""
    with path.open("rb") as file:
        return _read_head(path, file).head


def _portions(head: Head, lines: LineFilter) -> Iterator[bytes]:
    first: bytes = lines.shards[0].get_bytes()
    stated = {
        "build": head.build,
        "built_at": head.built_at.isoformat(),
        "database": head.origin.database,
        "key_id": head.origin.key_id,
        "generation": head.position.generation,
        "seq": head.position.seq,
        "has_removed": head.has_removed,
        "capacity": lines.capacity,
        "hashes": lines.hashes,
        "size": lines.size,
        "shard_bytes": len(first),
    }
    yield _MAGIC
    yield json.dumps(stated).encode() + b"\n"
    for shard in lines.shards:
        yield shard.get_bytes()


def _demand_checksum(path: Path, file: BinaryIO) -> None:
    """Read all of it once. Reading and hashing portions of this size let other threads go on."""
    left = os.fstat(file.fileno()).st_size - _CHECKSUM_BYTES
    checksum = hashlib.blake2b(digest_size=_CHECKSUM_BYTES)
    while left > 0 and (portion := file.read(min(left, _PORTION_BYTES))):
        checksum.update(portion)
        left -= len(portion)
    if left or file.read() != checksum.digest():
        raise ScreenCopyError(path=path, why="its checksum does not hold")


def _read_head(path: Path, file: BinaryIO) -> Copy:
    try:
        if file.readline(len(_MAGIC)) != _MAGIC:
            raise ScreenCopyError(path=path, why="another release wrote it")
        stated = json.loads(file.readline(_LONGEST_HEAD_BYTES))
        head = Head(
            build=stated["build"],
            built_at=datetime.fromisoformat(stated["built_at"]),
            origin=Origin(database=stated["database"], key_id=stated["key_id"]),
            position=Position(generation=stated["generation"], seq=stated["seq"]),
            has_removed=stated["has_removed"],
        )
        return Copy(
            head=head,
            capacity=stated["capacity"],
            hashes=stated["hashes"],
            size=stated["size"],
            shard_bytes=stated["shard_bytes"],
            file=file,
            begin=file.tell(),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ScreenCopyError(path=path, why="its head cannot be read") from error
