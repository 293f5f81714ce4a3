"""Orders and their lines: adding, finding, and recording what officers did to them."""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from sqlalchemy import Connection, Row, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from gateway.domain.e164 import E164, mask
from gateway.domain.order import Authority, Order
from gateway.domain.standing import Ground
from gateway.domain.subject import (
    NaturalPerson,
    Organisation,
    RegistryIdentifier,
    Scheme,
    Subject,
    SubjectKind,
    kind_of,
)
from gateway.privacy.blind_index import index_case, index_line
from gateway.privacy.field import FieldCipher
from gateway.privacy.keys import Keys
from gateway.register.errors import (
    DuplicateOrderError,
    InvalidLineError,
    UnknownEntryError,
    UnknownZoneError,
    UnreadableOrderError,
)
from gateway.register.installation import announce
from gateway.register.tables import disputes, lines, orders

LIFE = (
    "submitted_at",
    "approved_by",
    "approved_at",
    "warned_from",
    "in_force_from",
    "valid_until",
    "suspended_at",
    "lifted_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line under an order; `zone` is its IANA time zone, empty where the order does not state it."""

    number: E164
    zone: str = ""

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
            except (ZoneInfoNotFoundError, ValueError) as error:
                raise UnknownZoneError(shown=self.zone) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEntry:
    """An order with its lines and the number of lines that a key on a call suspended, as listings show it."""

    order: Order
    lines: tuple[Line, ...]
    disputes: int


def new_id(kind: str) -> str:
    """Return a new identifier such as `ord_9f86d081884c`; it says nothing about what it names."""
    return f"{kind}_{secrets.token_hex(6)}"


def add(connection: Connection, order: Order, on: Iterable[Line], keys: Keys) -> None:
    """Add an order with its lines. Raises DuplicateOrderError for a case number the court already has."""
    cipher = FieldCipher(keys)
    insert = orders.insert().values(
        order_id=order.order_id,
        court_id=order.court_id,
        district_id=order.district_id,
        case_index=index_case(order.court_id, order.case_number, keys),
        case_number=cipher.encrypt(order.case_number, place=f"orders.case_number:{order.order_id}"),
        subject_kind=kind_of(order.subject).value,
        subject=cipher.encrypt(_write_subject(order.subject), place=f"orders.subject:{order.order_id}"),
        legal_basis=cipher.encrypt(order.authority.legal_basis, place=f"orders.legal_basis:{order.order_id}"),
        document_sha256=order.authority.document_sha256,
        drafted_by=order.drafted_by,
        drafted_at=order.drafted_at,
        **{name: getattr(order, name) for name in LIFE},
    )
    try:
        with connection.begin_nested():
            connection.execute(insert)
    except IntegrityError as error:
        if find(connection, order.court_id, order.case_number, keys):
            raise DuplicateOrderError(court=order.court_id, case_number=order.case_number) from error
        raise
    for line in on:
        line_id = new_id("line")
        connection.execute(
            lines.insert().values(
                line_id=line_id,
                order_id=order.order_id,
                line_index=index_line(line.number, keys),
                line=cipher.encrypt(line.number.number, place=f"lines.line:{line_id}"),
                zone=line.zone,
            )
        )
    announce(connection)


def save(connection: Connection, order: Order) -> None:
    """Record where the order stands in its life; nothing else of it ever changes."""
    connection.execute(
        update(orders)
        .where(orders.c.order_id == order.order_id)
        .values(**{name: getattr(order, name) for name in LIFE})
    )


def find(connection: Connection, court_id: str, case_number: str, keys: Keys) -> str:
    """Return the id of the court's order for a case number, or an empty text where there is none."""
    statement = select(orders.c.order_id).where(
        orders.c.court_id == court_id, orders.c.case_index == index_case(court_id, case_number, keys)
    )
    return connection.execute(statement).scalar() or ""


def get(connection: Connection, order_id: str, keys: Keys) -> Order:
    """Return one order, locked against other writers until commit. Raises UnknownEntryError."""
    statement = select(orders).where(orders.c.order_id == order_id).with_for_update()
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise UnknownEntryError(what="order", shown=order_id, cure="`notice-gateway orders list` shows them")
    return read_order(row, FieldCipher(keys))


def entries(connection: Connection, keys: Keys) -> tuple[OrderEntry, ...]:
    """Return every order, oldest first, with its lines."""
    cipher = FieldCipher(keys)
    opened = select(disputes.c.order_id, func.count()).group_by(disputes.c.order_id)
    counts: dict[str, int] = {row[0]: row[1] for row in connection.execute(opened)}
    found: dict[str, list[Line]] = {}
    for row in connection.execute(select(lines).order_by(lines.c.line_id)):
        number = E164(cipher.decrypt(row.line, place=f"lines.line:{row.line_id}"))
        found.setdefault(row.order_id, []).append(Line(number=number, zone=row.zone))
    rows = connection.execute(select(orders).order_by(orders.c.drafted_at, orders.c.order_id))
    return tuple(
        OrderEntry(
            order=read_order(row, cipher),
            lines=tuple(found.get(row.order_id, ())),
            disputes=counts.get(row.order_id, 0),
        )
        for row in rows
    )


def erase(connection: Connection, *, drafted_by: str) -> None:
    """Remove every order that one officer drafted: only the demo does so, whose officers are nobody.

    What hangs on the orders in other rooms (plays, notices) is removed by the caller first.
    """
    doomed = select(orders.c.order_id).where(orders.c.drafted_by == drafted_by)
    for table in (disputes, lines, orders):
        connection.execute(delete(table).where(table.c.order_id.in_(doomed)))
    announce(connection)


def suspend_line(
    connection: Connection, order_id: str, line_index: bytes, ground: Ground, call_index: bytes, now: datetime
) -> None:
    """Take a line out of an order and put a dispute in the court's inbox, once a call.

    Who says "wrong person" is spared by every court: the line leaves all orders that name it as a natural person's.
    """
    named = [lines.c.line_index == line_index]
    match ground:
        case Ground.CONTESTED:
            named.append(lines.c.order_id == order_id)
        case Ground.WRONG_PERSON:
            private = select(orders.c.order_id).where(orders.c.subject_kind == SubjectKind.NATURAL_PERSON.value)
            named.append(lines.c.order_id.in_(private))
    known = select(disputes.c.line_id).where(disputes.c.call_index == call_index)
    found = connection.execute(select(lines.c.line_id, lines.c.order_id).where(*named, lines.c.line_id.not_in(known)))
    for line_id, its_order in found.all():
        connection.execute(
            update(lines)
            .where(lines.c.line_id == line_id, lines.c.suspended_at.is_(None))
            .values(suspended_at=now, ground=ground.value)
        )
        connection.execute(
            disputes.insert().values(
                dispute_id=new_id("dis"),
                order_id=its_order,
                line_id=line_id,
                ground=ground.value,
                call_index=call_index,
                opened_at=now,
            )
        )


def read_order(row: Row[*tuple[Any, ...]], cipher: FieldCipher) -> Order:
    """Build an order from a row that has the columns of `orders`. Raises WrongKeyError, UnreadableOrderError."""
    order_id: str = row.order_id
    return Order(
        order_id=order_id,
        court_id=row.court_id,
        district_id=row.district_id,
        case_number=cipher.decrypt(row.case_number, place=f"orders.case_number:{order_id}"),
        subject=_read_subject(cipher.decrypt(row.subject, place=f"orders.subject:{order_id}"), order_id),
        authority=Authority(
            legal_basis=cipher.decrypt(row.legal_basis, place=f"orders.legal_basis:{order_id}"),
            document_sha256=row.document_sha256,
        ),
        drafted_by=row.drafted_by,
        drafted_at=row.drafted_at,
        submitted_at=row.submitted_at,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        warned_from=row.warned_from,
        in_force_from=row.in_force_from,
        valid_until=row.valid_until,
        suspended_at=row.suspended_at,
        lifted_at=row.lifted_at,
    )


def _write_subject(subject: Subject) -> str:
    match subject:
        case Organisation(name=name, identifier=identifier):
            return json.dumps(
                {
                    "name": name,
                    "scheme": identifier.scheme.value,
                    "identifier": identifier.value,
                    "legal_form": identifier.legal_form,
                }
            )
        case NaturalPerson(name=name):
            return json.dumps({"name": name})


def _read_subject(text: str, order_id: str) -> Subject:
    try:
        stored: dict[str, str] = json.loads(text)
        if "identifier" not in stored:
            return NaturalPerson(name=stored["name"])
        identifier = RegistryIdentifier(
            scheme=Scheme(stored["scheme"]), value=stored["identifier"], legal_form=stored["legal_form"]
        )
        return Organisation(name=stored["name"], identifier=identifier)
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableOrderError(order=order_id) from error
