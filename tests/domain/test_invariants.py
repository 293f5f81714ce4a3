"""What holds for `decide` whatever it is given: every promise about one webhook, as a property."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gateway.domain.decide import ACKNOWLEDGED_SILENCE, decide
from gateway.domain.facts import (
    Arriving,
    CalleeAnswered,
    CalleeListened,
    CallerListened,
    DialEnded,
    Looping,
    Opaque,
    Party,
    Urgency,
)
from gateway.domain.notice import Opener, PersonNotices, PrivateNotice, PublicNotice, Purpose, WarningNotice
from gateway.domain.order import OrderState, lift
from gateway.domain.plan import Acknowledge, Bridge, CallPlan, Connect, End, SuspendLine
from gateway.domain.standing import OrderOnLine, Unavailable, UnderOrders
from gateway.domain.subject import NaturalPerson, Organisation
from tests import strategies
from tests.domain.reading import (
    endings,
    heard_by_the_callee,
    heard_by_the_caller,
    is_silent,
    on_line,
    orders_heard,
    orders_of,
    whispers_for,
)
from tests.domain.situations import Situation, audible_situations, situations

DAY = timedelta(days=1)
many = settings(max_examples=100, deadline=None)


def _plan(situation: Situation) -> CallPlan:
    return decide(situation.facts, situation.standing, situation.now)


@many
@given(situations())
def test_every_situation_gets_a_plan_that_ends_in_exactly_one_way_to_go_on(situation: Situation) -> None:
    plan = _plan(situation)
    assert plan.steps
    assert endings(plan) == [plan.steps[-1]]


@many
@given(situations())
def test_a_call_ends_only_when_it_is_over_or_going_round_in_a_circle(situation: Situation) -> None:
    match _plan(situation).steps[-1], situation.facts.moment:
        case End(), moment:
            assert isinstance(moment, DialEnded | Looping)
        case Connect(destination=destination), moment:
            assert isinstance(moment, Arriving | CallerListened | DialEnded)
            assert destination == situation.facts.destination
        case ending, moment:
            assert isinstance(ending, Bridge)
            assert isinstance(moment, CalleeAnswered | CalleeListened)


@many
@given(audible_situations() | situations())
def test_callers_hear_nothing_but_public_notices_of_organisations(situation: Situation) -> None:
    for notice in heard_by_the_caller(_plan(situation)):
        assert type(notice) is PublicNotice
        assert type(notice.subject) is Organisation
        assert sum(rendition.seconds for rendition in notice.renditions) <= 20


@many
@given(audible_situations() | situations())
def test_callers_hear_nothing_on_an_order_about_a_natural_person(situation: Situation) -> None:
    plan = _plan(situation)
    chosen = [each.order for each in orders_of(situation.standing) if each.order.order_id == plan.order_id]
    if any(isinstance(order.subject, NaturalPerson) for order in chosen):
        assert heard_by_the_caller(plan) == []


@many
@given(audible_situations())
def test_callers_hear_nothing_on_a_line_that_a_living_order_calls_a_natural_persons(situation: Situation) -> None:
    ended = {OrderState.LIFTED, OrderState.EXPIRED}
    orders = [each.order for each in orders_of(situation.standing)]
    if any(isinstance(o.subject, NaturalPerson) and o.state_at(situation.now) not in ended for o in orders):
        assert heard_by_the_caller(_plan(situation)) == []


@many
@given(audible_situations() | situations())
def test_no_notice_is_heard_without_an_order_that_allows_it_now(situation: Situation) -> None:
    plan = _plan(situation)
    in_force, warned = {OrderState.IN_FORCE}, {OrderState.WARNED}
    for order_id in orders_heard(plan):
        each = on_line(situation.standing, order_id)
        assert each.district_enabled
        assert not each.line_suspended
        assert each.order.state_at(situation.now) in in_force | warned
        for notice in [*heard_by_the_caller(plan), *heard_by_the_callee(plan)]:
            allowing = warned if isinstance(notice, WarningNotice) else in_force
            assert each.order.state_at(situation.now) in allowing


@many
@given(audible_situations() | situations())
def test_at_most_one_notice_is_heard_and_the_plan_names_its_order(situation: Situation) -> None:
    plan = _plan(situation)
    assert orders_heard(plan) in ([], [plan.order_id])


@many
@given(audible_situations() | situations())
def test_the_content_is_heard_only_after_key_1_on_the_opener(situation: Situation) -> None:
    if any(isinstance(notice, PrivateNotice) for notice in heard_by_the_callee(_plan(situation))):
        moment = situation.facts.moment
        assert isinstance(moment, CalleeListened)
        assert (moment.purpose, moment.key) == (Purpose.OPENER, "1")


@many
@given(audible_situations())
def test_a_person_is_spoken_to_within_hours_and_caps_only(situation: Situation) -> None:
    plan = _plan(situation)
    for order_id in orders_heard(plan):
        each = on_line(situation.standing, order_id)
        played = heard_by_the_callee(plan)
        if not isinstance(each.notices, PersonNotices):
            continue
        _assert_within_hours(each, situation.now)
        acknowledged = each.history.acknowledged_at
        assert acknowledged is None or situation.now - acknowledged >= ACKNOWLEDGED_SILENCE
        assert _since(each.history.contents, situation.now - DAY) < each.caps.contents_per_day
        assert _since(each.history.contents, situation.now - 30 * DAY) < each.caps.contents_per_30_days
        if whispers_for(plan) or any(isinstance(notice, Opener) for notice in played):
            assert _since(each.history.openers, situation.now - DAY) < each.caps.openers_per_day


def _assert_within_hours(each: OrderOnLine, now: datetime) -> None:
    assert each.zones
    for zone in each.zones:
        local = now.astimezone(UTC).astimezone(zone).time()
        assert each.caps.earliest <= local < each.caps.latest


def _since(instants: tuple[datetime, ...], start: datetime) -> int:
    return sum(instant > start for instant in instants)


@many
@given(situations())
def test_without_the_register_nothing_is_heard_and_nothing_is_changed(situation: Situation) -> None:
    plan = _plan(replace(situation, standing=Unavailable("register_down")))
    assert is_silent(plan)
    assert len(plan.steps) == 1
    if not isinstance(situation.facts.moment, DialEnded | Looping):
        assert isinstance(plan.steps[0], Connect | Bridge)


@many
@given(situations(st.just(Arriving())), strategies.opaques())
def test_a_callee_that_is_no_public_number_is_connected_plainly(situation: Situation, callee: Opaque) -> None:
    plan = _plan(replace(situation, facts=replace(situation.facts, callee=callee)))
    assert plan.steps == (Connect(destination=situation.facts.destination),)


@many
@given(situations(st.just(Arriving())))
def test_a_call_that_must_never_be_delayed_is_connected_plainly(situation: Situation) -> None:
    urgent = replace(situation, facts=replace(situation.facts, urgency=Urgency.NEVER_DELAY))
    assert _plan(urgent).steps == (Connect(destination=situation.facts.destination),)


SILENCERS: dict[str, Callable[[OrderOnLine, datetime], OrderOnLine]] = {
    "lifted": lambda each, now: replace(each, order=lift(each.order, now)),
    "suspended": lambda each, now: replace(each, order=replace(each.order, suspended_at=now)),
    "district off": lambda each, _: replace(each, district_enabled=False),
    "line suspended": lambda each, _: replace(each, line_suspended=True),
}


@pytest.mark.parametrize("silenced", SILENCERS)
@settings(max_examples=100, deadline=None)
@given(audible_situations())
def test_silencing_every_order_on_a_line_silences_the_line(silenced: str, situation: Situation) -> None:
    silence = SILENCERS[silenced]
    standing = UnderOrders(tuple(silence(each, situation.now) for each in orders_of(situation.standing)))
    assert is_silent(decide(situation.facts, standing, situation.now))


@many
@given(audible_situations() | situations(), st.data())
def test_the_order_in_which_the_register_lists_orders_changes_nothing(
    situation: Situation, data: st.DataObject
) -> None:
    listed = UnderOrders(orders_of(situation.standing))
    shuffled = UnderOrders(tuple(data.draw(st.permutations(listed.orders))))
    assert _plan(replace(situation, standing=shuffled)) == _plan(replace(situation, standing=listed))


@many
@given(audible_situations() | situations())
def test_the_offset_in_which_now_is_written_changes_nothing(situation: Situation) -> None:
    assert _plan(situation) == _plan(replace(situation, now=situation.now.astimezone(UTC)))


@many
@given(audible_situations() | situations(), strategies.parties())
def test_who_calls_changes_nothing(situation: Situation, caller: Party) -> None:
    another = replace(situation, facts=replace(situation.facts, caller=caller))
    assert _plan(situation) == _plan(another)


@many
@given(situations())
def test_the_register_is_changed_by_keys_on_a_persons_notice_and_by_nothing_else(situation: Situation) -> None:
    if any(isinstance(step, SuspendLine | Acknowledge) for step in _plan(situation).steps):
        moment = situation.facts.moment
        assert isinstance(moment, CalleeListened)
        assert moment.purpose in {Purpose.OPENER, Purpose.PRIVATE}
        assert moment.key in {"2", "3", "9"}


REACHED: dict[str, Callable[[CallPlan], bool]] = {
    "a public notice": lambda plan: bool(heard_by_the_caller(plan)),
    "a whisper": lambda plan: bool(whispers_for(plan)),
    "a warning": lambda plan: any(isinstance(notice, WarningNotice) for notice in heard_by_the_callee(plan)),
    "an opener": lambda plan: any(isinstance(notice, Opener) for notice in heard_by_the_callee(plan)),
    "a content": lambda plan: any(isinstance(notice, PrivateNotice) for notice in heard_by_the_callee(plan)),
}


def test_the_situations_above_are_not_all_silent() -> None:
    """Guard the properties against proving nothing: each kind of plan is among the situations drawn."""
    seen = Counter[str]()

    @settings(max_examples=300, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    @given(audible_situations())
    def draw(situation: Situation) -> None:
        plan = _plan(situation)
        seen.update(what for what, is_in in REACHED.items() if is_in(plan))

    draw()
    assert set(seen) == set(REACHED)
