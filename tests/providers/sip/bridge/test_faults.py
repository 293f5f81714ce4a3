"""Whatever fails beside the bridge, calls are connected in time, and legs that were kept apart are let through."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gateway.providers.sip.bridge.bencode import encode
from gateway.providers.sip.bridge.netstring import framed
from tests.providers.sip.bridge.scene import (
    BRIDGE,
    CONNECT,
    IN_TIME_SECONDS,
    NAME,
    SOUND,
    WHISPERING,
    Scenario,
    Scene,
    a_play,
    a_scene,
)
from tests.providers.sip.bridge.stand_ins import a_sound, all_well
from tests.register.screening import until


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Scenario], None]:
    """What runs a scenario in a scene of its own."""

    async def whole(scenario: Scenario) -> None:
        async with a_scene(tmp_path) as scene:
            await asyncio.wait_for(scenario(scene), 30)

    return lambda scenario: asyncio.run(whole(scenario))


Play = Callable[[Scenario], None]


def test_a_public_notice_goes_from_183_to_connect_with_one_tag(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        scene.edge.invite("+12025550110", sdp="v=0")
        assert (await scene.instruction_in_time())["do"] == "progress"
        connect = await scene.edge.instruction()
        assert (connect["do"], connect["rtag"], connect["mark"]) == ("connect", "notice-A", "m")
        assert scene.engine.told("play media")[0]["from-tag"] == b"A"
        assert [each["to-tag"] for each in scene.engine.told("answer")] == [b"notice-A"]
        assert scene.gateway.told("heard")[0]["key"] == ""
        assert 40 <= scene.gateway.told("heard")[0]["heard_ms"] <= 70

    play(scenario)


async def gateway_hangs(scene: Scene) -> None:
    scene.gateway.seconds = 5


async def gateway_fails(scene: Scene) -> None:
    scene.gateway.status = 500


async def gateway_redirects(scene: Scene) -> None:
    scene.gateway.status = 302


async def gateway_talks_nonsense(scene: Scene) -> None:
    scene.gateway.raw = b'{"version":1,"steps":[{"sing":{}}]}'


async def gateway_answers_html(scene: Scene) -> None:
    scene.gateway.raw = b"<html>"


async def gateway_plays_a_callees_notice(scene: Scene) -> None:
    scene.gateway.answers["call"] = [a_play("callee", "/sip/key?t=k"), CONNECT]


async def gateway_bridges_too_early(scene: Scene) -> None:
    scene.gateway.answers["call"] = BRIDGE


async def sound_is_missing(scene: Scene) -> None:
    (scene.settings.sounds_dir / NAME).unlink()


async def sound_has_something_behind_it(scene: Scene) -> None:
    (scene.settings.sounds_dir / NAME).write_bytes(SOUND + b"x")


async def sound_is_of_another_form(scene: Scene) -> None:
    (scene.settings.sounds_dir / NAME).write_bytes(SOUND[:20] + b"\x07\x00" + SOUND[22:])


def engine(*failing: str, with_: bytes | None) -> Callable[[Scene], Awaitable[None]]:
    async def fault(scene: Scene) -> None:
        scene.engine.answering = lambda command: with_ if command in failing else all_well(command)

    return fault


async def engine_is_gone(scene: Scene) -> None:
    scene.engine.close()


ERROR, JUNK = encode({"result": "error", "error-reason": "x"}), b"d3:abc"
BEFORE_THE_NOTICE = {
    "the gateway hangs": gateway_hangs,
    "the gateway fails": gateway_fails,
    "the gateway redirects": gateway_redirects,
    "the gateway talks nonsense": gateway_talks_nonsense,
    "the gateway answers with a page": gateway_answers_html,
    "the gateway plays a callee's notice": gateway_plays_a_callees_notice,
    "the gateway bridges too early": gateway_bridges_too_early,
    "the recording is missing": sound_is_missing,
    "the recording has something behind it": sound_has_something_behind_it,
    "the recording is of another form": sound_is_of_another_form,
    "rtpengine is gone": engine_is_gone,
    "rtpengine is silent": engine("offer", with_=None),
    "rtpengine refuses the offer": engine("offer", with_=ERROR),
    "rtpengine refuses the answer": engine("answer", with_=ERROR),
    "rtpengine talks nonsense": engine("offer", with_=JUNK),
    "rtpengine gives no SDP": engine("answer", with_=encode({"result": "ok"})),
}


@pytest.mark.parametrize("fault", BEFORE_THE_NOTICE.values(), ids=BEFORE_THE_NOTICE.keys())
def test_a_fault_before_a_notice_connects_the_call_in_time(play: Play, fault: Scenario) -> None:
    async def scenario(scene: Scene) -> None:
        await fault(scene)
        scene.edge.invite("+12025550110", sdp="v=0")
        connect = await scene.instruction_in_time()
        assert (connect["do"], connect["whisper"], connect["rtag"]) == ("connect", False, "")
        assert scene.engine.told("play media") == []
        assert await scene.edge.silence(0.2)
        # Nothing was heard, and where the gateway could be asked for a notice it learns so.
        assert {report["heard_ms"] for report in scene.gateway.told("heard")} <= {0}

    play(scenario)


@pytest.mark.parametrize(
    "fault", [sound_is_missing, engine_is_gone, engine("play media", with_=encode({"result": "ok"}))]
)
def test_a_notice_that_could_not_be_played_is_reported_as_not_heard(play: Play, fault: Scenario) -> None:
    async def scenario(scene: Scene) -> None:
        await fault(scene)
        scene.edge.invite("+12025550110", sdp="v=0")
        while (await scene.edge.instruction())["do"] != "connect":
            pass
        await asyncio.sleep(0.2)
        assert [(report["key"], report["heard_ms"]) for report in scene.gateway.told("heard")] == [("", 0)]

    play(scenario)


DURING_THE_NOTICE = {
    "nothing is played": engine("play media", with_=encode({"result": "ok"})),
    "the play is refused": engine("play media", with_=ERROR),
    "the play is not answered": engine("play media", with_=None),
}


@pytest.mark.parametrize("fault", DURING_THE_NOTICE.values(), ids=DURING_THE_NOTICE.keys())
def test_a_fault_during_a_public_notice_connects_the_call(play: Play, fault: Scenario) -> None:
    async def scenario(scene: Scene) -> None:
        await fault(scene)
        scene.edge.invite("+12025550110", sdp="v=0")
        assert (await scene.instruction_in_time())["do"] == "progress"
        connect = await scene.instruction_in_time()
        assert (connect["do"], connect["rtag"]) == ("connect", "notice-A")

    play(scenario)


@pytest.mark.parametrize("fault", [gateway_hangs, gateway_fails, gateway_talks_nonsense])
def test_a_gateway_that_fails_while_the_notice_plays_does_not_keep_the_caller(play: Play, fault: Scenario) -> None:
    async def scenario(scene: Scene) -> None:
        scene.edge.invite("+12025550110", sdp="v=0")
        assert (await scene.edge.instruction())["do"] == "progress"
        await fault(scene)
        assert (await scene.edge.instruction(1.5))["do"] == "connect"

    play(scenario)


IN_A_WHISPER = {
    "the gateway hangs": gateway_hangs,
    "the gateway fails": gateway_fails,
    "the gateway talks nonsense": gateway_talks_nonsense,
    "the recording is missing": sound_is_missing,
    "nothing can be blocked": engine("block media", "block DTMF", with_=ERROR),
    "keys cannot be blocked": engine("block DTMF", with_=None),
    "nothing is played": engine("play media", with_=encode({"result": "ok"})),
    "nothing can be stopped": engine("stop media", with_=ERROR),
}


@pytest.mark.parametrize("fault", IN_A_WHISPER.values(), ids=IN_A_WHISPER.keys())
def test_a_fault_in_a_whisper_lets_the_parties_talk(play: Play, fault: Scenario) -> None:
    async def scenario(scene: Scene) -> None:
        scene.gateway.answers["call"] = WHISPERING
        scene.edge.invite("+12025550120", call="w@test")
        await scene.edge.instruction()
        await fault(scene)
        scene.edge.send(event="answered", call="w@test", from_tag="A", to_tag="B")
        assert (await scene.edge.instruction(2))["do"] == "bridged"
        assert len(scene.engine.told("unblock media")) == len(scene.engine.told("unblock DTMF")) == 1

    play(scenario)


def test_where_nothing_can_be_blocked_nothing_is_said_to_the_callee(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        scene.gateway.answers["call"] = WHISPERING
        await engine("block media", with_=ERROR)(scene)
        await scene.ring_and_answer()
        await scene.edge.instruction()
        assert scene.engine.told("play media") == []

    play(scenario)


def test_a_whisper_that_would_play_to_the_caller_plays_nothing(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        scene.gateway.answers |= {"call": WHISPERING, "whisper": [a_play("caller", "/sip/key?t=k"), *BRIDGE]}
        await scene.ring_and_answer()
        assert (await scene.edge.instruction())["do"] == "bridged"
        files = [str(each["file"]) for each in scene.engine.told("play media")]
        assert [NAME in file for file in files] == [False]

    play(scenario)


def test_an_unblocking_that_is_lost_is_tried_again_until_it_is_done(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        tries = iter([ERROR, None, ERROR])
        scene.gateway.answers["call"] = WHISPERING
        scene.engine.answering = lambda command: (
            next(tries, all_well(command)) if command == "unblock media" else all_well(command)
        )
        await scene.ring_and_answer()
        assert (await scene.edge.instruction(8))["do"] == "bridged"
        assert len(scene.engine.told("unblock media")) == 4

    play(scenario)


def test_only_keys_of_the_leg_that_listens_count(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        scene.gateway.answers |= {"call": WHISPERING, "whisper": [a_play("callee", "/sip/key?t=k", wait=1.5), *BRIDGE]}
        call = await scene.ring_and_answer()
        await asyncio.sleep(0.3)
        for tag, event in (("A", 1), ("", 1), ("B", 99), ("B", "1")):
            scene.press(call, tag, event)
        scene.press("another@test", "B", 1)
        await asyncio.sleep(0.3)
        assert scene.gateway.told("key") == []
        scene.press(call, "B", 3)
        assert (await scene.edge.instruction(1))["do"] == "bridged"
        assert [report["key"] for report in scene.gateway.told("key")] == ["3"]

    play(scenario)


def test_a_missing_recording_is_fetched_for_the_next_call(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        await sound_is_missing(scene)
        scene.gateway.sounds[NAME] = SOUND
        scene.edge.invite("+12025550110", sdp="v=0")
        assert (await scene.instruction_in_time())["do"] == "connect"
        await asyncio.sleep(0.3)
        scene.edge.invite("+12025550110", sdp="v=0")
        assert (await scene.instruction_in_time())["do"] == "progress"

    play(scenario)


def test_what_is_fetched_must_be_what_its_name_says(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        await sound_is_missing(scene)
        scene.gateway.sounds[NAME] = a_sound(0.2)
        scene.edge.invite("+12025550110", sdp="v=0")
        await scene.edge.instruction()
        await asyncio.sleep(0.3)
        assert not (scene.settings.sounds_dir / NAME).exists()

    play(scenario)


async def is_announced(scene: Scene) -> None:
    """Let calls come in until one gets its notice: on a machine that is busy, one may be connected for being late."""
    for _ in range(5):
        scene.edge.invite("+12025550110", sdp="v=0")
        if (await scene.edge.instruction())["do"] == "progress":
            return
    raise AssertionError("no call gets its notice")


def test_a_lost_link_stops_what_plays_and_is_taken_up_again(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        scene.engine.answering = lambda command: (
            encode({"result": "ok", "duration": 20_000}) if command == "play media" else all_well(command)
        )
        (scene.settings.sounds_dir / NAME).write_bytes(a_sound(20))
        await is_announced(scene)
        assert await asyncio.to_thread(until, lambda: bool(scene.engine.told("play media")), 10)
        scene.edge.drop()
        assert await asyncio.to_thread(until, lambda: bool(scene.engine.told("stop media")), 10)
        await asyncio.wait_for(scene.edge.linked.wait(), 5)
        scene.engine.answering = all_well
        await is_announced(scene)
        assert len(scene.engine.told("stop media")) == 1

    play(scenario)


def test_junk_from_kamailio_costs_no_other_call(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        scene.gateway.answers["call"] = [CONNECT]
        for junk in (b"[]", b"{", b"\xff", b'{"v":2}', b'{"v":1,"event":"invite","call":7}', b'{"v":1,"call":"x"}'):
            scene.edge.send_raw(framed(junk))
        scene.edge.invite("+12025550199")
        assert (await scene.instruction_in_time())["do"] == "connect"
        scene.edge.send_raw(b"this is no netstring")
        await asyncio.sleep(0.1)
        await asyncio.wait_for(scene.edge.linked.wait(), 5)
        scene.edge.invite("+12025550199")
        assert (await scene.instruction_in_time())["do"] == "connect"

    play(scenario)


def test_sixty_calls_at_once_are_all_connected_while_the_gateway_hangs(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        await gateway_hangs(scene)
        calls = {scene.edge.invite("+12025550110", sdp="v=0") for _ in range(60)}
        began = asyncio.get_running_loop().time()
        done = {(await scene.edge.instruction(2))["call"] for _ in calls}
        assert done == calls
        assert asyncio.get_running_loop().time() - began < 2 * IN_TIME_SECONDS

    play(scenario)


def test_the_end_of_a_call_is_reported_where_a_notice_had_a_part_in_it(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        call = scene.edge.invite("+12025550110", sdp="v=0")
        await scene.edge.instruction()
        await scene.edge.instruction()
        scene.edge.send(event="gone", call=call, how="no-answer")
        scene.gateway.answers["call"] = [CONNECT]
        plain = scene.edge.invite("+12025550199", sdp="v=0")
        await scene.edge.instruction()
        scene.edge.send(event="gone", call=plain, how="bye")
        await asyncio.sleep(0.3)
        assert [report["outcome"] for report in scene.gateway.told("status")] == ["no-answer"]
        assert scene.counted("calls_under_way") == 0

    play(scenario)


def test_a_repeated_call_id_is_another_call_to_the_gateway(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        scene.gateway.answers["call"] = [CONNECT]
        for _ in range(2):
            scene.edge.invite("+12025550199", call="same@test")
            await scene.edge.instruction()
        attempts = [report["attempt"] for report in scene.gateway.told("call")]
        assert len(set(attempts)) == 2

    play(scenario)
