"""The wall clock: the one place in the package that reads it."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present instant, timezone-aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251  (this is the one place)
