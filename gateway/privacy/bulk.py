"""Encrypting many values at once: what `FieldCipher` writes, with random bytes drawn for hundreds at a time."""

import secrets

from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing

_NONCE_BYTES = 12
_DRAWN = 512 * _NONCE_BYTES


class BulkCipher(FieldCipher):
    """A `FieldCipher` for one thread of one process that was not forked: a nonce drawn is a nonce used, once."""

    def __init__(self, ring: KeyRing) -> None:
        """Use the field keys of `ring`; nothing is drawn before it is needed."""
        super().__init__(ring)
        self._drawn = b""
        self._at = 0

    def encrypt(self, text: str, *, place: str) -> bytes:
        """Return version, key id, nonce and ciphertext, as `FieldCipher` does."""
        if self._held is not self._ring.held:
            self._renew()
        if self._at >= len(self._drawn):
            self._drawn, self._at = secrets.token_bytes(_DRAWN), 0
        nonce = self._drawn[self._at : self._at + _NONCE_BYTES]
        self._at += _NONCE_BYTES
        return self._prefix + nonce + self._by_mark[self._prefix].encrypt(nonce, text.encode(), place.encode())
