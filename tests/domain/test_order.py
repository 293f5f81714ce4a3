"""The life of an order: who may do what to it when, and what time does to it by itself."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import (
    GatewayError,
    InvalidTransitionError,
    InvalidWindowError,
    NaiveTimeError,
    SameOfficerError,
)
from gateway.domain.order import LONGEST_VALIDITY, Order, OrderState, approve, lift, submit, suspend
from gateway.domain.standing import History
from tests.builders import LONDON, NOW, OrderFields, a_person, an_order, an_organisation
from tests.domain.situations import free_instants

DAY, TICK = timedelta(days=1), timedelta.resolution
WARNING, UNTIL = 3 * DAY, NOW + 90 * DAY
NAIVE = NOW.replace(tzinfo=None)
SUBMITTED = an_order(OrderState.SUBMITTED)


def _approved(order: Order = SUBMITTED, *, by: str = "officer-2", now: datetime = NOW) -> Order:
    return approve(order, by, UNTIL, WARNING, now)


# What may be done to an order in each state, and the state it is in thereafter; None is a refusal.
LIFE: dict[str, tuple[Callable[[Order], Order], dict[OrderState, OrderState]]] = {
    "submitted": (lambda order: submit(order, NOW), {OrderState.DRAFT: OrderState.SUBMITTED}),
    "approved": (_approved, {OrderState.SUBMITTED: OrderState.WARNED}),
    "suspended": (
        lambda order: suspend(order, NOW),
        dict.fromkeys(
            (OrderState.APPROVED, OrderState.WARNED, OrderState.IN_FORCE, OrderState.SUSPENDED), OrderState.SUSPENDED
        ),
    ),
    "lifted": (lambda order: lift(order, NOW), dict.fromkeys(OrderState, OrderState.LIFTED)),
}
STEPS = [(verb, state) for verb in LIFE for state in OrderState]


@pytest.mark.parametrize(
    ("verb", "state"),
    [(verb, state) for verb, state in STEPS if state in LIFE[verb][1]],
    ids=lambda value: value.value if isinstance(value, OrderState) else value,
)
def test_an_order_may_be_moved_on(verb: str, state: OrderState) -> None:
    do, allowed = LIFE[verb]
    assert do(an_order(state)).state_at(NOW) is allowed[state]


@pytest.mark.parametrize(
    ("verb", "state"),
    [(verb, state) for verb, state in STEPS if state not in LIFE[verb][1]],
    ids=lambda value: value.value if isinstance(value, OrderState) else value,
)
def test_an_order_in_any_other_state_may_not(verb: str, state: OrderState) -> None:
    do, _ = LIFE[verb]
    with pytest.raises(InvalidTransitionError, match=f"Order order-1 is {state.value}; it cannot be {verb}"):
        do(an_order(state))


@pytest.mark.parametrize("state", OrderState)
def test_the_builder_builds_orders_in_the_state_it_is_asked_for(state: OrderState) -> None:
    assert an_order(state).state_at(NOW) is state


def test_an_organisations_order_is_warned_first_and_in_force_when_the_warning_is_over() -> None:
    order = _approved()
    assert order.state_at(NOW) is OrderState.WARNED
    assert order.state_at(NOW + WARNING - TICK) is OrderState.WARNED
    assert order.state_at(NOW + WARNING) is OrderState.IN_FORCE
    assert order.state_at(UNTIL - TICK) is OrderState.IN_FORCE
    assert order.state_at(UNTIL) is OrderState.EXPIRED


def test_a_persons_order_has_no_warning_period() -> None:
    order = _approved(an_order(OrderState.SUBMITTED, subject=a_person()))
    assert order.state_at(NOW) is OrderState.IN_FORCE


def test_an_approval_says_who_and_when() -> None:
    order = _approved()
    assert (order.approved_by, order.approved_at) == ("officer-2", NOW)
    assert (order.drafted_by, order.drafted_at) == (SUBMITTED.drafted_by, SUBMITTED.drafted_at)


@pytest.mark.parametrize("officer", ["officer-1", "OFFICER-1", "Officer-1"])
def test_the_officer_who_drafted_an_order_cannot_approve_it_in_any_spelling(officer: str) -> None:
    with pytest.raises(SameOfficerError, match="a second officer must"):
        _approved(by=officer)


def test_spellings_are_compared_as_unicode_folds_them() -> None:
    with pytest.raises(SameOfficerError):
        _approved(an_order(OrderState.SUBMITTED, drafted_by="Strauß"), by="STRAUSS")


@pytest.mark.parametrize(
    ("until", "why"),
    [
        (NOW + WARNING, "it would end before it begins"),
        (NOW + WARNING - TICK, "it would end before it begins"),
        (NOW - DAY, "it would end before it begins"),
        (NOW + WARNING + LONGEST_VALIDITY + TICK, "at most 366 days"),
    ],
    ids=["ends as it begins", "ends during the warning", "ended yesterday", "lasts longer than a year"],
)
def test_an_order_that_would_hold_for_no_time_or_too_long_is_refused(until: datetime, why: str) -> None:
    with pytest.raises(InvalidWindowError, match=why):
        approve(SUBMITTED, "officer-2", until, WARNING, NOW)


@pytest.mark.parametrize("until", [NOW + WARNING + TICK, NOW + WARNING + LONGEST_VALIDITY])
def test_the_shortest_and_the_longest_order_are_accepted(until: datetime) -> None:
    assert approve(SUBMITTED, "officer-2", until, WARNING, NOW).valid_until == until


@pytest.mark.parametrize("warning", [timedelta(0), -DAY], ids=["no warning period", "one that is over before it began"])
def test_no_organisation_is_published_without_a_warning(warning: timedelta) -> None:
    """Promise 4: no notice without authority, and that includes a warning served."""
    with pytest.raises(GatewayError):
        approve(SUBMITTED, "officer-2", UNTIL, warning, NOW)


def test_suspending_twice_keeps_the_first_instant() -> None:
    order = suspend(an_order(), NOW)
    assert suspend(order, NOW + DAY) == order


def test_lifting_twice_keeps_the_first_instant() -> None:
    order = lift(an_order(), NOW)
    assert lift(order, NOW + DAY) == order


def test_an_order_that_is_lifted_stays_lifted_after_its_end() -> None:
    order = lift(an_order(), NOW)
    assert order.state_at(UNTIL + DAY) is OrderState.LIFTED


def test_lifting_tells_for_any_instant_even_one_before_it() -> None:
    """A clock behind the officer's must not bring a lifted order back."""
    assert lift(an_order(), NOW).state_at(NOW - DAY) is OrderState.LIFTED


def test_a_suspended_order_expires_all_the_same() -> None:
    assert suspend(an_order(), NOW).state_at(UNTIL) is OrderState.EXPIRED


@given(st.data())
def test_an_order_damaged_in_any_way_is_heard_only_with_approval_window_and_neither_lift_nor_suspension(
    data: st.DataObject,
) -> None:
    order = replace(an_order(OrderState.DRAFT), **data.draw(free_instants(NOW)))
    if order.state_at(NOW) in {OrderState.WARNED, OrderState.IN_FORCE}:
        assert order.approved_at is not None
        assert order.lifted_at is None
        assert order.suspended_at is None
        assert order.valid_until is not None
        assert order.valid_until > NOW
        begins = order.warned_from if order.state_at(NOW) is OrderState.WARNED else order.in_force_from
        assert begins is not None
        assert begins <= NOW


LACKING: list[tuple[str, OrderFields]] = [
    ("an approval", {"approved_at": None}),
    ("a second officer", {"approved_by": None}),
    ("a second officer, the first having signed twice", {"approved_by": "officer-1"}),
    ("an end", {"valid_until": None}),
    ("a beginning", {"in_force_from": None}),
    ("a warning served", {"warned_from": None}),
]


@pytest.mark.parametrize("fields", [fields for _, fields in LACKING], ids=[says for says, _ in LACKING])
def test_an_organisations_order_that_lacks_what_it_needs_is_not_in_force(fields: OrderFields) -> None:
    """Whether it cannot be made at all or only never comes into force: its notice must not be heard."""
    try:
        order = an_order(OrderState.IN_FORCE, **fields)
    except GatewayError:
        return
    assert order.state_at(NOW) is not OrderState.IN_FORCE


NAIVE_FIELDS: list[OrderFields] = [
    {"drafted_at": NAIVE},
    {"submitted_at": NAIVE},
    {"approved_at": NAIVE},
    {"warned_from": NAIVE},
    {"in_force_from": NAIVE},
    {"valid_until": NAIVE},
    {"suspended_at": NAIVE},
    {"lifted_at": NAIVE},
]


@pytest.mark.parametrize("fields", NAIVE_FIELDS, ids=lambda fields: next(iter(fields)))
def test_no_instant_of_an_order_may_be_naive(fields: OrderFields) -> None:
    with pytest.raises(NaiveTimeError, match=next(iter(fields))):
        an_order(**fields)


NAIVELY: dict[str, Callable[[], Order]] = {
    "submitted": lambda: submit(an_order(OrderState.DRAFT), NAIVE),
    "approved": lambda: approve(SUBMITTED, "officer-2", UNTIL, WARNING, NAIVE),
    "approved until": lambda: approve(SUBMITTED, "officer-2", NAIVE + 90 * DAY, WARNING, NOW),
    "suspended": lambda: suspend(an_order(), NAIVE),
    "lifted": lambda: lift(an_order(), NAIVE),
}


@pytest.mark.parametrize("verb", NAIVELY)
def test_nothing_is_done_to_an_order_at_a_naive_instant(verb: str) -> None:
    with pytest.raises(NaiveTimeError):
        NAIVELY[verb]()


HISTORIES: dict[str, Callable[[], History]] = {
    "an opener": lambda: History(openers=(NOW, NAIVE)),
    "a content": lambda: History(contents=(NAIVE,)),
    "an acknowledgement": lambda: History(acknowledged_at=NAIVE),
}


@pytest.mark.parametrize("what", HISTORIES)
def test_no_instant_of_a_lines_history_may_be_naive(what: str) -> None:
    """One that came this far would make `decide` raise in the middle of a call."""
    with pytest.raises(NaiveTimeError):
        HISTORIES[what]()


def test_an_order_expires_once_even_in_the_night_that_has_an_hour_twice() -> None:
    """London, 25 October 2026: 01:45 British Summer Time is half an hour before 01:15 Greenwich Mean Time."""
    until = datetime(2026, 10, 25, 1, 45, fold=0, tzinfo=LONDON)
    later = datetime(2026, 10, 25, 1, 15, fold=1, tzinfo=LONDON)
    assert until.astimezone(UTC) < later.astimezone(UTC)
    order = an_order(subject=an_organisation(), valid_until=until)
    assert order.state_at(later.astimezone(UTC)) is OrderState.EXPIRED
    assert order.state_at(later) is OrderState.EXPIRED
