"""Orders: adding, finding, and recording what officers did to them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from gateway.domain.errors import StaleVersionError
from gateway.domain.order import Authority, Order
from gateway.domain.subject import (
    NaturalPerson,
    Organisation,
    RegistryIdentifier,
    Scheme,
    Subject,
    kind_of,
)
from gateway.privacy.blind_index import index_case, indexes_of_case
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.register import lines
from gateway.register.batches import visible
from gateway.register.errors import DuplicateOrderError, PurgedOrderError, UnknownEntryError, UnreadableOrderError
from gateway.register.installation import announce_added, announce_removed
from gateway.register.lines import Line
from gateway.register.tables import disputes, orders, proposals, remarks
from gateway.register.tables import lines as line_rows

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
# A page asks some of these several times: they are put together once.
_ONE = select(orders).where(orders.c.order_id == bindparam("order_id"))
_ONE_LOCKED = _ONE.with_for_update(key_share=True)
_WHEREABOUTS = select(orders.c.court_id, orders.c.district_id).where(
    orders.c.order_id == bindparam("order_id"), visible()
)
_WHEREABOUTS_LOCKED = _WHEREABOUTS.with_for_update(key_share=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEntry:
    """An order with its lines and the number of lines that a key on a call suspended, as listings show it."""

    order: Order
    lines: tuple[Line, ...]
    disputes: int


def add(connection: Connection, order: Order, on: Iterable[Line], keys: KeyRing) -> None:
    """Add an order with its lines. Raises DuplicateOrderError for a case number the court already has."""
    # While keys change, the unique index does not see the same case number under the other key.
    if len(keys.known) > 1 and find(connection, order.court_id, order.case_number, keys):
        raise DuplicateOrderError(court=order.court_id, case_number=order.case_number)
    insert = orders.insert().values(**row_of(order, FieldCipher(keys), keys))
    try:
        with connection.begin_nested():
            connection.execute(insert)
    except IntegrityError as error:
        if find(connection, order.court_id, order.case_number, keys):
            raise DuplicateOrderError(court=order.court_id, case_number=order.case_number) from error
        raise
    lines.add(connection, order.order_id, on, keys)
    if order.approved_at is not None:
        announce_added(connection, order.order_id)


def row_of(order: Order, cipher: FieldCipher, keys: KeyRing) -> dict[str, object]:
    """Return the row of an order, for an insert of one or of many."""
    return {
        "order_id": order.order_id,
        "court_id": order.court_id,
        "drafted_at": order.drafted_at,
        "version": order.version,
        "batch_id": order.batch_id,
        **_content_of(order, cipher, keys),
        **{name: getattr(order, name) for name in LIFE},
    }


def rewrite(connection: Connection, order: Order, keys: KeyRing) -> Order:
    """Give a draft other content, and return it with its next version. Raises DuplicateOrderError."""
    changed = replace(order, version=order.version + 1)
    statement = update(orders).where(orders.c.order_id == order.order_id)
    try:
        with connection.begin_nested():
            content = _content_of(changed, FieldCipher(keys), keys)
            connection.execute(statement.values(version=changed.version, **content))
    except IntegrityError as error:
        raise DuplicateOrderError(court=order.court_id, case_number=order.case_number) from error
    return changed


def _content_of(order: Order, cipher: FieldCipher, keys: KeyRing) -> dict[str, object]:
    return {
        "district_id": order.district_id,
        "case_index": index_case(order.court_id, order.case_number, keys),
        "case_number": cipher.encrypt(order.case_number, place=f"orders.case_number:{order.order_id}"),
        "subject_kind": kind_of(order.subject).value,
        "subject": cipher.encrypt(_write_subject(order.subject), place=f"orders.subject:{order.order_id}"),
        "legal_basis": cipher.encrypt(order.authority.legal_basis, place=f"orders.legal_basis:{order.order_id}"),
        "document_sha256": order.authority.document_sha256,
        "drafted_by": order.drafted_by,
        "earlier_drafters": f"|{'|'.join(order.earlier_drafters)}|" if order.earlier_drafters else "",
        "languages": " ".join(order.languages),
        "valid_seconds": None if order.valid_for is None else int(order.valid_for.total_seconds()),
    }


def save(connection: Connection, order: Order) -> Order:
    """Record where the order stands in its life, and return it with its next version; its subject never changes."""
    changed = replace(order, version=order.version + 1)
    connection.execute(
        update(orders)
        .where(orders.c.order_id == order.order_id)
        .values(
            version=changed.version,
            document_sha256=order.authority.document_sha256,
            **{name: getattr(order, name) for name in LIFE},
        )
    )
    return changed


def find(connection: Connection, court_id: str, case_number: str, keys: KeyRing) -> str:
    """Return the id of the court's order for a case number, or an empty text where there is none."""
    statement = select(orders.c.order_id).where(
        orders.c.court_id == court_id, orders.c.case_index.in_(indexes_of_case(court_id, case_number, keys))
    )
    return connection.execute(statement).scalar() or ""


def get(connection: Connection, order_id: str, keys: KeyRing) -> Order:
    """Return one order, locked against other writers until commit. Raises UnknownEntryError, PurgedOrderError.

    The lock lets foreign keys through: a key on a call must be able to open a dispute meanwhile.
    """
    return _one(connection, _ONE_LOCKED, order_id, keys)


def read(connection: Connection, order_id: str, keys: KeyRing) -> Order:
    """Return one order as it is, without a lock. Raises UnknownEntryError, PurgedOrderError."""
    return _one(connection, _ONE, order_id, keys)


def _one(connection: Connection, statement: Select[*tuple[Any, ...]], order_id: str, keys: KeyRing) -> Order:
    row = connection.execute(statement, {"order_id": order_id}).one_or_none()
    if row is None:
        raise unknown(order_id)
    return read_order(row, FieldCipher(keys))


def whereabouts(connection: Connection, order_id: str, *, lock: bool = False) -> tuple[str, str]:
    """Return an order's court and district, locked as `get` does it if `lock`. Raises UnknownEntryError."""
    statement = _WHEREABOUTS_LOCKED if lock else _WHEREABOUTS
    row = connection.execute(statement, {"order_id": order_id}).one_or_none()
    if row is None:
        raise unknown(order_id)
    return row.court_id, row.district_id


def unknown(order_id: str) -> UnknownEntryError:
    """Return the error of an order that does not exist, or that is none of the asker's business."""
    return UnknownEntryError(what="order", shown=order_id, cure="`notice-gateway orders list` shows them")


def demand_version(order: Order, expected: int | None) -> None:
    """Raise StaleVersionError where somebody changed the order since `expected` was read; None expects nothing."""
    if expected is not None and order.version != expected:
        raise StaleVersionError(what=f"Order {order.order_id}")


def entries(connection: Connection, keys: KeyRing) -> tuple[OrderEntry, ...]:
    """Return every order that was not purged, oldest first, with its lines."""
    cipher = FieldCipher(keys)
    opened = select(disputes.c.order_id, func.count()).group_by(disputes.c.order_id)
    counts: dict[str, int] = {row[0]: row[1] for row in connection.execute(opened)}
    living = select(orders).where(orders.c.purged_at.is_(None), visible())
    statement = living.order_by(orders.c.drafted_at, orders.c.order_id)
    rows = connection.execute(statement).all()
    found = lines.of_orders(connection, [row.order_id for row in rows], cipher)
    return tuple(
        OrderEntry(
            order=read_order(row, cipher),
            lines=tuple(each.line for each in found.get(row.order_id, ())),
            disputes=counts.get(row.order_id, 0),
        )
        for row in rows
    )


def erase(connection: Connection, *, drafted_by: str) -> None:
    """Remove every order that one officer drafted: only the demo does so, whose officers are nobody.

    What hangs on the orders in other rooms (plays, notices) is removed by the caller first.
    """
    doomed = select(orders.c.order_id).where(orders.c.drafted_by == drafted_by)
    for table in (disputes, remarks, proposals, line_rows, orders):
        connection.execute(delete(table).where(table.c.order_id.in_(doomed)))
    announce_removed(connection)


def read_order(row: Row[*tuple[Any, ...]], cipher: FieldCipher) -> Order:
    """Build an order from a row that has the columns of `orders`.

    Raises WrongKeyError, UnreadableOrderError, PurgedOrderError.
    """
    order_id: str = row.order_id
    if row.purged_at is not None:
        raise PurgedOrderError(order=order_id, at=row.purged_at)
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
        languages=tuple(row.languages.split()),
        valid_for=None if row.valid_seconds is None else timedelta(seconds=row.valid_seconds),
        version=row.version,
        batch_id=row.batch_id,
        earlier_drafters=read_drafters(row.earlier_drafters),
    )


def read_drafters(text: str) -> tuple[str, ...]:
    """Return the officers in a column of `earlier_drafters`."""
    return tuple(each for each in text.split("|") if each)


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


def read_name(text: str, order_id: str) -> str:
    """Return the name in a subject as it is stored. Raises UnreadableOrderError."""
    try:
        return str(json.loads(text)["name"])
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableOrderError(order=order_id) from error


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
