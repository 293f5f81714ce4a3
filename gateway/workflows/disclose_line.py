"""Disclose everything that is held about one line, for the person who asks what is known of it.

The officer who asks sees what the officer may export anyway. Where the holder of the line said that the order is about
somebody else, that other person's name and case are not the asker's business, and are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from gateway.audit.tables import plays, trail
from gateway.audit.tags import Tag
from gateway.domain.e164 import E164
from gateway.domain.order import Order
from gateway.domain.rights import Right
from gateway.domain.standing import Ground
from gateway.domain.subject import kind_of
from gateway.privacy.blind_index import indexes_of_line
from gateway.privacy.field import FieldCipher
from gateway.register.orders import read_order
from gateway.register.reach import within
from gateway.register.tables import disputes, lines, orders
from gateway.workflows.change import Change, Errand, change
from gateway.workflows.office import Office

_INSTANTS = (
    "drafted_at",
    "submitted_at",
    "approved_at",
    "warned_from",
    "in_force_from",
    "valid_until",
    "suspended_at",
    "lifted_at",
)
_NOTHING = "no-line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What is held about a line, as JSON has it; every instant is in UTC, as ISO 8601 has it."""

    line: str
    at: datetime
    orders: Sequence[Mapping[str, object]]

    def document(self) -> dict[str, object]:
        """Return it for a file."""
        return {"line": self.line, "at": self.at.isoformat(), "orders": list(self.orders)}


def disclose_line(office: Office, line: E164, errand: Errand) -> Disclosure:
    """Return everything about a line that lies within the reach of the actor's right to export, and note that it was.

    The trail has the ids of what was disclosed and nothing of the number; a search that found nothing is noted too.
    """
    indexes = indexes_of_line(line, office.keys)
    with change(office.engine, office.keys, errand) as under_way:
        found = [_order(under_way, row, indexes, office) for row in _orders(under_way, indexes, errand)]
        for each in found:
            subject_id = str(each["line_id"] or each["order"])
            under_way.note(Tag.SUBJECT_ACCESS, subject_id, court_id=str(each["court"]), order=str(each["order"]))
        if not found:
            under_way.note(Tag.SUBJECT_ACCESS, _NOTHING)
    return Disclosure(line=line.number, at=errand.at, orders=found)


def _orders(under_way: Change, indexes: tuple[bytes, ...], errand: Errand) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return the orders that name the line, and those whose notices it heard before it was taken out of them."""
    named = select(lines.c.order_id).where(lines.c.line_index.in_(indexes))
    heard = select(plays.c.order_id).where(plays.c.line_index.in_(indexes))
    statement = select(orders).where(
        or_(orders.c.order_id.in_(named), orders.c.order_id.in_(heard)),
        orders.c.purged_at.is_(None),
        within(errand.actor.reach(Right.ORDERS_EXPORT)),
    )
    return under_way.connection.execute(statement.order_by(orders.c.drafted_at, orders.c.order_id)).all()


def _order(
    under_way: Change, row: Row[*tuple[Any, ...]], indexes: tuple[bytes, ...], office: Office
) -> dict[str, object]:
    connection, now = under_way.connection, under_way.errand.at
    order = read_order(row, office.cipher)
    line = connection.execute(
        select(lines).where(lines.c.order_id == order.order_id, lines.c.line_index.in_(indexes))
    ).one_or_none()
    line_id = "" if line is None else str(line.line_id)
    inbox = _disputes(connection, order.order_id, line_id, office.cipher)
    wrong_person = any(each["ground"] == Ground.WRONG_PERSON.value for each in inbox)
    about = {"withheld": "the line's holder said that this is about somebody else"} if wrong_person else _about(order)
    ids = [order.order_id, *filter(None, [line_id]), *(str(each["dispute"]) for each in inbox)]
    return {
        "order": order.order_id,
        "court": order.court_id,
        "district": order.district_id,
        "kind": kind_of(order.subject).value,
        "state": order.state_at(now).value,
        **about,
        **{name: _written(getattr(order, name)) for name in _INSTANTS},
        "line_id": line_id,
        "line_zone": "" if line is None else line.zone,
        "line_suspended_at": None if line is None else _written(line.suspended_at),
        "plays": _plays(connection, order.order_id, indexes),
        "disputes": inbox,
        "trail": _trail(connection, ids),
    }


def _about(order: Order) -> dict[str, object]:
    return {
        "case": order.case_number,
        "subject": order.subject.name,
        "legal_basis": order.authority.legal_basis,
    }


def _plays(connection: Connection, order_id: str, indexes: tuple[bytes, ...]) -> list[dict[str, object]]:
    statement = select(plays).where(plays.c.order_id == order_id, plays.c.line_index.in_(indexes))
    return [
        {
            "play": row.play_id,
            "purpose": row.purpose,
            "leg": row.leg,
            "played_at": _written(row.played_at),
            "key": row.key,
            "keyed_at": _written(row.keyed_at),
            "disposition": row.disposition,
            "heard_ms": row.heard_ms,
            "recordings": row.files.split(),
        }
        for row in connection.execute(statement.order_by(plays.c.played_at, plays.c.play_id))
    ]


def _disputes(connection: Connection, order_id: str, line_id: str, cipher: FieldCipher) -> list[dict[str, object]]:
    statement = select(disputes).where(disputes.c.order_id == order_id, disputes.c.line_id == line_id)
    return [
        {
            "dispute": row.dispute_id,
            "ground": row.ground,
            "opened_at": _written(row.opened_at),
            "resolution": row.resolution,
            "resolved_at": _written(row.resolved_at),
            "note": cipher.decrypt(row.note, place=f"disputes.note:{row.dispute_id}") if row.note else "",
        }
        for row in connection.execute(statement.order_by(disputes.c.opened_at, disputes.c.dispute_id))
    ]


def _trail(connection: Connection, ids: Sequence[str]) -> list[dict[str, object]]:
    statement = select(trail).where(trail.c.subject_id.in_(ids)).order_by(trail.c.seq)
    return [
        {"seq": row.seq, "at": _written(row.at), "what": row.tag, "by": row.actor, "about": row.subject_id}
        for row in connection.execute(statement)
    ]


def _written(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
