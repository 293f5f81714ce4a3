"""Domain values that are right in every respect a test does not name: `an_order(subject=a_person())`.

Every builder takes the fields of what it builds as keywords; what is not named is valid, and plays where it can.
"""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypedDict, Unpack, assert_never
from zoneinfo import ZoneInfo

from gateway.domain.court import Caps, Court, District
from gateway.domain.e164 import E164
from gateway.domain.facts import (
    Arriving,
    CallFacts,
    Capability,
    Destination,
    Moment,
    Party,
    Telephone,
    Urgency,
)
from gateway.domain.notice import (
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
from gateway.domain.order import Authority, Order, OrderState
from gateway.domain.standing import History, OrderOnLine, UnderOrders
from gateway.domain.subject import NaturalPerson, Organisation, RegistryIdentifier, Scheme, Subject

# A Wednesday, noon in London, where the builders' line is: every hour that the law permits is near.
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")
# Numbers that Ofcom and NANPA keep for fiction.
CALLER, CALLEE = E164("+12025550143"), E164("+442079460110")
DESTINATION = Telephone(number=CALLEE.number)
EVERYTHING = frozenset(Capability)


class OrderFields(TypedDict, total=False):
    """What `an_order` can be told besides its state."""

    order_id: str
    court_id: str
    district_id: str
    case_number: str
    subject: Subject
    authority: Authority
    drafted_by: str
    drafted_at: datetime
    submitted_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    warned_from: datetime | None
    in_force_from: datetime | None
    valid_until: datetime | None
    suspended_at: datetime | None
    lifted_at: datetime | None


class OnLineFields(TypedDict, total=False):
    """What `order_on_line` can be told besides its order."""

    caps: Caps
    zones: tuple[ZoneInfo, ...]
    line_suspended: bool
    district_enabled: bool
    notices: Notices
    history: History


class CallFields(TypedDict, total=False):
    """What `a_call` can be told besides its moment."""

    provider: str
    provider_call_id: str
    caller: Party
    callee: Party
    destination: Destination
    capabilities: frozenset[Capability]
    urgency: Urgency


class CourtFields(TypedDict, total=False):
    """What `a_court` can be told."""

    court_id: str
    name: str
    zone: str
    warning_days: int
    caps: Caps


class DistrictFields(TypedDict, total=False):
    """What `a_district` can be told."""

    district_id: str
    court_id: str
    name: str
    parent_id: str | None
    enabled: bool
    reason: str


def a_digest(of: str) -> str:
    """Return the SHA-256, in hex, of the words `of`."""
    return hashlib.sha256(of.encode()).hexdigest()


def an_identifier(scheme: Scheme = Scheme.COMPANY_GB, value: str = "01234567") -> RegistryIdentifier:
    return RegistryIdentifier(scheme=scheme, value=value, legal_form="Incorporated")


def an_organisation(name: str = "Northwind Trading Ltd", identifier: RegistryIdentifier | None = None) -> Organisation:
    return Organisation(name=name, identifier=identifier or an_identifier())


def a_person(name: str = "Jo Bloggs") -> NaturalPerson:
    return NaturalPerson(name=name)


def a_rendition(of: str = "notice", *, language: str = "en", seconds: float = 9.5) -> Rendition:
    """Return the encodings of the words `of`, each with a digest of its own."""
    return Rendition(
        language=language,
        seconds=seconds,
        mulaw=a_digest(f"{of} in mu-law"),
        alaw=a_digest(f"{of} in A-law"),
        wideband=a_digest(f"{of} in wideband"),
    )


def a_public_notice(subject: Organisation | None = None, renditions: Renditions | None = None) -> PublicNotice:
    return PublicNotice(subject=subject or an_organisation(), renditions=renditions or (a_rendition("public"),))


def a_warning(subject: Organisation | None = None, renditions: Renditions | None = None) -> WarningNotice:
    return WarningNotice(subject=subject or an_organisation(), renditions=renditions or (a_rendition("warning"),))


def an_opener(subject: NaturalPerson | None = None, renditions: Renditions | None = None) -> Opener:
    return Opener(subject=subject or a_person(), renditions=renditions or (a_rendition("opener"),))


def a_private_notice(subject: NaturalPerson | None = None, renditions: Renditions | None = None) -> PrivateNotice:
    return PrivateNotice(subject=subject or a_person(), renditions=renditions or (a_rendition("private"),))


def a_reply(purpose: Purpose, renditions: Renditions | None = None) -> Reply:
    """Return a confirmation; `renditions=()` is a court that has recorded none."""
    return Reply(purpose=purpose, renditions=(a_rendition(purpose.value),) if renditions is None else renditions)


def organisation_notices(subject: Organisation | None = None) -> OrganisationNotices:
    return OrganisationNotices(public=a_public_notice(subject), warning=a_warning(subject))


def person_notices(subject: NaturalPerson | None = None, *, replies: bool = True) -> PersonNotices:
    """Return the notices of a service order; `replies` tells whether the keys' confirmations are recorded."""
    renditions = None if replies else ()
    return PersonNotices(
        opener=an_opener(subject),
        private=a_private_notice(subject),
        acknowledged=a_reply(Purpose.ACKNOWLEDGED, renditions),
        contested=a_reply(Purpose.CONTESTED, renditions),
        wrong_person=a_reply(Purpose.WRONG_PERSON, renditions),
    )


def notices_about(subject: Subject) -> OrganisationNotices | PersonNotices:
    match subject:
        case Organisation():
            return organisation_notices(subject)
        case NaturalPerson():
            return person_notices(subject)
        case _:
            assert_never(subject)


def a_court(**overrides: Unpack[CourtFields]) -> Court:
    court = Court(court_id="court-1", name="County Court at Anytown", zone="Europe/London")
    return replace(court, **overrides)


def a_district(**overrides: Unpack[DistrictFields]) -> District:
    district = District(district_id="district-1", court_id="court-1", name="Anytown", parent_id=None, enabled=True)
    return replace(district, **overrides)


def an_authority() -> Authority:
    return Authority(legal_basis="Civil Procedure Act, section 12", document_sha256=a_digest("judgment"))


def instants_of(state: OrderState, now: datetime = NOW) -> OrderFields:
    """Return what officers have done to an order that is in `state` at `now`."""
    day = timedelta(days=1)
    submitted = OrderFields(submitted_at=now - 9 * day)
    approved = OrderFields(
        submitted_at=now - 9 * day,
        approved_by="officer-2",
        approved_at=now - 8 * day,
        warned_from=now - 8 * day,
        in_force_from=now - 5 * day,
        valid_until=now + 90 * day,
    )
    match state:
        case OrderState.DRAFT:
            return OrderFields()
        case OrderState.SUBMITTED:
            return submitted
        case OrderState.APPROVED:
            return {**approved, "warned_from": now + day, "in_force_from": now + 4 * day}
        case OrderState.WARNED:
            return {**approved, "approved_at": now - day, "warned_from": now - day, "in_force_from": now + 2 * day}
        case OrderState.IN_FORCE:
            return approved
        case OrderState.SUSPENDED:
            return {**approved, "suspended_at": now - day}
        case OrderState.LIFTED:
            return {**approved, "lifted_at": now - day}
        case OrderState.EXPIRED:
            return {**approved, "valid_until": now - day}
        case _:
            assert_never(state)


def an_order(state: OrderState = OrderState.IN_FORCE, *, at: datetime = NOW, **overrides: Unpack[OrderFields]) -> Order:
    """Return an order about an organisation that is in `state` at `at`, unless `overrides` say otherwise."""
    draft = Order(
        order_id="order-1",
        court_id="court-1",
        district_id="district-1",
        case_number="2026-CC-00017",
        subject=an_organisation(),
        authority=an_authority(),
        drafted_by="officer-1",
        drafted_at=at - timedelta(days=10),
    )
    return replace(replace(draft, **instants_of(state, at)), **overrides)


def order_on_line(order: Order | None = None, **overrides: Unpack[OnLineFields]) -> OrderOnLine:
    """Return `order` with the notices of its subject, on a line in London that has heard nothing yet."""
    order = order or an_order()
    on_line = OrderOnLine(
        order=order,
        caps=Caps(),
        zones=(LONDON,),
        line_suspended=False,
        district_enabled=True,
        notices=notices_about(order.subject),
    )
    return replace(on_line, **overrides)


def under(*orders: Order | OrderOnLine) -> UnderOrders:
    """Return the standing of a line under `orders`; a bare order is put on the line as `order_on_line` does."""
    return UnderOrders(tuple(order_on_line(each) if isinstance(each, Order) else each for each in orders))


def a_call(moment: Moment | None = None, **overrides: Unpack[CallFields]) -> CallFacts:
    """Return a call that has just come in, through a provider that can do everything."""
    call = CallFacts(
        provider="twilio",
        provider_call_id="CA00000000000000000000000000000001",
        caller=CALLER,
        callee=CALLEE,
        destination=DESTINATION,
        capabilities=EVERYTHING,
        moment=moment or Arriving(),
    )
    return replace(call, **overrides)
