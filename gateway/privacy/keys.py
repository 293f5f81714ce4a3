"""Master keys, and the keys that follow from one.

Separate keys for separate uses come from HKDF-SHA256 (RFC 5869) with the use as its `info`.
"""

import base64
import binascii
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.privacy.errors import WeakKeyError

KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys derived from one master key; `key_id` is public and names the master key in the register."""

    key_id: str
    line_index: bytes = field(repr=False)
    case_index: bytes = field(repr=False)
    call_index: bytes = field(repr=False)
    fields: bytes = field(repr=False)
    tokens: bytes = field(repr=False)
    secrets: bytes = field(repr=False)
    audit: bytes = field(repr=False)
    signing: bytes = field(repr=False)


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
        secrets=subkey("secrets"),
        audit=subkey("audit"),
        signing=subkey("signing"),
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
