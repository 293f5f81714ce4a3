"""Pages of lists: a cursor says after which entry to go on, so that what is added meanwhile shifts nothing."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import urlencode

from gateway.domain.errors import GatewayError

_T = TypeVar("_T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class BadCursorError(GatewayError):
    """The cursor is not one that this list gave; leave it out to begin anew, or send `next` as it was given."""

    code = "bad_cursor"


def write_cursor(*keys: str | int) -> str:
    """Return an opaque cursor that stands for the sort keys of the last entry of a page."""
    return base64.urlsafe_b64encode(json.dumps(keys, separators=(",", ":")).encode()).rstrip(b"=").decode()


def read_cursor(cursor: str, *kinds: type) -> tuple[str | int, ...]:
    """Return the sort keys, each of its kind (str or int). Raises BadCursorError."""
    try:
        keys = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise BadCursorError from error
    if not isinstance(keys, list) or [type(key) for key in keys] != list(kinds):
        raise BadCursorError
    if any(_is_unfit(key) for key in keys):
        raise BadCursorError
    return tuple(keys)


def read_after(cursor: str | None) -> str | None:
    """Return the one key of a cursor over ids, None at the beginning of the list. Raises BadCursorError."""
    return None if cursor is None else str(read_cursor(cursor, str)[0])


def read_before(cursor: str | None) -> int | None:
    """Return the one key of a cursor over numbers, None at the beginning of the list. Raises BadCursorError."""
    return None if cursor is None else int(read_cursor(cursor, int)[0])


def read_instant(cursor: str | None) -> tuple[datetime, str] | None:
    """Return the instant and the id that a cursor stands for. Raises BadCursorError."""
    if cursor is None:
        return None
    microseconds, last = read_cursor(cursor, int, str)
    # Bounded to the years that a datetime can hold.
    return _EPOCH + int(microseconds) % 10**17 * _MICROSECOND, str(last)


def write_instant(key: tuple[datetime, str]) -> tuple[str | int, ...]:
    """Return the sort keys of a cursor over instants."""
    return (key[0] - _EPOCH) // _MICROSECOND, key[1]


def cut(found: Sequence[_T], limit: int, key: Callable[[_T], tuple[str | int, ...]]) -> tuple[Sequence[_T], str | None]:
    """Return at most `limit` entries, and the cursor of the next page where more than `limit` were found."""
    if len(found) <= limit:
        return found, None
    page = found[:limit]
    return page, write_cursor(*key(page[-1]))


def link_to(path: str, query: dict[str, str], cursor: str) -> str:
    """Return the Link header (RFC 8288) of the next page."""
    return f'<{path}?{urlencode(query | {"cursor": cursor})}>; rel="next"'


def _is_unfit(key: str | int) -> bool:
    """Tell whether no database takes a value."""
    if isinstance(key, int):
        return abs(key) >= 2**63
    return "\x00" in key or not key.isascii()
