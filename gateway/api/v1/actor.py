"""Whose request it is: the bearer token (RFC 6750) of a session, or of a program's API key."""

import re

from werkzeug.datastructures import Headers

from gateway.people.errors import NotSignedInError

# What the workflow is asked about; anything else cannot be a token of ours, and is not hashed.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{8,300}")
CHALLENGE = 'Bearer realm="court notice gateway"'


def bearer_of(headers: Headers) -> str:
    """Return the bearer token of a request. Raises NotSignedInError."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or _TOKEN.fullmatch(token.strip()) is None:
        raise NotSignedInError
    return token.strip()
