"""The seal of a play: nobody without the key can alter what was played, where, when and under which order."""

import hmac
from collections.abc import Mapping

from gateway.audit.canonical import seal
from gateway.privacy.keys import Keys
from gateway.privacy.ring import KeyRing

# What never changes. Keys pressed and endings are added later, and what could name somebody is purged or re-encrypted.
SEALED = ("play_id", "order_id", "subject_kind", "purpose", "leg", "files", "played_at", "provider")
_KEY_ID_BYTES = 6
# With the key's id the seal fills 32 bytes; RFC 2104 section 5 asks for no less than half of the HMAC.
_HMAC_BYTES = 26


def seal_play(values: Mapping[str, object], keys: Keys) -> bytes:
    """Return the 32-byte seal: 6 bytes of the key's id, then 26 of the HMAC of a play's immutable values."""
    return bytes.fromhex(keys.key_id) + _hmac(values, keys.audit)


def is_sealed(values: Mapping[str, object], ring: KeyRing) -> bool:
    """Tell whether a play is as it was recorded. Raises UnknownKeyError."""
    stored = values["seal"]
    if not isinstance(stored, bytes) or len(stored) != _KEY_ID_BYTES + _HMAC_BYTES:
        return False
    key = ring.audit_key(stored[:_KEY_ID_BYTES].hex())
    return hmac.compare_digest(stored[_KEY_ID_BYTES:], _hmac(values, key))


def _hmac(values: Mapping[str, object], key: bytes) -> bytes:
    return seal((values[name] for name in SEALED), key)[:_HMAC_BYTES]
