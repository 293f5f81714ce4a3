"""Malformed, wrong and hostile SIP: nothing dies, and others' calls go on."""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from tests.sip.conftest import Line
from tests.sip.edge import running_edge
from tests.sip.ports import a_block_of_ports
from tests.sip.scripted_bridge import connect
from tests.sip.wire import Attempt, Endpoint, an_endpoint, an_sdp

LINE = "+12025550199"


def goes_on(line: Line) -> bool:
    """Tell whether an ordinary call still connects, and every process lives."""
    attempt = line.caller.invite(LINE)
    answer = line.caller.response(attempt, 200)
    line.caller.acknowledge(attempt, answer)
    line.caller.hang_up(attempt, answer)
    return line.edge.kamailio.lives and line.edge.rtpengine.lives and not _died(line)


def _died(line: Line) -> bool:
    """Tell whether a process of Kamailio's was ended by a signal; the others would end with it, but later."""
    return "signal" in line.edge.kamailio.log.read_text(errors="replace").replace("handle_sigs", "")


def an_invite(line: Line) -> str:
    """Return an INVITE of a new call."""
    attempt = Attempt(call_id=f"odd{uuid4().hex}", number=LINE, tag="odd", sent=0)
    return line.caller.request("INVITE", attempt, body=an_sdp(40_000)).replace("z9hG4bKodd", f"z9hG4bK{uuid4().hex}")


ODD = {
    "nothing": b"",
    "zeros": bytes(500),
    "a line": b"INVITE\r\n\r\n",
    "no headers": b"INVITE sip:a@127.0.0.1 SIP/2.0\r\n\r\n",
    "another version": b"INVITE sip:a@127.0.0.1 SIP/9.0\r\nVia: SIP/9.0/UDP 127.0.0.1\r\n\r\n",
    "http": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "long": b"INVITE sip:" + b"a" * 60_000 + b"@127.0.0.1 SIP/2.0\r\n\r\n",
    "response to nothing": b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:9\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n",
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_sip_is_dropped(line: Line, name: str) -> None:
    line.caller.send(ODD[name])
    assert goes_on(line)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("CSeq: 1 INVITE", "CSeq: 1 BYE"),
        ("CSeq: 1 INVITE", "CSeq: many INVITE"),
        ("Call-ID: odd", "Call-ID: "),
        ("Max-Forwards: 70", "Max-Forwards: 0"),
        ("Max-Forwards: 70", "Max-Forwards: -5"),
        ("From: ", "From: \x00\xff"),
        ("From: <sip:", "From: <sip:%00%0d%0a"),
        ("From: <sip:", 'From: "\\"unclosed <sip:'),
        (";tag=odd", ""),
        (";tag=odd", ";tag=a b c file=/etc/passwd"),
        ("Content-Length: ", "Content-Length: 99"),
        ("Content-Length: ", "Content-Length: -"),
        ("Content-Type: application/sdp", "Content-Type: text/plain"),
        ("Content-Type: application/sdp", "Content-Type: multipart/mixed;boundary=x"),
        ("v=0", "v=zero"),
        ("m=audio 40000", "m=audio 99999999"),
        ("m=audio 40000", "m=audio 0"),
        ("m=audio 40000 RTP/AVP 0 8 101", "m=audio 40000 RTP/AVP " + "0 " * 2000),
        ("c=IN IP4 127.0.0.1", "c=IN IP4 999.1.2.3"),
        ("c=IN IP4 127.0.0.1", "c=IN IP6 ::1"),
        ("c=IN IP4 127.0.0.1\r\n", ""),
        ("m=audio", "m=video"),
        ("s=-", "s=" + "x" * 30_000),
        ("Via: ", "Via: SIP/2.0/UDP [::1]:0;branch=,\r\nVia: "),
        ("Contact: <sip:", "Contact: <nonsense:"),
    ],
)
def test_an_invite_with_something_wrong_harms_nobody(line: Line, old: str, new: str) -> None:
    with line.bridge(lambda event: [connect(event)] if event["event"] == "invite" else []):
        text = an_invite(line)
        assert old in text
        line.caller.send(text.replace(old, new, 1))
        time.sleep(0.05)
        assert goes_on(line)


def test_an_invite_without_sdp_is_offered_and_answered_the_other_way_round(line: Line) -> None:
    attempt = line.caller.invite(LINE, sdp="")
    answer = line.caller.response(attempt, 200)
    low, high = line.edge.media
    assert low <= answer.audio_port <= high
    line.caller.send(line.caller.request("ACK", attempt, answer=answer, body=an_sdp(40_000)))
    passed_on = line.callee.wait(lambda each: each.method == "ACK" and each.header("Call-ID") == attempt.call_id)
    assert low <= passed_on.audio_port <= high
    line.caller.hang_up(attempt, answer)


def test_a_thousand_mutations_of_an_invite_end_no_process(line: Line) -> None:
    chance = random.Random(20_260_301)
    with line.bridge(lambda event: [connect(event)] if event["event"] == "invite" else []):
        for turn in range(1000):
            data = bytearray(an_invite(line).encode())
            for _ in range(chance.randint(1, 12)):
                place = chance.randrange(len(data))
                match chance.randrange(4):
                    case 0:
                        data[place] = chance.randrange(256)
                    case 1:
                        del data[place : place + chance.randrange(40)]
                    case 2:
                        data[place:place] = chance.randbytes(chance.randrange(40))
                    case _:
                        data[place:place] = data[place : place + chance.randrange(200)]
            line.caller.send(bytes(data[:60_000]))
            if turn % 50 == 0:
                time.sleep(0.05)
        assert goes_on(line)


def test_a_stranger_gets_no_answer(line: Line) -> None:
    with an_endpoint(line.ports.one(), line.edge.sip, host="127.0.0.9") as stranger:
        stranger.invite(LINE)
        stranger.send("OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.9:5;branch=z9hG4bKx\r\n\r\n")
        time.sleep(0.5)
        assert stranger.seen == []


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Line, Endpoint]]:
    """An edge with two trunks: an orderly one, and one at 127.0.0.2 that may begin twenty calls a second, as any."""
    with ExitStack() as stack:
        ports = stack.enter_context(a_block_of_ports())
        trunks = ("127.0.0.1", "127.0.0.2")
        edge = stack.enter_context(
            running_edge(_folder(tmp_path_factory), ports, trunks=trunks, calls_per_second=20, requests_per_second=100)
        )
        yield (
            Line(
                edge=edge,
                caller=stack.enter_context(an_endpoint(ports.one(), edge.sip)),
                callee=stack.enter_context(an_endpoint(edge.callee, edge.sip)),
                ports=ports,
            ),
            stack.enter_context(an_endpoint(ports.one(), edge.sip, host="127.0.0.2")),
        )


def _folder(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("crowd")


def test_a_flood_from_one_address_leaves_room_for_others(crowd: tuple[Line, Endpoint]) -> None:
    line, loud = crowd
    for turn in range(600):
        loud.invite(LINE, caller=f"+1202555{turn:04}")
        if turn % 100 == 99:
            attempt = line.caller.invite(LINE)
            began = time.monotonic()
            answer = line.caller.response(attempt, 200, 2)
            assert time.monotonic() - began < 1
            line.caller.acknowledge(attempt, answer)
            line.caller.hang_up(attempt, answer)
    assert line.edge.ways().get("too_many", 0) + line.edge.ways().get("flood", 0) > 400
    assert goes_on(line)
