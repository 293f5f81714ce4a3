"""The plays of each past day, condensed: a play that is removed, put in or altered later changes the day's digests.

There are two. What was played stands when the day is over. Keys and endings may be added for as long as calls and their
callbacks last, so they stand only when another day has gone by.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Self

from sqlalchemy import Connection

from gateway.audit.canonical import written
from gateway.audit.stored import PLAY_COLUMNS, plays_in
from gateway.audit.suspects import Row
from gateway.audit.tables import plays

_PLAY_ID, _PLAYED_AT, _SEAL = (PLAY_COLUMNS.index(each) for each in ("play_id", "played_at", "seal"))
_OUTCOME, _HEARD = slice(PLAY_COLUMNS.index("key"), PLAY_COLUMNS.index("heard_ms")), PLAY_COLUMNS.index("heard_ms")
_DAY = timedelta(days=1)
_DAY_IN_MICROSECONDS = _DAY // timedelta(microseconds=1)
_FIRST_DAY = date(1970, 1, 1)
# A callback token lives for a day at the longest (settings.token_seconds), and so does a call.
_OUTCOMES_LAST = _DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The plays of one day (UTC): how many, and SHA-256 (hex) of their seals and of their outcomes.

    `outcomes` is None where keys and endings could still come in.
    """

    day: date
    plays: int
    seals: str
    outcomes: str | None

    def document(self) -> dict[str, object]:
        """Return what a checkpoint holds of the day."""
        return {"day": self.day.isoformat(), "plays": self.plays, "seals": self.seals, "outcomes": self.outcomes}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """Read what a checkpoint holds. Raises KeyError, TypeError, ValueError."""
        outcomes = document["outcomes"]
        return cls(
            day=date.fromisoformat(document["day"]),
            plays=int(document["plays"]),
            seals=str(document["seals"]),
            outcomes=None if outcomes is None else str(outcomes),
        )


def condense(rows: Iterable[Row]) -> Iterator[Day]:
    """Return the days of plays that come oldest first; a play whose time is no time belongs to none."""
    for number, of_day in groupby(rows, key=_day_number):
        count, seals, outcomes = 0, hashlib.sha256(), hashlib.sha256()
        for row in of_day:
            count += 1
            seals.update(written((row[_PLAY_ID], row[_SEAL])))
            outcomes.update(written((row[_PLAY_ID], *_outcome(row))))
        if number is not None:
            day = _FIRST_DAY + timedelta(days=number)
            yield Day(day=day, plays=count, seals=seals.hexdigest(), outcomes=outcomes.hexdigest())


def past_days(connection: Connection, since: date | None, now: datetime) -> tuple[Day, ...]:
    """Return the days with plays from `since` (None: the first) until yesterday, which has no outcomes yet."""
    today = now.astimezone(UTC).date()
    conditions = [plays.c.played_at < _start(today)]
    if since is not None:
        conditions.append(plays.c.played_at >= _start(since))
    settled_before = today - _OUTCOMES_LAST
    return tuple(
        day if day.day < settled_before else replace(day, outcomes=None)
        for day in condense(plays_in(connection, *conditions))
    )


def evidence_digest(connection: Connection, day: date) -> Day:
    """Return one day as it stands now."""
    conditions = (plays.c.played_at >= _start(day), plays.c.played_at < _start(day + _DAY))
    return next(condense(plays_in(connection, *conditions)), empty(day))


def empty(day: date) -> Day:
    """Return a day without plays."""
    nothing = hashlib.sha256().hexdigest()
    return Day(day=day, plays=0, seals=nothing, outcomes=nothing)


def _outcome(row: Row) -> Row:
    """Return what became of a play; where nobody told how long it was heard, as it was before that could be told."""
    return row[_OUTCOME] if row[_HEARD] is None else (*row[_OUTCOME], row[_HEARD])


def _day_number(row: Row) -> int | None:
    at = row[_PLAYED_AT]
    return at // _DAY_IN_MICROSECONDS if isinstance(at, int) and 0 <= at < _DAY_IN_MICROSECONDS * 1_000_000 else None


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
