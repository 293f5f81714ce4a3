"""Secrets that people and programs carry: session tokens, API keys, enrolment codes.

Each is 256 random bits behind a prefix by which people, logs and secret scanners know it. Whoever looks one up looks up
its keyed hash, so that a thief of the database holds nothing to present.
"""

import secrets
from dataclasses import dataclass, field

from gateway.people.errors import NotSignedInError

_BYTES = 32
_LONGEST = 200
_SESSION, _KEY, _ENROLMENT = "cns_", "cnk_", "cne_"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionToken:
    """The bearer of a person's session."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyToken:
    """The bearer of an API key; `key_id` is public."""

    key_id: str
    text: str = field(repr=False)


def new_id(kind: str) -> str:
    """Return a new identifier such as `per_9f86d081884c7d65`; it says nothing about what it names."""
    return f"{kind}_{secrets.token_hex(8)}"


def new_session_token() -> str:
    """Return `cns_` and 256 random bits."""
    return _SESSION + secrets.token_urlsafe(_BYTES)


def new_enrolment_code() -> str:
    """Return `cne_` and 256 random bits."""
    return _ENROLMENT + secrets.token_urlsafe(_BYTES)


def new_key_token(key_id: str) -> str:
    """Return `cnk_`, the key's id without its own prefix, and 256 random bits."""
    return f"{_KEY}{key_id.removeprefix('key_')}_{secrets.token_urlsafe(_BYTES)}"


def read_bearer(bearer: str) -> SessionToken | KeyToken:
    """Tell what a bearer token is. Raises NotSignedInError where it is none of ours."""
    if len(bearer) <= _LONGEST and bearer.isascii():
        if bearer.startswith(_SESSION):
            return SessionToken(text=bearer)
        key_id, separator, _ = bearer.removeprefix(_KEY).partition("_")
        if bearer.startswith(_KEY) and separator and key_id.isalnum():
            return KeyToken(key_id=f"key_{key_id}", text=bearer)
    raise NotSignedInError
