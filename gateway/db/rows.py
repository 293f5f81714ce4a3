"""Rows as named tuples: SQLAlchemy looks for each value of its own rows anew, and lists read a thousand values."""

from collections import namedtuple
from functools import lru_cache
from typing import Any

from sqlalchemy import CursorResult

# So many different sets of columns a process keeps a class for.
_SHAPES = 256


def all_rows(result: CursorResult[Any]) -> list[Any]:
    """Return every row of a result whose columns have names of their own, as named tuples."""
    make = _row_of(tuple(result.keys()))._make
    return [make(row) for row in result.all()]


@lru_cache(maxsize=_SHAPES)
def _row_of(names: tuple[str, ...]) -> Any:  # noqa: ANN401  (a class of its own for each set of columns)
    return namedtuple("Row", names)  # noqa: PYI024  (its fields are the query's)
