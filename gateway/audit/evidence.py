"""Evidence of plays: written before a notice is handed to the provider, so that no notice plays unrecorded."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, Insert, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.audit.tables import plays
from gateway.domain.notice import Purpose, Renditions
from gateway.domain.standing import History
from gateway.domain.subject import Subject, kind_of

_INSERT_OR_IGNORE: Mapping[str, Insert] = {
    "postgresql": postgresql.insert(plays).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(plays).on_conflict_do_nothing(),
}
_REMEMBERED = timedelta(days=31)
_COUNTED = {Purpose.OPENER, Purpose.PRIVATE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """One notice about to be played in one call; `call_index` and `line_index` are keyed hashes."""

    call_index: bytes
    line_index: bytes
    order_id: str
    subject: Subject
    purpose: Purpose
    renditions: Renditions
    at: datetime
    ordinal: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a line heard before this call, and the ordinals that its next private plays would have."""

    history: History = field(default_factory=History)
    next_ordinals: Mapping[Purpose, int] = field(default_factory=dict)


def record(connection: Connection, play: Play) -> bool:
    """Record a play and return whether it may go ahead.

    A repeated webhook finds its own record and may; a second call that would take a play which another call has just
    taken may not: its ordinal comes from the same past that the decision was made on. The unique keys decide.
    """
    inserted = connection.execute(_INSERT_OR_IGNORE[connection.dialect.name], _values(play)).rowcount
    if inserted == 1:
        return True
    own = select(plays.c.play_id).where(plays.c.call_index == play.call_index, plays.c.purpose == play.purpose.value)
    return connection.execute(own).first() is not None


def withdraw(connection: Connection, play: Play) -> None:
    """Take back the record of a play that did not go ahead after all.

    Only the record that this very webhook made: an earlier delivery of it may have been played, and that stays proven.
    """
    connection.execute(
        delete(plays).where(
            plays.c.call_index == play.call_index,
            plays.c.purpose == play.purpose.value,
            plays.c.played_at == play.at,
        )
    )


def note_key(connection: Connection, call_index: bytes, purpose: Purpose, key: str, now: datetime) -> None:
    """Note the key that was pressed on a play; the first one stands."""
    connection.execute(
        update(plays)
        .where(plays.c.call_index == call_index, plays.c.purpose == purpose.value, plays.c.keyed_at.is_(None))
        .values(key=key, keyed_at=now)
    )


def note_disposition(connection: Connection, call_index: bytes, disposition: str) -> None:
    """Note how the call ended, on each of its plays; the first word stands."""
    connection.execute(
        update(plays)
        .where(plays.c.call_index == call_index, plays.c.disposition.is_(None))
        .values(disposition=disposition)
    )


def past_of(connection: Connection, line_index: bytes, other_than: bytes, now: datetime) -> Past:
    """Return the private plays on a line in the last 31 days, without those of the call `other_than` itself."""
    here = (plays.c.line_index == line_index, plays.c.purpose.in_([each.value for each in _COUNTED]))
    # The ordinals are read first: a play recorded between the two statements is then counted, or refused its ordinal.
    highest = select(plays.c.purpose, func.max(plays.c.ordinal)).where(*here).group_by(plays.c.purpose)
    taken = {Purpose(row[0]): int(row[1] or 0) for row in connection.execute(highest)}
    rows = connection.execute(
        select(plays.c.purpose, plays.c.played_at, plays.c.key, plays.c.keyed_at)
        .where(*here, plays.c.played_at > now - _REMEMBERED, plays.c.call_index != other_than)
        .order_by(plays.c.played_at)
    ).all()
    acknowledged = [row.keyed_at for row in rows if row.purpose == Purpose.PRIVATE.value and row.key == "2"]
    return Past(
        history=History(
            openers=tuple(row.played_at for row in rows if row.purpose == Purpose.OPENER.value),
            contents=tuple(row.played_at for row in rows if row.purpose == Purpose.PRIVATE.value),
            acknowledged_at=max(acknowledged, default=None),
        ),
        next_ordinals={purpose: taken.get(purpose, 0) + 1 for purpose in _COUNTED},
    )


def _values(play: Play) -> dict[str, object]:
    return {
        "play_id": f"play_{secrets.token_hex(8)}",
        "call_index": play.call_index,
        "order_id": play.order_id,
        "subject_kind": kind_of(play.subject).value,
        "line_index": play.line_index,
        "purpose": play.purpose.value,
        "leg": "A" if play.purpose is Purpose.PUBLIC else "B",
        "ordinal": play.ordinal,
        "files": " ".join(rendition.mulaw for rendition in play.renditions),
        "played_at": play.at,
    }
