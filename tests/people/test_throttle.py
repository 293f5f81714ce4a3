"""Throttling: counted before it is judged, by all workers together, and never for ever."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from gateway.assembly import Parts, put_together
from gateway.people import throttle
from gateway.people.errors import TooManyAttemptsError
from gateway.people.throttle import Counter
from gateway.privacy.keys import derive
from gateway.privacy.ring import KeyRing
from gateway.workflows.people_desk import PeopleDesk
from tests.people.desks import ADDRESS, LOGIN, NOW

SECOND = timedelta(seconds=1)


def count(desk: PeopleDesk, counter: Counter, now: datetime) -> None:
    with desk.engine.begin() as connection:
        throttle.count(connection, counter, now)


def wait_of(desk: PeopleDesk, counter: Counter, now: datetime) -> int:
    with pytest.raises(TooManyAttemptsError) as refused:
        count(desk, counter, now)
    return refused.value.retry_after


def forgive(desk: PeopleDesk, login: Counter | None, address: Counter, now: datetime) -> None:
    with desk.engine.begin() as connection:
        throttle.forgive(connection, login, address, now)


def test_five_attempts_are_free_and_each_further_one_waits_longer_but_never_long(desk: PeopleDesk) -> None:
    login, now = throttle.by_login(LOGIN, desk.keys), NOW
    for _ in range(5):
        count(desk, login, now)
    waits = []
    for _ in range(8):
        waits.append(wait_of(desk, login, now))
        now += timedelta(seconds=waits[-1])
        count(desk, login, now)
    assert waits == [15, 30, 60, 120, 240, 300, 300, 300]


def test_hammering_makes_it_no_longer_and_quiet_makes_it_forgotten(desk: PeopleDesk) -> None:
    login = throttle.by_login(LOGIN, desk.keys)
    for _ in range(5):
        count(desk, login, NOW)
    assert [wait_of(desk, login, NOW + n * SECOND) for n in range(0, 15, 5)] == [15, 10, 5]
    count(desk, login, NOW + 15 * SECOND)
    for _ in range(5):
        count(desk, login, NOW + timedelta(minutes=16))
    assert wait_of(desk, login, NOW + timedelta(minutes=16)) == 15


def test_an_address_has_more_room_than_a_login_and_success_gives_back_what_it_took(desk: PeopleDesk) -> None:
    login, address = throttle.by_login(LOGIN, desk.keys), throttle.by_address(ADDRESS, desk.keys)
    for _ in range(20):
        count(desk, address, NOW)
    for _ in range(5):
        count(desk, login, NOW)
    assert wait_of(desk, address, NOW) == 15
    forgive(desk, login, address, NOW)
    for _ in range(5):
        count(desk, login, NOW)
    count(desk, address, NOW)
    assert wait_of(desk, address, NOW) == 15


def test_logins_and_addresses_count_apart(desk: PeopleDesk) -> None:
    for _ in range(5):
        count(desk, throttle.by_login(LOGIN, desk.keys), NOW)
    count(desk, throttle.by_login("eve@example.org", desk.keys), NOW)
    count(desk, throttle.by_address(LOGIN, desk.keys), NOW)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("::1", "::2", True),
        ("\ud800", "\ud800", True),
    ],
)
def test_an_address_is_what_one_client_has_to_itself(one: str, other: str, *, is_same: bool) -> None:
    keys = KeyRing(derive(bytes(range(32))))
    assert (throttle.by_address(one, keys) == throttle.by_address(other, keys)) is is_same


def test_many_at_once_in_two_workers_get_no_more_than_is_free(parts: Parts, desk: PeopleDesk) -> None:
    second = put_together(parts.settings)
    login = throttle.by_login(LOGIN, desk.keys)

    def attempt(number: int) -> bool:
        engine = (parts if number % 2 else second).studio.engine
        try:
            with engine.begin() as connection:
                throttle.count(connection, login, NOW)
        except TooManyAttemptsError:
            return False
        return True

    try:
        with ThreadPoolExecutor(12) as pool:
            passed = list(pool.map(attempt, range(40)))
    finally:
        second.close()
    assert sum(passed) == 5


def test_counters_that_nobody_added_to_are_forgotten(desk: PeopleDesk) -> None:
    count(desk, throttle.by_login(LOGIN, desk.keys), NOW)
    count(desk, throttle.by_address(ADDRESS, desk.keys), NOW + timedelta(hours=1))
    with desk.engine.begin() as connection:
        assert throttle.forget(connection, NOW + timedelta(minutes=30)) == 1
