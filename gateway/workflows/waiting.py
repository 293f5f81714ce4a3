"""What the lists of the home page have in common: a bounded count, the first few, and who is asking."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import BindParameter, ColumnElement, Connection, Row, Select, and_, bindparam, func, not_, select, true

from gateway.db.metadata import Instant
from gateway.domain.notice import Purpose
from gateway.domain.order import Order
from gateway.domain.rights import Actor, Right
from gateway.people.tables import api_keys
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.register.reach import within
from gateway.workflows.change import Errand

SHOWN = 10
# Beyond this nobody counts on: "1,000 or more" says as much, and costs no time that grows with the register.
MOST_COUNTED = 1000

# For so many askers of late a process keeps the statements, and never what they found.
ASKERS = 64
NOW: BindParameter[datetime] = bindparam("now", type_=Instant())
_OWN_KEYS = select(api_keys.c.key_id).where(func.lower(api_keys.c.created_by) == bindparam("person"))

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(Generic[T]):
    """How many wait (MOST_COUNTED stands for that many or more), and the first few of them."""

    count: int
    first: tuple[T, ...]

    @property
    def is_more(self) -> bool:
        """Tell whether there may be more than `count`."""
        return self.count >= MOST_COUNTED


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingProposal:
    """A notice of an approved order, in one language, that waits for a second officer."""

    order: Order
    purpose: Purpose
    language: str
    added_by: str
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, and which programs (`own_keys`) they issued the keys of: all that the statements of lists depend on."""

    actor: Actor
    own_keys: tuple[str, ...]

    def reached(self, right: Right) -> ColumnElement[bool]:
        """Return the condition that an order lies within the asker's reach, looked at last.

        Written so that SQLite does not take it for a reason to go by the court's index, through all of its orders.
        """
        reach = self.actor.reach(right)
        return true() if reach.everywhere else within(reach).is_(true())

    def is_others(self, author: ColumnElement[str]) -> ColumnElement[bool]:
        """Return the condition that somebody else wrote something, and no program with a key of the asker's."""
        return and_(func.lower(author) != self.actor.actor_id.lower(), author.not_in(self.own_keys))

    def is_nothing_of(self, between_bars: ColumnElement[str]) -> ColumnElement[bool]:
        """Return the condition that the asker and their programs are not among ids written `|one|two|`."""
        me = (self.actor.actor_id, *self.own_keys)
        named = (func.lower(between_bars).contains(f"|{each.lower()}|", autoescape=True) for each in me)
        return and_(*(not_(each) for each in named))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The two statements of a list: its first few, and how many there are. Both are asked with the same values."""

    first: Select[Any]
    count: Select[int]


def listing(wanted: Select[Any], *order_by: ColumnElement[Any]) -> Listing:
    """Return the statements of what `wanted` finds; whoever puts one together keeps it, for that takes its time."""
    ids = wanted.with_only_columns(next(iter(wanted.selected_columns)), maintain_column_froms=True)
    some = ids.limit(MOST_COUNTED).subquery()
    return Listing(first=wanted.order_by(*order_by).limit(SHOWN), count=select(func.count()).select_from(some))


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One reading of the home page: who asks and when."""

    connection: Connection
    keys: KeyRing
    errand: Errand
    asker: Asker

    @classmethod
    def of(cls, connection: Connection, keys: KeyRing, errand: Errand) -> "Desk":
        """Return the desk of whoever asks."""
        found = connection.execute(_OWN_KEYS, {"person": errand.actor.actor_id.lower()})
        asker = Asker(actor=errand.actor, own_keys=tuple(found.scalars()))
        return cls(connection=connection, keys=keys, errand=errand, asker=asker)

    @property
    def cipher(self) -> FieldCipher:
        """Return the cipher of encrypted columns."""
        return FieldCipher(self.keys)

    def waiting(self, wanted: Listing, read: Callable[[Row[Any]], T], **values: object) -> Waiting[T]:
        """Read the first few of a list, and count all where there may be more; `now` need not be among the values."""
        asked = {"now": self.errand.at, **values}
        first = self.connection.execute(wanted.first, asked).all()
        count = len(first)
        if count == SHOWN:
            count = int(self.connection.execute(wanted.count, asked).scalar_one())
        return Waiting(count=count, first=tuple(read(row) for row in first))
