"""Officers and what they do: `an_errand(Role.APPROVER)`, `a_submitted_order(office)`; and what the trail has of it.

Everything happens at the demo's court of Lakeside unless a test says otherwise. Each role is one person by default; who
needs two clerks names the second.
"""

import hashlib
import io
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from sqlalchemy import select

from gateway.assembly import Parts
from gateway.audit.tables import trail
from gateway.domain.e164 import E164
from gateway.domain.errors import GatewayError
from gateway.domain.facts import Arriving, CalleeAnswered, CallFacts, Capability, Moment, Telephone
from gateway.domain.order import Authority, Order, OrderState, approve
from gateway.domain.plan import CallPlan, PlayToCallee, PlayToCaller
from gateway.domain.rights import Actor, ActorKind, Everywhere, Grant, InCourt, Right, Role, Scope, grants_of
from gateway.domain.standing import Ground
from gateway.domain.subject import NaturalPerson, Organisation, Subject
from gateway.errands.claims import Claim
from gateway.outbox.tables import messages
from gateway.privacy.blind_index import indexes_of_line
from gateway.register import courts, lines, orders
from gateway.register.documents import Document
from gateway.register.identifiers import read_identifier
from gateway.register.ids import new_id
from gateway.register.lines import Line, suspend_line
from gateway.register.screen import Screen
from gateway.workflows.answer_call import answer_call
from gateway.workflows.approve_order import approve_order
from gateway.workflows.call_desk import CallDesk, make_call_desk
from gateway.workflows.change import Errand
from gateway.workflows.draft_order import OrderRequest, draft_order, submit_order
from gateway.workflows.end_order import lift_order, suspend_order
from gateway.workflows.keep_document import keep_document
from gateway.workflows.office import Office
from gateway.workflows.publish_notice import Wanted, make_parts
from tests.conftest import a_studio

# A Wednesday noon in London, four days before New York sets its clocks.
NOON = datetime.fromisoformat("2026-03-04T12:00:00+00:00")
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
COURT, DISTRICT, SISTER = "lakeside", "lakeside-north", "lakeside-south"
OTHER_COURT, OTHER_DISTRICT = "thameside", "thameside"
NUMBER = "+12025550160"
EVIDENCE = "its own web page, seen 2026-03-02"
PDF = b"%PDF-1.7\nthe signed order"


class RequestFields(TypedDict, total=False):
    """What `an_order_request` can be told."""

    court_id: str
    district_id: str
    case_number: str
    subject: Subject
    lines: tuple[Line, ...]
    authority: Authority
    valid_for: timedelta
    languages: tuple[str, ...]


def an_office(parts: Parts) -> Office:
    """Return the office over `parts`, with a voice that hums."""
    return replace(parts.office, studio=a_studio(parts))


def an_actor(*roles: Role, by: str = "", scope: Scope | None = None, kind: ActorKind = ActorKind.PERSON) -> Actor:
    """Return somebody with `roles` in `scope`, the court of Lakeside unless told; a clerk is called per_clerk."""
    place = scope or InCourt(court_id=COURT)
    grants = frozenset(grant for role in roles for grant in grants_of(role, place))
    return Actor(actor_id=by or f"per_{roles[0].value}", kind=kind, grants=grants)


def an_errand(
    role: Role = Role.CLERK,
    *,
    by: str = "",
    scope: Scope | None = None,
    at: datetime = NOON,
    claim: Claim | None = None,
) -> Errand:
    """Return the errand of a person with one role."""
    return Errand(actor=an_actor(role, by=by, scope=scope), at=at, claim=claim)


def by_whom(
    *rights: Right, by: str = "per_anybody", scope: Scope | None = None, kind: ActorKind = ActorKind.PERSON
) -> Errand:
    """Return the errand of somebody with exactly these rights."""
    place = scope or InCourt(court_id=COURT)
    grants = frozenset(Grant(right=right, scope=place) for right in rights)
    return Errand(actor=Actor(actor_id=by, kind=kind, grants=grants), at=NOON)


def an_api_key(at: datetime = NOON) -> Errand:
    """Return the errand of a program that was given every right there is, by mistake."""
    return replace(by_whom(*Right, by="key_1", scope=Everywhere(), kind=ActorKind.API_KEY), at=at)


def a_claim(key: str = "one", content: bytes = b"{}") -> Claim:
    return Claim.of(actor_id="per_clerk", method="POST", path="/api/v1/orders", key=key, content=content)


def a_company(name: str = "Example Haulage Inc") -> Organisation:
    return Organisation(name=name, identifier=read_identifier("ein", "12-3456789", "Inc."))


def a_line(number: str = NUMBER, evidence: str = EVIDENCE, zone: str = "America/New_York") -> Line:
    return Line(number=E164(number), zone=zone, evidence=evidence)


def an_authority(content: bytes = PDF) -> Authority:
    return Authority(legal_basis="Rule 69", document_sha256=hashlib.sha256(content).hexdigest())


def an_order_request(**changes: Unpack[RequestFields]) -> OrderRequest:
    """Return a request that is right in every respect a test does not name; its document is `PDF`."""
    request = OrderRequest(
        court_id=COURT,
        district_id=DISTRICT,
        case_number="2026-CV-7",
        subject=a_company(),
        lines=(a_line(),),
        authority=an_authority(),
        valid_for=90 * DAY,
    )
    return replace(request, **changes)


def a_document(
    office: Office, content: bytes = PDF, *, errand: Errand | None = None, court_id: str = COURT
) -> Document:
    """Keep a document, uploaded by the clerk unless told."""
    return keep_document(office, court_id, io.BytesIO(content), errand or an_errand())


def a_draft(office: Office, errand: Errand | None = None, **changes: Unpack[RequestFields]) -> Order:
    """Draft an order on the document `PDF`."""
    errand = errand or an_errand()
    request = an_order_request(**changes)
    a_document(office, errand=replace(errand, claim=None), court_id=request.court_id)
    return draft_order(office, request, errand)


def a_submitted_order(office: Office, errand: Errand | None = None, **changes: Unpack[RequestFields]) -> Order:
    """Draft and submit."""
    errand = errand or an_errand()
    return submit_order(office, a_draft(office, errand, **changes).order_id, errand)


def an_approved_order(office: Office, *, at: datetime = NOON, **changes: Unpack[RequestFields]) -> Order:
    """Have the clerk draft and the approver approve: an organisation is warned from `at` on, a person is told."""
    order = a_submitted_order(office, an_errand(at=at), **changes)
    return approve_order(office, order.order_id, an_errand(Role.APPROVER, at=at))


def a_suspended_order(office: Office, *, at: datetime = NOON, **changes: Unpack[RequestFields]) -> Order:
    """Approve an order, and have the clerk suspend it at the same instant."""
    order = an_approved_order(office, at=at, **changes)
    return suspend_order(office.engine, office.keys, order.order_id, an_errand(at=at))


def an_order_in(office: Office, state: OrderState, **changes: Unpack[RequestFields]) -> Order:
    """Lead an order through its life until it is in `state` at `NOON`."""
    match state:
        case OrderState.DRAFT:
            return a_draft(office, an_errand(at=NOON - 10 * DAY), **changes)
        case OrderState.SUBMITTED:
            return a_submitted_order(office, an_errand(at=NOON - 10 * DAY), **changes)
        case OrderState.WARNED | OrderState.APPROVED:
            return an_approved_order(office, at=NOON - DAY, **changes)
        case OrderState.IN_FORCE:
            return an_approved_order(office, at=NOON - 10 * DAY, **changes)
        case OrderState.SUSPENDED:
            order = an_approved_order(office, at=NOON - 10 * DAY, **changes)
            return suspend_order(office.engine, office.keys, order.order_id, an_errand(at=NOON - DAY))
        case OrderState.LIFTED:
            order = an_approved_order(office, at=NOON - 10 * DAY, **changes)
            return lift_order(office.engine, office.keys, order.order_id, an_errand(at=NOON - DAY))
        case OrderState.EXPIRED:
            changes["valid_for"] = 5 * DAY
            return an_approved_order(office, at=NOON - 10 * DAY, **changes)


def a_person() -> NaturalPerson:
    return NaturalPerson(name="Jo Bloggs")


def a_dispute(
    office: Office, order: Order, *, call: str = "1", number: str = NUMBER, ground: Ground = Ground.CONTESTED
) -> str:
    """Have somebody on the line press a key in a call, and return the dispute's id."""
    index = hashlib.sha256(call.encode()).digest()[:16]
    with office.engine.begin() as connection:
        found = indexes_of_line(E164(number), office.keys)
        return suspend_line(connection, order.order_id, found, ground, (index,), NOON)[0].dispute_id


def the_order(office: Office, order_id: str) -> Order:
    """Read an order back."""
    with office.engine.connect() as connection:
        return orders.read(connection, order_id, office.keys)


def lines_of(office: Office, order_id: str) -> tuple[lines.LineEntry, ...]:
    with office.engine.connect() as connection:
        return lines.of_orders(connection, [order_id], office.cipher).get(order_id, ())


def trail_of(office: Office, subject_id: str = "") -> list[str]:
    """Return what the trail tells of one thing, or of everything, oldest first."""
    statement = select(trail.c.tag).order_by(trail.c.seq)
    with office.engine.connect() as connection:
        about = statement.where(trail.c.subject_id == subject_id) if subject_id else statement
        return list(connection.execute(about).scalars())


def details_of(office: Office, subject_id: str) -> list[dict[str, object]]:
    """Return the details of what the trail tells of one thing."""
    statement = select(trail.c.details).where(trail.c.subject_id == subject_id).order_by(trail.c.seq)
    with office.engine.connect() as connection:
        return [json.loads(each) for each in connection.execute(statement).scalars()]


def told_of(office: Office, order_id: str) -> list[str]:
    """Return the events in the outbox that name an order, oldest first."""
    with office.engine.connect() as connection:
        rows = connection.execute(select(messages.c.event, messages.c.body).order_by(messages.c.at)).all()
    return [row.event for row in rows if json.loads(row.body)["data"].get("order") == order_id]


def warm(office: Office, order: Order, at: datetime = NOON) -> None:
    """Make the notices of a submitted order beforehand, so that approving it takes no longer than lifting it."""
    with office.engine.connect() as connection:
        court = courts.get(connection, order.court_id)
    valid_for = order.valid_for or 90 * DAY
    approved = approve(order, "per_nobody", at + valid_for, court.warning_days * DAY, at)
    make_parts(office.studio, approved, court, Wanted(languages=order.languages))


def race(*doings: Callable[[], object]) -> list[object]:
    """Do several things at once, each in a thread of its own; return what came of each, refusals included."""
    start = threading.Barrier(len(doings))
    found: list[object] = [None] * len(doings)

    def run(number: int, do: Callable[[], object]) -> None:
        start.wait()
        try:
            found[number] = do()
        except Exception as error:  # noqa: BLE001  (raised again below, where it is no refusal)
            found[number] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(doings)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in found:
        if isinstance(each, Exception) and not isinstance(each, GatewayError):
            raise each
    return found


def refusals(outcomes: Sequence[object]) -> list[GatewayError]:
    return [each for each in outcomes if isinstance(each, GatewayError)]


def a_desk(parts: Parts) -> CallDesk:
    """Return a desk that answers calls, its screen read just now."""
    screen = Screen(parts.keys)
    with parts.calls.connect() as connection:
        screen.refresh(connection)
    return make_call_desk(engine=parts.calls, office=parts.studio.engine, screen=screen, keys=parts.keys)


def a_call_to(number: str, moment: Moment | None = None) -> CallFacts:
    """Return a call of its own to a line, through a provider that can do everything."""
    return CallFacts(
        provider="twilio",
        provider_call_id=new_id("call"),
        caller=E164("+12025550188"),
        callee=E164(number),
        destination=Telephone(number=number),
        capabilities=frozenset(Capability),
        moment=moment or Arriving(),
    )


def heard(parts: Parts, number: str, order_id: str, now: datetime) -> tuple[str, ...]:
    """Call a line at `now` and return what is played: to the caller (A) and, once picked up, to the callee (B)."""
    desk, call = a_desk(parts), a_call_to(number)
    answered = replace(call, moment=CalleeAnswered(order_id=order_id))
    plans: list[CallPlan] = [answer_call(desk, call, now), answer_call(desk, answered, now)]
    found = []
    for step in (step for plan in plans for step in plan.steps):
        match step:
            case PlayToCaller(notice=notice):
                found.append(f"A:{notice.purpose.value}")
            case PlayToCallee(notice=notice):
                found.append(f"B:{notice.purpose.value}")
            case _:
                continue
    return tuple(found)
