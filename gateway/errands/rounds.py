"""Rounds: what is done again and again by name, by one host at a time, whichever comes first when it is due."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, select, update
from sqlalchemy.exc import IntegrityError

from gateway.errands.tables import rounds

# Longer than any round takes; a host that dies at one leaves it to the others after this.
LEASE = timedelta(hours=1)


def missing(connection: Connection, names: Iterable[str]) -> tuple[str, ...]:
    """Return those names that have no row yet; takes no lock."""
    known = set(connection.execute(select(rounds.c.name)).scalars())
    return tuple(name for name in names if name not in known)


def enter(connection: Connection, name: str, now: datetime) -> None:
    """Make a round known, due at once; two hosts that do so at the same time make one row."""
    try:
        with connection.begin_nested():
            connection.execute(rounds.insert().values(name=name, due_at=now))
    except IntegrityError:
        return


def due(connection: Connection, names: Iterable[str], now: datetime) -> tuple[str, ...]:
    """Return those names that are due and that nobody is at; takes no lock."""
    free = or_(rounds.c.leased_until.is_(None), rounds.c.leased_until <= now)
    asked = select(rounds.c.name).where(rounds.c.name.in_(tuple(names)), rounds.c.due_at <= now, free)
    return tuple(connection.execute(asked.order_by(rounds.c.due_at)).scalars())


def take(connection: Connection, name: str, now: datetime) -> bool:
    """Take a round that is due; False where another host was faster."""
    free = or_(rounds.c.leased_until.is_(None), rounds.c.leased_until <= now)
    mine = update(rounds).where(rounds.c.name == name, rounds.c.due_at <= now, free)
    return bool(connection.execute(mine.values(leased_until=now + LEASE)).rowcount)


def give_back(connection: Connection, name: str, *, due_at: datetime, finished_at: datetime | None) -> None:
    """Free a round until it is due again; `finished_at` is None where it did not succeed."""
    values = {"leased_until": None, "due_at": due_at}
    if finished_at is not None:
        values["finished_at"] = finished_at
    connection.execute(update(rounds).where(rounds.c.name == name).values(**values))
