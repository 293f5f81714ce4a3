"""The whole life of an order in the domain: every verb in every state, two officers, and what a suspension costs."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.decide import decide
from gateway.domain.errors import (
    GatewayError,
    InvalidTransitionError,
    InvalidWindowError,
    NaiveTimeError,
    NoDocumentError,
    SameOfficerError,
)
from gateway.domain.facts import Arriving, CalleeAnswered
from gateway.domain.order import (
    LONGEST_VALIDITY,
    Authority,
    Order,
    OrderState,
    approve,
    extend,
    lift,
    redraft,
    resume,
    send_back,
    submit,
    suspend,
)
from gateway.domain.plan import PlayToCallee, PlayToCaller
from tests.builders import NOW, a_call, a_digest, a_person, an_order, an_organisation, under

DAY, TICK = timedelta(days=1), timedelta.resolution
WARNING, UNTIL = 3 * DAY, NOW + 90 * DAY
LATER = NOW + 200 * DAY
APPROVED_STATES = (OrderState.APPROVED, OrderState.WARNED, OrderState.IN_FORCE)

# Every verb, done at NOW by an officer who did not draft, and where it leads from each state that allows it.
VERBS: dict[str, tuple[Callable[[Order], Order], dict[OrderState, OrderState]]] = {
    "edited": (lambda order: redraft(order, "officer-2", NOW), {OrderState.DRAFT: OrderState.DRAFT}),
    "submitted": (lambda order: submit(order, NOW), {OrderState.DRAFT: OrderState.SUBMITTED}),
    "returned": (lambda order: send_back(order, NOW), {OrderState.SUBMITTED: OrderState.DRAFT}),
    "approved": (
        lambda order: approve(order, "officer-2", UNTIL, WARNING, NOW),
        {OrderState.SUBMITTED: OrderState.WARNED},
    ),
    "suspended": (
        lambda order: suspend(order, NOW),
        dict.fromkeys((*APPROVED_STATES, OrderState.SUSPENDED), OrderState.SUSPENDED),
    ),
    "resumed": (lambda order: resume(order, "officer-2", NOW), {OrderState.SUSPENDED: OrderState.IN_FORCE}),
    "extended": (
        lambda order: extend(order, "officer-2", LATER, a_digest("new"), NOW),
        {state: state for state in (*APPROVED_STATES, OrderState.SUSPENDED)},
    ),
    "lifted": (lambda order: lift(order, NOW), dict.fromkeys(OrderState, OrderState.LIFTED)),
}
CELLS = [(verb, state) for verb in VERBS for state in OrderState]


@pytest.mark.parametrize(("verb", "state"), CELLS, ids=lambda value: getattr(value, "value", value))
def test_each_verb_is_done_in_the_states_that_allow_it_and_refused_by_name_in_all_others(
    verb: str, state: OrderState
) -> None:
    do, allowed = VERBS[verb]
    if state in allowed:
        assert do(an_order(state)).state_at(NOW) is allowed[state]
        return
    with pytest.raises(InvalidTransitionError, match=f"Order order-1 is {state.value}; it cannot be {verb}"):
        do(an_order(state))


def test_a_warning_that_a_suspension_cut_short_goes_on_for_what_was_left_of_it() -> None:
    order = approve(an_order(OrderState.SUBMITTED), "officer-2", UNTIL, WARNING, NOW)
    cut = suspend(order, NOW + DAY)
    resumed = resume(cut, "officer-2", NOW + 20 * DAY)
    assert resumed.in_force_from == NOW + 22 * DAY
    assert resumed.state_at(NOW + 22 * DAY - TICK) is OrderState.WARNED
    assert resumed.state_at(NOW + 22 * DAY) is OrderState.IN_FORCE


def test_a_warning_cut_short_twice_is_served_whole() -> None:
    order = approve(an_order(OrderState.SUBMITTED), "officer-2", UNTIL, WARNING, NOW)
    for day in (1, 11):
        order = resume(suspend(order, NOW + day * DAY), "officer-2", NOW + (day + 9) * DAY)
    assert order.in_force_from == NOW + 3 * DAY + 2 * 9 * DAY


def test_a_warning_that_was_over_is_not_served_again() -> None:
    order = approve(an_order(OrderState.SUBMITTED), "officer-2", UNTIL, WARNING, NOW)
    resumed = resume(suspend(order, NOW + 3 * DAY), "officer-2", NOW + 20 * DAY)
    assert resumed.in_force_from == NOW + WARNING
    assert resumed.state_at(NOW + 20 * DAY) is OrderState.IN_FORCE


def test_an_order_that_would_end_before_its_warning_does_cannot_be_resumed_until_it_is_extended() -> None:
    order = approve(an_order(OrderState.SUBMITTED), "officer-2", NOW + 5 * DAY, WARNING, NOW)
    cut = suspend(order, NOW + DAY)
    with pytest.raises(InvalidWindowError, match="extend it first"):
        resume(cut, "officer-2", NOW + 4 * DAY)
    extended = extend(cut, "officer-2", NOW + 50 * DAY, a_digest("new"), NOW + 4 * DAY)
    assert resume(extended, "officer-2", NOW + 4 * DAY).in_force_from == NOW + 6 * DAY


SECOND: dict[str, Callable[[Order, str], Order]] = {
    "approve": lambda order, officer: approve(order, officer, UNTIL, WARNING, NOW),
    "resume": lambda order, officer: resume(order, officer, NOW),
    "extend": lambda order, officer: extend(order, officer, LATER, a_digest("new"), NOW),
}
STATE_FOR = {"approve": OrderState.SUBMITTED, "resume": OrderState.SUSPENDED, "extend": OrderState.IN_FORCE}


@pytest.mark.parametrize("verb", SECOND)
@pytest.mark.parametrize("officer", ["officer-1", "OFFICER-1", "officer-0", "Officer-0"])
def test_nobody_who_wrote_any_of_an_order_is_its_second_officer(verb: str, officer: str) -> None:
    order = replace(an_order(STATE_FOR[verb]), earlier_drafters=("officer-0",))
    with pytest.raises(SameOfficerError):
        SECOND[verb](order, officer)


def test_an_edit_by_a_colleague_lets_neither_of_the_two_approve() -> None:
    order = submit(redraft(an_order(OrderState.DRAFT), "officer-2", NOW), NOW)
    assert (order.drafted_by, order.earlier_drafters) == ("officer-2", ("officer-1",))
    for officer in ("officer-1", "officer-2"):
        with pytest.raises(SameOfficerError):
            approve(order, officer, UNTIL, WARNING, NOW)
    assert approve(order, "officer-3", UNTIL, WARNING, NOW).approved_by == "officer-3"


def test_everybody_who_edited_is_remembered_once_through_returns_and_further_edits() -> None:
    order = an_order(OrderState.DRAFT)
    for officer in ("officer-2", "officer-1", "officer-2", "officer-3", "OFFICER-3"):
        order = send_back(submit(redraft(order, officer, NOW), NOW), NOW)
    assert order.drafted_by == "OFFICER-3"
    assert sorted(order.earlier_drafters) == ["officer-1", "officer-2"]


def test_an_order_approved_by_an_earlier_drafter_is_never_in_force() -> None:
    order = replace(an_order(), earlier_drafters=("OFFICER-2",))
    assert order.state_at(NOW) is OrderState.SUBMITTED


@pytest.mark.parametrize(
    ("until", "error", "why"),
    [
        (NOW, InvalidWindowError, "before it begins"),
        (UNTIL, InvalidWindowError, "runs until then already"),
        (NOW + LONGEST_VALIDITY + TICK, InvalidWindowError, "at most 366 days"),
        (LATER.replace(tzinfo=None), NaiveTimeError, "valid_until"),
    ],
)
def test_an_extension_is_bounded(until: datetime, error: type[GatewayError], why: str) -> None:
    with pytest.raises(error, match=why):
        extend(an_order(), "officer-2", until, a_digest("new"), NOW)


def test_the_longest_extension_counts_from_the_day_it_is_granted() -> None:
    assert extend(an_order(), "officer-2", NOW + LONGEST_VALIDITY, a_digest("new"), NOW).valid_until == (
        NOW + LONGEST_VALIDITY
    )


@pytest.mark.parametrize("sha256", ["", "abc", "G" * 64, "A" * 64, "0" * 63])
def test_no_order_is_made_or_extended_without_a_document(sha256: str) -> None:
    with pytest.raises(NoDocumentError):
        Authority(legal_basis="Rule 69", document_sha256=sha256)
    with pytest.raises(NoDocumentError):
        extend(an_order(), "officer-2", LATER, sha256, NOW)


@dataclass(kw_only=True)
class Told:
    """What an observer who knows no rule wrote down of an order's history."""

    subject_is_person: bool
    order: Order
    writers: set[str] = field(default_factory=lambda: {"officer-1"})
    approver: str | None = None
    warned_for: timedelta = timedelta(0)
    suspended: bool = False
    lifted: bool = False

    def passes(self, time: timedelta) -> None:
        if self.approver and not self.suspended:
            self.warned_for += time


STEPS = st.tuples(
    st.sampled_from(
        # What leads on is common, so that many of the histories get that far.
        (*["submit"] * 2, *["approve"] * 3, "edit", "return", "suspend", *["resume"] * 2, "extend", "lift")
    ),
    st.sampled_from(("officer-1", "officer-2", "officer-3")),
    st.integers(0, 48).map(lambda hours: timedelta(hours=hours)),
)


def _do(told: Told, verb: str, officer: str, now: datetime) -> None:
    match verb:
        case "submit":
            told.order = submit(told.order, now)
        case "approve":
            told.order = approve(told.order, officer, now + 90 * DAY, WARNING, now)
            told.approver, told.warned_for = officer, timedelta(0)
        case "edit":
            told.order = redraft(told.order, officer, now)
            told.writers.add(officer)
        case "return":
            told.order = send_back(told.order, now)
        case "suspend":
            told.order = suspend(told.order, now)
            told.suspended = True
        case "resume":
            told.order = resume(told.order, officer, now)
            told.suspended = False
        case "extend":
            told.order = extend(told.order, officer, now + 100 * DAY, a_digest(str(now)), now)
        case _:
            told.order = lift(told.order, now)
            told.lifted = True


def _is_heard(order: Order, now: datetime) -> bool:
    moments = (Arriving(), CalleeAnswered(order_id=order.order_id))
    plans = [decide(a_call(moment), under(order), now) for moment in moments]
    return any(isinstance(step, PlayToCaller | PlayToCallee) for plan in plans for step in plan.steps)


@given(st.booleans(), st.lists(STEPS, min_size=2, max_size=14))
def test_whatever_officers_do_nothing_is_heard_without_two_of_them_a_document_and_a_warning_served(
    person: bool,  # noqa: FBT001  (Hypothesis hands it over by position)
    steps: list[tuple[str, str, timedelta]],
) -> None:
    subject = a_person() if person else an_organisation()
    told = Told(subject_is_person=person, order=an_order(OrderState.DRAFT, subject=subject))
    now = NOW
    for verb, officer, gap in steps:
        now += gap
        told.passes(gap)
        before = told.order
        try:
            _do(told, verb, officer, now)
        except GatewayError:
            assert told.order == before
        state = told.order.state_at(now)
        if state is OrderState.IN_FORCE:
            assert told.approver is not None
            assert told.approver not in told.writers
            assert person or told.warned_for >= WARNING
            assert len(told.order.authority.document_sha256) == 64
        if told.suspended or told.lifted or told.approver is None:
            assert state not in {*APPROVED_STATES}
            assert not _is_heard(told.order, now)
        if state not in APPROVED_STATES:
            assert not _is_heard(told.order, now)


def test_the_histories_above_do_come_into_force() -> None:
    """A property about what is never heard says little if nothing ever is."""
    order = an_order(OrderState.DRAFT)
    order = approve(submit(order, NOW), "officer-2", UNTIL, WARNING, NOW)
    assert not _is_heard(submit(an_order(OrderState.DRAFT), NOW), NOW)
    assert _is_heard(order, NOW)
    assert _is_heard(order, NOW + 3 * DAY)
