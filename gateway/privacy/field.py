"""Encrypted columns: AES-256-GCM, bound to the place where they stand, so that no row can borrow another's text.

Each stored value names its key, so that a rotation can go on while the gateway reads and writes.
"""

import secrets
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.privacy.errors import WrongKeyError
from gateway.privacy.keys import Keys
from gateway.privacy.ring import Held, KeyRing

# Version 1 did not name its key; values of that time are tried with every key of the ring.
_VERSION_1, _VERSION_2 = b"\x01", b"\x02"
_MARK_BYTES = 7
_NONCE_BYTES = 12


class FieldCipher:
    """Encrypts and decrypts text columns; `place` is table, column and row, for example `orders.subject:ord_1`."""

    def __init__(self, ring: KeyRing) -> None:
        """Use the field keys of `ring`: the active one writes, all of them read."""
        self._ring = ring
        self._held: Held | None = None
        self._prefix = b""
        self._by_mark: dict[bytes, AESGCM] = {}

    def encrypt(self, text: str, *, place: str) -> bytes:
        """Return version, key id, nonce and ciphertext."""
        if self._held is not self._ring.held:
            self._renew()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        aead = self._by_mark[self._prefix]
        return self._prefix + nonce + aead.encrypt(nonce, text.encode(), place.encode())

    def decrypt(self, stored: bytes, *, place: str) -> str:
        """Return the text. Raises WrongKeyError where the key, the place or a single bit is another."""
        if self._held is not self._ring.held:
            self._renew()
        aead = self._by_mark.get(stored[:_MARK_BYTES])
        candidates: Iterable[AESGCM]
        if aead is not None:
            candidates, sealed = (aead,), stored[_MARK_BYTES:]
        else:
            candidates = self._by_mark.values() if stored[:1] == _VERSION_1 else ()
            sealed = stored[1:]
        for each in candidates:
            try:
                return each.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode()).decode()
            except (InvalidTag, ValueError):
                continue
        raise WrongKeyError(what=place)

    def is_active(self, stored: bytes) -> bool:
        """Tell whether a stored value was written with the active key, so that a rotation may pass over it."""
        return stored.startswith(_prefix(self._ring.active))

    @property
    def mark(self) -> bytes:
        """Return the bytes that every value written with the active key begins with, for a search in the database."""
        return _prefix(self._ring.active)

    def _renew(self) -> None:
        held = self._ring.held
        self._by_mark = {_prefix(keys): AESGCM(keys.fields) for keys in held.known}
        self._prefix = _prefix(held.active)
        self._held = held


def _prefix(keys: Keys) -> bytes:
    return _VERSION_2 + bytes.fromhex(keys.key_id)
