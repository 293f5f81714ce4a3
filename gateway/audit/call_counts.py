"""How many calls came in which hour, and what they were answered with: sums only, of all lines of all courts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Insert, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.audit.tables import call_counts
from gateway.domain.plan import Decision

_POSTGRESQL, _SQLITE = postgresql.insert(call_counts), sqlite.insert(call_counts)
_ADD: Mapping[str, Insert] = {
    "postgresql": _POSTGRESQL.on_conflict_do_update(
        index_elements=("hour", "outcome"), set_={"calls": call_counts.c.calls + _POSTGRESQL.excluded.calls}
    ),
    "sqlite": _SQLITE.on_conflict_do_update(
        index_elements=("hour", "outcome"), set_={"calls": call_counts.c.calls + _SQLITE.excluded.calls}
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCount:
    """How many calls were answered with `outcome` in the hour that begins at `hour` (UTC)."""

    hour: datetime
    outcome: Decision
    calls: int


def add(connection: Connection, counts: Iterable[CallCount]) -> None:
    """Add to what is there, in one statement: all of it, or nothing.

    The rows go in the order of their key, so that two processes that add at the same time do not lock each other out.
    """
    ordered = sorted(counts, key=lambda each: (each.hour, each.outcome.value))
    rows = [{"hour": each.hour, "outcome": each.outcome.value, "calls": each.calls} for each in ordered]
    if rows:
        connection.execute(_ADD[connection.dialect.name].values(rows))


def between(connection: Connection, since: datetime, until: datetime) -> tuple[CallCount, ...]:
    """Return the counts of the hours that begin in a period, the oldest first; `until` itself is left out."""
    statement = (
        select(call_counts)
        .where(call_counts.c.hour >= since, call_counts.c.hour < until)
        .order_by(call_counts.c.hour, call_counts.c.outcome)
    )
    return tuple(
        CallCount(hour=row.hour, outcome=Decision(row.outcome), calls=row.calls)
        for row in connection.execute(statement)
    )


def forget(connection: Connection, before: datetime) -> int:
    """Remove the counts of hours that began before an instant, and return how many rows they were."""
    return connection.execute(delete(call_counts).where(call_counts.c.hour < before)).rowcount
