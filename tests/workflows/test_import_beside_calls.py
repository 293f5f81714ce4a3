"""Whoever answers a call or lifts an order gets at the database while thousands of orders go into it."""

import threading
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from gateway.assembly import Parts
from gateway.workflows.import_orders import Imported
from gateway.workflows.import_writing import Pace
from tests.workflows.importing import a_row, an_office, bring_in


def test_a_writer_of_the_call_path_gets_in_between_two_portions(parts: Parts) -> None:
    office = an_office(parts)
    done: list[Imported] = []
    thread = threading.Thread(target=lambda: done.append(bring_in(office, [a_row(n) for n in range(3_500)])))
    waits, refused = [], 0
    thread.start()
    while thread.is_alive():
        began = time.monotonic()
        try:
            with parts.calls.connect() as connection:
                connection.execute(text("UPDATE districts SET version = version WHERE district_id = 'bayside'"))
        except OperationalError:
            refused += 1
        waits.append(time.monotonic() - began)
        time.sleep(0.005)
    thread.join()
    assert done[0].counts.accepted == 3_500
    assert len(waits) > 20
    # A machine that is busy with other things may stop any process for longer than a call waits; once, not again.
    assert refused <= max(1, len(waits) // 50)


@pytest.mark.parametrize("seconds_a_row", [0.00001, 0.0001, 0.001, 0.01])
def test_the_pace_settles_where_nobody_waits_for_long(seconds_a_row: float) -> None:
    pace = Pace(sqlite=True)
    for _ in range(10):
        pace.held(pace.size, pace.size * seconds_a_row)
    assert pace.size * seconds_a_row <= 0.1 or pace.size == 50
    assert pace.size in {2_000, 50} or pace.size * seconds_a_row > 0.03


def test_there_is_a_pause_between_two_portions_on_sqlite() -> None:
    pace = Pace(sqlite=True)
    pace.held(100, 0.01)
    began = time.monotonic()
    pace.pause()
    # Longer than sqlite3.c's own steps of 25 ms.
    assert time.monotonic() - began >= 0.025
