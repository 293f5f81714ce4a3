"""What a rotation of keys writes again in the evidence of plays.

The keyed hashes of calls and callers cannot be made anew, for what they were made of is not kept: they stay.
"""

from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Select, func, select, update
from sqlalchemy.exc import IntegrityError

from gateway.audit.tables import plays, trail
from gateway.audit.tags import Tag
from gateway.privacy.keys import Keys
from gateway.privacy.rewrite import Sealed

SEALED = (Sealed(table=plays, name="plays", columns=("provider_call_id",)),)


def move_plays(connection: Connection, before: bytes, after: bytes) -> None:
    """Let the plays on a line stand under its new index, so that caps go on counting them."""
    moving = update(plays).where(plays.c.line_index == before).values(line_index=after)
    try:
        with connection.begin_nested():
            connection.execute(moving)
    except IntegrityError:
        _renumber(connection, before, after)


def _renumber(connection: Connection, before: bytes, after: bytes) -> None:
    """Move plays of which some have an ordinal that a play under the new index has too; their seals leave it out.

    Two workers, of which one had learnt of the new key and the other had not, may have taken it at the same moment.
    """
    both = plays.c.line_index.in_((before, after))
    rows = connection.execute(select(plays).where(both).order_by(plays.c.purpose, plays.c.ordinal)).all()
    taken = {(row.purpose, row.ordinal) for row in rows if row.line_index == after}
    highest: dict[str, int] = {}
    for row in rows:
        highest[row.purpose] = max(highest.get(row.purpose, 0), row.ordinal or 0)
    for row in rows:
        if row.line_index != before:
            continue
        values: dict[str, Any] = {"line_index": after}
        if row.ordinal is not None and (row.purpose, row.ordinal) in taken:
            highest[row.purpose] += 1
            values["ordinal"] = highest[row.purpose]
        connection.execute(update(plays).where(plays.c.play_id == row.play_id).values(values))


def plays_out_of_reach(connection: Connection, known: Select[bytes], since: datetime, until: datetime) -> int:
    """Return how many plays between two instants count for a cap, and stand under none of the indexes `known` finds.

    Their line was taken out of its order; should it come back, they are found as long as the old key is known.
    """
    statement = select(func.count()).where(
        plays.c.ordinal.is_not(None),
        plays.c.played_at > since,
        plays.c.played_at < until,
        plays.c.line_index.not_in(known),
    )
    return int(connection.execute(statement).scalar_one())


def noted_at(connection: Connection, tag: Tag, subject_id: str) -> datetime | None:
    """Return when the trail last told of `tag` for a subject, or None where it never did."""
    statement = select(func.max(trail.c.at)).where(trail.c.subject_id == subject_id, trail.c.tag == tag.value)
    found: datetime | None = connection.execute(statement).scalar()
    return found


def public_key(keys: Keys) -> str:
    """Return, in hexadecimal, the public half of the key that signs checkpoints: the trail vouches for it."""
    return Ed25519PrivateKey.from_private_bytes(keys.signing).public_key().public_bytes_raw().hex()
