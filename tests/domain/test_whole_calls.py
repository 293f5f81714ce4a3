"""Calls from the first webhook to the last, and a line over weeks: what no single plan can show."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.court import Caps
from gateway.domain.decide import ACKNOWLEDGED_SILENCE, decide
from gateway.domain.facts import (
    Arriving,
    CalleeAnswered,
    CalleeListened,
    CallerListened,
    Moment,
)
from gateway.domain.notice import Opener, PrivateNotice, Purpose
from gateway.domain.order import LONGEST_VALIDITY
from gateway.domain.plan import Acknowledge, Bridge, CallPlan, Connect, End, PlayToCallee, PlayToCaller, SuspendLine
from gateway.domain.standing import OrderOnLine, UnderOrders
from tests import strategies
from tests.builders import NOW, a_call, a_person, an_order, order_on_line
from tests.domain.reading import orders_heard
from tests.domain.situations import situations, standings

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
# Arriving, picked up, the opener, the content.
LONGEST_CALL = 4
HEARD = (Purpose.PUBLIC, Purpose.WARNING, Purpose.OPENER, Purpose.PRIVATE)


def _next_moment(plan: CallPlan, keys: dict[Purpose, str]) -> Moment | None:
    """Return what a provider's next webhook would report, or None where the parties talk or the call is over."""
    for step in plan.steps:
        match step:
            case PlayToCaller(order_id=order_id, notice=notice):
                return CallerListened(order_id=order_id, key=keys[notice.purpose])
            case PlayToCallee(order_id=order_id, notice=notice, listens=True):
                return CalleeListened(order_id=order_id, purpose=notice.purpose, key=keys[notice.purpose])
            case Connect(whisper_for=order_id) if order_id:
                return CalleeAnswered(order_id=order_id)
            case PlayToCallee() | SuspendLine() | Acknowledge() | Connect() | Bridge() | End():
                pass
    return None


@st.composite
def _calls_with_a_changing_register(draw: st.DrawFn) -> list[CallPlan]:
    """Walk a call through its webhooks; the register may say something else at each."""
    first = draw(situations(st.just(Arriving())))
    standing, plans = first.standing, list[CallPlan]()
    keys = {purpose: draw(strategies.keys()) for purpose in HEARD}
    moment: Moment | None = Arriving()
    while moment is not None and len(plans) <= LONGEST_CALL:
        now = first.now + len(plans) * 20 * SECOND
        plans.append(decide(replace(first.facts, moment=moment), standing, now))
        moment = _next_moment(plans[-1], keys)
        standing = standing if draw(st.booleans()) else draw(standings(now))
    return plans


@settings(max_examples=100, deadline=None)
@given(_calls_with_a_changing_register())
def test_every_call_is_put_through_after_at_most_four_webhooks_whatever_changes_meanwhile(
    plans: list[CallPlan],
) -> None:
    assert len(plans) <= LONGEST_CALL
    assert isinstance(plans[-1].steps[-1], Connect | Bridge)


@settings(max_examples=100, deadline=None)
@given(_calls_with_a_changing_register())
def test_no_call_holds_notices_of_two_orders(plans: list[CallPlan]) -> None:
    assert len({order_id for plan in plans for order_id in orders_heard(plan)}) <= 1


@dataclass(kw_only=True)
class Weeks:
    """A person's line over some weeks: it is called, hears what `decide` allows, and remembers it."""

    line: OrderOnLine
    openers: list[datetime] = field(default_factory=list)
    contents: list[datetime] = field(default_factory=list)
    acknowledged: list[datetime] = field(default_factory=list)
    suspended_at: datetime | None = None

    def call(self, now: datetime, keys: dict[Purpose, str]) -> None:
        """Ring at `now`; the holder presses `keys` on the notices that are heard."""
        moment: Moment | None = Arriving()
        while moment is not None:
            plan = decide(a_call(moment), UnderOrders((self.line,)), now)
            self._hear(plan, now)
            moment = _next_moment(plan, keys)
            now += 20 * SECOND

    def _hear(self, plan: CallPlan, now: datetime) -> None:
        for step in plan.steps:
            match step:
                case PlayToCallee(notice=Opener()):
                    self.openers.append(now)
                case PlayToCallee(notice=PrivateNotice()):
                    self.contents.append(now)
                case Acknowledge():
                    self.acknowledged.append(now)
                case SuspendLine():
                    self.suspended_at = self.suspended_at or now
                case PlayToCallee() | PlayToCaller() | Connect() | Bridge() | End():
                    pass
        self.line = replace(
            self.line,
            line_suspended=self.suspended_at is not None,
            history=replace(
                self.line.history,
                openers=tuple(self.openers),
                contents=tuple(self.contents),
                acknowledged_at=self.acknowledged[-1] if self.acknowledged else None,
            ),
        )


def _keys(opener: str = "", content: str = "") -> dict[Purpose, str]:
    return {Purpose.OPENER: opener, Purpose.PRIVATE: content}


def _a_line(caps: Caps) -> OrderOnLine:
    order = an_order(subject=a_person(), valid_until=NOW + LONGEST_VALIDITY)
    return order_on_line(order, caps=caps)


@st.composite
def _weeks(draw: st.DrawFn) -> Weeks:
    """Ring a line some forty times, minutes to days apart, with holders of every temper."""
    weeks = Weeks(line=_a_line(draw(st.just(Caps()) | strategies.caps())))
    gaps = st.sampled_from((30, 600, 3600, 3 * 3600, 86_400 - 40, 86_400, 3 * 86_400)) | st.integers(30, 86_400)
    on_opener = st.sampled_from(("1", "1", "1", "", "5"))
    on_content = st.sampled_from(("", "", "", "2", "3", "9"))
    rings = draw(st.lists(st.tuples(gaps, on_opener, on_content), min_size=10, max_size=40))
    now = NOW
    for gap, opener_key, content_key in rings:
        now += gap * SECOND
        weeks.call(now, _keys(opener_key, content_key))
    return weeks


def _most_within(span: timedelta, instants: list[datetime]) -> int:
    """Return the largest number of `instants` that fall into any stretch of `span`."""
    return max((sum(first <= other < first + span for other in instants) for first in instants), default=0)


@settings(max_examples=30, deadline=None)
@given(_weeks())
def test_over_weeks_no_line_is_spoken_to_more_often_than_its_court_allows(weeks: Weeks) -> None:
    caps = weeks.line.caps
    assert _most_within(DAY, weeks.openers) <= caps.openers_per_day
    assert _most_within(DAY, weeks.contents) <= caps.contents_per_day
    assert _most_within(30 * DAY, weeks.contents) <= caps.contents_per_30_days
    for spoken in [*weeks.openers, *weeks.contents]:
        assert all(caps.earliest <= spoken.astimezone(zone).time() < caps.latest for zone in weeks.line.zones)


@settings(max_examples=30, deadline=None)
@given(_weeks())
def test_over_weeks_an_acknowledgement_buys_seven_days_and_an_objection_silence(weeks: Weeks) -> None:
    for spoken in [*weeks.openers, *weeks.contents]:
        assert weeks.suspended_at is None or spoken < weeks.suspended_at
        assert all(spoken <= instant or spoken - instant >= ACKNOWLEDGED_SILENCE for instant in weeks.acknowledged)


def test_a_line_that_is_rung_all_day_hears_three_openers_and_one_that_answers_hears_the_content_once() -> None:
    silent, answering = Weeks(line=_a_line(Caps())), Weeks(line=_a_line(Caps()))
    for ring in range(20):
        silent.call(NOW + ring * 600 * SECOND, _keys())
        answering.call(NOW + ring * 600 * SECOND, _keys(opener="1"))
    assert (len(silent.openers), len(silent.contents)) == (3, 0)
    assert (len(answering.openers), len(answering.contents)) == (1, 1)
