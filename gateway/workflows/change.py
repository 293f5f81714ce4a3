"""A change to the register: one transaction for the change, its entry in the trail, and what courts are told of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from gateway.audit.tags import Tag
from gateway.audit.trail import Detail, Entry, append
from gateway.domain.events import Event
from gateway.domain.rights import COMMAND_LINE, Actor
from gateway.errands.claims import Claim, demand_free, take
from gateway.outbox.post import post
from gateway.privacy.ring import KeyRing


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Who wants something done and when; `claim` makes a repeated request be carried out once."""

    actor: Actor
    at: datetime
    claim: Claim | None = None


def at_the_command_line(now: datetime) -> Errand:
    """Return the errand of who sits at the machine itself."""
    return Errand(actor=COMMAND_LINE, at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change under way. Nothing of it is there before the transaction commits."""

    connection: Connection
    keys: KeyRing
    errand: Errand

    def note(self, tag: Tag, subject_id: str, *, court_id: str = "", **details: Detail) -> None:
        """Write the trail. `details` never hold a number, a name or a text of a case."""
        entry = Entry(
            at=self.errand.at,
            actor=self.errand.actor,
            tag=tag,
            subject_id=subject_id,
            court_id=court_id,
            details=details,
        )
        append(self.connection, self.keys, entry)

    def tell(self, event: Event, *, court_id: str, **data: str | int | None) -> None:
        """Put a message for the court in the outbox."""
        post(self.connection, event, court_id=court_id, data=data, now=self.errand.at)


def demand_unclaimed(connection: Connection, errand: Errand) -> None:
    """Refuse a repeated request before its work is prepared. Raises AlreadyDoneError, ClaimMismatchError."""
    if errand.claim is not None:
        demand_free(connection, errand.claim)


@contextmanager
def change(engine: Engine, keys: KeyRing, errand: Errand) -> Iterator[Change]:
    """Open a transaction for a change, which commits at the end. Raises AlreadyDoneError, ClaimMismatchError."""
    with engine.begin() as connection:
        if errand.claim is not None:
            take(connection, errand.claim, errand.at)
        yield Change(connection=connection, keys=keys, errand=errand)
