"""The court's inbox: what people said with a key on a call, and what an officer made of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Row, Select, bindparam, select, update

from gateway.domain.rights import Reach
from gateway.domain.standing import Ground
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.register.errors import UnknownEntryError
from gateway.register.reach import within
from gateway.register.tables import disputes, orders


class Resolution(Enum):
    """What an officer decides: the line's notices go on, the order ends, or the line was the wrong one."""

    RESUME = "resume"
    LIFT = "lift"
    REMOVE_LINE = "remove_line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """One key pressed on one call, with the order and the line it concerns."""

    dispute_id: str
    order_id: str
    court_id: str
    line_id: str
    ground: Ground
    opened_at: datetime
    resolution: Resolution | None
    resolved_at: datetime | None
    resolved_by: str | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeQuery:
    """Which disputes to list; `after` is the id that the page before ended with."""

    reach: Reach
    court_id: str = ""
    order_id: str = ""
    open_only: bool = False
    after: str = ""
    limit: int = 50


_SELECT = select(disputes, orders.c.court_id, orders.c.district_id).join(
    orders, orders.c.order_id == disputes.c.order_id
)

# A process keeps the statements of so many kinds of lists, and never what they found.
_KEPT = 64
_MARK = select(disputes.c.opened_at).where(disputes.c.dispute_id == bindparam("after")).scalar_subquery()
# What may be asked for, by the name of the value that is asked for.
_CONDITIONS: Mapping[str, ColumnElement[bool]] = {
    "court_id": orders.c.court_id == bindparam("court_id"),
    "order_id": disputes.c.order_id == bindparam("order_id"),
    "after": (disputes.c.opened_at > _MARK)
    | ((disputes.c.opened_at == _MARK) & (disputes.c.dispute_id > bindparam("after"))),
}


def listed(connection: Connection, query: DisputeQuery, keys: KeyRing) -> tuple[Dispute, ...]:
    """Return disputes, oldest first."""
    values = {
        name: value
        for name, value in (("court_id", query.court_id), ("order_id", query.order_id), ("after", query.after))
        if value
    }
    statement = _listing(query.reach, frozenset(values), open_only=query.open_only)
    rows = connection.execute(statement, {**values, "most": query.limit}).all()
    cipher = FieldCipher(keys)
    return tuple(_read(row, cipher) for row in rows)


@lru_cache(maxsize=_KEPT)
def _listing(reach: Reach, given: frozenset[str], *, open_only: bool) -> Select[Any]:
    """Return the statement of a list that is asked for the values `given`."""
    found = [within(reach), *(condition for name, condition in _CONDITIONS.items() if name in given)]
    if open_only:
        found.append(disputes.c.resolved_at.is_(None))
    oldest = _SELECT.where(*found).order_by(disputes.c.opened_at, disputes.c.dispute_id)
    return oldest.limit(bindparam("most", type_=Integer))


def get(connection: Connection, dispute_id: str, keys: KeyRing) -> Dispute:
    """Return one dispute. Raises UnknownEntryError."""
    row = connection.execute(_SELECT.where(disputes.c.dispute_id == dispute_id)).one_or_none()
    if row is None:
        raise unknown(dispute_id)
    return _read(row, FieldCipher(keys))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an officer decided about a dispute, and why."""

    resolution: Resolution
    note: str
    officer: str
    at: datetime


def resolve(connection: Connection, dispute_id: str, verdict: Verdict, keys: KeyRing) -> bool:
    """Record an officer's verdict and return True; False where another officer decided before."""
    place = f"disputes.note:{dispute_id}"
    changed = connection.execute(
        update(disputes)
        .where(disputes.c.dispute_id == dispute_id, disputes.c.resolved_at.is_(None))
        .values(
            resolution=verdict.resolution.value,
            resolved_at=verdict.at,
            resolved_by=verdict.officer,
            note=FieldCipher(keys).encrypt(verdict.note, place=place) if verdict.note else None,
        )
    )
    return changed.rowcount == 1


def is_open_on(connection: Connection, line_id: str) -> bool:
    """Tell whether a dispute about a line is still open."""
    statement = select(disputes.c.dispute_id).where(disputes.c.line_id == line_id, disputes.c.resolved_at.is_(None))
    return connection.execute(statement.limit(1)).first() is not None


def unknown(dispute_id: str) -> UnknownEntryError:
    """Return the error of a dispute that does not exist, or that is none of the asker's business."""
    return UnknownEntryError(what="dispute", shown=dispute_id, cure="the court's inbox lists them")


def _read(row: Row[*tuple[Any, ...]], cipher: FieldCipher) -> Dispute:
    return Dispute(
        dispute_id=row.dispute_id,
        order_id=row.order_id,
        court_id=row.court_id,
        line_id=row.line_id,
        ground=Ground(row.ground),
        opened_at=row.opened_at,
        resolution=Resolution(row.resolution) if row.resolution else None,
        resolved_at=row.resolved_at,
        resolved_by=row.resolved_by,
        note=cipher.decrypt(row.note, place=f"disputes.note:{row.dispute_id}") if row.note else "",
    )
