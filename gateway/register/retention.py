"""Retention in the register: which orders are long over, and what is taken from them.

What is left of a purged order is that there was one: its court, its dates, who decided, and the hashes of what was
played. Its number, its names and its texts are gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, exists, func, not_, or_, select, update

from gateway.register.tables import (
    disputes,
    documents,
    lines,
    notices,
    orders,
    own_words,
    proposals,
    remarks,
    renditions,
    replies,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """An order whose personal data was removed, and how much of what there was."""

    order_id: str
    court_id: str
    lines: int
    notices: int
    proposals: int
    remarks: int
    notes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """A document that no order rests on any more; its file lies in the vault under its id."""

    document_id: str
    court_id: str


def ended_by(cutoff: datetime) -> ColumnElement[bool]:
    """Return the condition that an order, not purged yet, was over at `cutoff`: lifted, expired, or never approved.

    What was never approved is counted from the day that an officer last handed it on.
    """
    never = and_(orders.c.approved_at.is_(None), func.coalesce(orders.c.submitted_at, orders.c.drafted_at) <= cutoff)
    over = or_(orders.c.lifted_at <= cutoff, orders.c.valid_until <= cutoff, never)
    return and_(orders.c.purged_at.is_(None), over)


def find_ended(connection: Connection, cutoff: datetime, limit: int | None = None) -> tuple[str, ...]:
    """Return the ids of orders that were over at `cutoff`."""
    statement = select(orders.c.order_id).where(ended_by(cutoff)).order_by(orders.c.order_id).limit(limit)
    return tuple(connection.execute(statement).scalars())


def purge(connection: Connection, order_ids: Sequence[str], cutoff: datetime, now: datetime) -> tuple[Purged, ...]:
    """Remove the personal data of those of the orders that are over indeed, whatever happened since they were found."""
    over = select(orders.c.order_id, orders.c.court_id).where(orders.c.order_id.in_(order_ids), ended_by(cutoff))
    return tuple(
        _purge(connection, row.order_id, row.court_id, now)
        for row in connection.execute(over.order_by(orders.c.order_id).with_for_update()).all()
    )


def _purge(connection: Connection, order_id: str, court_id: str, now: datetime) -> Purged:
    connection.execute(delete(own_words).where(own_words.c.order_id == order_id))
    purged = Purged(
        order_id=order_id,
        court_id=court_id,
        lines=connection.execute(delete(lines).where(lines.c.order_id == order_id)).rowcount,
        notices=connection.execute(
            update(notices).where(notices.c.order_id == order_id, notices.c.text.is_not(None)).values(text=None)
        ).rowcount,
        proposals=connection.execute(delete(proposals).where(proposals.c.order_id == order_id)).rowcount,
        remarks=connection.execute(delete(remarks).where(remarks.c.order_id == order_id)).rowcount,
        notes=connection.execute(
            update(disputes).where(disputes.c.order_id == order_id, disputes.c.note.is_not(None)).values(note=None)
        ).rowcount,
    )
    connection.execute(
        update(orders)
        .where(orders.c.order_id == order_id)
        .values(
            case_index=None,
            case_number=None,
            subject=None,
            legal_basis=None,
            purged_at=now,
            version=orders.c.version + 1,
        )
    )
    return purged


def unused_documents(connection: Connection, cutoff: datetime, limit: int) -> tuple[Unused, ...]:
    """Return documents of before `cutoff` that no order rests on, or purged ones alone; locked until commit."""
    living = exists().where(
        orders.c.court_id == documents.c.court_id,
        orders.c.document_sha256 == documents.c.sha256,
        orders.c.purged_at.is_(None),
    )
    statement = (
        select(documents.c.document_id, documents.c.court_id)
        .where(documents.c.purged_at.is_(None), documents.c.uploaded_at <= cutoff, not_(living))
        .order_by(documents.c.document_id)
        .limit(limit)
        .with_for_update()
    )
    return tuple(Unused(document_id=row.document_id, court_id=row.court_id) for row in connection.execute(statement))


def forget_document(connection: Connection, document_id: str, now: datetime) -> None:
    """Forget the key of a document: from then on nobody reads its file, in no backup of the vault either."""
    statement = update(documents).where(documents.c.document_id == document_id)
    connection.execute(statement.values(file_key=None, purged_at=now))


def forgotten_documents(connection: Connection) -> frozenset[str]:
    """Return the ids of documents whose key was forgotten: a file of theirs in the vault is a leftover."""
    statement = select(documents.c.document_id).where(documents.c.purged_at.is_not(None))
    return frozenset(connection.execute(statement).scalars())


def unpurged_orders() -> Select[str]:
    """Return the statement that finds the id of every order that was not purged."""
    return select(orders.c.order_id).where(orders.c.purged_at.is_(None))


def drop_renditions(connection: Connection, before: datetime) -> int:
    """Forget renditions made before an instant that no notice, proposal or reply ever uses; return how many."""
    used = or_(
        *(exists().where(table.c.rendition_id == renditions.c.rendition_id) for table in (notices, proposals, replies))
    )
    return connection.execute(delete(renditions).where(renditions.c.made_at < before, not_(used))).rowcount


def sounding_files(connection: Connection, fresh: datetime) -> frozenset[str]:
    """Return the SHA-256 of every file that may still be played: of notices not purged, of proposals and replies.

    So may what was made, or found again, since `fresh`: somebody may be about to attach it.
    """
    living = (
        select(notices.c.rendition_id)
        .join(orders, orders.c.order_id == notices.c.order_id)
        .where(orders.c.purged_at.is_(None))
    )
    needed = living.union(select(proposals.c.rendition_id), select(replies.c.rendition_id))
    rows = connection.execute(
        select(renditions.c.mulaw, renditions.c.alaw, renditions.c.wideband).where(
            or_(renditions.c.rendition_id.in_(needed), renditions.c.made_at >= fresh)
        )
    )
    return frozenset(sha256 for row in rows for sha256 in row)
