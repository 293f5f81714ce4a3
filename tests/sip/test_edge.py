"""What the edge does by itself: with no bridge, a late one, a mad one, and one that leaves."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.sip.conftest import Line
from tests.sip.edge import running_edge
from tests.sip.ports import Ports
from tests.sip.scripted_bridge import Instruction, a_scripted_bridge, connect
from tests.sip.wire import Attempt, Message, an_endpoint, an_sdp

LINE = "+12025550199"
# What a call may take from INVITE to INVITE at the very most, in seconds.
PROMISED = 0.6
# Twenty seconds of a notice, and what is around it.
_LONG_NOTICE = 21.0


def complete(line: Line, attempt: Attempt) -> tuple[float, Message]:
    """Let a call be answered and ended; return how long the INVITE took through the edge, and the 200."""
    took = line.callee.invited(attempt).at - attempt.sent
    answer = line.caller.response(attempt, 200)
    line.caller.acknowledge(attempt, answer)
    line.caller.hang_up(attempt, answer)
    return took, answer


def test_a_call_connects_without_any_bridge(line: Line) -> None:
    line.edge.wait_for_bridge("absent")
    took, answer = complete(line, line.caller.invite(LINE))
    assert took < 0.1
    low, high = line.edge.media
    assert low <= answer.audio_port <= high


def test_a_call_goes_where_the_bridge_says_it_goes(line: Line) -> None:
    with line.bridge(lambda event: [connect(event, mark="turn-1")]) as bridge:
        attempt = line.caller.invite(LINE, headers="X-Notice-Gateway: came-in\r\n")
        took, _ = complete(line, attempt)
        asked = bridge.wait("invite", attempt.call_id)
    assert took < 0.2
    assert asked == {
        "v": 1,
        "event": "invite",
        "call": attempt.call_id,
        "from_tag": attempt.tag,
        "caller": "+12025550188",
        "callee": LINE,
        "source": "127.0.0.1",
        "mark": "came-in",
        "sdp": an_sdp(40_000),
    }
    # There was nothing in it that the bridge would have to end.
    assert not [each for each in bridge.events if each["event"] == "gone"]
    assert line.callee.invited(attempt).headers("X-Notice-Gateway") == ["turn-1"]


@pytest.mark.parametrize(
    "nonsense",
    [
        b"no json",
        b"{}",
        b'{"v":2,"do":"connect"}',
        b"[1,2]",
        b"",
    ],
)
def test_a_call_connects_in_time_whatever_is_said(line: Line, nonsense: bytes) -> None:
    with line.bridge(lambda event: [nonsense] if event["event"] == "invite" else []):
        took, _ = complete(line, line.caller.invite(LINE))
    assert took < PROMISED


@pytest.mark.parametrize(
    "odd",
    [
        {"do": "dance"},
        {"do": "progress", "sdp": ""},
        {"do": "progress"},
        {"do": "connect", "to": "not an address"},
        {"do": "connect", "to": 17, "whisper": "perhaps", "rtag": "two words"},
        {"do": "reject", "code": 200},
        {"do": "reject"},
        {"do": "bridged"},
        {"do": 5},
    ],
    ids=str,
)
def test_a_call_connects_at_once_when_it_is_told_something_odd(line: Line, odd: Instruction) -> None:
    def answer(event: dict[str, Any]) -> list[Instruction | bytes]:
        return [{"v": 1, "call": event["call"], **odd}] if event["event"] == "invite" else []

    with line.bridge(answer):
        took, _ = complete(line, line.caller.invite(LINE))
    assert took < 0.2


def test_a_silent_bridge_costs_half_a_second_and_soon_nothing(line: Line) -> None:
    with line.bridge(lambda _event: []):
        first = [line.caller.invite(LINE) for _ in range(10)]
        slow = [complete(line, each)[0] for each in first]
        line.edge.wait_for_bridge("hangs")
        quick = sorted(complete(line, line.caller.invite(LINE))[0] for _ in range(10))
    # By this process's own clock, which a busy machine delays; test_faults.py goes by the kernel's.
    assert max(slow) < 2 * PROMISED
    assert min(slow) > 0.45
    # One call a second still asks.
    assert quick[5] < 0.2


def test_a_bridge_that_leaves_lets_every_call_go(line: Line) -> None:
    with line.bridge(lambda _event: []) as bridge:
        attempts = [line.caller.invite(LINE) for _ in range(5)]
        for attempt in attempts:
            bridge.wait("invite", attempt.call_id)
        bridge.leave()
        assert max(complete(line, each)[0] for each in attempts) < 0.4


def test_a_call_in_its_notice_goes_on_when_the_bridge_leaves(line: Line) -> None:
    with line.bridge(_announce) as bridge:
        attempt = line.caller.invite(LINE)
        progress = line.caller.response(attempt, 183)
        assert progress.audio_port == 40_200
        time.sleep(0.8)
        assert not [each for each in line.callee.seen if each.header("Call-ID") == attempt.call_id]
        left = time.monotonic()
        bridge.leave()
        complete(line, attempt)
        assert line.callee.invited(attempt).at - left < 0.3


def test_a_caller_who_gives_up_during_the_notice_ends_clean(line: Line) -> None:
    with line.bridge(_announce) as bridge:
        attempt = line.caller.invite(LINE)
        line.caller.response(attempt, 183)
        line.caller.send(line.caller.request("CANCEL", attempt))
        line.caller.response(attempt, 487)
        line.caller.send(line.caller.request("ACK", attempt))
        assert bridge.wait("gone", attempt.call_id)["how"] == "cancel"
        bridge.say(connect({"call": attempt.call_id}))
        time.sleep(0.2)
    assert not [each for each in line.callee.seen if each.header("Call-ID") == attempt.call_id]


def test_a_caller_who_gives_up_while_it_rings_ends_clean(line: Line) -> None:
    line.callee.answer = "180 Ringing"
    try:
        with line.bridge(lambda event: [connect(event, whisper=True)]) as bridge:
            attempt = line.caller.invite(LINE)
            line.caller.response(attempt, 180)
            line.caller.send(line.caller.request("CANCEL", attempt))
            line.caller.response(attempt, 487)
            line.caller.send(line.caller.request("ACK", attempt))
            assert bridge.wait("gone", attempt.call_id)["how"] == "cancel"
    finally:
        line.callee.answer = "200 OK"


@pytest.mark.parametrize(
    ("answer", "how"), [("486 Busy Here", "busy"), ("480 Away", "no-answer"), ("500 Oh", "failed")]
)
def test_how_an_attempt_ended_is_told(line: Line, answer: str, how: str) -> None:
    line.callee.answer = answer
    try:
        with line.bridge(lambda event: [connect(event, whisper=True)]) as bridge:
            attempt = line.caller.invite(LINE)
            line.caller.response(attempt, int(answer[:3]))
            line.caller.send(line.caller.request("ACK", attempt))
            assert bridge.wait("gone", attempt.call_id)["how"] == how
    finally:
        line.callee.answer = "200 OK"


def test_a_circle_is_ended(line: Line) -> None:
    def answer(event: dict[str, Any]) -> list[Instruction | bytes]:
        return [{"v": 1, "call": event["call"], "do": "reject", "code": 482, "reason": "Loop"}]

    with line.bridge(answer):
        attempt = line.caller.invite(LINE)
        line.caller.response(attempt, 482)


def test_the_bridge_is_told_of_an_answer_only_where_it_wants_to_speak(line: Line) -> None:
    def answer(event: dict[str, Any]) -> list[Instruction | bytes]:
        return [connect(event, whisper=True)] if event["event"] == "invite" else []

    with line.bridge(answer) as bridge:
        attempt = line.caller.invite(LINE)
        line.callee.invited(attempt)
        picked_up = line.caller.response(attempt, 200)
        told = bridge.wait("answered", attempt.call_id)
        assert told["from_tag"] == attempt.tag
        assert picked_up.header("To").endswith(f";tag={told['to_tag']}")
        line.caller.acknowledge(attempt, picked_up)
        line.caller.hang_up(attempt, picked_up)
        assert bridge.wait("gone", attempt.call_id)["how"] == "bye"


def test_a_second_invite_of_one_call_is_connected_and_not_asked_about(line: Line) -> None:
    with line.bridge(lambda event: [connect(event)]) as bridge:
        first = line.caller.invite(LINE)
        line.caller.response(first, 200)
        second = line.caller.invite(LINE, call_id=first.call_id)
        line.callee.wait(lambda each: each.method == "INVITE" and second.tag in each.header("From"))
        assert sum(each["event"] == "invite" and each["call"] == first.call_id for each in bridge.events) == 1


@pytest.mark.parametrize(
    ("form", "dialled", "read"),
    [
        ({"numbers": "bare"}, "442079460110", "+442079460110"),
        ({"numbers": "bare"}, "+442079460110", "+442079460110"),
        ({"numbers": "national", "country_code": "44", "trunk_prefix": "0"}, "02079460110", "+442079460110"),
        ({"numbers": "national", "country_code": "44", "trunk_prefix": "0"}, "00442079460110", "00442079460110"),
        ({"numbers": "national", "country_code": "1"}, "2025550110", "+12025550110"),
        ({"numbers": "national", "country_code": "1"}, "911", "911"),
    ],
)
def test_numbers_are_looked_up_as_the_trunk_means_them_and_sent_on_as_they_came(
    tmp_path: Path, ports: Ports, form: dict[str, str], dialled: str, read: str
) -> None:
    with (
        running_edge(tmp_path, ports, **form) as edge,
        an_endpoint(ports.one(), edge.sip) as caller,
        an_endpoint(edge.callee, edge.sip) as callee,
        a_scripted_bridge(edge.evapi, lambda event: [connect(event)]) as bridge,
    ):
        edge.wait_for_bridge()
        attempt = caller.invite(dialled, caller=dialled)
        assert callee.invited(attempt).first.startswith(f"INVITE sip:{dialled}@")
        asked = bridge.wait("invite", attempt.call_id)
        assert (asked["caller"], asked["callee"]) == (read, read)


def test_the_next_destination_gets_the_call_that_the_first_cannot_take(tmp_path: Path, ports: Ports) -> None:
    first, second = ports.one(), ports.one()
    destinations = (f"sip:127.0.0.1:{first}", f"sip:127.0.0.1:{second}")
    with (
        running_edge(tmp_path, ports, destinations=destinations) as edge,
        an_endpoint(ports.one(), edge.sip) as caller,
        an_endpoint(first, edge.sip, answer="503 Out Of Order"),
        an_endpoint(second, edge.sip) as callee,
    ):
        attempt = caller.invite(LINE)
        answer = caller.response(attempt, 200)
        low, high = edge.media
        assert low <= answer.audio_port <= high
        assert low <= callee.invited(attempt).audio_port <= high
        assert callee.invited(attempt).body.count("m=audio") == 1


def test_a_long_notice_comes_to_its_end_and_a_destination_has_its_own_time_after_it(
    tmp_path: Path, ports: Ports
) -> None:
    """Kamailio ends a call in which nothing happens for 5 s, unless it is told otherwise; a notice may take 20 s."""
    silent, second = ports.one(), ports.one()
    destinations = (f"sip:127.0.0.1:{silent}", f"sip:127.0.0.1:{second}")
    with (
        running_edge(tmp_path, ports, destinations=destinations) as edge,
        an_endpoint(ports.one(), edge.sip) as caller,
        an_endpoint(silent, edge.sip) as deaf,
        an_endpoint(second, edge.sip) as callee,
        a_scripted_bridge(edge.evapi, _announce) as bridge,
    ):
        deaf.on_request = lambda _request: True
        edge.wait_for_bridge()
        attempt = caller.invite(LINE)
        caller.response(attempt, 183)
        time.sleep(_LONG_NOTICE)
        bridge.say(connect({"call": attempt.call_id}))
        began = time.monotonic()
        assert deaf.invited(attempt).at - began < PROMISED
        assert 4.5 < callee.invited(attempt, 8).at - began < 7
        answer = caller.response(attempt, 200)
        caller.acknowledge(attempt, answer)
        caller.hang_up(attempt, answer)


def test_a_masked_topology_carries_a_call_from_its_begin_to_its_end(tmp_path: Path, ports: Ports) -> None:
    with (
        running_edge(tmp_path, ports, topology_key="a key of the tests' own") as edge,
        an_endpoint(ports.one(), edge.sip) as caller,
        an_endpoint(edge.callee, edge.sip) as callee,
        a_scripted_bridge(edge.evapi, lambda event: [connect(event)]),
    ):
        edge.wait_for_bridge()
        attempt = caller.invite(LINE)
        answer = caller.response(attempt, 200)
        assert str(caller.port) not in callee.invited(attempt).header("Contact")
        caller.acknowledge(attempt, answer)
        caller.hang_up(attempt, answer)


def _announce(event: dict[str, Any]) -> list[Instruction | bytes]:
    if event["event"] != "invite":
        return []
    return [{"v": 1, "call": event["call"], "do": "progress", "sdp": an_sdp(40_200)}]
