"""Trails to tamper with: in a database of their own, written as the gateway writes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, text

from gateway.audit.tables import plays, trail, trail_head
from gateway.audit.tags import Tag
from gateway.audit.trail import FIRST_SEAL, Entry, append, seal_of
from gateway.domain.rights import COMMAND_LINE
from gateway.privacy.keys import derive
from gateway.privacy.ring import KeyRing
from gateway.register.tables import orders
from tests.builders import NOW

KEYS = derive(b"a master key of 32 bytes, or so.")
NEXT_KEYS = derive(b"the master key that comes after.")
RING = KeyRing(KEYS)
_PORTION = 1000


def an_entry(number: int) -> Entry:
    return Entry(
        at=NOW + timedelta(seconds=number),
        actor=COMMAND_LINE,
        tag=Tag.ORDER_LIFTED,
        subject_id=f"ord_{number}",
        court_id="court-1",
        details={"was": "in_force", "version": number},
    )


@contextmanager
def a_trail(rows: int, ring: KeyRing = RING, folder: Path | None = None) -> Iterator[Connection]:
    """Open a transaction on a database that holds a trail of so many entries, and no trigger that guards it."""
    where = "sqlite://" if folder is None else f"sqlite:///{folder / 'trail.sqlite3'}"
    engine: Engine = create_engine(where)
    with engine.begin() as connection:
        # Nothing enforces foreign keys here: plays stand for themselves.
        for table in (trail, trail_head, orders, plays):
            table.create(connection)
        for number in range(1, rows + 1):
            append(connection, ring, an_entry(number))
        yield connection
        connection.rollback()
    engine.dispose()


@contextmanager
def a_long_trail(rows: int, folder: Path) -> Iterator[Connection]:
    """Open a transaction on a trail of many entries, put in by the thousand."""
    with a_trail(0, folder=folder) as connection:
        previous = FIRST_SEAL
        portion: list[dict[str, object]] = []
        for number in range(1, rows + 1):
            entry = an_entry(number)
            values: dict[str, object] = {
                "seq": number,
                "at": entry.at,
                "actor": entry.actor.actor_id,
                "actor_kind": entry.actor.kind.value,
                "tag": entry.tag.value,
                "court_id": entry.court_id,
                "subject_id": entry.subject_id,
                "details": "{}",
                "key_id": KEYS.key_id,
                "previous": previous,
            }
            previous = seal_of(values, KEYS.audit)
            portion.append({**values, "seal": previous})
            if len(portion) == _PORTION or number == rows:
                connection.execute(trail.insert(), portion)
                portion = []
        connection.execute(trail_head.insert().values(one=1, seq=rows, seal=previous))
        yield connection


def tamper(connection: Connection, statement: str, **values: object) -> None:
    """Change the trail behind the gateway's back."""
    connection.execute(text(statement), values)
