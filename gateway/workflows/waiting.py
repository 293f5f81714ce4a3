"""What the lists of the home page have in common: a bounded count, the first few, and who is asking."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, not_, select, true

from gateway.domain.notice import Purpose
from gateway.domain.order import Order
from gateway.domain.rights import Right
from gateway.people.tables import api_keys
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.register.reach import within
from gateway.workflows.change import Errand

SHOWN = 10
# Beyond this nobody counts on: "1,000 or more" says as much, and costs no time that grows with the register.
MOST_COUNTED = 1000

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
class Desk:
    """One reading of the home page: who asks and when, and which programs (`own_keys`) they issued the keys of."""

    connection: Connection
    keys: KeyRing
    errand: Errand
    own_keys: tuple[str, ...]

    @classmethod
    def of(cls, connection: Connection, keys: KeyRing, errand: Errand) -> "Desk":
        """Return the desk of whoever asks."""
        issued = select(api_keys.c.key_id).where(func.lower(api_keys.c.created_by) == errand.actor.actor_id.lower())
        own = tuple(connection.execute(issued).scalars())
        return cls(connection=connection, keys=keys, errand=errand, own_keys=own)

    @property
    def cipher(self) -> FieldCipher:
        """Return the cipher of encrypted columns."""
        return FieldCipher(self.keys)

    def reached(self, right: Right) -> ColumnElement[bool]:
        """Return the condition that an order lies within the asker's reach, looked at last.

        Written so that SQLite does not take it for a reason to go by the court's index, through all of its orders.
        """
        reach = self.errand.actor.reach(right)
        return true() if reach.everywhere else within(reach).is_(true())

    def is_others(self, author: ColumnElement[str]) -> ColumnElement[bool]:
        """Return the condition that somebody else wrote something, and no program with a key of the asker's."""
        return and_(func.lower(author) != self.errand.actor.actor_id.lower(), author.not_in(self.own_keys))

    def is_nothing_of(self, between_bars: ColumnElement[str]) -> ColumnElement[bool]:
        """Return the condition that the asker and their programs are not among ids written `|one|two|`."""
        me = (self.errand.actor.actor_id, *self.own_keys)
        named = (func.lower(between_bars).contains(f"|{each.lower()}|", autoescape=True) for each in me)
        return and_(*(not_(each) for each in named))

    def waiting(
        self,
        wanted: Select[Any],
        read: Callable[[Row[Any]], T],
        order_by: tuple[ColumnElement[Any], ...],
    ) -> Waiting[T]:
        """Count what a statement finds, and read the first few."""
        first = self.connection.execute(wanted.order_by(*order_by).limit(SHOWN)).all()
        if len(first) < SHOWN:
            count = len(first)
        else:
            ids = wanted.with_only_columns(next(iter(wanted.selected_columns)), maintain_column_froms=True)
            counted = ids.limit(MOST_COUNTED).subquery()
            count = self.connection.execute(select(func.count()).select_from(counted)).scalar() or 0
        return Waiting(count=count, first=tuple(read(row) for row in first))
