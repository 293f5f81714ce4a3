"""Draft an order, edit the draft, and hand it to the approvers."""

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection

from gateway.audio.errors import WordingFieldsError
from gateway.audit.tags import Tag
from gateway.domain.e164 import mask
from gateway.domain.errors import GatewayError, LineEvidenceError
from gateway.domain.order import LONGEST_VALIDITY, Authority, Order, redraft, send_back, submit
from gateway.domain.rights import Right
from gateway.domain.subject import Organisation, Subject
from gateway.register import courts, districts, documents, lines, orders, proposals, remarks
from gateway.register.errors import InvalidLineError
from gateway.register.ids import new_id
from gateway.register.lines import Line
from gateway.register.remarks import Remark
from gateway.workflows.access import order_for, place_of, sees_court
from gateway.workflows.change import Change, Errand, change
from gateway.workflows.office import Office
from gateway.workflows.publish_notice import purposes_for, wording_for


class WrongDistrictError(GatewayError):
    """District {district!r} belongs to court {owner!r}, not to {court!r}. Choose one of the court's own districts."""

    code = "wrong_district"


class NothingStatedError(GatewayError):
    """{what} is missing: {cure}."""

    code = "nothing_stated"


class NoSuchDocumentError(GatewayError):
    """Court {court!r} has no authority document with the hash {sha256}; upload the PDF first."""

    code = "no_such_document"


class ValidityError(GatewayError):
    """An order cannot be valid for {days:.1f} days; give more than 0 and at most {limit}."""

    code = "validity"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """What a clerk puts in: whom and which lines it concerns, on what authority, how long, and in which languages."""

    court_id: str
    district_id: str
    case_number: str
    subject: Subject
    lines: tuple[Line, ...]
    authority: Authority
    valid_for: timedelta
    languages: tuple[str, ...] = ("en",)


def draft_order(office: Office, request: OrderRequest, errand: Errand) -> Order:
    """Put a draft in the register and return it. Nothing plays under a draft.

    Raises NothingStatedError, WrongDistrictError, NoSuchDocumentError, ValidityError, DuplicateOrderError,
    UnknownEntryError, NotAllowedError.
    """
    demand_complete(request)
    order = Order(
        order_id=new_id("ord"),
        court_id=request.court_id,
        district_id=request.district_id,
        case_number=request.case_number.strip(),
        subject=request.subject,
        authority=request.authority,
        drafted_by=errand.actor.actor_id,
        drafted_at=errand.at,
        languages=tuple(dict.fromkeys(request.languages)),
        valid_for=request.valid_for,
    )
    with change(office.engine, office.keys, errand) as under_way:
        _demand_place(under_way, request)
        _demand_sayable(under_way, office, order)
        orders.add(under_way.connection, order, request.lines, office.keys)
        under_way.note(
            Tag.ORDER_DRAFTED,
            order.order_id,
            court_id=order.court_id,
            document=request.authority.document_sha256,
            lines=len(request.lines),
        )
    return order


def edit_draft(office: Office, order_id: str, request: OrderRequest, errand: Errand, *, expected: int) -> Order:
    """Put other content into a draft that nobody has submitted. An edit makes the editor its drafter too.

    A draft stays with its court. Where the subject or the case becomes another, notices that were proposed for the
    former are dropped: they speak of it. Raises what `draft_order` does, StaleVersionError, InvalidTransitionError.
    """
    demand_complete(request)
    with change(office.engine, office.keys, errand) as under_way:
        connection = under_way.connection
        order = order_for(connection, office.keys, errand.actor, order_id, Right.ORDERS_DRAFT, expected=expected)
        drafted = redraft(order, errand.actor.actor_id, errand.at)
        request = replace(request, court_id=order.court_id)
        _demand_place(under_way, request)
        changed = replace(
            drafted,
            district_id=request.district_id,
            case_number=request.case_number.strip(),
            subject=request.subject,
            authority=request.authority,
            languages=tuple(dict.fromkeys(request.languages)),
            valid_for=request.valid_for,
        )
        _demand_sayable(under_way, office, changed)
        # Lines first: a key on a call locks them before it looks for their order.
        lines.replace_all(connection, order_id, request.lines, office.keys)
        saved = orders.rewrite(connection, changed, office.keys)
        if (changed.subject, changed.case_number) != (order.subject, order.case_number):
            proposals.remove(connection, order_id)
        under_way.note(
            Tag.ORDER_EDITED,
            order_id,
            court_id=order.court_id,
            document=request.authority.document_sha256,
            lines=len(request.lines),
            version=saved.version,
        )
    return saved


def submit_order(office: Office, order_id: str, errand: Errand, *, expected: int | None = None) -> Order:
    """Hand a draft to the approvers.

    Raises NothingStatedError, LineEvidenceError, InvalidTransitionError, StaleVersionError.
    """
    with change(office.engine, office.keys, errand) as under_way:
        connection = under_way.connection
        order = order_for(connection, office.keys, errand.actor, order_id, Right.ORDERS_DRAFT, expected=expected)
        found = lines.of_orders(connection, [order_id], office.cipher).get(order_id, ())
        demand_evidence(order.subject, tuple(entry.line for entry in found))
        saved = orders.save(connection, submit(order, errand.at))
        under_way.note(Tag.ORDER_SUBMITTED, order_id, court_id=order.court_id, version=saved.version)
    return saved


def return_order(
    office: Office, order_id: str, errand: Errand, *, expected: int | None = None, reason: str = ""
) -> Order:
    """Hand a submitted order back to who drafted it. Raises InvalidTransitionError, StaleVersionError."""
    with change(office.engine, office.keys, errand) as under_way:
        connection = under_way.connection
        order = order_for(connection, office.keys, errand.actor, order_id, Right.ORDERS_APPROVE, expected=expected)
        saved = orders.save(connection, send_back(order, errand.at))
        remark = Remark(about=Tag.ORDER_RETURNED.value, text=reason, written_by=errand.actor.actor_id, at=errand.at)
        remarks.add(connection, order_id, remark, office.keys)
        under_way.note(Tag.ORDER_RETURNED, order_id, court_id=order.court_id, version=saved.version)
    return saved


def demand_complete(request: OrderRequest) -> None:
    """Raise NothingStatedError, ValidityError or InvalidLineError where an order would lack what every order needs."""
    for what, stated, cure in (
        ("The case number", request.case_number.strip(), "give the court's docket number"),
        ("The line", request.lines, "name at least one"),
        ("The language", request.languages, "name at least one"),
        ("The legal basis", request.authority.legal_basis.strip(), "cite the law that allows this order"),
    ):
        if not stated:
            raise NothingStatedError(what=what, cure=cure)
    # Whole seconds are what is kept.
    if not timedelta(seconds=1) <= request.valid_for <= LONGEST_VALIDITY:
        raise ValidityError(days=request.valid_for / timedelta(days=1), limit=LONGEST_VALIDITY.days)
    named: set[str] = set()
    for line in request.lines:
        if line.number.number in named:
            raise InvalidLineError(shown=mask(line.number.number), why="it is named twice")
        named.add(line.number.number)


def demand_evidence(subject: Subject, on: tuple[Line, ...]) -> None:
    """Raise LineEvidenceError where an organisation's line is not shown to be the organisation's published line.

    A line may have left the order since it was drafted, by an officer's verdict on a dispute: NothingStatedError then.
    """
    if not on:
        raise NothingStatedError(what="The line", cure="name at least one")
    if isinstance(subject, Organisation):
        for line in on:
            if not line.evidence.strip():
                raise LineEvidenceError(line=mask(line.number.number))


def demand_own_district(connection: Connection, court_id: str, district_id: str) -> None:
    """Raise UnknownEntryError or WrongDistrictError where a district is not the court's."""
    district = districts.get(connection, district_id)
    if district.court_id != court_id:
        raise WrongDistrictError(district=district_id, owner=district.court_id, court=court_id)


def _demand_sayable(under_way: Change, office: Office, order: Order) -> None:
    """Refuse now what could not be spoken once the order is approved. Raises WordingMissingError, TextTooLongError.

    What is heard first (the warning, the opener) is always the template's words, in every language of the order.
    """
    court = courts.get(under_way.connection, order.court_id)
    for language in order.languages:
        try:
            wording_for(office.studio, order, court, purposes_for(order.subject)[1], language)
        except WordingFieldsError as error:
            cure = "write the subject's name and the case number with letters or digits"
            raise NothingStatedError(what="A word that can be spoken", cure=cure) from error


def _demand_place(under_way: Change, request: OrderRequest) -> None:
    connection, actor = under_way.connection, under_way.errand.actor
    courts.get(connection, request.court_id)
    if not sees_court(actor, request.court_id):
        raise courts.unknown(request.court_id)
    demand_own_district(connection, request.court_id, request.district_id)
    place = place_of(connection, request.court_id, request.district_id)
    actor.demand(Right.ORDERS_DRAFT, place, where=f"district {request.district_id}")
    sha256 = request.authority.document_sha256
    if documents.find(connection, request.court_id, sha256) is None:
        raise NoSuchDocumentError(court=request.court_id, sha256=sha256)
