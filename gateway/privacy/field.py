"""Encrypted columns: AES-256-GCM, bound to the place where they stand, so that no row can borrow another's text."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.privacy.errors import WrongKeyError
from gateway.privacy.keys import Keys

_VERSION = b"\x01"
_NONCE_BYTES = 12


class FieldCipher:
    """Encrypts and decrypts text columns; `place` is table, column and row, for example `orders.subject:ord_1`."""

    def __init__(self, keys: Keys) -> None:
        """Use the field key of `keys`."""
        self._aead = AESGCM(keys.fields)

    def encrypt(self, text: str, *, place: str) -> bytes:
        """Return version, nonce and ciphertext."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._aead.encrypt(nonce, text.encode(), place.encode())

    def decrypt(self, stored: bytes, *, place: str) -> str:
        """Return the text. Raises WrongKeyError where the key, the place or a single bit is another."""
        if stored[:1] != _VERSION:
            raise WrongKeyError(what=place)
        nonce, ciphertext = stored[1 : 1 + _NONCE_BYTES], stored[1 + _NONCE_BYTES :]
        try:
            return self._aead.decrypt(nonce, ciphertext, place.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise WrongKeyError(what=place) from error
