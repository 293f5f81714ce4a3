"""Let a suspended order go on, or let an order run longer: both take a second officer."""

from dataclasses import dataclass
from datetime import datetime

from gateway.audit.tags import Tag
from gateway.domain.court import Court
from gateway.domain.events import Event
from gateway.domain.notice import Purpose
from gateway.domain.order import Order, extend, resume
from gateway.domain.rights import Right
from gateway.register import courts, documents, notices, orders, remarks
from gateway.register.notices import Officers, Part
from gateway.register.remarks import Remark
from gateway.workflows.access import order_for
from gateway.workflows.change import Errand, change, demand_unclaimed
from gateway.workflows.draft_order import NoSuchDocumentError
from gateway.workflows.office import Office
from gateway.workflows.publish_notice import Text, render, wording_for
from gateway.workflows.second_officer import demand_officer, demand_second, demand_second_reading


def resume_order(
    office: Office, order_id: str, errand: Errand, *, expected: int | None = None, reason: str = ""
) -> Order:
    """Let a suspended order go on and return it. Lines that a key suspended stay silent till their dispute is resolved.

    Where the suspension fell into the warning period, the warning names another date from now on. Raises
    SameOfficerError, InvalidTransitionError, InvalidWindowError, StaleVersionError, NotAPersonError.
    """
    demand_officer(errand)
    read = _read(office, order_id, errand, expected)
    warnings = _warn_anew(office, read, errand)
    with change(office.engine, office.keys, errand) as under_way:
        connection = under_way.connection
        order = order_for(
            connection, office.keys, errand.actor, order_id, Right.ORDERS_APPROVE, expected=read.order.version
        )
        saved = orders.save(connection, resume(order, errand.actor.actor_id, errand.at))
        if warnings:
            officers = Officers(added_by=order.drafted_by, approved_by=errand.actor.actor_id)
            notices.attach(connection, saved, Purpose.WARNING, warnings, officers, office.cipher)
        remark = Remark(about=Tag.ORDER_RESUMED.value, text=reason, written_by=errand.actor.actor_id, at=errand.at)
        remarks.add(connection, order_id, remark, office.keys)
        under_way.note(
            Tag.ORDER_RESUMED,
            order_id,
            court_id=order.court_id,
            in_force_from=str(saved.in_force_from),
            notices=" ".join(part.rendition.mulaw for part in warnings),
            version=saved.version,
        )
        under_way.tell(Event.ORDER_RESUMED, court_id=order.court_id, order=order_id)
    return saved


def extend_order(
    office: Office,
    order_id: str,
    errand: Errand,
    *,
    valid_until: datetime,
    document_sha256: str,
    expected: int | None = None,
) -> Order:
    """Let an order run until `valid_until` on the authority of a new document, and return it.

    The document was uploaded by another officer than the one who extends: two have seen it. Raises SameOfficerError,
    NoSuchDocumentError, InvalidWindowError, InvalidTransitionError, StaleVersionError, NotAPersonError.
    """
    demand_officer(errand)
    with change(office.engine, office.keys, errand) as under_way:
        connection = under_way.connection
        order = order_for(connection, office.keys, errand.actor, order_id, Right.ORDERS_APPROVE, expected=expected)
        demand_second(connection, office.keys, order, errand.actor.actor_id)
        document = documents.find(connection, order.court_id, document_sha256)
        if document is None or document_sha256 == order.authority.document_sha256:
            raise NoSuchDocumentError(court=order.court_id, sha256=document_sha256)
        demand_second_reading(connection, office.keys, document, errand.actor.actor_id)
        saved = orders.save(connection, extend(order, errand.actor.actor_id, valid_until, document_sha256, errand.at))
        under_way.note(
            Tag.ORDER_EXTENDED,
            order_id,
            court_id=order.court_id,
            document=document_sha256,
            until=str(saved.valid_until),
            version=saved.version,
        )
        under_way.tell(Event.ORDER_EXTENDED, court_id=order.court_id, order=order_id, until=str(saved.valid_until))
    return saved


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    order: Order
    court: Court
    warnings: tuple[Part, ...]


def _read(office: Office, order_id: str, errand: Errand, expected: int | None) -> _Read:
    with office.engine.begin() as connection:
        demand_unclaimed(connection, errand)
        order = order_for(connection, office.keys, errand.actor, order_id, Right.ORDERS_APPROVE, expected=expected)
        demand_second(connection, office.keys, order, errand.actor.actor_id)
        return _Read(
            order=order,
            court=courts.get(connection, order.court_id),
            warnings=notices.written_parts(connection, order, Purpose.WARNING, office.cipher),
        )


def _warn_anew(office: Office, read: _Read, errand: Errand) -> list[Part]:
    """Render the warning with the date on which the order now comes into force, where it became another."""
    resumed = resume(read.order, errand.actor.actor_id, errand.at)
    if resumed.in_force_from == read.order.in_force_from:
        return []
    made = []
    for language in (part.rendition.language for part in read.warnings):
        text = wording_for(office.studio, resumed, read.court, Purpose.WARNING, language)
        made.append(render(office.studio, Text(text=text), language))
    return made
