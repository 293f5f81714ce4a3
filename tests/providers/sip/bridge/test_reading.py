"""What the bridge's neighbours send is read, or refused as junk; nothing of it is an error that nobody expects."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.facts import Outcome
from gateway.providers.sip.bridge.bencode import Told, decode, encode
from gateway.providers.sip.bridge.errors import JunkError
from gateway.providers.sip.bridge.keys import KeyPressed, read_key
from gateway.providers.sip.bridge.messages import Answered, Gone, Invite, read_message
from gateway.providers.sip.bridge.netstring import LONGEST, NetstringReader, framed
from gateway.providers.sip.bridge.steps import BridgeLegs, Connect, EndCall, Leg, Play, read_steps

FILE = "0" * 64 + ".wav"


@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(1, 40))
def test_netstrings_come_whole_however_they_are_cut(messages: list[bytes], size: int) -> None:
    stream, reader = b"".join(map(framed, messages)), NetstringReader()
    read = [message for at in range(0, len(stream), size) for message in reader.feed(stream[at : at + size])]
    assert read == messages


@pytest.mark.parametrize(
    "junk", [b"x:", b":,", b"-1:,", b"3:abcd", b"9999999:", b"99999999", b"GET / HTTP/1.1\r\n", b" 3:abc,"]
)
def test_what_is_no_netstring_is_refused(junk: bytes) -> None:
    with pytest.raises(JunkError):
        NetstringReader().feed(junk)


def test_a_netstring_that_is_too_long_is_refused_at_its_first_byte() -> None:
    with pytest.raises(JunkError):
        NetstringReader().feed(b"%d:" % (LONGEST + 1))


@given(st.binary(max_size=60))
def test_junk_never_breaks_the_reader_of_netstrings(data: bytes) -> None:
    with suppress(JunkError):
        NetstringReader().feed(data)


TOLD = st.recursive(
    st.integers(-(10**9), 10**9) | st.binary(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(TOLD)
def test_bencode_comes_back_as_it_went(value: Told) -> None:
    assert decode(encode(value)) == value


@given(st.binary(max_size=80))
def test_junk_never_breaks_the_reader_of_bencode(data: bytes) -> None:
    with suppress(JunkError):
        decode(data)


@pytest.mark.parametrize(
    "junk", [b"", b"i1", b"ie", b"5:abc", b"-1:", b"l", b"d1:ae", b"di1e1:ae", b"i1ei2e", b"l" * 999]
)
def test_what_is_no_bencode_is_refused(junk: bytes) -> None:
    with pytest.raises(JunkError):
        decode(junk)


def test_keys_are_read_as_rtpengine_reports_them() -> None:
    told = {"callid": "a@b", "source_tag": "B", "type": "DTMF", "event": 11, "duration": 100, "volume": 10}
    assert read_key(json.dumps(told).encode()) == KeyPressed(call="a@b", tag="B", key="#")


@given(st.binary(max_size=60))
def test_junk_is_no_key(packet: bytes) -> None:
    assert read_key(packet) is None


@pytest.mark.parametrize(
    "change",
    [{"event": 16}, {"event": -1}, {"event": True}, {"event": "1"}, {"source_tag": ""}, {"type": "x"}, {"callid": 1}],
)
def test_a_report_that_is_not_quite_of_a_key_is_none(change: dict[str, object]) -> None:
    told = {"callid": "a@b", "source_tag": "B", "type": "DTMF", "event": 1, **change}
    assert read_key(json.dumps(told).encode()) is None


def test_messages_of_kamailio_are_read() -> None:
    told = {"call": "a@b", "from_tag": "A", "caller": "x", "callee": "y", "mark": "", "sdp": "v=0", "other": 1}
    assert read_message({**told, "event": "invite"}) == Invite(
        call="a@b", caller_tag="A", caller="x", callee="y", mark="", sdp="v=0"
    )
    assert read_message({**told, "event": "answered", "to_tag": "B"}) == Answered(call="a@b", callee_tag="B")
    assert read_message({**told, "event": "gone", "how": "busy"}) == Gone(call="a@b", outcome=Outcome.BUSY)
    assert read_message({"call": "a@b", "event": "gone"}) == Gone(call="a@b", outcome=Outcome.COMPLETED)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"call": "a"},
        {"event": "invite"},
        {"call": 1, "event": "invite"},
        {"call": "a", "event": "invite", "sdp": 1},
        {"call": "a" * 300, "event": "gone"},
    ],
)
def test_messages_that_lack_something_are_junk(told: dict[str, object]) -> None:
    with pytest.raises(JunkError):
        read_message(told)


def a_play(**changes: object) -> dict[str, object]:
    play = {"to": "callee", "files": [FILE], "keys": True, "wait_seconds": 4, "next": "/sip/key?t=abc_-1", **changes}
    return {"play": play}


def steps_of(*steps: object, version: object = 1) -> bytes:
    return json.dumps({"version": version, "steps": steps}).encode()


def test_steps_of_the_gateway_are_read() -> None:
    told = steps_of(
        a_play(), {"connect": {"to": "sip:+44@x.net;a=b", "mark": "m", "whisper": ""}}, {"bridge": {}}, {"end": {}}
    )
    assert read_steps(told) == (
        Play(leg=Leg.CALLEE, files=(FILE,), wait_seconds=4.0, following="/sip/key?t=abc_-1"),
        Connect(to="sip:+44@x.net;a=b", mark="m", whisper=""),
        BridgeLegs(),
        EndCall(),
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        steps_of(version=1),
        steps_of({"end": {}}, version=2),
        steps_of({"sing": {}}),
        steps_of(a_play(to="everybody")),
        steps_of(a_play(files=[])),
        steps_of(a_play(files=["../../etc/passwd"])),
        steps_of(a_play(files=[FILE + " start-pos=1"])),
        steps_of(a_play(wait_seconds=3600)),
        steps_of(a_play(wait_seconds=None)),
        steps_of(a_play(next="http://elsewhere.example/")),
        steps_of(a_play(next="//elsewhere.example/sip/key?t=a")),
        steps_of({"connect": {"to": "sip:a@b\r\nX-Evil: 1", "mark": ""}}),
        steps_of({"connect": {"to": "http://a", "mark": ""}}),
        steps_of({"connect": {"to": "", "mark": "a b"}}),
        steps_of({"connect": {}}),
        steps_of(*[{"end": {}}] * 9),
        b"[" * 100_000,
    ],
)
def test_steps_that_are_not_of_the_contract_are_junk(body: bytes) -> None:
    with pytest.raises(JunkError):
        read_steps(body)
