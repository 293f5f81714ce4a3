"""Statistics against a count by hand, by the court's days, through the nights that are an hour longer or shorter."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from gateway.audit.tables import plays
from gateway.domain.order import OrderState
from gateway.domain.rights import InCourt, InDistrict, NotAllowedError, Right, Role
from gateway.domain.standing import Ground
from gateway.register.disputes import Resolution
from gateway.register.errors import UnknownEntryError
from gateway.register.tables import courts
from gateway.workflows.count_orders import PeriodError, StatisticsQuery, count
from gateway.workflows.draft_order import WrongDistrictError
from gateway.workflows.end_order import lift_order
from gateway.workflows.office import Office
from gateway.workflows.resolve_dispute import resolve_dispute
from tests.builders_office import (
    COURT,
    DAY,
    DISTRICT,
    NOON,
    OTHER_COURT,
    OTHER_DISTRICT,
    SISTER,
    a_dispute,
    a_draft,
    a_person,
    a_submitted_order,
    an_approved_order,
    an_errand,
    by_whom,
)

# When the clocks change: New York loses and gains an hour; Lord Howe changes by half an hour; India is on a half hour.
NIGHTS = {
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Asia/Kolkata": (date(2026, 3, 8),),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
    "Pacific/Chatham": (date(2026, 4, 5),),
    # Here the clock is put on at midnight: the day has no first hour.
    "America/Havana": (date(2026, 3, 8),),
}
STATES = tuple(state.value for state in OrderState)
CASES = [(zone, night) for zone, nights in NIGHTS.items() for night in nights]


@pytest.fixture
def counted(office: Office) -> Office:
    """The office with an order in each of two districts, and no plays yet."""
    with office.engine.begin() as connection:
        connection.execute(plays.delete())
    return office


def keep_plays(office: Office, order_id: str, instants: list[datetime], seed: random.Random) -> list[tuple[str, str]]:
    """Put plays of a company's order on record, and return the purpose and key of each."""
    made = []
    with office.engine.begin() as connection:
        for number, instant in enumerate(instants):
            purpose, key = seed.choice(("public", "warning")), seed.choice((None, "1", "3", "9"))
            connection.execute(
                plays.insert().values(
                    play_id=f"play_{order_id[-8:]}_{number}",
                    call_index=seed.randbytes(16),
                    order_id=order_id,
                    subject_kind="organisation",
                    line_index=b"l" * 16,
                    purpose=purpose,
                    leg="A" if purpose == "public" else "B",
                    files="",
                    played_at=instant,
                    key=key,
                    keyed_at=instant if key else None,
                )
            )
            made.append((purpose, key or ""))
    return made


@pytest.mark.parametrize(("zone", "night"), CASES, ids=str)
def test_plays_are_counted_on_the_days_of_the_court(counted: Office, zone: str, night: date) -> None:
    with counted.engine.begin() as connection:
        connection.execute(update(courts).where(courts.c.court_id == COURT).values(zone=zone))
    order = a_draft(counted)
    seed = random.Random(7)
    midnight = datetime(night.year, night.month, night.day, tzinfo=UTC)
    # From two days before the night to two days after, and to the microsecond around its beginning.
    instants = [midnight + minutes * timedelta(minutes=5) for minutes in range(-576, 576, 7)]
    edges = [
        datetime(night.year, night.month, night.day, tzinfo=ZoneInfo(zone)).astimezone(UTC) + shift
        for shift in (-timedelta.resolution, timedelta(0), timedelta.resolution)
    ]
    instants += edges
    made = keep_plays(counted, order.order_id, instants, seed)
    since, until = night - timedelta(days=1), night
    expected: Counter[tuple[date, str]] = Counter()
    keys: Counter[str] = Counter()
    for instant, (purpose, key) in zip(instants, made, strict=True):
        day = instant.astimezone(ZoneInfo(zone)).date()
        if since <= day <= until:
            expected[day, purpose] += 1
            keys[key] += 1
    del keys[""]
    found = count(counted, StatisticsQuery(court_id=COURT, since=since, until=until), an_errand())
    assert {(each.day, each.purpose): each.plays for each in found.days} == expected
    assert [each.day for each in found.days] == sorted(each.day for each in found.days)
    assert found.keys == keys
    assert expected


def test_orders_and_disputes_are_counted_where_they_lie_and_as_they_are_now(office: Office) -> None:
    since, until = NOON.date() - DAY, NOON.date() + DAY
    before = count(office, StatisticsQuery(court_id=COURT, since=since, until=until), an_errand())
    there = count(office, StatisticsQuery(court_id=COURT, district_id=SISTER, since=since, until=until), an_errand())
    a_draft(office, case_number="1", district_id=SISTER)
    a_submitted_order(office, case_number="2")
    order = an_approved_order(office, case_number="3", subject=a_person())
    lifted = an_approved_order(office, case_number="4", district_id=SISTER, subject=a_person())
    lift_order(office.engine, office.keys, lifted.order_id, an_errand())
    first = a_dispute(office, order, call="1")
    a_dispute(office, order, call="2", ground=Ground.WRONG_PERSON)
    resolve_dispute(office, first, Resolution.RESUME, an_errand(Role.APPROVER))
    after = count(office, StatisticsQuery(court_id=COURT, since=since, until=until), an_errand())
    new = {state: after.orders[state] - before.orders[state] for state in after.orders}
    assert new == {**dict.fromkeys(after.orders, 0), "draft": 1, "submitted": 1, "in_force": 1, "lifted": 1}
    # "Wrong person" silences the line in both orders that name it.
    assert after.disputes_opened == {"contested": 1, "wrong_person": 2}
    assert after.disputes_open == 2
    south = count(office, StatisticsQuery(court_id=COURT, district_id=SISTER, since=since, until=until), an_errand())
    assert {state: south.orders[state] - there.orders[state] for state in STATES} == {
        **dict.fromkeys(STATES, 0),
        "draft": 1,
        "lifted": 1,
    }
    assert south.disputes_open == 1


def test_what_was_opened_on_another_day_is_not_counted_in_the_period_but_is_still_open(office: Office) -> None:
    order = an_approved_order(office, subject=a_person())
    a_dispute(office, order)
    day = NOON.date() + 10 * DAY
    found = count(office, StatisticsQuery(court_id=COURT, since=day, until=day), an_errand())
    assert (found.disputes_opened, found.disputes_open) == ({}, 1)


def test_who_may_count_in_a_district_counts_that_district_alone(office: Office) -> None:
    a_draft(office, case_number="1", district_id=SISTER)
    a_draft(office, case_number="2", district_id=DISTRICT)
    limited = an_errand(Role.OPERATOR, scope=InDistrict(court_id=COURT, district_id=SISTER))
    query = StatisticsQuery(court_id=COURT, since=NOON.date(), until=NOON.date())
    assert count(office, query, limited).orders["draft"] == 1
    assert count(office, query, an_errand(Role.OPERATOR)).orders["draft"] == 2
    with pytest.raises(NotAllowedError):
        count(office, replace(query, district_id=DISTRICT), limited)


def test_who_may_not_count_is_told_so_and_another_court_is_nobodys_business(office: Office) -> None:
    query = StatisticsQuery(court_id=COURT, since=NOON.date(), until=NOON.date())
    with pytest.raises(NotAllowedError, match="statistics:read"):
        count(office, query, by_whom(Right.ORDERS_READ))
    for errand in (an_errand(scope=InCourt(court_id=OTHER_COURT)),):
        with pytest.raises(UnknownEntryError):
            count(office, query, errand)
    with pytest.raises(UnknownEntryError):
        count(office, replace(query, district_id="nowhere"), an_errand())
    everywhere = an_errand(Role.AUDITOR, scope=None)
    both = replace(
        everywhere,
        actor=replace(
            everywhere.actor,
            grants=everywhere.actor.grants | an_errand(Role.AUDITOR, scope=InCourt(court_id=OTHER_COURT)).actor.grants,
        ),
    )
    with pytest.raises(WrongDistrictError):
        count(office, replace(query, district_id=OTHER_DISTRICT), both)


@pytest.mark.parametrize("days", [-1, 367])
def test_a_period_that_ends_before_it_begins_or_is_longer_than_a_year_is_refused(office: Office, days: int) -> None:
    query = StatisticsQuery(court_id=COURT, since=NOON.date(), until=NOON.date() + days * DAY)
    with pytest.raises(PeriodError):
        count(office, query, an_errand())
