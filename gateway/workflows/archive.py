"""The file that a backup is: a plain tar archive that ends with a manifest of all it holds and the manifest's seal.

The seal is made with the audit key, so that who has no key cannot make or change a backup that would be restored: a
database is a program to whoever loads it.
"""

import hashlib
import hmac
import io
import re
import tarfile
from collections.abc import Mapping
from datetime import datetime
from typing import BinaryIO, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

FORM = 1
DATABASES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
KEYS, DEMO_MARK, FOLDERS = "keys.json", "DEMO", ("renditions", "vault", "checkpoints")
MANIFEST, SEAL = "manifest.json", "manifest.seal"
_PART = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_NAME = re.compile(
    rf"(?:database\.sqlite3|database\.dump|keys\.json|DEMO|(?:renditions|vault|checkpoints)(?:/{_PART}){{1,3}})"
)
_LONGEST_NAME = 100
BLOCK, RECORD, CHUNK = 512, 10_240, 1 << 20


class Member(BaseModel):
    """A file in the archive."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    size: int = Field(ge=0)
    sha256: str


class Manifest(BaseModel):
    """What a backup holds. `server` is PostgreSQL's major version, 0 for SQLite; `trail_seal` is in hex.

    `key_id` is the key that wrote when it was made, `keys_held` are all that read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    form: Literal[1] = 1
    backup_id: str = Field(pattern=r"^bak_[0-9a-f]{12}$")
    gateway: str
    made_at: AwareDatetime
    kind: Literal["sqlite", "postgresql"]
    server: int
    revision: str
    key_id: str = Field(pattern=r"^[0-9a-f]{12}$")
    keys_held: tuple[str, ...]
    trail_seq: int
    trail_seal: str
    rows: Mapping[str, int]
    files: tuple[Member, ...] = ()

    @property
    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(each.size for each in self.files)


def may_hold(name: str) -> bool:
    """Tell whether a backup may hold a file of this name."""
    return len(name) <= _LONGEST_NAME and _NAME.fullmatch(name) is not None


class ArchiveWriter:
    """Writes an archive from its first byte to its last; nothing is held in memory but the list of files."""

    def __init__(self, file: BinaryIO, made_at: datetime) -> None:
        """Write to `file`, which is empty."""
        self._file = file
        self._made_at = made_at
        self._files: list[Member] = []

    def add(self, name: str, source: BinaryIO, size: int) -> None:
        """Add `size` bytes of `source`. Raises EOFError where it has fewer."""
        self._files.append(self._write(name, source, size))

    def finish(self, manifest: Manifest, audit_key: bytes) -> Manifest:
        """Add the manifest, completed by the files that were added, and its seal; return the complete manifest."""
        complete = manifest.model_copy(update={"files": tuple(self._files)})
        content = complete.model_dump_json(indent=1).encode()
        for name, part in ((MANIFEST, content), (SEAL, seal_of(content, audit_key).encode())):
            self._write(name, io.BytesIO(part), len(part))
        # A tar archive ends with two blocks of zeros, and is as long as whole records.
        self._file.write(bytes(2 * BLOCK))
        self._file.write(bytes(-self._file.tell() % RECORD))
        return complete

    def _write(self, name: str, source: BinaryIO, size: int) -> Member:
        header = tarfile.TarInfo(name)
        header.size, header.mode, header.mtime = size, 0o600, int(self._made_at.timestamp())
        self._file.write(header.tobuf(tarfile.GNU_FORMAT, "ascii", "strict"))
        digest, missing = hashlib.sha256(), size
        while missing:
            chunk = source.read(min(missing, CHUNK))
            if not chunk:
                raise EOFError(f"{name} became shorter while it was read")
            digest.update(chunk)
            self._file.write(chunk)
            missing -= len(chunk)
        self._file.write(bytes(-size % BLOCK))
        return Member(name=name, size=size, sha256=digest.hexdigest())


def seal_of(content: bytes, audit_key: bytes) -> str:
    """Return the seal of a manifest, in hex."""
    return hmac.new(audit_key, b"court-notice-gateway/backup/1\n" + content, hashlib.sha256).hexdigest()
