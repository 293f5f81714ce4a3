"""The trail: an append-only chain in which every row seals the one before it.

A row's seal is HMAC-SHA256, under the audit key, of the row's own values and of the seal before it. Who can write the
database but has no key can change nothing unseen; what is cut off at the end shows against a checkpoint kept elsewhere.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.audit.canonical import seal
from gateway.audit.tables import trail, trail_head
from gateway.audit.tags import Tag
from gateway.domain.rights import Actor
from gateway.privacy.ring import KeyRing

FIRST_SEAL = bytes(32)
SEALED = ("seq", "at", "actor", "actor_kind", "tag", "court_id", "subject_id", "details", "key_id", "previous")
Detail = str | int | bool | None
_NEXT = (
    update(trail_head)
    .where(trail_head.c.one == 1)
    .values(seq=trail_head.c.seq + 1)
    .returning(trail_head.c.seq, trail_head.c.seal)
)
_EMPTY = {"one": 1, "seq": 0, "seal": FIRST_SEAL}
_HEAD: Mapping[str, Insert] = {
    "postgresql": postgresql.insert(trail_head).values(**_EMPTY).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(trail_head).values(**_EMPTY).on_conflict_do_nothing(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that was done. `details` hold ids, states and hashes; never a number, a name or a text of a case."""

    at: datetime
    actor: Actor
    tag: Tag
    subject_id: str
    court_id: str = ""
    details: Mapping[str, Detail] = field(default_factory=dict)


def append(connection: Connection, ring: KeyRing, entry: Entry) -> int:
    """Append an entry in the caller's transaction and return its number; others who append wait for the commit."""
    head = connection.execute(_NEXT).one_or_none()
    if head is None:
        # Two may begin the trail at once: one of them makes the head, and the other waits for it and comes second.
        connection.execute(_HEAD[connection.dialect.name])
        head = connection.execute(_NEXT).one()
    seq, previous = head.seq, head.seal
    keys = ring.active
    values = {
        "seq": seq,
        "at": entry.at,
        "actor": entry.actor.actor_id,
        "actor_kind": entry.actor.kind.value,
        "tag": entry.tag.value,
        "court_id": entry.court_id,
        "subject_id": entry.subject_id,
        "details": json.dumps(dict(entry.details), sort_keys=True, separators=(",", ":"), ensure_ascii=False),
        "key_id": keys.key_id,
        "previous": previous,
    }
    sealed = seal_of(values, keys.audit)
    connection.execute(trail.insert().values(**values, seal=sealed))
    connection.execute(update(trail_head).where(trail_head.c.one == 1).values(seal=sealed))
    return int(seq)


def head_of(connection: Connection) -> tuple[int, bytes]:
    """Return the number and the seal of the last entry; 0 and 32 zero bytes where there is none."""
    row = connection.execute(select(trail_head.c.seq, trail_head.c.seal)).one_or_none()
    return (0, FIRST_SEAL) if row is None else (int(row.seq), bytes(row.seal))


def seal_of(values: Mapping[str, object], key: bytes) -> bytes:
    """Return the seal of a row, whose instant may be aware or the number that the database holds."""
    return seal((values[name] for name in SEALED), key)
