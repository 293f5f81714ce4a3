"""Calls are counted by the hour, by many threads and processes at once, and through an outage of the database."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from gateway.app import Running
from gateway.assembly import Parts
from gateway.audit import call_counts
from gateway.audit.call_counts import CallCount
from gateway.domain.plan import Decision
from gateway.domain.rights import InDistrict, NotAllowedError, Right, Role
from gateway.workflows.count_calls import CallPeriodError, Tally, TallyKeeper, read_calls
from tests.builders_office import COURT, DAY, DISTRICT, HOUR, MINUTE, NOON, an_errand, by_whom
from tests.telephone import Telephone

READER = by_whom(Right.STATISTICS_READ, scope=InDistrict(court_id=COURT, district_id=DISTRICT))


def a_keeper(parts: Parts, tally: Tally, failures: list[Exception] | None = None, **more: float) -> TallyKeeper:
    failed = ([] if failures is None else failures).append
    return TallyKeeper(tally, parts.calls, clock=lambda: NOON, failed=failed, **more)


def counted(parts: Parts) -> dict[tuple[int, str], int]:
    """Return what is written down: the hours from noon, the outcome, and how many."""
    found = read_calls(parts.office, NOON - DAY, NOON + DAY, READER)
    return {((each.hour - NOON) // HOUR, each.outcome.value): each.calls for each in found}


def test_two_workers_add_to_the_same_hour(parts: Parts) -> None:
    for _ in range(2):
        tally = Tally(NOON)
        for outcome in (Decision.CONNECT, Decision.CONNECT, Decision.WARNING):
            tally.count(outcome)
        keeper = a_keeper(parts, tally)
        keeper.write()
        keeper.write()
    assert counted(parts) == {(0, "connect"): 4, (0, "warning"): 2}


def test_every_outcome_that_there_is_can_be_written(parts: Parts) -> None:
    tally = Tally(NOON)
    for outcome in Decision:
        tally.count(outcome)
    a_keeper(parts, tally).write()
    assert counted(parts) == {(0, outcome.value): 1 for outcome in Decision}


def test_a_call_is_counted_in_the_hour_in_which_it_came() -> None:
    tally = Tally(NOON - MINUTE)
    tally.count(Decision.CONNECT)
    tally.collect(NOON)
    tally.count(Decision.CONNECT)
    tally.count(Decision.CONNECT)
    tally.collect(NOON + MINUTE)
    assert {each.hour - NOON: each.calls for each in tally.kept} == {-HOUR: 1, timedelta(0): 2}


def test_threads_that_count_at_once_lose_nothing_while_somebody_collects() -> None:
    tally, done = Tally(NOON), threading.Event()

    def collect() -> None:
        while not done.is_set():
            tally.collect(NOON)

    def call() -> None:
        for _ in range(50_000):
            tally.count(Decision.CONNECT)

    callers = [threading.Thread(target=call) for _ in range(4)]
    collector = threading.Thread(target=collect)
    for thread in (collector, *callers):
        thread.start()
    for thread in callers:
        thread.join()
    done.set()
    collector.join()
    tally.collect(NOON)
    assert [each.calls for each in tally.kept] == [200_000]


def test_nothing_is_lost_while_the_database_is_away(parts: Parts, tmp_path: Path) -> None:
    tally, failures = Tally(NOON), list[Exception]()
    away = create_engine(f"sqlite:///{tmp_path}/nothing/here.sqlite3")
    for _ in range(3):
        tally.count(Decision.CONNECT)
        TallyKeeper(tally, away, clock=lambda: NOON, failed=failures.append).write()
    assert len(failures) == 3
    a_keeper(parts, tally).write()
    assert counted(parts) == {(0, "connect"): 3}


def test_the_thread_writes_by_itself_and_once_more_at_its_end(parts: Parts) -> None:
    tally = Tally(NOON)
    keeper = a_keeper(parts, tally, every=3600)
    keeper.start()
    tally.count(Decision.END)
    keeper.stop()
    assert counted(parts) == {(0, "end"): 1}


def test_an_app_counts_each_call_once_whatever_webhooks_follow(telephone: Telephone) -> None:
    running: Running = telephone.app.extensions["notice_gateway"]
    office = running.parts.office
    telephone.call("+12025550199")
    telephone.call("+12025550199")
    running.counting.write()
    with office.reading.connect() as connection:
        found = call_counts.between(connection, NOON - DAY, NOON + 3650 * DAY)
    assert sum(each.calls for each in found) == 2
    assert {each.outcome for each in found} == {Decision.CONNECT}


def test_who_may_read_no_statistics_reads_no_calls_and_a_period_has_an_end(parts: Parts) -> None:
    with pytest.raises(NotAllowedError):
        read_calls(parts.office, NOON, NOON + DAY, by_whom(Right.ORDERS_READ))
    for until in (NOON, NOON - DAY, NOON + 401 * DAY):
        with pytest.raises(CallPeriodError):
            read_calls(parts.office, NOON, until, an_errand(Role.OPERATOR))


def test_old_counts_are_forgotten(parts: Parts) -> None:
    with parts.studio.engine.begin() as connection:
        old = CallCount(hour=NOON - 2 * HOUR, outcome=Decision.CONNECT, calls=5)
        call_counts.add(connection, [old, CallCount(hour=NOON, outcome=Decision.CONNECT, calls=7)])
        assert call_counts.forget(connection, NOON - HOUR) == 1
    assert counted(parts) == {(0, "connect"): 7}
