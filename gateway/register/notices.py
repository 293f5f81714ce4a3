"""Renditions, the notices of an order that are made of them, and the fixed replies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, delete, literal, select, update

from gateway.db.metadata import Instant
from gateway.domain.errors import SameOfficerError
from gateway.domain.notice import (
    MissingNotices,
    Notices,
    Opener,
    OrganisationNotices,
    PersonNotices,
    PrivateNotice,
    PublicNotice,
    Purpose,
    Rendition,
    Renditions,
    Reply,
    WarningNotice,
)
from gateway.domain.order import Order
from gateway.domain.subject import NaturalPerson, Organisation, Subject, kind_of
from gateway.privacy.field import FieldCipher
from gateway.register.tables import notices, renditions, replies

RENDITION = (
    renditions.c.language,
    renditions.c.seconds,
    renditions.c.mulaw,
    renditions.c.alaw,
    renditions.c.wideband,
)
_OF_ORDERS = (
    select(notices.c.order_id, notices.c.purpose, *RENDITION)
    .join(renditions, renditions.c.rendition_id == notices.c.rendition_id)
    .where(notices.c.order_id.in_(bindparam("order_ids", expanding=True)))
    .order_by(notices.c.order_id, notices.c.purpose, notices.c.position)
)
_WRITTEN = (
    select(notices.c.position, notices.c.text, notices.c.rendition_id, *RENDITION)
    .join(renditions, renditions.c.rendition_id == notices.c.rendition_id)
    .where(notices.c.order_id == bindparam("order_id"), notices.c.purpose == bindparam("purpose"))
    .order_by(notices.c.position)
)
_REPLIES = select(replies.c.purpose, *RENDITION).join(renditions, renditions.c.rendition_id == replies.c.rendition_id)

Parts = dict[Purpose, Renditions]


def renew_rendition(connection: Connection, rendition_id: str, now: datetime) -> Rendition | None:
    """Return the rendition made earlier under this id, or None where there is none yet.

    From then on it counts as made now, so that nothing takes it for unused before it is attached.
    """
    made_at = case((renditions.c.made_at < now, literal(now, Instant())), else_=renditions.c.made_at)
    statement = update(renditions).where(renditions.c.rendition_id == rendition_id).values(made_at=made_at)
    row = connection.execute(statement.returning(*RENDITION)).one_or_none()
    return None if row is None else read_rendition(row)


def keep_rendition(connection: Connection, rendition_id: str, rendition: Rendition, now: datetime) -> None:
    """Keep a rendition under an id that says what it was made from."""
    if renew_rendition(connection, rendition_id, now) is None:
        connection.execute(
            renditions.insert().values(
                rendition_id=rendition_id,
                language=rendition.language,
                seconds=rendition.seconds,
                mulaw=rendition.mulaw,
                alaw=rendition.alaw,
                wideband=rendition.wideband,
                made_at=now,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One language of a notice: its rendition, and what was spoken (empty for a recording)."""

    rendition_id: str
    rendition: Rendition
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Officers:
    """Who made a notice and who approved it: two people."""

    added_by: str
    approved_by: str

    def __post_init__(self) -> None:
        """Refuse one person in both places."""
        if self.added_by.strip().casefold() == self.approved_by.strip().casefold():
            raise SameOfficerError(officer=self.approved_by)


def attach(
    connection: Connection,
    order: Order,
    purpose: Purpose,
    parts: Sequence[Part],
    officers: Officers,
    cipher: FieldCipher,
) -> None:
    """Make `parts` the order's notice for `purpose`, in playing order; what it had before is replaced."""
    order_id = order.order_id
    connection.execute(delete(notices).where(notices.c.order_id == order_id, notices.c.purpose == purpose.value))
    for position, part in enumerate(parts):
        place = f"notices.text:{order_id}:{purpose.value}:{position}"
        connection.execute(
            notices.insert().values(
                order_id=order_id,
                purpose=purpose.value,
                position=position,
                subject_kind=kind_of(order.subject).value,
                leg="A" if purpose is Purpose.PUBLIC else "B",
                text=cipher.encrypt(part.text, place=place) if part.text else None,
                rendition_id=part.rendition_id,
                added_by=officers.added_by,
                approved_by=officers.approved_by,
            )
        )


def set_reply(connection: Connection, purpose: Purpose, language: str, rendition_id: str) -> None:
    """Make a rendition the reply for a key, in one language."""
    connection.execute(delete(replies).where(replies.c.purpose == purpose.value, replies.c.language == language))
    connection.execute(replies.insert().values(purpose=purpose.value, language=language, rendition_id=rendition_id))


def written_parts(connection: Connection, order: Order, purpose: Purpose, cipher: FieldCipher) -> tuple[Part, ...]:
    """Return an order's notice as it was attached, with its texts, so that one language of it can be replaced."""
    rows = connection.execute(_WRITTEN, {"order_id": order.order_id, "purpose": purpose.value})
    return tuple(
        Part(
            rendition_id=row.rendition_id,
            rendition=read_rendition(row),
            text=cipher.decrypt(row.text, place=f"notices.text:{order.order_id}:{purpose.value}:{row.position}")
            if row.text
            else "",
        )
        for row in rows
    )


def parts_of(connection: Connection, order_ids: Sequence[str]) -> dict[str, Parts]:
    """Return the renditions of each order by purpose, in playing order."""
    found: dict[str, Parts] = {}
    for row in connection.execute(_OF_ORDERS, {"order_ids": list(order_ids)}):
        parts = found.setdefault(row.order_id, {})
        purpose = Purpose(row.purpose)
        parts[purpose] = (*parts.get(purpose, ()), read_rendition(row))
    return found


def replies_of(connection: Connection) -> Parts:
    """Return every reply, in all languages."""
    found: Parts = {}
    for row in connection.execute(_REPLIES):
        purpose = Purpose(row.purpose)
        found[purpose] = (*found.get(purpose, ()), read_rendition(row))
    return found


def assemble(subject: Subject, parts: Parts, reply_parts: Parts) -> Notices:
    """Build the notices that the subject may have; MissingNotices where one of them is not there."""
    match subject:
        case Organisation():
            if not (parts.get(Purpose.PUBLIC) and parts.get(Purpose.WARNING)):
                return MissingNotices()
            return OrganisationNotices(
                public=PublicNotice(subject=subject, renditions=parts[Purpose.PUBLIC]),
                warning=WarningNotice(subject=subject, renditions=parts[Purpose.WARNING]),
            )
        case NaturalPerson():
            if not (parts.get(Purpose.OPENER) and parts.get(Purpose.PRIVATE)):
                return MissingNotices()
            languages = {rendition.language for rendition in parts[Purpose.OPENER]}
            return PersonNotices(
                opener=Opener(subject=subject, renditions=parts[Purpose.OPENER]),
                private=PrivateNotice(subject=subject, renditions=parts[Purpose.PRIVATE]),
                acknowledged=_reply(Purpose.ACKNOWLEDGED, reply_parts, languages),
                contested=_reply(Purpose.CONTESTED, reply_parts, languages),
                wrong_person=_reply(Purpose.WRONG_PERSON, reply_parts, languages),
            )


def _reply(purpose: Purpose, parts: Parts, languages: set[str]) -> Reply:
    spoken = tuple(each for each in parts.get(purpose, ()) if each.language in languages)
    return Reply(purpose=purpose, renditions=spoken)


def read_rendition(row: Row[*tuple[Any, ...]], *, prefix: str = "") -> Rendition:
    """Build a rendition from a row that has the columns of one, each name begun with `prefix`."""
    values = {name: getattr(row, prefix + name) for name in ("language", "seconds", "mulaw", "alaw", "wideband")}
    return Rendition(**values)
