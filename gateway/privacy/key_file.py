"""The key file beside the data: made on first start, closed to others, replaced whole.

Form 1 held one master key. Form 2 holds the ring: the active key, others that still read, one of which may be waiting
to become active, and of retired ones what proves and recognises but opens nothing.
"""

import base64
import json
import os
import secrets
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.privacy.errors import KeyFileError, UnknownKeyError, WeakKeyError
from gateway.privacy.keys import KEY_BYTES, from_text
from gateway.privacy.ring import KeyRing

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """What the file holds: master keys in base64 by key id, which of them is active and which is to become it.

    Of retired keys it holds the audit key and the key of secrets, in hex by key id.
    """

    active: str
    masters: Mapping[str, str] = field(repr=False)
    pending: str = ""
    retired: Mapping[str, str] = field(default_factory=dict, repr=False)
    retired_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def ring(self, *, source: str) -> KeyRing:
        """Return the key ring. Raises WeakKeyError, UnknownKeyError."""
        keys = {key_id: from_text(text, source=source) for key_id, text in self.masters.items()}
        if self.active not in keys:
            raise UnknownKeyError(key_id=self.active)
        others = tuple(each for key_id, each in keys.items() if key_id != self.active)
        return KeyRing(
            keys[self.active],
            others=others,
            retired={key_id: bytes.fromhex(text) for key_id, text in self.retired.items()},
            retired_secrets={key_id: bytes.fromhex(text) for key_id, text in self.retired_secrets.items()},
        )


def load(path: Path) -> KeyRing:
    """Read the ring. Raises KeyFileError where the file is missing, broken, or readable by others."""
    try:
        return read(path).ring(source=str(path))
    except (ValueError, KeyError, TypeError, AttributeError, WeakKeyError, UnknownKeyError) as error:
        raise KeyFileError(path=path, why=f"{type(error).__name__}: {error}") from error


def read(path: Path) -> KeyFile:
    """Read the file as it is. Raises KeyFileError."""
    try:
        if path.stat().st_mode & _OTHERS:
            raise KeyFileError(path=path, why="others than its owner may read it; run chmod 600 on it")
        document = json.loads(path.read_text(encoding="ascii"))
        return _from_document(document, source=str(path))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, WeakKeyError) as error:
        raise KeyFileError(path=path, why=f"{type(error).__name__}: {error}") from error


def load_or_make(path: Path, *, may_make: Callable[[], bool]) -> KeyRing:
    """Read the key file; where there is none, make it with mode 0600 if `may_make` says that no data needs an old one.

    Several processes may start at once: the file appears whole, by a link that fails if another came first.
    """
    if not path.exists():
        if not may_make():
            raise KeyFileError(path=path, why="it is missing, and a new one would not open this database")
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = _draft(path, _with_one(new_master()))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # Another process made it first; its key is the key.
        finally:
            draft.unlink(missing_ok=True)
    return load(path)


def write(path: Path, content: KeyFile) -> None:
    """Replace the file: whoever reads it sees the old one or the new one, and a power cut leaves one of them."""
    draft = _draft(path, content)
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def new_master() -> str:
    """Return a new master key: 32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _with_one(master: str) -> KeyFile:
    key_id = from_text(master, source="a new key").key_id
    return KeyFile(active=key_id, masters={key_id: master})


def _from_document(document: Mapping[str, Any], *, source: str) -> KeyFile:
    if "master_key" in document:
        master = str(document["master_key"])
        return KeyFile(
            active=from_text(master, source=source).key_id, masters={from_text(master, source=source).key_id: master}
        )
    retired = document.get("retired", [])
    return KeyFile(
        active=str(document["active"]),
        masters={str(each["key_id"]): str(each["master_key"]) for each in document["keys"]},
        pending=str(document.get("pending", "")),
        retired={str(each["key_id"]): str(each["audit_key"]) for each in retired},
        retired_secrets={str(each["key_id"]): str(each["secrets_key"]) for each in retired if "secrets_key" in each},
    )


def _draft(path: Path, content: KeyFile) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    document = {
        "version": 2,
        "active": content.active,
        "pending": content.pending,
        "keys": [{"key_id": key_id, "master_key": master} for key_id, master in content.masters.items()],
        "retired": [
            {"key_id": key_id, "audit_key": key, **_secrets_of(content, key_id)}
            for key_id, key in content.retired.items()
        ],
    }
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(document, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _secrets_of(content: KeyFile, key_id: str) -> dict[str, str]:
    found = content.retired_secrets.get(key_id)
    return {} if found is None else {"secrets_key": found}
