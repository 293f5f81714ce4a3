"""How the values of a row are written before they are sealed: the same bytes on every database and in every export."""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def written(values: Iterable[object]) -> bytes:
    """Return each value with its kind and its length before it, so that none can run into the next or pose as another.

    An instant is written as the database holds it, in microseconds since 1970 UTC.
    """
    parts: list[bytes] = []
    for value in values:
        match value:
            case str():
                kind, text = b"t", value.encode(errors="surrogatepass")
            case bytes():
                kind, text = b"b", value
            case datetime():
                kind, text = b"i", str((value - _EPOCH) // _MICROSECOND).encode()
            case int():
                kind, text = b"i", str(value).encode()
            case _:
                kind, text = b"o", repr(value).encode()
        parts += (kind, len(text).to_bytes(8, "big"), text)
    return b"".join(parts)


def seal(values: Iterable[object], key: bytes) -> bytes:
    """Return the HMAC-SHA256 of what `values` are written as: 32 bytes."""
    return hmac.digest(key, written(values), hashlib.sha256)
