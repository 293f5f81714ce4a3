"""Reading a backup, trusting nothing in it.

The archive is read by the few rules it is written by: links, devices, long names, sparse files and compression do not
occur and are refused, so none can name a place outside, and none grows on unpacking.
"""

import hashlib
import hmac
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ValidationError

from gateway.domain.errors import GatewayError
from gateway.workflows.archive import BLOCK, CHUNK, DATABASES, FORM, MANIFEST, SEAL, Manifest, Member, may_hold, seal_of

_LARGEST_MANIFEST = 256 * CHUNK
_MOST_FILES = 5_000_000


class DamagedArchiveError(GatewayError):
    """{path} is not a whole backup: {why}. Take another copy of it, or an older backup; nothing was restored."""

    code = "damaged_archive"


class NewerArchiveError(GatewayError):
    """{path} was made by a newer release ({what}). Upgrade the gateway, then restore it; nothing was restored."""

    code = "newer_archive"


class _AnyForm(BaseModel):
    """The one field of a manifest that every release can read."""

    form: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where a file of the archive lies, and what it is by its own bytes."""

    offset: int
    member: Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """An archive all of whose hashes are right; whether its manifest is ours, only its seal tells."""

    path: Path
    manifest: Manifest
    content: bytes
    seal: str
    places: Mapping[str, Found]

    def is_sealed_with(self, audit_key: bytes) -> bool:
        """Tell whether who made the archive had this key."""
        return hmac.compare_digest(self.seal.encode(), seal_of(self.content, audit_key).encode())

    def extract(self, file: BinaryIO, name: str, target: BinaryIO) -> None:
        """Copy a file of the archive out of `file`, checked once more. Raises DamagedArchiveError."""
        found = self.places[name]
        file.seek(found.offset)
        if _digest(file, found.member.size, target) != found.member.sha256:
            raise DamagedArchiveError(path=self.path, why=f"{name} changed while it was restored")


def read_archive(path: Path) -> Archive:
    """Read an archive from end to end and check every hash. Raises DamagedArchiveError, NewerArchiveError, OSError."""
    places: dict[str, Found] = {}
    own: dict[str, bytes] = {}
    with path.open("rb") as file:
        for name, offset, size in _entries(path, file):
            if name in places or name in own:
                raise DamagedArchiveError(path=path, why=f"{name} is in it twice")
            if name in (MANIFEST, SEAL):
                own[name] = _small(path, file, name, size)
            else:
                member = Member(name=name, size=size, sha256=_digest(file, size, None))
                places[name] = Found(offset=offset, member=member)
    if set(own) != {MANIFEST, SEAL}:
        raise DamagedArchiveError(path=path, why="it has no manifest")
    manifest = _read_manifest(path, own[MANIFEST])
    _compare(path, manifest, places)
    return Archive(
        path=path,
        manifest=manifest,
        content=own[MANIFEST],
        seal=own[SEAL].decode("ascii", "replace"),
        places=places,
    )


def _entries(path: Path, file: BinaryIO) -> Iterator[tuple[str, int, int]]:
    """Yield name, offset and size of each file; whoever is told may read it or leave it."""
    length = path.stat().st_size
    for _ in range(_MOST_FILES):
        block = file.read(BLOCK)
        if len(block) < BLOCK:
            raise DamagedArchiveError(path=path, why="it is cut off")
        if not any(block):
            _expect_nothing_more(path, file)
            return
        name, size = _read_header(path, block)
        offset = file.tell()
        if offset + size > length:
            raise DamagedArchiveError(path=path, why=f"it is cut off in {name}")
        yield name, offset, size
        file.seek(offset + size)
        if any(file.read(-size % BLOCK)):
            raise DamagedArchiveError(path=path, why=f"something was added after {name}")
    raise DamagedArchiveError(path=path, why=f"it holds more than {_MOST_FILES} files")


def _read_header(path: Path, block: bytes) -> tuple[str, int]:
    try:
        header = tarfile.TarInfo.frombuf(block, "ascii", "strict")
    except (tarfile.TarError, ValueError) as error:
        raise DamagedArchiveError(path=path, why="it is no tar archive, or was changed") from error
    if header.type != tarfile.REGTYPE or header.size < 0 or header.linkname:
        raise DamagedArchiveError(path=path, why=f"{header.name!r} in it is not a plain file")
    if not may_hold(header.name) and header.name not in (MANIFEST, SEAL):
        raise DamagedArchiveError(path=path, why=f"no backup holds a file called {header.name!r}")
    return header.name, header.size


def _expect_nothing_more(path: Path, file: BinaryIO) -> None:
    while chunk := file.read(CHUNK):
        if any(chunk):
            raise DamagedArchiveError(path=path, why="something was added after its end")


def _small(path: Path, file: BinaryIO, name: str, size: int) -> bytes:
    if size > _LARGEST_MANIFEST:
        raise DamagedArchiveError(path=path, why=f"{name} has {size} bytes")
    return file.read(size)


def _read_manifest(path: Path, content: bytes) -> Manifest:
    try:
        form = _AnyForm.model_validate_json(content).form
        if form > FORM:
            raise NewerArchiveError(path=path, what=f"form {form}")
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        raise DamagedArchiveError(path=path, why="its manifest cannot be read") from error


def _compare(path: Path, manifest: Manifest, places: Mapping[str, Found]) -> None:
    listed = {each.name: each for each in manifest.files}
    for name in sorted(listed.keys() - places.keys()):
        raise DamagedArchiveError(path=path, why=f"{name} is missing")
    for name in sorted(places.keys() - listed.keys()):
        raise DamagedArchiveError(path=path, why=f"{name} is not in its manifest")
    for name, found in places.items():
        if listed[name] != found.member:
            raise DamagedArchiveError(path=path, why=f"{name} is not what the manifest says")
    if DATABASES[manifest.kind] not in listed or len(listed.keys() & set(DATABASES.values())) != 1:
        raise DamagedArchiveError(path=path, why="it does not hold the database that its manifest names")


def _digest(file: BinaryIO, size: int, target: BinaryIO | None) -> str:
    digest, missing = hashlib.sha256(), size
    while missing and (chunk := file.read(min(missing, CHUNK))):
        digest.update(chunk)
        if target is not None:
            target.write(chunk)
        missing -= len(chunk)
    return digest.hexdigest()
