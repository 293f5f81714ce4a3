"""`notice-gateway call`: what it prints, what it writes, and what it says to bad input."""

import hashlib
import json
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import httpx
import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from gateway.cli.call import Player, call
from gateway.domain.errors import GatewayError
from gateway.providers.twilio.player import TwilioPlayer
from tests.providers.twilio.scripted_gateway import (
    CALLEE,
    DIAL,
    TOKEN,
    OpenExplainer,
    Reply,
    explained,
    gateway_with,
    mulaw_file,
    sound,
    twiml,
)

# 0xFF and 0x7F are mu-law for zero; 0x80 is the loudest positive sample.
LOUD = 0x80
NOTICE = hashlib.sha256(mulaw_file(3.0, LOUD)).hexdigest()
GATHER = (
    '<Gather numDigits="1" timeout="1" finishOnKey="" actionOnEmptyResult="true" action="/twilio/{action}">'
    f"<Play>/prompts/{NOTICE}.wav</Play></Gather>"
)
WHISPERED = DIAL.replace("<Number>", '<Number url="/twilio/whisper">')
PUBLIC = {
    "/twilio/call": twiml(
        GATHER.replace("{action}", "heard"),
        DIAL,
        headers=explained("public_notice", "publication_order_in_force", "o-1", {NOTICE: "public"}),
    ),
    "/twilio/heard": twiml(DIAL),
    f"/prompts/{NOTICE}.wav": sound(3.0, LOUD),
}
PRIVATE = {
    "/twilio/call": twiml(WHISPERED, headers=explained("private_notice", "service_order_in_force", "o-2")),
    "/twilio/whisper": twiml(
        GATHER.replace("{action}", "key"),
        headers=explained("private_notice", "service_order_in_force", "o-2", {NOTICE: "opener"}),
    ),
    "/twilio/key": twiml(),
    f"/prompts/{NOTICE}.wav": sound(3.0, LOUD),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What the whole program would hand to the command."""

    origin: str
    http: httpx.Client

    def player_for_calls(self) -> Player:
        return TwilioPlayer(self.origin, TOKEN, OpenExplainer(), self.http)


class Unconfigured:
    """A program that cannot make a player."""

    def player_for_calls(self) -> Player:
        raise GatewayError


@contextmanager
def program(replies: dict[str, list[Reply]]) -> Iterator[Program]:
    with gateway_with(replies) as gateway, httpx.Client(trust_env=False) as http:
        yield Program(origin=gateway.origin, http=http)


def run(context: object, *arguments: str) -> Result:
    return CliRunner().invoke(call, arguments, obj=context)


def printed(replies: dict[str, list[Reply]], *arguments: str) -> dict[str, Any]:
    with program(replies) as context:
        result = run(context, CALLEE, "--json", *arguments)
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def recorded(path: Path) -> NDArray[np.int16]:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")


def loudest_tone(samples: NDArray[np.int16]) -> float:
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.argmax(spectrum) * 8000 / len(samples))


def test_json_is_one_object_with_fixed_names() -> None:
    told = printed(PUBLIC, "--key", "5@1.5")
    assert list(told) == [
        *("decision", "reason", "caller_heard", "callee_heard", "connected_to", "disposition", "webhooks")
    ]
    assert told["caller_heard"] == [{"kind": "public", "order": "o-1", "prompt": NOTICE, "seconds": 1.5}]
    assert told["webhooks"][0].keys() == {"path", "status", "ms"}
    assert (told["connected_to"], told["disposition"]) == (CALLEE, "completed")


@pytest.mark.parametrize(
    ("arguments", "disposition"),
    [
        (("--callee", "busy"), "busy"),
        (("--callee", "no-answer"), "no-answer"),
        (("--callee", "rejects"), "rejected"),
        (("--hangup", "1"), "canceled"),
        (("--ring", "61"), "no-answer"),
    ],
)
def test_the_options_tell_what_the_parties_do(arguments: tuple[str, ...], disposition: str) -> None:
    assert printed(PUBLIC, *arguments)["disposition"] == disposition


def test_nobody_is_null_where_nobody_was_dialled() -> None:
    assert printed({"/twilio/call": twiml("<Hangup/>")})["connected_to"] is None


def test_the_caller_is_a_fictitious_number_unless_told_otherwise() -> None:
    with gateway_with(PUBLIC) as gateway, httpx.Client(trust_env=False) as http:
        context = Program(origin=gateway.origin, http=http)
        run(context, CALLEE)
        run(context, CALLEE, "--from", "+442079460000")
    assert [each.form["From"] for each in gateway.to("/twilio/call")] == ["+12025550199", "+442079460000"]


def test_the_timeline_tells_a_person_what_each_party_heard() -> None:
    with program(PRIVATE) as context:
        result = run(context, CALLEE, "--key", "1@2", "--key", "9@30")
    assert result.exit_code == 0
    for words in (
        "hears the private opener of order o-2 for 1.00 s",
        "presses 1",
        "bridges caller and callee",
        "key 9 is not heard: the call is over",
        "Decision: private_notice (service_order_in_force)",
        "The caller heard: no notice",
        "The callee heard: the private opener, 1.00 s",
        "Connected to: +12025550110; the call ended as completed.",
        "/twilio/whisper",
    ):
        assert words in result.output


def test_out_writes_what_each_party_heard_on_one_clock(tmp_path: Path) -> None:
    printed(PUBLIC, "--out", str(tmp_path / "calls"))
    caller, callee = (recorded(tmp_path / "calls" / f"{each}.wav") for each in ("caller", "callee"))
    # Three seconds of notice, one of timeout, one of ringing, two of talk.
    assert len(caller) == len(callee) == 7 * 8000
    notice, silence, ringing, talk = (caller[a * 8000 : b * 8000] for a, b in ((0, 3), (3, 4), (4, 5), (5, 7)))
    assert set(notice) == {32124}
    assert not silence.any()
    assert loudest_tone(ringing) in {440.0, 480.0}
    assert loudest_tone(talk) == 300.0
    assert not callee[: 5 * 8000].any()
    assert loudest_tone(callee[5 * 8000 :]) == 350.0


def test_the_caller_never_hears_what_is_whispered_to_the_callee(tmp_path: Path) -> None:
    printed(PRIVATE, "--out", str(tmp_path))
    caller, callee = (recorded(tmp_path / f"{each}.wav") for each in ("caller", "callee"))
    assert len(caller) == len(callee) == 7 * 8000
    assert set(callee[8000 : 4 * 8000]) == {32124}
    assert loudest_tone(caller[: 2 * 8000]) in {440.0, 480.0}
    assert np.abs(caller).max() < 2000


def test_a_notice_is_cut_where_the_caller_hung_up(tmp_path: Path) -> None:
    printed(PUBLIC, "--hangup", "1.25", "--out", str(tmp_path))
    assert len(recorded(tmp_path / "caller.wav")) == len(recorded(tmp_path / "callee.wav")) == 10000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--key", "1at3"), "'1at3' is not DIGIT@SECONDS; write a key (0-9, * or #)"),
        (("--key", "12@3"), "is not DIGIT@SECONDS"),
        (("--key", "A@3"), "is not DIGIT@SECONDS"),
        (("--key", "1@-3"), "is not DIGIT@SECONDS"),
        (("--key", "1@99999"), "is not a time; write seconds from 0 to 14400"),
        (("--hangup", "nan"), "'nan' is not a time"),
        (("--hangup", "-1"), "'-1' is not a time"),
        (("--ring", "soon"), "'soon' is not a time"),
        (("--callee", "sleeps"), "'sleeps' is not one of"),
    ],
)
def test_a_malformed_option_is_explained_and_exits_with_2(arguments: tuple[str, ...], words: str) -> None:
    result = run(Unconfigured(), CALLEE, *arguments)
    assert result.exit_code == 2
    assert words in result.output


def test_an_empty_callee_is_explained_and_exits_with_2() -> None:
    result = run(Unconfigured(), " ")
    assert (result.exit_code, "give the number to call" in result.output) == (2, True)


def test_a_refusal_exits_with_1_and_says_how_to_mend_it() -> None:
    with program({"/twilio/call": [Reply(status=403)]}) as context:
        result = run(context, CALLEE, "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "does not accept our signature" in result.stderr


def test_a_program_that_cannot_make_a_player_exits_with_1() -> None:
    result = run(Unconfigured(), CALLEE)
    assert (result.exit_code, "The gateway refuses this." in result.stderr) == (1, True)


def test_a_folder_that_cannot_be_written_exits_with_1(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with program(PUBLIC) as context:
        result = run(context, CALLEE, "--out", str(tmp_path / "file" / "calls"))
    assert result.exit_code == 1
    assert "Give --out another folder." in result.stderr


def test_the_help_teaches_by_examples() -> None:
    result = run(Unconfigured(), "--help")
    assert isinstance(call, click.Command)
    assert "+12025550110 --key 5@2     the caller skips it after two seconds" in result.output
