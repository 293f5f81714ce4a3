"""Sealed tokens: the state of a call between its webhooks, in the callback URL.

They are encrypted as well as authenticated, so that a URL on the caller's leg says nothing about a case to whoever
reads it. A token carries state, never permission: every webhook asks the register again.
"""

import base64
import binascii
import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.privacy.errors import TokenRefusedError
from gateway.privacy.ring import Held, KeyRing

_NONCE_BYTES = 12
_LONGEST = 4096
# Kept: json.dumps would build one for each token.
_ENCODER = json.JSONEncoder(separators=(",", ":"))


class TokenSealer:
    """Seals and opens small string mappings for one `use`; a token for one use does not open for another."""

    def __init__(self, ring: KeyRing) -> None:
        """Use the token keys of `ring`: the active one seals, all of them open."""
        self._ring = ring
        self._held: Held | None = None
        self._aeads: tuple[AESGCM, ...] = ()

    def seal(self, state: Mapping[str, str], *, use: str, now: datetime, lifetime: timedelta) -> str:
        """Return URL-safe text that `open` accepts until `now + lifetime`."""
        body = _ENCODER.encode([int((now + lifetime).timestamp()), dict(state)])
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._keys()[0].encrypt(nonce, body.encode(), use.encode())
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, token: str, *, use: str, now: datetime) -> dict[str, str]:
        """Return the state. Raises TokenRefusedError: missing, forged or expired."""
        if not token:
            raise TokenRefusedError(why="missing")
        if len(token) > _LONGEST:
            raise TokenRefusedError(why="forged")
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise TokenRefusedError(why="forged") from error
        body = self._opened(sealed, use.encode())
        expires, state = json.loads(body)
        if now.timestamp() >= expires:
            raise TokenRefusedError(why="expired")
        return dict(state)

    def _opened(self, sealed: bytes, use: bytes) -> bytes:
        for aead in self._keys():
            try:
                return aead.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], use)
            except (InvalidTag, ValueError):
                continue
        raise TokenRefusedError(why="forged")

    def _keys(self) -> tuple[AESGCM, ...]:
        held = self._ring.held
        if self._held is not held:
            self._aeads = tuple(AESGCM(keys.tokens) for keys in held.known)
            self._held = held
        return self._aeads
