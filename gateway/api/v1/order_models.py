"""What orders look like from outside, and back."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from gateway.api.v1.fields import Id, Input, Language, LongText, Name, Number, Output, Sha256, ShortText, Whole
from gateway.api.v1.problems import at
from gateway.domain.e164 import E164
from gateway.domain.order import Authority, Order, OrderState
from gateway.domain.subject import NaturalPerson, Organisation, Scheme, Subject, SubjectKind, kind_of
from gateway.register.identifiers import read_identifier
from gateway.register.lines import Line, LineEntry
from gateway.register.order_list import ListedOrder, PurgedOrder
from gateway.workflows.draft_order import OrderRequest

_DAY = timedelta(days=1)


class IdentifierIn(Input):
    """An identifier in a register of organisations; some schemes need the legal form in the register's extract."""

    scheme: Scheme
    value: ShortText
    legal_form: str = Field(default="", max_length=200, pattern=r"^[^\u0000-\u001f\u007f]*$")


class OrganisationIn(Input):
    """An organisation, proven by its identifier: callers may hear the notice."""

    kind: Literal["organisation"]
    name: Name
    identifier: IdentifierIn


class PersonIn(Input):
    """A natural person, sole traders included: nobody but the person ever hears the notice."""

    kind: Literal["natural_person"]
    name: Name


SubjectIn = Annotated[OrganisationIn | PersonIn, Field(discriminator="kind")]


class LineIn(Input):
    """A line; `zone` is the IANA time zone of who answers it, `evidence` where an organisation publishes it."""

    number: Number
    zone: str = Field(default="", max_length=64, pattern=r"^[A-Za-z0-9_+/-]*$", examples=["Europe/London"])
    evidence: str = Field(default="", max_length=1000, pattern=r"^[^\u0000-\u001f\u007f]*$")


class OrderIn(Input):
    """A draft. `document_sha256` is of an authority document that was uploaded before."""

    court: Id
    district: Id
    case_number: ShortText
    subject: SubjectIn
    lines: list[LineIn] = Field(min_length=1, max_length=500)
    legal_basis: LongText
    document_sha256: Sha256
    valid_days: Whole = Field(ge=1, le=366)
    languages: list[Language] = Field(default=["en"], min_length=1, max_length=8)


class OrderChange(Input):
    """What is to be different in a draft; what is left out stays. Lines and languages are given whole."""

    district: Id | None = None
    case_number: ShortText | None = None
    subject: SubjectIn | None = None
    lines: list[LineIn] | None = Field(default=None, min_length=1, max_length=500)
    legal_basis: LongText | None = None
    document_sha256: Sha256 | None = None
    valid_days: Whole | None = Field(default=None, ge=1, le=366)
    languages: list[Language] | None = Field(default=None, min_length=1, max_length=8)


class SubjectOut(Output):
    """Whom an order concerns; the identifier is null for a natural person."""

    kind: SubjectKind
    name: str
    scheme: Scheme | None
    identifier: str | None
    legal_form: str | None


class LineOut(Output):
    """A line under an order; `ground` says which key silenced it, while a dispute about it is open."""

    id: str
    number: str
    zone: str
    evidence: str
    suspended_at: datetime | None
    ground: str | None


class StandingOut(Output):
    """Where an order stands. It names nobody."""

    id: str
    court: str
    district: str
    state: str
    submitted_at: datetime | None
    approved_at: datetime | None
    in_force_from: datetime | None
    valid_until: datetime | None
    suspended_at: datetime | None
    lifted_at: datetime | None
    version: int


class OrderOut(Output):
    """An order. Once its personal data is purged, `state` is `purged` and what named anybody is null."""

    id: str
    court: str
    district: str
    kind: SubjectKind
    state: str
    case_number: str | None
    subject: SubjectOut | None
    legal_basis: str | None
    document_sha256: str | None
    languages: list[str]
    valid_days: float | None
    lines: list[LineOut]
    open_disputes: int
    batch: str | None
    drafted_by: str | None
    drafted_at: datetime
    submitted_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    in_force_from: datetime | None
    valid_until: datetime | None
    suspended_at: datetime | None
    lifted_at: datetime | None
    purged_at: datetime | None
    version: int


class OrderPage(Output):
    """A page of orders, newest first."""

    items: list[OrderOut]
    next: str | None


STATES: tuple[str, ...] = (*(state.value for state in OrderState), "purged")


def read_subject(given: OrganisationIn | PersonIn) -> Subject:
    """Return the subject. Raises what is wrong with its identifier."""
    match given:
        case OrganisationIn():
            with at("/subject/identifier"):
                wanted = given.identifier
                identifier = read_identifier(wanted.scheme.value, wanted.value, wanted.legal_form)
            return Organisation(name=given.name, identifier=identifier)
        case PersonIn():
            return NaturalPerson(name=given.name)


def read_lines(given: list[LineIn]) -> tuple[Line, ...]:
    """Return the lines, each once. Raises what is wrong with one, by its place."""
    found: dict[str, Line] = {}
    for place, each in enumerate(given):
        with at(f"/lines/{place}"):
            line = Line(number=E164.parse(each.number), zone=each.zone, evidence=each.evidence.strip())
        found[line.number.number] = line
    return tuple(found.values())


def read_request(given: OrderIn) -> OrderRequest:
    """Return what a draft asks for. Raises what is wrong with a field, by its pointer."""
    return OrderRequest(
        court_id=given.court,
        district_id=given.district,
        case_number=given.case_number,
        subject=read_subject(given.subject),
        lines=read_lines(given.lines),
        authority=Authority(legal_basis=given.legal_basis, document_sha256=given.document_sha256),
        valid_for=given.valid_days * _DAY,
        languages=tuple(dict.fromkeys(given.languages)),
    )


def merge(order: Order, lines: tuple[LineEntry, ...], change: OrderChange) -> OrderRequest:
    """Return what a draft asks for once it is changed. Raises as `read_request`."""
    authority = Authority(
        legal_basis=change.legal_basis or order.authority.legal_basis,
        document_sha256=change.document_sha256 or order.authority.document_sha256,
    )
    return OrderRequest(
        court_id=order.court_id,
        district_id=change.district or order.district_id,
        case_number=change.case_number or order.case_number,
        subject=read_subject(change.subject) if change.subject else order.subject,
        lines=read_lines(change.lines) if change.lines else tuple(entry.line for entry in lines),
        authority=authority,
        valid_for=change.valid_days * _DAY if change.valid_days else order.valid_for or _DAY,
        languages=tuple(dict.fromkeys(change.languages)) if change.languages else order.languages,
    )


def show_standing(order: Order, now: datetime) -> StandingOut:
    """Return where an order stands at `now`."""
    return StandingOut(
        id=order.order_id,
        court=order.court_id,
        district=order.district_id,
        state=order.state_at(now).value,
        submitted_at=order.submitted_at,
        approved_at=order.approved_at,
        in_force_from=order.in_force_from,
        valid_until=order.valid_until,
        suspended_at=order.suspended_at,
        lifted_at=order.lifted_at,
        version=order.version,
    )


def show_order(listed: ListedOrder, now: datetime) -> OrderOut:
    """Return an order with all that its reader may see."""
    order = listed.order
    match order:
        case PurgedOrder():
            return _show_purged(order)
        case Order():
            return _show(order, listed, now)


def show_line(entry: LineEntry) -> LineOut:
    """Return a line of an order."""
    return LineOut(
        id=entry.line_id,
        number=entry.line.number.number,
        zone=entry.line.zone,
        evidence=entry.line.evidence,
        suspended_at=entry.suspended_at,
        ground=None if entry.ground is None else entry.ground.value,
    )


def _show(order: Order, listed: ListedOrder, now: datetime) -> OrderOut:
    return OrderOut(
        id=order.order_id,
        court=order.court_id,
        district=order.district_id,
        kind=kind_of(order.subject),
        state=order.state_at(now).value,
        case_number=order.case_number,
        subject=_show_subject(order.subject),
        legal_basis=order.authority.legal_basis,
        document_sha256=order.authority.document_sha256,
        languages=list(order.languages),
        valid_days=None if order.valid_for is None else order.valid_for / _DAY,
        lines=[show_line(entry) for entry in listed.lines],
        open_disputes=listed.open_disputes,
        batch=order.batch_id,
        drafted_by=order.drafted_by,
        drafted_at=order.drafted_at,
        submitted_at=order.submitted_at,
        approved_by=order.approved_by,
        approved_at=order.approved_at,
        in_force_from=order.in_force_from,
        valid_until=order.valid_until,
        suspended_at=order.suspended_at,
        lifted_at=order.lifted_at,
        purged_at=None,
        version=order.version,
    )


def _show_purged(order: PurgedOrder) -> OrderOut:
    return OrderOut(
        id=order.order_id,
        court=order.court_id,
        district=order.district_id,
        kind=order.subject_kind,
        state="purged",
        case_number=None,
        subject=None,
        legal_basis=None,
        document_sha256=None,
        languages=[],
        valid_days=None,
        lines=[],
        open_disputes=0,
        batch=None,
        drafted_by=None,
        drafted_at=order.drafted_at,
        submitted_at=None,
        approved_by=None,
        approved_at=None,
        in_force_from=None,
        valid_until=order.valid_until,
        suspended_at=None,
        lifted_at=order.lifted_at,
        purged_at=order.purged_at,
        version=order.version,
    )


def _show_subject(subject: Subject) -> SubjectOut:
    match subject:
        case Organisation(name=name, identifier=identifier):
            return SubjectOut(
                kind=SubjectKind.ORGANISATION,
                name=name,
                scheme=identifier.scheme,
                identifier=identifier.value,
                legal_form=identifier.legal_form,
            )
        case NaturalPerson(name=name):
            return SubjectOut(kind=SubjectKind.NATURAL_PERSON, name=name, scheme=None, identifier=None, legal_form=None)
