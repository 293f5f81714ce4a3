"""Promise 2, with four workers and both databases: what has ended is silent on the very next call."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from gateway.assembly import Parts
from gateway.clock import utc_now
from gateway.domain.order import Order
from gateway.workflows.change import at_the_command_line
from gateway.workflows.end_order import lift_order, suspend_order
from gateway.workflows.switch_district import switch_district
from tests.cli.command_line import CommandLine
from tests.end_to_end.call_script import Press, Record, Script
from tests.end_to_end.independent_twilio import Twilio
from tests.end_to_end.issuing import a_district, a_line, a_person, an_issued_order, wait_until_known
from tests.end_to_end.server import Server

Ending = Callable[[Parts, Order], None]


def lifting(office: Parts, order: Order) -> None:
    lift_order(office.studio.engine, office.keys, order.order_id, at_the_command_line(utc_now()))


def suspending(office: Parts, order: Order) -> None:
    suspend_order(office.studio.engine, office.keys, order.order_id, at_the_command_line(utc_now()))


def switching_off(office: Parts, order: Order) -> None:
    switch_district(
        office.studio.engine,
        office.studio.keys,
        order.district_id,
        at_the_command_line(utc_now()),
        to_enabled=False,
        reason="a test",
    )


ENDINGS = pytest.mark.parametrize("end", [lifting, suspending, switching_off])


@ENDINGS
def test_no_call_that_starts_after_the_end_hears_anything_though_calls_race_it(
    twilio: Twilio, office: Parts, end: Ending
) -> None:
    line = a_line()
    order = an_issued_order(office, line, district_id=a_district(office))
    wait_until_known(twilio, line)
    enough = Event()

    def keep_calling(_lane: int) -> list[tuple[float, Record]]:
        found = []
        while not enough.is_set():
            started = time.monotonic()
            found.append((started, twilio.ring(line)))
        return found

    with ThreadPoolExecutor(4) as pool:
        lanes = [pool.submit(keep_calling, lane) for lane in range(4)]
        time.sleep(0.3)
        end(office, order)
        ended = time.monotonic()
        at_once = twilio.ring_at_once([line] * 12)
        enough.set()
        calls = [call for lane in lanes for call in lane.result()]
    before = [record for started, record in calls if started < ended]
    after = [record for started, record in calls if started >= ended]
    assert any(record.caller_heard for record in before)
    after += at_once
    assert [record for record in after if not record.is_plain] == []
    assert all(record.connected_to == line and not record.trouble for record in before)


@ENDINGS
def test_an_order_that_ends_while_the_telephone_rings_is_silent_when_it_is_answered(
    twilio: Twilio, office: Parts, end: Ending
) -> None:
    line = a_line()
    order = an_issued_order(office, line, district_id=a_district(office), warned=True)
    wait_until_known(twilio, line)
    record = twilio.call(Script(callee=line, while_ringing=lambda: end(office, order)))
    assert "/twilio/whisper" in record.paths()
    assert (record.callee_heard, record.connected_to, record.trouble) == ([], line, [])


def test_a_person_whose_order_is_lifted_while_the_telephone_rings_is_asked_nothing(
    twilio: Twilio, office: Parts
) -> None:
    line = a_line()
    order = an_issued_order(office, line, about=a_person())
    wait_until_known(twilio, line)
    script = Script(
        callee=line,
        presses=(Press(party="callee", prompt=0, key="1"),),
        while_ringing=lambda: lifting(office, order),
    )
    record = twilio.call(script)
    assert (record.callee_heard, record.connected_to, record.trouble) == ([], line, [])


def test_the_commands_that_end_an_order_hold_from_the_next_call_on(
    server: Server, twilio: Twilio, office: Parts
) -> None:
    commands = CommandLine(env=server.env)
    line, district = a_line(), a_district(office)
    order = an_issued_order(office, line, district_id=district)
    wait_until_known(twilio, line)
    commands.succeed("districts", "off", district, "--reason", "a test")
    assert all(record.is_plain for record in twilio.ring_at_once([line] * 12))
    commands.succeed("districts", "on", district, "--reason", "a test")
    assert not any(record.is_plain for record in twilio.ring_at_once([line] * 12))
    assert commands.succeed("orders", "lift", order.order_id).startswith(f"{order.order_id} is lifted since ")
    assert all(record.is_plain for record in twilio.ring_at_once([line] * 12))


def test_a_new_order_is_heard_within_two_seconds_whichever_worker_answers(twilio: Twilio, office: Parts) -> None:
    line = a_line()
    assert all(record.is_plain for record in twilio.ring_at_once([line] * 12))
    an_issued_order(office, line)
    time.sleep(2)
    records = twilio.ring_at_once([line] * 24)
    assert [len(record.caller_heard) for record in records] == [1] * 24
    assert all(record.connected_to == line and not record.trouble for record in records)
