"""Lists of plays: the evidence, newest first, within the reach of whoever reads."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, column, false, or_, select, table, true

from gateway.audit.play_seal import is_sealed
from gateway.audit.tables import plays
from gateway.domain.notice import Purpose
from gateway.domain.rights import Reach
from gateway.privacy.errors import UnknownKeyError, WrongKeyError
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing

# The register's tables, as far as this room must know them: by name, as the foreign key of plays does.
_ORDERS = table("orders", column("order_id"), column("court_id"), column("district_id"))
_DISTRICTS = table("districts", column("district_id"), column("parent_id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayQuery:
    """Which plays to list; what is empty or None does not matter. `until` itself is left out.

    `after` is the id of the play that the page before ended with, empty for the first page.
    """

    reach: Reach
    court_id: str = ""
    order_id: str = ""
    purpose: Purpose | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayEntry:
    """One play: `files` are the SHA-256 (hex) of what was heard, in order; `key` is what was pressed, and when.

    `heard_ms` is how long it was truly heard, None where the provider does not tell. `provider_call_id` and
    `caller_hash` (hex) are None once they were purged, the second also where the caller withheld the number. `is_sound`
    tells whether the play is as it was recorded.
    """

    play_id: str
    order_id: str
    court_id: str
    purpose: Purpose
    leg: str
    files: tuple[str, ...]
    played_at: datetime
    key: str | None
    keyed_at: datetime | None
    disposition: str | None
    heard_ms: int | None
    provider: str
    provider_call_id: str | None
    caller_hash: str | None
    is_sound: bool


def plays_of(connection: Connection, ring: KeyRing, query: PlayQuery) -> tuple[PlayEntry, ...]:
    """Return a page of plays, newest first."""
    statement = (
        select(plays, _ORDERS.c.court_id)
        .join(_ORDERS, _ORDERS.c.order_id == plays.c.order_id)
        .where(_within(query.reach), *_conditions(query))
        .order_by(plays.c.played_at.desc(), plays.c.play_id.desc())
        .limit(query.limit)
    )
    cipher = FieldCipher(ring)
    return tuple(_read(row, cipher, ring) for row in connection.execute(statement))


def _within(reach: Reach) -> ColumnElement[bool]:
    if reach.everywhere:
        return true()
    allowed: list[ColumnElement[bool]] = []
    if reach.courts:
        allowed.append(_ORDERS.c.court_id.in_(reach.courts))
    if reach.districts:
        top = select(_DISTRICTS.c.district_id).where(_DISTRICTS.c.district_id.in_(reach.districts))
        reached = top.cte("reached", recursive=True)
        reached = reached.union(
            select(_DISTRICTS.c.district_id).join(reached, _DISTRICTS.c.parent_id == reached.c.district_id)
        )
        allowed.append(_ORDERS.c.district_id.in_(select(reached.c.district_id)))
    return or_(*allowed) if allowed else false()


def _conditions(query: PlayQuery) -> Iterator[ColumnElement[bool]]:
    if query.court_id:
        yield _ORDERS.c.court_id == query.court_id
    if query.order_id:
        yield plays.c.order_id == query.order_id
    if query.purpose is not None:
        yield plays.c.purpose == query.purpose.value
    if query.since is not None:
        yield plays.c.played_at >= query.since
    if query.until is not None:
        yield plays.c.played_at < query.until
    if query.after:
        mark = select(plays.c.played_at).where(plays.c.play_id == query.after).scalar_subquery()
        yield or_(plays.c.played_at < mark, and_(plays.c.played_at == mark, plays.c.play_id < query.after))


def _read(row: Row[*tuple[Any, ...]], cipher: FieldCipher, ring: KeyRing) -> PlayEntry:
    return PlayEntry(
        play_id=row.play_id,
        order_id=row.order_id,
        court_id=row.court_id,
        purpose=Purpose(row.purpose),
        leg=row.leg,
        files=tuple(row.files.split()),
        played_at=row.played_at,
        key=row.key,
        keyed_at=row.keyed_at,
        disposition=row.disposition,
        heard_ms=row.heard_ms,
        provider=row.provider,
        provider_call_id=_call_id(row, cipher),
        caller_hash=None if row.caller_index is None else bytes(row.caller_index).hex(),
        is_sound=_is_sound(row, ring),
    )


def _call_id(row: Row[*tuple[Any, ...]], cipher: FieldCipher) -> str | None:
    """Decrypt the provider's id of the call; one that these keys do not open any more is as good as purged."""
    if row.provider_call_id is None:
        return None
    try:
        return cipher.decrypt(bytes(row.provider_call_id), place=f"plays.provider_call_id:{row.play_id}")
    except WrongKeyError:
        return None


def _is_sound(row: Row[*tuple[Any, ...]], ring: KeyRing) -> bool:
    try:
        return is_sealed(row._asdict(), ring)
    except UnknownKeyError:
        return False
