"""How often and at what hours a natural person's line may be spoken to, as a second table: mostly edges."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.court import Caps
from gateway.domain.decide import decide
from gateway.domain.e164 import E164
from gateway.domain.facts import CalleeAnswered, CalleeListened
from gateway.domain.notice import Purpose
from gateway.domain.order import OrderState
from gateway.domain.plan import CallPlan, Reason
from gateway.domain.standing import History, UnderOrders
from gateway.domain.zones import candidate_zones
from tests.builders import LONDON, NOW, a_call, a_person, an_order, order_on_line, under
from tests.domain.table import (
    Row,
    bridges,
    callee_hears_the_content,
    callee_hears_the_opener,
    callee_will_be_warned,
    callee_will_hear_the_opener,
    caller_hears_the_public_notice,
    connects,
    row,
)

TICK, HOUR, DAY = timedelta.resolution, timedelta(hours=1), timedelta(days=1)
WINTER, SUMMER = date(2026, 3, 4), date(2026, 4, 15)
SERVED = an_order(subject=a_person())
HEARD = callee_will_hear_the_opener()
ANSWERED = a_call(CalleeAnswered(order_id="order-1"))
PRESSED_1 = a_call(CalleeListened(order_id="order-1", purpose=Purpose.OPENER, key="1"))
LATE, ACKNOWLEDGED, OPENER_CAP, CONTENT_CAP = (
    connects(reason, "order-1")
    for reason in (Reason.OUTSIDE_PERMITTED_HOURS, Reason.ACKNOWLEDGED, Reason.OPENER_CAP, Reason.CONTENT_CAP)
)


def _in(*zones: str, caps: Caps | None = None) -> UnderOrders:
    return under(order_on_line(SERVED, zones=tuple(map(ZoneInfo, zones)), caps=caps or Caps()))


def _clock(zone: str, local: time, day: date = WINTER) -> datetime:
    """Return the instant, in UTC, at which clocks in `zone` show `local`."""
    return datetime.combine(day, local, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _edges_of_the_day(where: str, zone: str, day: date) -> list[Row]:
    """Write the four rows about 08:00, which is included, and 21:00, which is not."""
    opening, closing = _clock(zone, time(8), day), _clock(zone, time(21), day)
    return [
        row(f"{where}, before 08:00: silence", _in(zone), LATE, at=opening - TICK),
        row(f"{where}, at 08:00: heard", _in(zone), HEARD, at=opening),
        row(f"{where}, before 21:00: heard", _in(zone), HEARD, at=closing - TICK),
        row(f"{where}, at 21:00: silence", _in(zone), LATE, at=closing),
    ]


HOURS = [
    *_edges_of_the_day("London in winter", "Europe/London", WINTER),
    *_edges_of_the_day("London in summer", "Europe/London", SUMMER),
    *_edges_of_the_day("London on the day the clocks go forward", "Europe/London", date(2026, 3, 29)),
    *_edges_of_the_day("New York", "America/New_York", WINTER),
    *_edges_of_the_day("Kolkata, half an hour off", "Asia/Kolkata", WINTER),
    *_edges_of_the_day("Chatham, three quarters off", "Pacific/Chatham", SUMMER),
    *_edges_of_the_day("Kiritimati, where it is tomorrow", "Pacific/Kiritimati", WINTER),
    *(
        row(f"Spain with its islands, {local} in Madrid: {says}", _in("Europe/Madrid", "Atlantic/Canary"), plan,
            at=_clock("Europe/Madrid", local))
        for local, says, plan in (
            (time(8, 30), "not yet on the islands, silence", LATE),
            (time(9), "heard", HEARD),
            (time(20, 59), "heard", HEARD),
            (time(21), "still permitted on the islands, silence", LATE),
        )
    ),
    row("a line whose zone nobody knows: silence at any hour", _in(), LATE),
    row("noon in one zone and night in another that it may be in: silence", _in(
        "Pacific/Kiritimati", "Europe/London"), LATE),
    *(
        row(f"a court that keeps 10:00 to 18:00, at {local}: {says}", _in("Europe/London", caps=Caps(
            earliest=time(10), latest=time(18))), plan, at=_clock("Europe/London", local))
        for local, says, plan in (
            (time(9, 59), "silence", LATE),
            (time(10), "heard", HEARD),
            (time(17, 59), "heard", HEARD),
            (time(18), "silence", LATE),
        )
    ),
    row("a court whose hours leave no time: silence", _in("Europe/London", caps=Caps(earliest=time(21))), LATE),
    row("21:00 strikes while the telephone rings: silence", _in("Europe/London"),
        bridges(Reason.OUTSIDE_PERMITTED_HOURS), call=ANSWERED, at=_clock("Europe/London", time(21))),
    row("21:00 strikes during the opener: no content", _in("Europe/London"),
        bridges(Reason.OUTSIDE_PERMITTED_HOURS), call=PRESSED_1, at=_clock("Europe/London", time(21))),
    row("callers of an organisation hear its notice at night too", under(an_order()),
        caller_hears_the_public_notice(), at=_clock("Europe/London", time(3))),
    row("an organisation is warned at night too", under(an_order(OrderState.WARNED)), callee_will_be_warned(),
        at=_clock("Europe/London", time(3))),
]  # fmt: skip


def _after(
    *, openers: tuple[timedelta, ...] = (), contents: tuple[timedelta, ...] = (),
    acknowledged: timedelta | None = None, caps: Caps | None = None,
) -> UnderOrders:  # fmt: skip
    """Return a line that heard openers and contents, and acknowledged, so long ago."""
    history = History(
        openers=tuple(NOW - ago for ago in openers),
        contents=tuple(NOW - ago for ago in contents),
        acknowledged_at=None if acknowledged is None else NOW - acknowledged,
    )
    return under(order_on_line(SERVED, history=history, caps=caps or Caps()))


HOW_OFTEN = [
    row("acknowledged just now: silence", _after(acknowledged=timedelta(0)), ACKNOWLEDGED),
    row("acknowledged a little less than 7 days ago: silence", _after(acknowledged=7 * DAY - TICK), ACKNOWLEDGED),
    row("acknowledged 7 days ago: heard again", _after(acknowledged=7 * DAY), HEARD),
    row("acknowledged by a clock that is ahead of ours: silence", _after(acknowledged=-HOUR), ACKNOWLEDGED),
    row("acknowledged on another telephone while this one rang: silence", _after(acknowledged=TICK),
        bridges(Reason.ACKNOWLEDGED), call=ANSWERED),
    row("acknowledged in another call during the opener: no content", _after(acknowledged=TICK),
        bridges(Reason.ACKNOWLEDGED), call=PRESSED_1),
    row("two openers today: a third is heard", _after(openers=(HOUR, 2 * HOUR)), HEARD),
    row("three openers today: no fourth", _after(openers=(HOUR, 2 * HOUR, DAY - TICK)), OPENER_CAP),
    row("the first of three openers 24 hours ago: heard", _after(openers=(HOUR, 2 * HOUR, DAY)), HEARD),
    row("three openers heard elsewhere while this one rang: silence", _after(openers=(HOUR, HOUR, HOUR)),
        bridges(Reason.OPENER_CAP), call=ANSWERED),
    row("two openers today: the third is played at pick-up", _after(openers=(HOUR, HOUR)), callee_hears_the_opener(),
        call=ANSWERED),
    row("1 on the third opener of the day: the content", _after(openers=(TICK, HOUR, HOUR)),
        callee_hears_the_content(), call=PRESSED_1),
    row("the content today: not even the opener", _after(contents=(DAY - TICK,)), CONTENT_CAP),
    row("the content 24 hours ago: heard", _after(contents=(DAY,)), HEARD),
    row("the content heard in another call during the opener: not again", _after(contents=(TICK,)),
        bridges(Reason.CONTENT_CAP), call=PRESSED_1),
    row("two contents in 30 days: a third", _after(contents=(2 * DAY, 29 * DAY)), HEARD),
    row("three contents in 30 days: no fourth", _after(contents=(2 * DAY, 9 * DAY, 30 * DAY - TICK)), CONTENT_CAP),
    row("the first of three contents 30 days ago: heard", _after(contents=(2 * DAY, 9 * DAY, 30 * DAY)), HEARD),
    row("a court that allows one opener a day", _after(openers=(HOUR,), caps=Caps(openers_per_day=1)), OPENER_CAP),
    row("a court that allows one content in 30 days", _after(
        contents=(9 * DAY,), caps=Caps(contents_per_30_days=1)), CONTENT_CAP),
    row("a court that allows no opener", _after(caps=Caps(openers_per_day=0)), OPENER_CAP),
    row("a court that allows no content makes no opener either", _after(caps=Caps(contents_per_day=0)), CONTENT_CAP),
    row("no cap holds for the callers of an organisation", under(order_on_line(
        an_order(), caps=Caps(openers_per_day=0, contents_per_day=0, contents_per_30_days=0), zones=())),
        caller_hears_the_public_notice()),
]  # fmt: skip

TABLE = [*HOURS, *HOW_OFTEN]


@pytest.mark.parametrize("row", TABLE, ids=[row.says for row in TABLE])
def test_how_often_and_when_a_person_is_spoken_to(row: Row) -> None:
    assert decide(row.call, row.standing, row.at) == row.plan


def test_a_line_in_a_country_that_is_not_listed_is_never_spoken_to() -> None:
    nauru = E164("+6745551234")
    line = under(order_on_line(SERVED, zones=candidate_zones(nauru)))
    plans = {_plan_at(line, NOW + hour * HOUR) for hour in range(24)}
    assert plans == {LATE}


def test_a_day_is_24_hours_on_whatever_clock_now_is_told() -> None:
    """The night of 29 March 2026 has 23 hours in London: yesterday's noon on the wall is not yet a day ago."""
    noon = datetime(2026, 3, 29, 12, tzinfo=LONDON)
    lately = noon.astimezone(UTC) - timedelta(hours=23, minutes=30)
    line = under(order_on_line(SERVED, history=History(openers=(lately, lately, lately))))
    assert _plan_at(line, noon) == OPENER_CAP


def _plan_at(line: UnderOrders, now: datetime) -> CallPlan:
    return decide(a_call(), line, now)
