"""Evidence of plays: written before a notice is handed to the provider, so that no notice plays unrecorded.

A call and a line may stand in the register under any key of the ring, while keys are being changed. So both come as
tuples of keyed hashes, the active key's first: what is written has the first, what is looked for may have any.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b

from sqlalchemy import Column, ColumnElement, Connection, Insert, bindparam, delete, func, not_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.audit.play_seal import seal_play
from gateway.audit.tables import plays
from gateway.db.driver import Prepared
from gateway.domain.e164 import E164
from gateway.domain.facts import Party
from gateway.domain.notice import Purpose, Renditions
from gateway.domain.standing import History
from gateway.domain.subject import Subject, kind_of
from gateway.privacy.blind_index import INDEX_BYTES
from gateway.privacy.field import FieldCipher
from gateway.privacy.keys import Keys
from gateway.privacy.ring import KeyRing

# SQLAlchemy forgets how many rows psycopg inserted, unless it is told to remember.
_INSERT_OR_IGNORE: Mapping[str, Insert] = {
    "postgresql": postgresql.insert(plays).on_conflict_do_nothing().execution_options(preserve_rowcount=True),
    "sqlite": sqlite.insert(plays).on_conflict_do_nothing().execution_options(preserve_rowcount=True),
}
_COLUMNS = (
    "play_id",
    "call_index",
    "order_id",
    "subject_kind",
    "line_index",
    "purpose",
    "leg",
    "ordinal",
    "files",
    "played_at",
    "provider",
    "provider_call_id",
    "caller_index",
    "seal",
)
_REMEMBERED = timedelta(days=31)
_COUNTED = {Purpose.OPENER, Purpose.PRIVATE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """One notice about to be played in one call; the indexes are keyed hashes, the active key's first.

    `caller_index` is None where the caller withholds the number; `provider_call_id` is stored encrypted.
    """

    call_indexes: tuple[bytes, ...]
    line_indexes: tuple[bytes, ...]
    order_id: str
    subject: Subject
    purpose: Purpose
    renditions: Renditions
    at: datetime
    ordinal: int | None
    provider: str
    provider_call_id: str
    caller_index: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a line heard before this call, and the ordinals that its next private plays would have."""

    history: History = field(default_factory=History)
    next_ordinals: Mapping[Purpose, int] = field(default_factory=dict)


def index_caller(caller: Party, keys: Keys) -> bytes | None:
    """Return the 16-byte keyed hash of a caller's number, or None for a caller who has none that could be looked up.

    It is kept apart from the index of lines, so that the evidence does not tell which callers are under an order.
    """
    if not isinstance(caller, E164):
        return None
    return blake2b(caller.number.encode(), key=keys.call_index, digest_size=INDEX_BYTES, person=b"caller").digest()


def record(connection: Connection, play: Play, ring: KeyRing) -> bool:
    """Record a play and return whether it may go ahead.

    A repeated webhook finds its own record and may; a second call that would take a play which another call has just
    taken may not: its ordinal comes from the same past that the decision was made on. The unique keys decide.
    """
    keys_change = len(play.call_indexes) > 1
    if keys_change and is_recorded(connection, play):
        return True
    inserted = connection.execute(
        _INSERT_OR_IGNORE[connection.dialect.name], _values(play, ring, FieldCipher(ring))
    ).rowcount
    if inserted == 1:
        return not (keys_change and _is_overtaken(connection, play))
    return is_recorded(connection, play)


class Recorder:
    """Records plays on the way of a call: in one statement, and only where the order stands at that very moment."""

    def __init__(self, keys: KeyRing, *, provided: Callable[[str, str], ColumnElement[bool]]) -> None:
        """Seal with `keys`; `provided` is the condition, given the names of its parameters for order and line."""
        self._keys = keys
        self._cipher = FieldCipher(keys)
        condition = provided("standing_order_id", "standing_line_index")
        given = select(*(bindparam(f"new_{name}", type_=plays.c[name].type) for name in _COLUMNS)).where(condition)
        # One of the two dialects is the connection's; the other is never written out.
        self._statements = {
            "sqlite": _unless_there(sqlite.insert(plays).from_select(_COLUMNS, given)),
            "postgresql": _unless_there(postgresql.insert(plays).from_select(_COLUMNS, given)),
        }

    def record(self, connection: Connection, play: Play) -> bool:
        """Record a play, and tell whether that was done: not twice, and not under an order that has ended.

        On SQLite the condition is judged with the write lock held; on PostgreSQL at the beginning of the statement.
        """
        values = {f"new_{name}": value for name, value in _values(play, self._keys, self._cipher).items()}
        values["standing_order_id"], values["standing_line_index"] = play.order_id, play.line_indexes[0]
        return self._statements[connection.dialect.name].returns(connection, values)


def _unless_there(insert: sqlite.Insert | postgresql.Insert) -> Prepared:
    return Prepared(insert.on_conflict_do_nothing().returning(plays.c.play_id))


def is_recorded(connection: Connection, play: Play) -> bool:
    """Tell whether an earlier delivery of the same webhook has recorded this play."""
    own = select(plays.c.play_id).where(
        _among(plays.c.call_index, play.call_indexes), plays.c.purpose == play.purpose.value
    )
    return connection.execute(own).first() is not None


def withdraw(connection: Connection, play: Play) -> None:
    """Take back the record of a play that did not go ahead after all.

    Only the record that this very webhook made: an earlier delivery of it may have been played, and that stays proven.
    """
    connection.execute(
        delete(plays).where(
            plays.c.call_index == play.call_indexes[0],
            plays.c.purpose == play.purpose.value,
            plays.c.played_at == play.at,
        )
    )


def note_key(connection: Connection, calls: tuple[bytes, ...], purpose: Purpose, key: str, now: datetime) -> None:
    """Note the key that was pressed on a play; the first one stands."""
    connection.execute(
        update(plays)
        .where(_among(plays.c.call_index, calls), plays.c.purpose == purpose.value, plays.c.keyed_at.is_(None))
        .values(key=key, keyed_at=now)
    )


def note_heard(connection: Connection, calls: tuple[bytes, ...], purpose: Purpose, milliseconds: int) -> None:
    """Note how long a play was truly heard; the first word stands."""
    connection.execute(
        update(plays)
        .where(_among(plays.c.call_index, calls), plays.c.purpose == purpose.value, plays.c.heard_ms.is_(None))
        .values(heard_ms=milliseconds)
    )


def note_disposition(connection: Connection, calls: tuple[bytes, ...], disposition: str) -> None:
    """Note how the call ended, on each of its plays; the first word stands."""
    connection.execute(
        update(plays)
        .where(_among(plays.c.call_index, calls), plays.c.disposition.is_(None))
        .values(disposition=disposition)
    )


def past_of(connection: Connection, line: tuple[bytes, ...], other_than: tuple[bytes, ...], now: datetime) -> Past:
    """Return the private plays on a line in the last 31 days, without those of the call `other_than` itself."""
    here = (_among(plays.c.line_index, line), plays.c.purpose.in_([each.value for each in _COUNTED]))
    # The ordinals are read first: a play recorded between the two statements is then counted, or refused its ordinal.
    highest = select(plays.c.purpose, func.max(plays.c.ordinal)).where(*here).group_by(plays.c.purpose)
    taken = {Purpose(row[0]): int(row[1] or 0) for row in connection.execute(highest)}
    rows = connection.execute(
        select(plays.c.purpose, plays.c.played_at, plays.c.key, plays.c.keyed_at)
        .where(*here, plays.c.played_at > now - _REMEMBERED, not_(_among(plays.c.call_index, other_than)))
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


def _among(column: Column[bytes], indexes: tuple[bytes, ...]) -> ColumnElement[bool]:
    """Compare with the one index there is, or look for any: plain equality is what nearly every call pays for."""
    return column == indexes[0] if len(indexes) == 1 else column.in_(indexes)


def _is_overtaken(connection: Connection, play: Play) -> bool:
    """Withdraw a play whose turn another call took under another key; the unique keys see one key at a time.

    Both calls may find each other here and both be silent: that is the side to fall to.
    """
    if play.ordinal is None:
        return False
    other = select(plays.c.play_id).where(
        plays.c.line_index.in_(play.line_indexes[1:]),
        plays.c.purpose == play.purpose.value,
        plays.c.ordinal == play.ordinal,
        plays.c.call_index.not_in(play.call_indexes),
    )
    if connection.execute(other).first() is None:
        return False
    withdraw(connection, play)
    return True


def _values(play: Play, ring: KeyRing, cipher: FieldCipher) -> dict[str, object]:
    play_id = f"play_{secrets.token_hex(8)}"
    # Whatever bytes a provider sends as its call's id, the play is recorded.
    call_id = play.provider_call_id.encode(errors="surrogateescape").decode(errors="replace")
    values: dict[str, object] = {
        "play_id": play_id,
        "call_index": play.call_indexes[0],
        "order_id": play.order_id,
        "subject_kind": kind_of(play.subject).value,
        "line_index": play.line_indexes[0],
        "purpose": play.purpose.value,
        "leg": "A" if play.purpose is Purpose.PUBLIC else "B",
        "ordinal": play.ordinal,
        "files": " ".join(rendition.mulaw for rendition in play.renditions),
        "played_at": play.at,
        "provider": play.provider,
        "provider_call_id": cipher.encrypt(call_id, place=f"plays.provider_call_id:{play_id}"),
        "caller_index": play.caller_index,
    }
    return {**values, "seal": seal_play(values, ring.active)}
