"""Whole calls between real telephones: who hears what, and when, as it went over the wire."""

import os
import signal
import time

import pytest

from gateway.assembly import put_together
from gateway.clock import utc_now
from gateway.workflows.change import at_the_command_line
from gateway.workflows.end_order import lift_order
from tests.sip.capture import Ear
from tests.sip.house import FREE, LIFTED, PUBLIC, SECOND_PUBLIC, WARNED, House, Recording
from tests.sip.tones import CALLEE_VOICE, CALLER_VOICE, RING

_TALK = 0.8


def pause_until(at: float) -> None:
    time.sleep(max(0.0, at - time.time()))


def talk(house: House, number: str, *, seconds: float = _TALK) -> Recording:
    """Make a call in which both talk for a while after they can."""
    with house.a_call(number) as began:
        house.callee.wait_for("CALL_ESTABLISHED", 15)
        time.sleep(seconds)
    return house.recording(began)


def silent(house: House, recording: Recording) -> bool:
    """Tell whether neither party heard anything of a notice, and both heard each other."""
    both = recording.caller.heard(CALLEE_VOICE) and recording.callee.heard(CALLER_VOICE)
    return both and not any(ear.heard(*house.tones.every, RING) for ear in (recording.caller, recording.callee))


def first_of(ear: Ear, *tones: int) -> float:
    return ear.times_of(*tones)[0][0]


def last_of(ear: Ear, *tones: int) -> float:
    return ear.times_of(*tones)[-1][1] + 0.1


def test_a_line_without_an_order_is_connected_in_silence(house: House) -> None:
    recording = talk(house, FREE)
    assert silent(house, recording)
    assert recording.count("SIP/2.0 183") == 0
    invited = recording.first("INVITE", source=house.edge.sip, target=house.callee.sip)
    assert invited.at - recording.began < 0.6


def test_a_line_without_an_order_needs_no_gateway(house: House) -> None:
    # A bridge that was just started trusts its own screen once the gateway has named a route.
    talk(house, LIFTED)
    workers = house.server.workers()
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    try:
        recording = talk(house, FREE)
    finally:
        for worker in workers:
            os.kill(worker, signal.SIGCONT)
    assert silent(house, recording)
    invited = recording.first("INVITE", source=house.edge.sip, target=house.callee.sip)
    # Asking would have taken 450 ms.
    assert invited.at - recording.began < 0.3


def test_a_call_to_a_line_without_an_order_leaves_no_name_in_any_log(house: House) -> None:
    recording = talk(house, FREE)
    call = recording.first("INVITE").text.partition("Call-ID: ")[2].partition("\r")[0]
    logs = [house.edge.kamailio.log, house.edge.rtpengine.log, house.bridge.log, house.server.log]
    for log in logs:
        text = log.read_text(errors="replace")
        assert call not in text, log
        assert FREE.removeprefix("+1") not in text, log


def test_holding_after_a_public_notice_leaves_both_their_sound(house: House) -> None:
    with house.a_call(PUBLIC) as began:
        house.callee.wait_for("CALL_ESTABLISHED", 10)
        time.sleep(0.3)
        house.caller.hold()
        time.sleep(0.4)
        house.caller.resume()
        time.sleep(0.3)
        resumed = time.time()
        time.sleep(_TALK)
    recording = house.recording(began)
    assert recording.count("INVITE") >= 6
    assert recording.caller.since(resumed).heard(CALLEE_VOICE)
    assert recording.callee.since(resumed).heard(CALLER_VOICE)


def test_a_public_notice_is_heard_by_the_caller_alone_and_before_it_rings(house: House) -> None:
    recording = talk(house, PUBLIC)
    invited = recording.first("INVITE", source=house.edge.sip, target=house.callee.sip)
    assert first_of(recording.caller, *house.tones.public) - recording.began < 1
    assert last_of(recording.caller, *house.tones.public) < invited.at
    assert not recording.caller.heard(*house.tones.personal)
    assert not recording.callee.heard(*house.tones.every)
    assert first_of(recording.caller, CALLEE_VOICE) > invited.at
    assert recording.callee.heard(CALLER_VOICE)


def test_the_callers_port_stays_from_183_to_200(house: House) -> None:
    recording = talk(house, PUBLIC)
    early = recording.first("SIP/2.0 183", target=house.caller.sip)
    answered = recording.first("SIP/2.0 200", target=house.caller.sip)
    assert early.text.partition("m=audio ")[2].split()[0] == answered.text.partition("m=audio ")[2].split()[0]
    assert len(recording.caller.sources()) == 1


def test_any_key_ends_a_public_notice_within_300_ms(house: House) -> None:
    with house.a_call(PUBLIC) as began:
        pause_until(began + 0.7)
        house.caller.press("7")
        house.callee.wait_for("CALL_ESTABLISHED", 5)
        time.sleep(_TALK)
    recording = house.recording(began)
    low, high = house.edge.media
    released = next(
        at for at, key in Ear.at(house.capture.datagrams(), low, high).keys_released() if key == 7 and at > began
    )
    assert last_of(recording.caller, *house.tones.public) - released < 0.3
    assert recording.first("INVITE", target=house.callee.sip).at - released < 0.3
    assert recording.caller.heard(CALLEE_VOICE)


def test_a_person_who_presses_nothing_hears_the_opener_alone(house: House) -> None:
    with house.a_call(house.person()) as began:
        house.callee.wait_for("CALL_ESTABLISHED", 5)
        time.sleep(6.5)
    recording = house.recording(began)
    assert recording.callee.heard(*house.tones.opener)
    assert not recording.callee.heard(*house.tones.private, *house.tones.replies)
    assert not recording.caller.heard(*house.tones.every)
    assert recording.caller.heard(CALLEE_VOICE)
    assert recording.callee.heard(CALLER_VOICE)


def test_a_persons_notice_is_heard_after_key_1_by_the_callee_alone(house: House) -> None:
    line = house.person()
    with house.a_call(line) as began:
        house.callee.wait_for("CALL_ESTABLISHED", 5)
        # The caller's keys are nobody's business but the telephone network's.
        pause_until(began + 0.5)
        house.caller.press("1")
        pause_until(began + 2)
        house.callee.press("1")
        pause_until(began + 4)
        house.callee.press("2")
        pause_until(began + 7)
    recording = house.recording(began)
    heard = recording.callee
    tones = house.tones
    assert began + 2 < first_of(heard, *tones.private) < began + 3
    assert last_of(heard, *tones.opener) < first_of(heard, *tones.private)
    talking = last_of(heard, *tones.replies)
    # Until the notice is over neither hears the other, nor the other's keys; the caller hears a ring tone.
    assert not recording.caller.heard(*tones.every)
    assert recording.caller.heard(RING)
    assert not recording.caller.since(began, talking).heard(CALLEE_VOICE)
    assert not heard.since(began, talking).heard(CALLER_VOICE)
    assert recording.caller.keys_released() == []
    assert recording.callee.keys_released() == []
    assert recording.caller.heard(CALLEE_VOICE)
    assert heard.heard(CALLER_VOICE)
    # Acknowledged: silence from the next call on.
    assert silent(house, talk(house, line))


@pytest.mark.parametrize("key", ["3", "9"])
def test_a_dispute_silences_the_line_from_the_next_call_on(house: House, key: str) -> None:
    line = house.person()
    with house.a_call(line) as began:
        house.callee.wait_for("CALL_ESTABLISHED", 5)
        pause_until(began + 0.8)
        if key == "3":
            house.callee.press("1")
            pause_until(began + 2.2)
        house.callee.press(key)
        time.sleep(2.5)
    recording = house.recording(began)
    assert recording.callee.heard(*house.tones.replies)
    assert not recording.caller.heard(*house.tones.every)
    assert silent(house, talk(house, line))


def test_a_warning_is_heard_by_the_callee_alone(house: House) -> None:
    recording = talk(house, WARNED, seconds=4)
    assert recording.callee.heard(*house.tones.warning)
    assert not recording.caller.heard(*house.tones.every)
    assert recording.caller.heard(CALLEE_VOICE)


def test_lifting_silences_the_next_call(house: House) -> None:
    assert talk(house, SECOND_PUBLIC).caller.heard(*house.tones.public)
    parts = put_together(house.server.settings)
    errand = at_the_command_line(utc_now())
    with parts.studio.engine.connect() as connection:
        order_id = connection.exec_driver_sql(
            "SELECT DISTINCT orders.order_id FROM orders JOIN notices USING (order_id)"
            " WHERE district_id = 'thameside' AND purpose = 'public' AND lifted_at IS NULL"
        ).scalar_one_or_none()
    assert order_id is not None
    lift_order(parts.studio.engine, parts.keys, order_id, errand, reason="Paid")
    parts.close()
    assert silent(house, talk(house, SECOND_PUBLIC))


def test_a_lifted_order_is_silent(house: House) -> None:
    assert silent(house, talk(house, LIFTED))


def test_a_caller_who_hangs_up_during_the_notice_never_rings(house: House) -> None:
    with house.a_call(PUBLIC) as began:
        pause_until(began + 0.8)
        house.caller.hang_up()
        house.caller.wait_for("CALL_CLOSED")
        time.sleep(0.5)
    recording = house.recording(began)
    assert recording.count("SIP/2.0 487") >= 1
    with pytest.raises(AssertionError):
        recording.first("INVITE", target=house.callee.sip)
    assert not recording.callee.packets


@pytest.mark.parametrize("who", ["caller", "callee"])
def test_a_party_who_hangs_up_during_the_whisper_ends_it_clean(house: House, who: str) -> None:
    with house.a_call(house.person()) as began:
        house.callee.wait_for("CALL_ESTABLISHED", 5)
        pause_until(began + 1)
        (house.caller if who == "caller" else house.callee).hang_up()
        (house.callee if who == "caller" else house.caller).wait_for("CALL_CLOSED")
        ended = time.time()
        time.sleep(0.7)
    recording = house.recording(began)
    assert not recording.caller.heard(*house.tones.every)
    assert not recording.callee.since(ended + 0.3).packets
    assert not recording.caller.since(ended + 0.3).packets


def test_holding_the_line_during_the_whisper_opens_nothing(house: House) -> None:
    with house.a_call(house.person()) as began:
        house.callee.wait_for("CALL_ESTABLISHED", 5)
        pause_until(began + 0.6)
        house.caller.hold()
        pause_until(began + 1.1)
        house.caller.resume()
        pause_until(began + 2)
        house.callee.press("1")
        pause_until(began + 3.2)
    recording = house.recording(began)
    assert recording.count("INVITE") >= 4
    assert recording.callee.heard(*house.tones.private)
    assert not recording.caller.heard(*house.tones.every)
    assert not recording.caller.since(began, began + 3).heard(CALLEE_VOICE)
