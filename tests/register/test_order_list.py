"""Lists of orders: the state in SQL as in the domain, every order once on some page, and nothing out of reach."""

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from gateway.assembly import Parts
from gateway.domain.e164 import E164
from gateway.domain.order import Order, OrderState
from gateway.domain.rights import Reach
from gateway.domain.subject import Subject
from gateway.privacy.field import FieldCipher
from gateway.register import lines, order_list, orders
from gateway.register.errors import UnknownEntryError
from gateway.register.lines import Line
from gateway.register.order_list import OrderQuery, PurgedOrder
from gateway.register.tables import lines as line_rows
from gateway.register.tables import notices, remarks
from gateway.register.tables import orders as order_rows
from tests.builders import a_person, an_authority, an_organisation
from tests.builders_office import NOON

HOUR = timedelta(hours=1)
EVERYWHERE = Reach(everywhere=True, courts=frozenset(), districts=frozenset())
NUMBERS = tuple(E164(f"+120255501{number}") for number in range(60, 66))
# Few instants, so that ties and instants that are exactly now are common; one is written with another offset.
GRID = tuple(NOON + hours * HOUR for hours in range(-3, 4))
INSTANTS = st.sampled_from((*GRID, GRID[3].astimezone(timezone(timedelta(hours=5, minutes=30)))))
MAYBE = st.none() | INSTANTS
PLACES = (("lakeside", "lakeside"), ("lakeside", "lakeside-north"), ("lakeside", "lakeside-south"), ("thameside",) * 2)


@st.composite
def any_orders(draw: st.DrawFn) -> list[Order]:
    """Draw orders in every condition that the database's CHECKs let through, possible in an office or not."""
    return [_an_order(draw, number) for number in range(draw(st.integers(1, 12)))]


def _an_order(draw: st.DrawFn, number: int) -> Order:
    court_id, district_id = draw(st.sampled_from(PLACES))
    subjects: tuple[Subject, ...] = (an_organisation(), a_person())
    order = Order(
        order_id=f"ord_{number:03}",
        court_id=court_id,
        district_id=district_id,
        case_number=f"2026-{number}",
        subject=draw(st.sampled_from(subjects)),
        authority=an_authority(),
        drafted_by="per_a",
        drafted_at=draw(INSTANTS),
        earlier_drafters=draw(st.sampled_from(((), ("per_b",)))),
        submitted_at=draw(MAYBE),
        approved_at=draw(MAYBE),
        approved_by=draw(st.sampled_from((None, "per_c"))),
        warned_from=draw(MAYBE),
        in_force_from=draw(MAYBE),
        valid_until=draw(MAYBE),
        suspended_at=draw(MAYBE),
        lifted_at=draw(st.none() | MAYBE),
    )
    if order.approved_at is not None:
        order = replace(
            order,
            approved_by="per_c",
            submitted_at=order.submitted_at or draw(INSTANTS),
            warned_from=order.warned_from or draw(INSTANTS),
            in_force_from=order.in_force_from or draw(INSTANTS),
            valid_until=order.valid_until or draw(INSTANTS),
        )
    if order.valid_until is not None and order.in_force_from is not None and order.in_force_from >= order.valid_until:
        order = replace(order, valid_until=order.in_force_from + draw(st.sampled_from((timedelta.resolution, HOUR))))
    return order


def put(parts: Parts, made: Iterable[Order]) -> None:
    """Put orders in an emptied register, the n-th on the n-th number."""
    with parts.studio.engine.begin() as connection:
        for table in (remarks, notices, line_rows, order_rows):
            connection.execute(delete(table))
        cipher = FieldCipher(parts.keys)
        for number, order in enumerate(made):
            connection.execute(order_rows.insert().values(**orders.row_of(order, cipher, parts.keys)))
            lines.add(connection, order.order_id, [Line(number=NUMBERS[number % len(NUMBERS)])], parts.keys)


def listed(parts: Parts, query: OrderQuery, now: datetime = NOON) -> list[str]:
    """Return the ids on a page."""
    with parts.reading.begin() as connection:
        found = order_list.listed(connection, query, parts.keys, now)
    return [each.order.order_id for each in found]


def all_pages(parts: Parts, query: OrderQuery) -> list[str]:
    """Return the ids on all pages, one after the other."""
    found: list[str] = []
    while page := listed(parts, replace(query, after=found[-1] if found else "")):
        assert len(page) <= query.limit
        found += page
    return found


def newest_first(made: Iterable[Order]) -> list[str]:
    return [each.order_id for each in sorted(made, key=lambda each: (each.drafted_at, each.order_id), reverse=True)]


def some_orders(number: int, *, seed: int = 7) -> list[Order]:
    """Return orders in several places, drafted at few instants, some of them of one batch."""
    chance = random.Random(seed)
    made = []
    for each in range(number):
        court_id, district_id = chance.choice(PLACES)
        made.append(
            Order(
                order_id=f"ord_{chance.randrange(10**9):09}",
                court_id=court_id,
                district_id=district_id,
                case_number=f"2026-{each}",
                subject=an_organisation(),
                authority=an_authority(),
                drafted_by="per_a",
                drafted_at=chance.choice(GRID[:3]),
                submitted_at=chance.choice((None, NOON)),
                batch_id=chance.choice((None, "bat_1", "bat_2")),
            )
        )
    return made


def one_of_each_state() -> list[Order]:
    """Return an order in each state, as they are at noon."""
    draft = replace(some_orders(1)[0], submitted_at=None)
    submitted = replace(draft, submitted_at=NOON)
    day = timedelta(days=1)

    def approved_from(warned_from: datetime) -> Order:
        return replace(
            submitted,
            approved_by="per_b",
            approved_at=warned_from,
            warned_from=warned_from,
            in_force_from=warned_from + day,
            valid_until=warned_from + 3 * day,
        )

    in_force = approved_from(NOON - 2 * day)
    ended = (replace(in_force, suspended_at=NOON), replace(in_force, lifted_at=NOON), approved_from(NOON - 4 * day))
    approved, warned = approved_from(NOON + day), approved_from(NOON - day / 2)
    made = (draft, submitted, approved, warned, in_force, *ended)
    return [replace(each, order_id=f"ord_{number}", case_number=f"2026-{number}") for number, each in enumerate(made)]


def agree(parts: Parts, made: list[Order], now: datetime) -> None:
    """Demand that the database lists in each state what is in it by the domain's rules."""
    put(parts, made)
    for state in OrderState:
        wanted = [each for each in made if each.state_at(now) is state]
        assert listed(parts, OrderQuery(reach=EVERYWHERE, state=state), now) == newest_first(wanted)


def test_the_state_of_an_order_in_sql_is_the_one_in_the_domain(parts: Parts) -> None:
    made = one_of_each_state()
    assert {each.state_at(NOON) for each in made} == set(OrderState)
    agree(parts, made, NOON)


def test_so_it_is_for_any_order_at_any_instant(parts: Parts) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(any_orders(), INSTANTS, st.sampled_from((timedelta(0), timedelta.resolution, -timedelta.resolution)))
    def check(made: list[Order], now: datetime, shift: timedelta) -> None:
        agree(parts, made, now + shift)

    check()


def test_every_order_is_on_one_page_in_order_whatever_ties_there_are(parts: Parts) -> None:
    made = some_orders(40)
    put(parts, made)
    for limit in (1, 2, 3, 7, 39, 40, 41):
        assert all_pages(parts, OrderQuery(reach=EVERYWHERE, limit=limit)) == newest_first(made)


def test_orders_that_come_between_two_pages_are_never_shown_twice(parts: Parts) -> None:
    made = some_orders(9)
    put(parts, made)
    query = OrderQuery(reach=EVERYWHERE, limit=4)
    found = listed(parts, query)
    newer = replace(made[0], order_id="ord_newer", case_number="newer", drafted_at=GRID[-1])
    with parts.studio.engine.begin() as connection:
        orders.add(connection, newer, [], parts.keys)
    while page := listed(parts, replace(query, after=found[-1])):
        found += page
    assert found == newest_first(made)


def test_each_filter_holds_what_it_says_and_they_hold_together(parts: Parts) -> None:
    made = some_orders(40)
    put(parts, made)
    number = {each.order_id: NUMBERS[place % len(NUMBERS)] for place, each in enumerate(made)}
    below = {"lakeside": {"lakeside", "lakeside-north", "lakeside-south"}, "lakeside-north": {"lakeside-north"}}
    base = OrderQuery(reach=EVERYWHERE, limit=3)
    expected = {
        replace(base, court_id="lakeside"): [each for each in made if each.court_id == "lakeside"],
        **{
            replace(base, district_id=top): [each for each in made if each.district_id in reached]
            for top, reached in below.items()
        },
        replace(base, batch_id="bat_1"): [each for each in made if each.batch_id == "bat_1"],
        replace(base, line=NUMBERS[2]): [each for each in made if number[each.order_id] == NUMBERS[2]],
        replace(base, state=OrderState.DRAFT): [each for each in made if each.submitted_at is None],
        replace(base, court_id="lakeside", batch_id="bat_2", state=OrderState.SUBMITTED, line=NUMBERS[1]): [
            each
            for each in made
            if (each.court_id, each.batch_id) == ("lakeside", "bat_2")
            and each.submitted_at is not None
            and number[each.order_id] == NUMBERS[1]
        ],
        replace(base, court_id="nowhere"): [],
        replace(base, line=E164("+12025550199")): [],
    }
    for query, wanted in expected.items():
        assert all_pages(parts, query) == newest_first(wanted)


def test_a_case_is_found_in_its_court_or_in_any_however_it_is_spelt(parts: Parts) -> None:
    first, second = some_orders(2)
    first = replace(first, case_number="2026-cv 7", court_id="lakeside", district_id="lakeside")
    second = replace(second, case_number="2026-CV7", court_id="thameside", district_id="thameside")
    put(parts, [first, second])
    query = OrderQuery(reach=EVERYWHERE, case_number=" 2026-CV 7")
    assert listed(parts, replace(query, court_id="thameside")) == [second.order_id]
    assert listed(parts, query) == newest_first([first, second])
    reach = Reach(everywhere=False, courts=frozenset({"lakeside"}), districts=frozenset())
    assert listed(parts, replace(query, reach=reach)) == [first.order_id]


# Courts and districts that a reach names, and the districts that lie within it.
REACHES: dict[tuple[str, ...], tuple[tuple[str, ...], set[str]]] = {
    (): ((), set()),
    ("thameside",): ((), {"thameside"}),
    ("bayside",): (("lakeside-north",), {"lakeside-north"}),
    ("elsewhere",): (("lakeside",), {"lakeside", "lakeside-north", "lakeside-south"}),
    ("thameside", "elsewhere"): (("lakeside-south",), {"thameside", "lakeside-south"}),
    ("nowhere",): (("nowhere",), set()),
}


def test_a_list_ends_where_the_reach_does_whatever_is_asked_for(parts: Parts) -> None:
    made = some_orders(30)
    put(parts, made)
    for courts, (districts, reached) in REACHES.items():
        reach = Reach(everywhere=False, courts=frozenset(courts), districts=frozenset(districts))
        query = OrderQuery(reach=reach, limit=4)
        wanted = [each for each in made if each.district_id in reached]
        assert all_pages(parts, query) == newest_first(wanted)
        for court_id in ("lakeside", "thameside"):
            of_court = [each for each in wanted if each.court_id == court_id]
            assert all_pages(parts, replace(query, court_id=court_id)) == newest_first(of_court)


def test_a_page_behind_an_order_that_is_gone_or_out_of_reach_is_refused_and_not_empty(parts: Parts) -> None:
    """An empty page would say that the list is at its end."""
    made = some_orders(5)
    put(parts, made)
    reach = Reach(everywhere=False, courts=frozenset({"nowhere"}), districts=frozenset())
    for query in (
        OrderQuery(reach=EVERYWHERE, after="ord_gone"),
        OrderQuery(reach=reach, after=made[0].order_id),
    ):
        with pytest.raises(UnknownEntryError, match="first page"):
            listed(parts, query)


def test_a_purged_order_is_listed_by_what_is_left_of_it(parts: Parts) -> None:
    made = [replace(each, lifted_at=NOON - HOUR) for each in some_orders(3)]
    put(parts, made)
    with parts.studio.engine.begin() as connection:
        connection.execute(delete(line_rows))
        connection.execute(
            order_rows.update()
            .where(order_rows.c.order_id == made[0].order_id)
            .values(purged_at=NOON, case_index=None, case_number=None, subject=None, legal_basis=None)
        )
    with parts.reading.begin() as connection:
        found = {
            each.order.order_id: each.order
            for each in order_list.listed(connection, OrderQuery(reach=EVERYWHERE), parts.keys, NOON)
        }
        assert connection.execute(select(func.count()).select_from(line_rows)).scalar_one() == 0
    purged = found[made[0].order_id]
    assert isinstance(purged, PurgedOrder)
    assert (purged.drafted_at, purged.lifted_at) == (made[0].drafted_at.astimezone(UTC), NOON - HOUR)
    assert isinstance(found[made[1].order_id], Order)
