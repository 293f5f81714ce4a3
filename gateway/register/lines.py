"""Lines under orders: writing and reading them, and taking one out of an order."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from sqlalchemy import ColumnElement, Connection, bindparam, delete, select, update

from gateway.db.rows import all_rows
from gateway.domain.e164 import E164, mask
from gateway.domain.standing import Ground
from gateway.domain.subject import SubjectKind
from gateway.privacy.blind_index import index_line
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.register.errors import InvalidLineError, UnknownEntryError, UnknownZoneError
from gateway.register.ids import new_id
from gateway.register.tables import disputes, lines, orders

_PORTION = 500

# Put together once: for each of many ids SQLAlchemy takes longer than the database for the whole.
_OF_ORDERS = (
    select(lines)
    .where(lines.c.order_id.in_(bindparam("order_ids", expanding=True)))
    .order_by(lines.c.order_id, lines.c.line_id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line under an order; `zone` is its IANA time zone, empty where the order does not state it.

    `evidence` tells where an organisation publishes the line as its own, and when that was seen.
    """

    number: E164
    zone: str = ""
    evidence: str = ""

    def __post_init__(self) -> None:
        """Refuse numbers that no subscriber can have, and zones that do not exist."""
        try:
            parsed = phonenumbers.parse(self.number.number)
        except phonenumbers.NumberParseException as error:
            raise InvalidLineError(shown=mask(self.number.number), why="its country code is not in use") from error
        # A number that is possible within its area only, without its area code, is no subscriber's number.
        if phonenumbers.is_possible_number_with_reason(parsed) != phonenumbers.ValidationResult.IS_POSSIBLE:
            why = "no subscriber number of its country is that long or that short"
            raise InvalidLineError(shown=mask(self.number.number), why=why)
        if self.zone:
            try:
                ZoneInfo(self.zone)
            except (ZoneInfoNotFoundError, ValueError, OSError) as error:
                raise UnknownZoneError(shown=self.zone) from error

    @classmethod
    def known(cls, *, number: E164, zone: str, evidence: str) -> "Line":
        """Return a line that was found possible before, when it was written or by quicker means, and is not again."""
        line = object.__new__(cls)
        for name, value in (("number", number), ("zone", zone), ("evidence", evidence)):
            object.__setattr__(line, name, value)
        return line


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEntry:
    """A line as the register has it: its id, its order, and whether a key on a call suspended it and why."""

    line_id: str
    order_id: str
    line: Line
    suspended_at: datetime | None
    ground: Ground | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedDispute:
    """A dispute that a key has just opened; `suspended` is False where the line had been out of the order before."""

    dispute_id: str
    order_id: str
    court_id: str
    line_id: str
    suspended: bool


def add(connection: Connection, order_id: str, on: Iterable[Line], keys: KeyRing) -> None:
    """Put lines under an order."""
    cipher = FieldCipher(keys)
    rows = [row_of(order_id, line, cipher, keys) for line in on]
    if rows:
        connection.execute(lines.insert(), rows)


def row_of(order_id: str, line: Line, cipher: FieldCipher, keys: KeyRing, *, line_id: str = "") -> dict[str, object]:
    """Return the row of a line, with a new id unless one is given, for an insert of one or of many."""
    line_id = line_id or new_id("line")
    return {
        "line_id": line_id,
        "order_id": order_id,
        "line_index": index_line(line.number, keys),
        "line": cipher.encrypt(line.number.number, place=f"lines.line:{line_id}"),
        "zone": line.zone,
        "evidence": cipher.encrypt(line.evidence, place=f"lines.evidence:{line_id}") if line.evidence else None,
    }


def replace_all(connection: Connection, order_id: str, on: Iterable[Line], keys: KeyRing) -> None:
    """Give a draft other lines. One that a key suspended stays so, and keeps its id: its dispute is still open."""
    cipher = FieldCipher(keys)
    locked = select(lines).where(lines.c.order_id == order_id, lines.c.suspended_at.is_not(None)).with_for_update()
    silenced = {
        cipher.decrypt(row.line, place=f"lines.line:{row.line_id}"): row for row in connection.execute(locked).all()
    }
    connection.execute(delete(lines).where(lines.c.order_id == order_id))
    for line in on:
        row = silenced.get(line.number.number)
        values = row_of(order_id, line, cipher, keys, line_id=row.line_id if row else "")
        if row:
            values |= {"suspended_at": row.suspended_at, "ground": row.ground}
        connection.execute(lines.insert().values(**values))


def of_orders(
    connection: Connection, order_ids: Sequence[str], cipher: FieldCipher
) -> dict[str, tuple[LineEntry, ...]]:
    """Return the lines of each order that has any, by order id."""
    found: dict[str, tuple[LineEntry, ...]] = {}
    for row in _rows_of(connection, order_ids):
        entry = LineEntry(
            line_id=row.line_id,
            order_id=row.order_id,
            line=Line.known(
                number=E164(cipher.decrypt(row.line, place=f"lines.line:{row.line_id}")),
                zone=row.zone,
                evidence=cipher.decrypt(row.evidence, place=f"lines.evidence:{row.line_id}") if row.evidence else "",
            ),
            suspended_at=row.suspended_at,
            ground=Ground(row.ground) if row.ground else None,
        )
        found[entry.order_id] = (*found.get(entry.order_id, ()), entry)
    return found


def _rows_of(connection: Connection, order_ids: Sequence[str]) -> Iterator[Any]:
    """Ask in portions: a database takes some ten thousand values in one statement."""
    for start in range(0, len(order_ids), _PORTION):
        portion = order_ids[start : start + _PORTION]
        yield from all_rows(connection.execute(_OF_ORDERS, {"order_ids": portion}))


def lock(connection: Connection, line_id: str) -> bool:
    """Hold a line against keys on calls until commit; False where it has left its order."""
    statement = select(lines.c.line_id).where(lines.c.line_id == line_id).with_for_update()
    return connection.execute(statement).first() is not None


def unknown(line_id: str) -> UnknownEntryError:
    """Return the error of a line that is under no order any more."""
    return UnknownEntryError(what="line", shown=line_id, cure="the order's page lists its lines")


def resume(connection: Connection, line_id: str) -> None:
    """Put a line that a key suspended back under its order. Raises UnknownEntryError."""
    statement = update(lines).where(lines.c.line_id == line_id).values(suspended_at=None, ground=None)
    if connection.execute(statement).rowcount == 0:
        raise unknown(line_id)


def remove(connection: Connection, line_id: str) -> None:
    """Take a line out of its order for good. Raises UnknownEntryError."""
    if connection.execute(delete(lines).where(lines.c.line_id == line_id)).rowcount == 0:
        raise unknown(line_id)


def suspend_line(
    connection: Connection,
    order_id: str,
    line: tuple[bytes, ...],
    ground: Ground,
    call: tuple[bytes, ...],
    now: datetime,
) -> tuple[OpenedDispute, ...]:
    """Take a line out of an order and put a dispute in the court's inbox, once a call; return what was opened.

    Who says "wrong person" is spared by every court: the line leaves all orders that name it as a natural person's.
    `line` and `call` are their indexes under every key of the ring, the active one's first.
    """
    named: list[ColumnElement[bool]] = [lines.c.line_index.in_(line)]
    match ground:
        case Ground.CONTESTED:
            named.append(lines.c.order_id == order_id)
        case Ground.WRONG_PERSON:
            private = select(orders.c.order_id).where(orders.c.subject_kind == SubjectKind.NATURAL_PERSON.value)
            named.append(lines.c.order_id.in_(private))
    known = select(disputes.c.line_id).where(disputes.c.call_index.in_(call))
    # Locked, even where the line is silent already: an officer may be about to let it be heard again.
    found = connection.execute(
        select(lines.c.line_id, lines.c.order_id, orders.c.court_id)
        .join(orders, orders.c.order_id == lines.c.order_id)
        .where(*named, lines.c.line_id.not_in(known))
        .order_by(lines.c.line_id)
        .with_for_update(of=lines)
    )
    opened = []
    for line_id, its_order, court_id in found.all():
        suspended = connection.execute(
            update(lines)
            .where(lines.c.line_id == line_id, lines.c.suspended_at.is_(None))
            .values(suspended_at=now, ground=ground.value)
        )
        dispute_id = new_id("dis")
        connection.execute(
            disputes.insert().values(
                dispute_id=dispute_id,
                order_id=its_order,
                line_id=line_id,
                ground=ground.value,
                call_index=call[0],
                opened_at=now,
            )
        )
        opened.append(
            OpenedDispute(
                dispute_id=dispute_id,
                order_id=its_order,
                court_id=court_id,
                line_id=line_id,
                suspended=suspended.rowcount == 1,
            )
        )
    return tuple(opened)
