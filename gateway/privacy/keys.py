"""The master key: made on first start beside the data, or taken from the environment; every other key follows from it.

Separate keys for separate uses come from HKDF-SHA256 (RFC 5869) with the use as its `info`.
"""

import base64
import binascii
import json
import os
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.privacy.errors import KeyFileError, WeakKeyError

KEY_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys derived from one master key; `key_id` is public and names the master key in the register."""

    key_id: str
    line_index: bytes = field(repr=False)
    case_index: bytes = field(repr=False)
    call_index: bytes = field(repr=False)
    fields: bytes = field(repr=False)
    tokens: bytes = field(repr=False)


def derive(master: bytes) -> Keys:
    """Derive every key from `master`, which is 32 random bytes."""

    def subkey(use: str) -> bytes:
        info = b"court-notice-gateway/1/" + use.encode()
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master)

    return Keys(
        key_id=subkey("key-id")[:6].hex(),
        line_index=subkey("line-index"),
        case_index=subkey("case-index"),
        call_index=subkey("call-index"),
        fields=subkey("fields"),
        tokens=subkey("tokens"),
    )


def from_text(text: str, *, source: str) -> Keys:
    """Read a base64 master key. Raises WeakKeyError."""
    try:
        master = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise WeakKeyError(source=source, why="it is not base64") from error
    if len(master) != KEY_BYTES:
        raise WeakKeyError(source=source, why=f"it has {len(master)} bytes")
    if len(set(master)) == 1:
        raise WeakKeyError(source=source, why="all its bytes are the same")
    return derive(master)


def load(path: Path) -> Keys:
    """Read the key file. Raises KeyFileError where it is missing, broken, or readable by others."""
    try:
        if path.stat().st_mode & _OTHERS:
            raise KeyFileError(path=path, why="others than its owner may read it; run chmod 600 on it")
        document = json.loads(path.read_text(encoding="ascii"))
        return from_text(document["master_key"], source=str(path))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, WeakKeyError) as error:
        raise KeyFileError(path=path, why=f"{type(error).__name__}: {error}") from error


def load_or_make(path: Path, *, may_make: Callable[[], bool]) -> Keys:
    """Read the key file; where there is none, make it with mode 0600 if `may_make` says that no data needs an old one.

    Several processes may start at once: the file appears whole, by a link that fails if another came first.
    """
    if not path.exists():
        if not may_make():
            raise KeyFileError(path=path, why="it is missing, and a new one would not open this database")
        _make(path)
    return load(path)


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    document = {"version": 1, "master_key": base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return  # Another process made it first; its key is the key.
    finally:
        draft.unlink(missing_ok=True)
