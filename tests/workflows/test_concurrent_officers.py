"""Officers who do things to one order at the same instant: one consistent order, one entry for each real change.

Real threads over real databases. Whoever comes second gets a clear refusal, or finds the work done; nothing is lost.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from threading import Thread

import pytest
from sqlalchemy import func, select, text

from gateway.domain.court import Court, District
from gateway.domain.e164 import E164
from gateway.domain.errors import GatewayError, InvalidTransitionError, StaleVersionError
from gateway.domain.events import Event
from gateway.domain.order import Order, OrderState
from gateway.domain.rights import ActorKind, Everywhere, Right, Role
from gateway.domain.standing import Ground
from gateway.outbox.post import post
from gateway.privacy.blind_index import indexes_of_line
from gateway.register import courts, districts, orders
from gateway.register.disputes import Resolution
from gateway.register.documents import Document
from gateway.register.errors import DuplicateOrderError
from gateway.register.lines import suspend_line
from gateway.register.tables import documents, notices, proposals
from gateway.workflows.approve_order import approve_order
from gateway.workflows.draft_order import draft_order, edit_draft, return_order, submit_order
from gateway.workflows.end_order import lift_order, satisfy_order, suspend_order
from gateway.workflows.keep_document import keep_document
from gateway.workflows.office import Office
from gateway.workflows.propose_notice import propose_notice
from gateway.workflows.publish_notice import Text
from gateway.workflows.resolve_dispute import AlreadyResolvedError, resolve_dispute
from gateway.workflows.resume_order import resume_order
from gateway.workflows.set_up_court import TakenIdError, add_court, add_district
from tests.builders_office import (
    COURT,
    DISTRICT,
    NOON,
    NUMBER,
    PDF,
    a_dispute,
    a_document,
    a_draft,
    a_line,
    a_person,
    a_submitted_order,
    a_suspended_order,
    an_approved_order,
    an_errand,
    an_order_request,
    by_whom,
    lines_of,
    race,
    refusals,
    the_order,
    told_of,
    trail_of,
    warm,
)

SECOND, THIRD = an_errand(Role.APPROVER), an_errand(Role.APPROVER, by="per_third")
PAYMENTS = by_whom(Right.SATISFACTION_REPORT, by="key_payments", kind=ActorKind.API_KEY)
ADMINISTRATOR = an_errand(Role.ADMINISTRATOR, scope=Everywhere())
# The trail's word for each verb, and the message that the court is sent.
TAGS = {
    "approve": ("office:order:approved", "order.approved"),
    "approve as well": ("office:order:approved", "order.approved"),
    "lift": ("office:order:lifted", "order.lifted"),
    "satisfy": ("payment:order:lifted", "order.lifted"),
    "suspend": ("office:order:suspended", "order.suspended"),
    "resume": ("office:order:resumed", "order.resumed"),
    "resume as well": ("office:order:resumed", "order.resumed"),
    "submit": ("office:order:submitted", None),
    "submit as well": ("office:order:submitted", None),
    "return": ("office:order:returned", None),
    "edit": ("office:order:edited", None),
    "propose": ("office:notice:proposed", None),
}


def do(office: Office, verb: str, order: Order) -> Callable[[], object]:
    """Return what an officer who has just read `order` does."""
    order_id, version, engine, keys = order.order_id, order.version, office.engine, office.keys
    request = an_order_request(case_number=order.case_number)
    return {
        "approve": lambda: approve_order(office, order_id, SECOND, expected=version),
        "approve as well": lambda: approve_order(office, order_id, THIRD),
        "lift": lambda: lift_order(engine, keys, order_id, an_errand()),
        "satisfy": lambda: satisfy_order(engine, keys, order_id, PAYMENTS, reference="P1"),
        "suspend": lambda: suspend_order(engine, keys, order_id, an_errand()),
        "resume": lambda: resume_order(office, order_id, SECOND, expected=version),
        "resume as well": lambda: resume_order(office, order_id, THIRD),
        "submit": lambda: submit_order(office, order_id, an_errand()),
        "submit as well": lambda: submit_order(office, order_id, an_errand(by="per_2"), expected=version),
        "return": lambda: return_order(office, order_id, THIRD),
        "edit": lambda: edit_draft(office, order_id, request, an_errand(by="per_2"), expected=version),
        "propose": lambda: propose_notice(office, order_id, "en", Text(text="It owes a debt."), an_errand()),
    }[verb]


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """Verbs done at once to an order in some state, and what the trail may say of them afterwards."""

    start: OrderState
    verbs: tuple[str, str]
    endings: tuple[tuple[str, ...], ...]


SUBMITTED, SUSPENDED = OrderState.SUBMITTED, OrderState.SUSPENDED
RACES = (
    Race(start=SUBMITTED, verbs=("approve", "lift"), endings=(("lift",), ("approve", "lift"))),
    Race(start=SUBMITTED, verbs=("approve", "satisfy"), endings=(("satisfy",), ("approve", "satisfy"))),
    Race(start=SUBMITTED, verbs=("approve", "edit"), endings=(("approve",),)),
    Race(start=SUBMITTED, verbs=("approve", "return"), endings=(("approve",), ("return",))),
    Race(start=SUBMITTED, verbs=("approve", "suspend"), endings=(("approve",), ("approve", "suspend"))),
    Race(start=SUBMITTED, verbs=("approve", "approve as well"), endings=(("approve",),)),
    Race(
        start=SUBMITTED,
        verbs=("approve", "propose"),
        endings=(("approve",), ("propose",), ("approve", "propose")),
    ),
    Race(start=SUSPENDED, verbs=("resume", "lift"), endings=(("lift",), ("resume", "lift"))),
    Race(start=SUSPENDED, verbs=("resume", "resume as well"), endings=(("resume",),)),
    Race(start=SUSPENDED, verbs=("satisfy", "lift"), endings=(("satisfy",), ("lift",))),
    Race(start=OrderState.DRAFT, verbs=("submit", "submit as well"), endings=(("submit",),)),
    Race(start=OrderState.DRAFT, verbs=("submit", "edit"), endings=(("submit",), ("edit", "submit"))),
    Race(start=OrderState.DRAFT, verbs=("submit", "lift"), endings=(("lift",), ("submit", "lift"))),
)
STATE_AFTER = {
    "approve": OrderState.WARNED,
    "lift": OrderState.LIFTED,
    "satisfy": OrderState.LIFTED,
    "suspend": OrderState.SUSPENDED,
    "resume": OrderState.WARNED,
    "submit": OrderState.SUBMITTED,
    "return": OrderState.DRAFT,
}


def start_of(office: Office, state: OrderState, case_number: str) -> Order:
    match state:
        case OrderState.DRAFT:
            return a_draft(office, case_number=case_number)
        case OrderState.SUSPENDED:
            return a_suspended_order(office, case_number=case_number)
        case _:
            order = a_submitted_order(office, case_number=case_number)
            warm(office, order)
            return order


@pytest.mark.parametrize("run", RACES, ids=lambda run: " and ".join(run.verbs))
def test_two_officers_at_once_leave_one_consistent_order(office: Office, run: Race) -> None:
    for number, verbs in enumerate((run.verbs, run.verbs[::-1], run.verbs)):
        order = start_of(office, run.start, f"2026-CV-{number}")
        before, told = trail_of(office, order.order_id), len(told_of(office, order.order_id))
        outcomes = race(*(do(office, verb, order) for verb in verbs))
        written = trail_of(office, order.order_id)[len(before) :]
        assert written in [[TAGS[verb][0] for verb in ending] for ending in run.endings]
        ending = next(each for each in run.endings if [TAGS[verb][0] for verb in each] == written)
        events = [event for event in (TAGS[verb][1] for verb in ending) if event is not None]
        assert len(told_of(office, order.order_id)) == told + len(events)
        assert set(events) <= set(told_of(office, order.order_id))
        left = the_order(office, order.order_id)
        assert left.version == order.version + len(written)
        decisive = [verb for verb in ending if verb in STATE_AFTER]
        assert left.state_at(NOON) is (STATE_AFTER[decisive[-1]] if decisive else run.start)
        for refused in refusals(outcomes):
            assert isinstance(refused, StaleVersionError | InvalidTransitionError), refused
        done = len(outcomes) - len(refusals(outcomes))
        # Who lifts what is lifted already is told so kindly, and nothing is written.
        assert done == len(ending) or (done == 2 and set(run.verbs) == {"satisfy", "lift"})
        assert_whole(office, left, "propose" in ending)


def assert_whole(office: Office, order: Order, proposed: bool) -> None:  # noqa: FBT001  (what it is named for)
    """An approved order has its notices and two officers, another has neither; a proposal is kept or was used."""
    with office.engine.connect() as connection:
        attached = connection.scalar(
            select(func.count()).select_from(notices).where(notices.c.order_id == order.order_id)
        )
        waiting = connection.scalar(
            select(func.count()).select_from(proposals).where(proposals.c.order_id == order.order_id)
        )
    assert attached == (2 if order.approved_at is not None else 0)
    assert waiting == (1 if proposed else 0)
    assert order.approved_by is None or not order.is_by(order.approved_by)


def test_of_two_officers_who_resolve_a_dispute_at_once_one_decides(office: Office) -> None:
    order = an_approved_order(office)
    for number, verdicts in enumerate(
        ((Resolution.RESUME, Resolution.REMOVE_LINE), (Resolution.RESUME, Resolution.LIFT))
    ):
        if number:
            order = an_approved_order(office, case_number="2026-CV-8", lines=(a_line("+12025550161"),))
        dispute = a_dispute(
            office, order, call=str(number), number=lines_of(office, order.order_id)[0].line.number.number
        )
        outcomes = race(
            *(
                lambda verdict=verdict, officer=officer, dispute=dispute: resolve_dispute(
                    office, dispute, verdict, officer
                )
                for verdict, officer in zip(verdicts, (SECOND, THIRD), strict=True)
            )
        )
        assert [type(each) for each in refusals(outcomes)] == [AlreadyResolvedError]
        assert trail_of(office, dispute) == ["office:dispute:resolved"]
        won = verdicts[next(place for place, each in enumerate(outcomes) if not isinstance(each, GatewayError))]
        left = lines_of(office, order.order_id)
        assert (left == ()) is (won is Resolution.REMOVE_LINE)
        assert (the_order(office, order.order_id).lifted_at is not None) is (won is Resolution.LIFT)


def test_a_key_pressed_while_an_officer_lets_the_line_be_heard_again_is_never_lost(office: Office) -> None:
    """Whichever comes first: as long as a dispute is open, its line is silent."""
    order = an_approved_order(office, subject=a_person())
    dispute = a_dispute(office, order, call="first")
    for number in range(6):
        outcomes = race(
            partial(resolve_dispute, office, dispute, Resolution.RESUME, SECOND),
            partial(a_dispute, office, order, call=f"call {number}", ground=Ground.WRONG_PERSON),
        )
        assert refusals(outcomes) == []
        assert lines_of(office, order.order_id)[0].suspended_at is not None
        dispute = str(outcomes[1])


def test_an_officer_waits_for_a_key_that_is_being_written_about_a_line_that_is_silent_already(office: Office) -> None:
    """The key changes nothing on the line; what the officer must not miss is the dispute that is not committed yet."""
    order = an_approved_order(office, subject=a_person())
    dispute = a_dispute(office, order)
    index = indexes_of_line(E164(NUMBER), office.keys)
    officer = Thread(target=resolve_dispute, args=(office, dispute, Resolution.RESUME, SECOND))
    with office.engine.begin() as call:
        suspend_line(call, order.order_id, index, Ground.WRONG_PERSON, (b"c" * 16,), NOON)
        officer.start()
        officer.join(timeout=1)
        assert officer.is_alive()
    officer.join()
    assert lines_of(office, order.order_id)[0].suspended_at is not None


@pytest.mark.parametrize("demo_settings", ["postgresql"], indirect=True)
def test_locks_of_officers_let_through_what_only_refers_to_the_locked_row(office: Office) -> None:
    """Otherwise a key on a call, or a message to a court, would wait in a circle. SQLite has one writer at a time."""
    order = an_approved_order(office)
    with office.engine.begin() as officer, office.engine.begin() as other:
        orders.get(officer, order.order_id, office.keys)
        courts.get(officer, COURT, lock=True)
        districts.get(officer, DISTRICT, lock=True)
        other.execute(text("SET LOCAL lock_timeout = '2s'"))
        index = indexes_of_line(E164(NUMBER), office.keys)
        suspend_line(other, order.order_id, index, Ground.CONTESTED, (b"c" * 16,), NOON)
        post(other, Event.ORDER_LIFTED, court_id=COURT, data={}, now=NOON)
        fresh = replace(order, order_id="ord_fresh", case_number="fresh", approved_at=None, approved_by=None)
        orders.add(other, fresh, [], office.keys)


def test_the_same_document_uploaded_by_many_at_once_is_one_document(office: Office) -> None:
    outcomes = race(
        *(
            lambda number=number: keep_document(office, COURT, io.BytesIO(PDF), an_errand(by=f"per_{number}"))
            for number in range(6)
        )
    )
    assert len({each.document_id for each in outcomes if isinstance(each, Document)}) == 1
    with office.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(documents)) == 1
        document_id = connection.scalar(select(documents.c.document_id))
    assert office.vault.names() == {document_id}
    assert trail_of(office, str(document_id)) == ["office:document:uploaded"]


def test_of_many_who_draft_an_order_for_one_case_at_once_one_does(office: Office) -> None:
    a_document(office)
    outcomes = race(
        *(
            lambda number=number: draft_order(office, an_order_request(), an_errand(by=f"per_{number}"))
            for number in range(5)
        )
    )
    assert [type(each) for each in refusals(outcomes)] == [DuplicateOrderError] * 4
    assert trail_of(office).count("office:order:drafted") == 1


def test_officers_who_make_the_same_words_for_the_first_time_at_once_do_not_disturb_each_other(office: Office) -> None:
    """Two people of one court are told the same opener, and the replies to keys are everybody's."""
    made = [
        a_submitted_order(office, subject=a_person(), case_number=f"2026-CV-{number}", languages=("zh",))
        for number in range(3)
    ]
    outcomes = race(*(lambda order=order: approve_order(office, order.order_id, SECOND) for order in made))
    assert refusals(outcomes) == []


def test_one_id_is_given_to_one_court_and_to_one_district(office: Office) -> None:
    court = Court(court_id="hillside", name="Hillside Court", zone="Europe/London")
    top = District(district_id="hillside", court_id="hillside", name="Hillside", parent_id=None, enabled=True)
    for outcomes in (
        race(*[lambda: add_court(office.engine, office.keys, court, ADMINISTRATOR)] * 4),
        race(*[lambda: add_district(office.engine, office.keys, top, ADMINISTRATOR)] * 4),
    ):
        assert [type(each) for each in refusals(outcomes)] == [TakenIdError] * 3
    assert trail_of(office, "hillside") == ["office:court:added", "office:district:added"]
