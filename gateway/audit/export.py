"""The trail in a file of its own: NDJSON that can be verified away from the database, with the keys alone.

The first line tells the form and the head; then one line an entry, oldest first, with all its columns.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gateway.audit.chain import Head
from gateway.audit.stored import TRAIL_COLUMNS
from gateway.audit.suspects import Row
from gateway.domain.errors import GatewayError

_FORM = "court-notice-gateway/trail/1"
_BINARY = {"previous", "seal"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class ExportError(GatewayError):
    """Line {line} of {source} cannot be read: {why}. Give a file that `audit export` has written, as it was."""

    code = "export"


def lines_of(head: Head | None, rows: Iterable[Row]) -> Iterator[str]:
    """Yield the lines of an export, each with its end."""
    stated = None if head is None else {"seq": head.seq, "seal": _plain("seal", head.seal)}
    yield json.dumps({"form": _FORM, "head": stated}, separators=(",", ":")) + "\n"
    for row in rows:
        values = {name: _plain(name, value) for name, value in zip(TRAIL_COLUMNS, row, strict=True)}
        yield json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n"


def head_of_file(path: Path) -> Head | None:
    """Return the head that an export states. Raises ExportError, OSError."""
    with path.open(encoding="utf-8") as file:
        document = _parsed(file.readline(), path, 1)
    if document.get("form") != _FORM:
        raise ExportError(line=1, source=path.name, why=f"it does not begin with the form {_FORM}")
    head = document.get("head")
    if not isinstance(head, dict):
        return None
    return Head(seq=head.get("seq"), seal=_stored("seal", head.get("seal")))


def rows_of_file(path: Path) -> Iterator[Row]:
    """Stream the entries of an export as the database held them. Raises ExportError, OSError."""
    with path.open(encoding="utf-8") as file:
        file.readline()
        for number, line in enumerate(file, start=2):
            document = _parsed(line, path, number)
            if set(document) != set(TRAIL_COLUMNS):
                raise ExportError(line=number, source=path.name, why="it has not the columns of an entry")
            yield tuple(_stored(name, document[name]) for name in TRAIL_COLUMNS)


def _parsed(line: str, path: Path, number: int) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except ValueError as error:
        raise ExportError(line=number, source=path.name, why="it is not JSON") from error
    if not isinstance(document, dict):
        raise ExportError(line=number, source=path.name, why="it is no object")
    return document


def _plain(name: str, value: object) -> object:
    """Return a value as JSON has it; one of a kind that does not belong in its column is written so that it shows."""
    match value:
        case bytes():
            return value.hex() if name in _BINARY else {"bytes": value.hex()}
        case int() if name == "at":
            try:
                return (_EPOCH + timedelta(microseconds=value)).isoformat(timespec="microseconds")
            except OverflowError:
                return value
        case _:
            return value


def _stored(name: str, value: object) -> object:
    """Return what `_plain` was given; what is neither is left as it is, and its row will not be sound."""
    if not isinstance(value, str):
        return value
    try:
        if name in _BINARY:
            return bytes.fromhex(value)
        if name == "at":
            return (datetime.fromisoformat(value) - _EPOCH) // _MICROSECOND
    except (ValueError, TypeError):
        pass
    return value
