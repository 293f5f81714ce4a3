"""Every line of the demo does what its row says, seen by a program of nobody's and by `notice-gateway call`."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import delete

from gateway.assembly import put_together
from gateway.audio.mixdown import decode_wav
from gateway.audit.tables import plays
from gateway.clock import utc_now
from tests.cli.command_line import CommandLine
from tests.end_to_end.call_script import Press, Record, Script, a_caller
from tests.end_to_end.independent_twilio import Twilio
from tests.end_to_end.server import Server, run


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the demo: what the caller and the callee hear, and why."""

    line: str
    decision: str
    reason: str
    caller_hears: tuple[str, ...] = ()
    callee_hears: tuple[str, ...] = ()


PUBLIC = ("public_notice", "publication_order_in_force")
ROWS = (
    Row(line="+12025550110", decision=PUBLIC[0], reason=PUBLIC[1], caller_hears=("public",)),
    Row(line="+442079460110", decision=PUBLIC[0], reason=PUBLIC[1], caller_hears=("public", "public")),
    Row(line="+12025550111", decision="warning", reason="warning_period", callee_hears=("warning",)),
    Row(line="+12025550130", decision="connect", reason="order_lifted"),
    Row(line="+12025550140", decision="connect", reason="district_off"),
    Row(line="+12025550150", decision="connect", reason="order_expired"),
    Row(line="+12025550199", decision="connect", reason="no_order"),
)
PERSONS = {
    "+12025550120": ZoneInfo("America/New_York"),
    "+442079460120": ZoneInfo("Europe/London"),
    "+61255500120": ZoneInfo("Australia/Sydney"),
}
SAMPLES_A_SECOND = 8000


def may_be_told(line: str, now: datetime) -> bool:
    return time(8) <= now.astimezone(PERSONS[line]).time() < time(21)


def the_person_who_may_be_told(server: Server) -> str:
    """Return a line inside its hours for at least another minute, with nothing heard on it yet."""
    forget_plays(server)
    now = utc_now()
    return next(line for line in PERSONS if may_be_told(line, now) and may_be_told(line, now + timedelta(minutes=1)))


def forget_plays(server: Server) -> None:
    opened = put_together(server.settings)
    with opened.studio.engine.begin() as connection:
        connection.execute(delete(plays))
    opened.close()


def command(server: Server, *arguments: str) -> dict[str, Any]:
    """Return what `notice-gateway call --json` prints."""
    printed = CommandLine(env=server.env).succeed("call", *arguments, "--from", a_caller(), "--json")
    played: dict[str, Any] = json.loads(printed)
    return played


def kinds(heard: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(each["kind"] for each in heard)


def prompts(heard: list[dict[str, Any]]) -> list[str]:
    return [each["prompt"] for each in heard]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.line)
def test_a_line_does_what_its_row_says_to_an_independent_program_and_to_our_own_command(
    server: Server, twilio: Twilio, row: Row
) -> None:
    record = twilio.ring(row.line)
    assert record.trouble == []
    assert (len(record.caller_heard), len(record.callee_heard)) == (len(row.caller_hears), len(row.callee_hears))
    assert all(sound.seconds == sound.length > 3 for sound in record.caller_heard + record.callee_heard)
    assert (record.dialled, record.connected_to, record.status) == ([row.line], row.line, "completed")
    played = command(server, row.line)
    assert (played["decision"], played["reason"]) == (row.decision, row.reason)
    assert kinds(played["caller_heard"]) == row.caller_hears
    assert kinds(played["callee_heard"]) == row.callee_hears
    assert prompts(played["caller_heard"]) == record.prompts("caller")
    assert prompts(played["callee_heard"]) == record.prompts("callee")
    assert (played["connected_to"], played["disposition"]) == (row.line, "completed")
    assert all(each["status"] in {200, 204} and each["ms"] > 0 for each in played["webhooks"])


@pytest.mark.parametrize("line", PERSONS)
def test_a_person_hears_the_opener_from_eight_to_nine_in_the_evening_where_the_person_is_and_callers_never_do(
    server: Server, twilio: Twilio, line: str
) -> None:
    before = may_be_told(line, utc_now())
    record, played = twilio.ring(line), command(server, line)
    if before != may_be_told(line, utc_now()):
        pytest.skip("the hour struck during the test")
    assert record.trouble == []
    assert record.caller_heard == played["caller_heard"] == []
    assert kinds(played["callee_heard"]) == (("opener",) if before else ())
    assert record.prompts("callee") == prompts(played["callee_heard"])
    expected = ("private_notice", "service_order_in_force") if before else ("connect", "outside_permitted_hours")
    assert (played["decision"], played["reason"]) == expected
    assert record.connected_to == played["connected_to"] == line


def test_one_of_the_three_persons_may_be_told_at_any_minute_of_the_year() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    moments = (start + timedelta(minutes=5 * step) for step in range(365 * 24 * 12))
    assert all(any(may_be_told(line, moment) for line in PERSONS) for moment in moments)


def test_a_person_who_presses_1_hears_the_content_and_the_caller_hears_nothing_of_it(
    server: Server, twilio: Twilio
) -> None:
    line = the_person_who_may_be_told(server)
    record = twilio.call(Script(callee=line, presses=(Press(party="callee", prompt=0, key="1", after=3),)))
    assert record.trouble == []
    assert record.caller_heard == []
    opener, content = record.callee_heard
    assert opener.seconds == 3
    assert content.seconds == content.length > 3
    assert record.connected_to == line
    forget_plays(server)
    # The telephone rings for one second, then the opener begins.
    played = command(server, line, "--key", "1@4")
    assert kinds(played["callee_heard"]) == ("opener", "private")
    assert prompts(played["callee_heard"]) == [opener.prompt, content.prompt]
    assert [each["seconds"] for each in played["callee_heard"]] == [3, pytest.approx(content.length, abs=0.02)]
    assert played["caller_heard"] == []
    assert (played["connected_to"], played["decision"]) == (line, "private_notice")


def test_the_callers_leg_of_a_persons_call_neither_links_nor_hints_at_anything(server: Server, twilio: Twilio) -> None:
    line = the_person_who_may_be_told(server)
    record = twilio.call(Script(callee=line, presses=(Press(party="callee", prompt=0, key="1"),)))
    plain = twilio.ring("+12025550199")
    assert len(record.callee_heard) == 2
    for webhook in record.webhooks:
        if webhook.party == "caller":
            assert re.search(rb"prompts|court|Nobody|-SV-|-TS-|-BS-|ord_", webhook.body, re.IGNORECASE) is None
    assert [each.path for each in record.webhooks if each.party == "caller"] == plain.paths()


@pytest.mark.parametrize("key", ["5", "*", ""])
def test_a_person_who_does_not_press_1_hears_no_content_and_is_connected(
    server: Server, twilio: Twilio, key: str
) -> None:
    line = the_person_who_may_be_told(server)
    presses = (Press(party="callee", prompt=0, key=key),) if key else ()
    record = twilio.call(Script(callee=line, presses=presses))
    assert (len(record.callee_heard), record.connected_to) == (1, line)


def test_english_comes_before_mandarin_and_any_key_goes_on_to_the_connection(server: Server, twilio: Twilio) -> None:
    whole = command(server, "+442079460110")
    english, mandarin = whole["caller_heard"]
    opened = put_together(server.settings)
    with opened.studio.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT mulaw, language FROM renditions")
        languages = {row[0]: row[1] for row in rows}
    opened.close()
    assert [languages[english["prompt"]], languages[mandarin["prompt"]]] == ["en", "zh"]
    assert english["seconds"] + mandarin["seconds"] <= 20
    skipped = twilio.call(Script(callee="+442079460110", presses=(Press(party="caller", prompt=0, key="#"),)))
    assert [sound.seconds for sound in skipped.caller_heard] == [1]
    assert skipped.connected_to == "+442079460110"


@pytest.mark.parametrize("key", ["5", "*", "#", "0"])
def test_a_key_after_two_seconds_makes_the_notice_two_seconds_long(server: Server, twilio: Twilio, key: str) -> None:
    line = "+12025550110"
    record = twilio.call(Script(callee=line, presses=(Press(party="caller", prompt=0, key=key, after=2),)))
    played = command(server, line, "--key", f"{key}@2")
    assert [sound.seconds for sound in record.caller_heard] == [2]
    assert [each["seconds"] for each in played["caller_heard"]] == [2]
    assert record.connected_to == played["connected_to"] == line


@pytest.mark.parametrize("callee_is", ["busy", "no-answer"])
def test_a_callee_who_does_not_answer_hears_nothing_and_the_call_ends_as_such(
    server: Server, twilio: Twilio, callee_is: Literal["busy", "no-answer"]
) -> None:
    record = twilio.call(Script(callee="+12025550111", callee_is=callee_is))
    played = command(server, "+12025550111", "--callee", callee_is)
    assert record.callee_heard == played["callee_heard"] == []
    assert (record.connected_to, record.trouble, played["disposition"]) == ("", [], callee_is)


def test_the_sound_files_are_equally_long_and_sound_where_the_timeline_says(server: Server, tmp_path: Path) -> None:
    finished = run(server.env, "call", "+12025550110", "--out", str(tmp_path), "--json")
    assert finished.returncode == 0, finished.stderr
    notice = json.loads(finished.stdout)["caller_heard"][0]
    caller, callee = read_wav(tmp_path / "caller.wav"), read_wav(tmp_path / "callee.wav")
    assert len(caller) == len(callee) > notice["seconds"] * SAMPLES_A_SECOND
    spoken = int(notice["seconds"] * SAMPLES_A_SECOND)
    assert min(loudness(caller[:spoken])) > 300
    assert max(loudness(callee[:spoken])) == 0
    stored = np.frombuffer(decode_wav(server.get(f"/prompts/{notice['prompt']}.wav").content), dtype="<i2")
    assert np.array_equal(caller[:spoken], stored[:spoken])
    # Afterwards both have the connection, and the caller has waited for it.
    assert loudness(caller[spoken:])[-1] > 100
    assert loudness(callee[spoken:])[-1] > 100


def test_the_caller_of_a_warned_organisation_hears_nothing_but_ringing_while_the_callee_is_spoken_to(
    server: Server, tmp_path: Path
) -> None:
    played = command(server, "+12025550111", "--out", str(tmp_path))
    warning = played["callee_heard"][0]
    caller, callee = read_wav(tmp_path / "caller.wav"), read_wav(tmp_path / "callee.wav")
    assert len(caller) == len(callee)
    # The telephone rings for one second; then the callee is spoken to, and the caller hears the ringing tone.
    start, end = SAMPLES_A_SECOND, int((1 + warning["seconds"]) * SAMPLES_A_SECOND)
    assert min(loudness(callee[start:end])) > 300
    assert share_outside(caller[start:end], (430, 490)) < 0.01
    stored = np.frombuffer(decode_wav(server.get(f"/prompts/{warning['prompt']}.wav").content), dtype="<i2")
    assert np.array_equal(callee[start:end], stored[: end - start])


def test_the_log_of_calls_and_the_metrics_name_no_line_and_no_caller(server: Server, twilio: Twilio) -> None:
    records: list[Record] = [twilio.ring(line) for line in ("+12025550110", "+12025550199", *PERSONS)]
    assert all(record.connected_to for record in records)
    told = server.log.read_text() + server.get("/metrics").text
    for number in ("+12025550110", "+12025550199", "441632960", *PERSONS):
        assert number.removeprefix("+") not in told
    assert "Traceback" not in told


def read_wav(path: Path) -> NDArray[np.int16]:
    return np.frombuffer(decode_wav(path.read_bytes()), dtype="<i2")


def loudness(samples: NDArray[np.int16]) -> list[float]:
    """Return the RMS of each whole second."""
    seconds = len(samples) // SAMPLES_A_SECOND
    rows = samples[: seconds * SAMPLES_A_SECOND].reshape(seconds, SAMPLES_A_SECOND).astype(np.float64)
    return [float(value) for value in np.sqrt((rows**2).mean(axis=1))]


def share_outside(samples: NDArray[np.int16], band: tuple[float, float]) -> float:
    """Return how much of the energy lies outside `band` (Hz)."""
    spectrum = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / SAMPLES_A_SECOND)
    inside = (frequencies >= band[0]) & (frequencies <= band[1])
    return float(spectrum[~inside].sum() / spectrum.sum())
