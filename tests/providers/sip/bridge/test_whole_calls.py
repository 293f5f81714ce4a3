"""Whole calls: the real gateway, the real rtpengine and the bridge; the test plays Kamailio and both telephones."""

import asyncio
import shutil
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.assembly import Parts, put_together
from gateway.audit.tables import plays
from gateway.clock import utc_now
from gateway.providers.sip.bridge.program import Bridge
from gateway.register import orders
from gateway.register.tables import disputes, notices, renditions
from gateway.settings import Settings, load
from gateway.workflows.change import at_the_command_line
from gateway.workflows.end_order import lift_order
from tests.contract.scene import put_at_noon
from tests.providers.sip.bridge.edge import Edge, an_edge
from tests.providers.sip.bridge.engine import PROGRAM, Engine, ask, free_udp_port, running_rtpengine
from tests.providers.sip.bridge.gateway import a_gateway
from tests.providers.sip.bridge.party import VOICE_HERTZ, Party

pytestmark = pytest.mark.skipif(shutil.which(PROGRAM) is None, reason="rtpengine-daemon is not installed")

SECRET = "a-secret-of-the-bridge"
ORGANISATION, WARNED, PERSON, FREE = "+12025550110", "+12025550111", "+12025550120", "+12025550199"
RING_HERTZ = 425


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A gateway and an rtpengine, with settings for a bridge between them."""

    settings: Settings
    engine: Engine
    parts: Parts

    def pitch_of(self, purpose: str, line: str) -> float:
        """Return the frequency of the one tone that a notice of the demo is."""
        query = select(renditions.c.wideband).join(notices, notices.c.rendition_id == renditions.c.rendition_id)
        query = query.where(notices.c.purpose == purpose, notices.c.order_id == self._order_of(line))
        with self.parts.studio.engine.connect() as connection:
            sha256: str = connection.execute(query).scalars().one()
        path = self.parts.studio.library.path_of(sha256, "wav")
        assert path is not None
        return _pitch(path.read_bytes()[44:])

    def lift_order_on(self, line: str) -> None:
        lift_order(self.parts.studio.engine, self.parts.keys, self._order_of(line), at_the_command_line(utc_now()))

    def _order_of(self, line: str) -> str:
        with self.parts.studio.engine.connect() as connection:
            entries = orders.entries(connection, self.parts.keys)
        return next(each.order.order_id for each in entries if line in {one.number.number for one in each.lines})

    def plays(self) -> list[Any]:
        with self.parts.studio.engine.connect() as connection:
            return list(connection.execute(select(plays).order_by(plays.c.played_at)))

    def grounds(self) -> list[str]:
        with self.parts.studio.engine.connect() as connection:
            return list(connection.execute(select(disputes.c.ground)).scalars())


def _pitch(samples: bytes) -> float:
    """Count how often a tone at 48 kHz crosses zero."""
    values: tuple[int, ...] = struct.unpack(f"<{len(samples) // 2}h", samples)[4800:43_200]
    crossings = sum(before < 0 <= after for before, after in pairwise(values))
    return crossings / (len(values) / 48_000)


@pytest.fixture
def house(sqlite_settings: Settings, tmp_path: Path) -> Iterator[House]:
    parts = put_together(sqlite_settings)
    put_at_noon(parts, PERSON)
    keys_to = f"127.0.0.1:{free_udp_port()}"
    data = sqlite_settings.data_dir
    with (
        a_gateway(load(data_dir=data, sip_secret=SECRET)) as origin,
        running_rtpengine(tmp_path, keys_to) as engine,
    ):
        settings = load(
            data_dir=data,
            sip_secret=SECRET,
            sip_gateway_url=origin,
            sip_rtpengine=engine.ng,
            sip_dtmf_listen=keys_to,
        )
        yield House(settings=settings, engine=engine, parts=parts)
    parts.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One call: Kamailio's end of the link, and the two telephones."""

    house: House
    edge: Edge
    bridge: Bridge
    caller: Party
    callee: Party

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def command(self, **fields: object) -> dict[str, object]:
        """Do what Kamailio does in rtpengine by itself."""
        return ask(int(self.house.engine.ng.rpartition(":")[2]), fields)

    def connect(self, call: str, rtag: str = "") -> int:
        """Offer and answer for the callee's leg; return the port that the caller then has."""
        usual = {"call-id": call, "from-tag": "A", "replace": ["origin"]}
        latching = {"flags": ["port latching"], "to-tag": rtag} if rtag else {}
        offered = self.command(command="offer", sdp=self.caller.sdp, ICE="remove", **usual, **latching)
        self.callee.send_to(_sdp(offered))
        answered = self.command(
            command="answer", sdp=self.callee.sdp, ICE="remove", **{**usual, "to-tag": "B", **latching}
        )
        return self.caller.send_to(_sdp(answered))


def _sdp(answer: dict[str, object]) -> str:
    assert answer.get("result") == b"ok", answer
    sdp = answer["sdp"]
    assert isinstance(sdp, bytes)
    return sdp.decode()


async def eventually(holds: Callable[[], bool], seconds: float = 5) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not holds():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)


@asynccontextmanager
async def a_scene(house: House) -> AsyncIterator[Scene]:
    async with an_edge() as edge:
        settings = house.settings.model_copy(update={"sip_evapi": f"127.0.0.1:{edge.port}"})
        caller, callee = await Party.create(), await Party.create()
        talking = [asyncio.create_task(each.talk()) for each in (caller, callee)]
        try:
            async with Bridge(settings, utc_now) as bridge:
                await asyncio.wait_for(edge.linked.wait(), 5)
                yield Scene(house=house, edge=edge, bridge=bridge, caller=caller, callee=callee)
        finally:
            for task in talking:
                task.cancel()
            await asyncio.gather(*talking, return_exceptions=True)
            caller.close()
            callee.close()


def play(house: House, scenario: Callable[[Scene], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with a_scene(house) as scene:
            await asyncio.wait_for(scenario(scene), 60)

    asyncio.run(whole())


async def ring_and_answer(scene: Scene, line: str) -> str:
    """Let a call in that is whispered, connect it and pick up; return its Call-ID."""
    call = scene.edge.invite(line, sdp=scene.caller.sdp)
    connect = await scene.edge.instruction()
    assert (connect["do"], connect["whisper"], connect["rtag"]) == ("connect", True, "")
    scene.connect(call)
    scene.command(command="block media", **{"call-id": call})
    scene.edge.send(event="answered", call=call, from_tag="A", to_tag="B")
    return call


async def talk_for(scene: Scene, seconds: float) -> None:
    """Let the parties talk, and see that they hear each other and nothing else."""
    begun = scene.now
    await asyncio.sleep(seconds)
    for party in (scene.caller, scene.callee):
        assert party.seconds_of(VOICE_HERTZ, begun, scene.now) >= seconds - 0.5


def test_the_caller_hears_a_public_notice_before_the_callee_rings(house: House) -> None:
    pitch = house.pitch_of("public", ORGANISATION)

    async def scenario(scene: Scene) -> None:
        call = scene.edge.invite(ORGANISATION, sdp=scene.caller.sdp)
        progress = await scene.edge.instruction()
        assert progress["do"] == "progress"
        port, begun = scene.caller.send_to(progress["sdp"]), scene.now
        connect = await scene.edge.instruction()
        assert (connect["do"], connect["rtag"], connect["whisper"]) == ("connect", "notice-A", False)
        # A second and a half of it, a second in which a key may still come, and what rtpengine needs to begin.
        assert 2.4 < scene.now - begun < 5
        assert 1.2 <= scene.caller.seconds_of(pitch, begun, scene.now) <= 1.6
        assert scene.caller.is_still(scene.now - 0.4, scene.now)
        assert scene.connect(call, connect["rtag"]) == port
        await talk_for(scene, 1)
        assert scene.callee.seconds_of(pitch, begun, scene.now) == 0
        scene.edge.send(event="gone", call=call, how="bye")
        await eventually(lambda: [row.disposition for row in house.plays()] == ["completed"])

    play(house, scenario)
    assert [(row.purpose, row.leg, row.key, row.provider) for row in house.plays()] == [("public", "A", None, "sip")]
    assert 1400 <= house.plays()[0].heard_ms <= 1600


def test_any_key_of_the_caller_skips_a_public_notice(house: House) -> None:
    pitch = house.pitch_of("public", ORGANISATION)

    async def scenario(scene: Scene) -> None:
        call = scene.edge.invite(ORGANISATION, sdp=scene.caller.sdp)
        begun = scene.now
        scene.caller.send_to((await scene.edge.instruction())["sdp"])
        await asyncio.sleep(0.8)
        pressed = scene.now
        await scene.caller.press("#")
        connect = await scene.edge.instruction()
        assert scene.now - pressed < 1
        assert 0.3 <= scene.caller.seconds_of(pitch, begun, scene.now) <= 1.2
        scene.connect(call, connect["rtag"])
        await talk_for(scene, 0.8)

    play(house, scenario)
    assert [row.key for row in house.plays()] == ["#"]
    assert 400 <= house.plays()[0].heard_ms <= 1100


def test_a_caller_who_hangs_up_during_the_notice_leaves_nothing_behind(house: House) -> None:
    async def scenario(scene: Scene) -> None:
        call = scene.edge.invite(ORGANISATION, sdp=scene.caller.sdp)
        scene.caller.send_to((await scene.edge.instruction())["sdp"])
        await asyncio.sleep(0.4)
        scene.command(command="delete", **{"call-id": call, "from-tag": "A"})
        scene.edge.send(event="gone", call=call, how="cancel")
        assert await scene.edge.silence(2.5)
        # The bridge goes on with others.
        scene.edge.invite(FREE, sdp=scene.caller.sdp)
        assert (await scene.edge.instruction())["do"] == "connect"

    play(house, scenario)
    assert [row.disposition for row in house.plays()] == ["canceled"]
    assert 100 <= house.plays()[0].heard_ms <= 700


def test_an_organisation_is_warned_on_its_own_leg_while_the_caller_hears_ringing(house: House) -> None:
    pitch = house.pitch_of("warning", WARNED)

    async def scenario(scene: Scene) -> None:
        begun = scene.now
        await ring_and_answer(scene, WARNED)
        answered = scene.now
        bridged = await scene.edge.instruction()
        assert bridged["do"] == "bridged"
        assert 1.2 <= scene.callee.seconds_of(pitch, answered, scene.now) <= 1.6
        assert 0.7 <= scene.caller.seconds_of(RING_HERTZ, answered, scene.now) <= 1.1
        assert scene.caller.seconds_of(pitch, begun, scene.now) == 0
        assert scene.caller.seconds_of(VOICE_HERTZ, begun, scene.now) == 0
        assert scene.callee.seconds_of(VOICE_HERTZ, answered, scene.now) == 0
        await talk_for(scene, 1)

    play(house, scenario)
    assert [(row.purpose, row.leg) for row in house.plays()] == [("warning", "B")]


def test_a_person_hears_the_content_only_after_key_1_and_contests_with_key_3(house: House) -> None:
    opener, content = house.pitch_of("opener", PERSON), house.pitch_of("private", PERSON)

    async def scenario(scene: Scene) -> None:
        begun = scene.now
        await ring_and_answer(scene, PERSON)
        await asyncio.sleep(1.2)
        # A key of the caller's does nothing: neither for the callee, nor does it let him in.
        await scene.caller.press("1")
        await asyncio.sleep(0.5)
        assert scene.callee.seconds_of(opener, begun, scene.now) >= 0.8
        assert scene.callee.seconds_of(content, begun, scene.now) == 0
        asked = scene.now
        await scene.callee.press("1")
        await asyncio.sleep(1.2)
        assert scene.callee.seconds_of(content, asked, scene.now) >= 0.5
        await scene.callee.press("3")
        assert (await scene.edge.instruction())["do"] == "bridged"
        for pitch in (opener, content, VOICE_HERTZ):
            assert scene.caller.seconds_of(pitch, begun, scene.now) == 0
        await talk_for(scene, 1)
        assert scene.caller.keys_heard == 0

    play(house, scenario)
    assert [(row.purpose, row.leg, row.key) for row in house.plays()] == [("opener", "B", "1"), ("private", "B", "3")]
    assert house.grounds()[-1] == "contested"


def test_a_callee_who_hangs_up_during_the_whisper_ends_it(house: House) -> None:
    async def scenario(scene: Scene) -> None:
        call = await ring_and_answer(scene, PERSON)
        await asyncio.sleep(0.7)
        scene.edge.send(event="gone", call=call, how="bye")
        scene.command(command="delete", **{"call-id": call, "from-tag": "A"})
        assert await scene.edge.silence(0.7)

    play(house, scenario)
    assert [(row.purpose, row.disposition) for row in house.plays()] == [("opener", "completed")]


def test_a_bridge_that_is_stopped_in_a_whisper_lets_the_parties_talk(house: House) -> None:
    async def scenario(scene: Scene) -> None:
        await ring_and_answer(scene, PERSON)
        await asyncio.sleep(0.7)
        await scene.bridge.__aexit__()
        assert (await scene.edge.instruction(2))["do"] == "bridged"
        await talk_for(scene, 1)

    play(house, scenario)


def test_a_lifted_order_is_silent_at_the_next_call_and_others_were_never_held_up(house: House) -> None:
    async def scenario(scene: Scene) -> None:
        for line in (FREE, "alice", ""):
            scene.edge.invite(line, sdp=scene.caller.sdp)
            connect = await scene.edge.instruction(1)
            assert (connect["do"], connect["to"], connect["whisper"], connect["rtag"]) == ("connect", "", False, "")
        await asyncio.to_thread(house.lift_order_on, ORGANISATION)
        scene.edge.invite(ORGANISATION, sdp=scene.caller.sdp)
        assert (await scene.edge.instruction())["do"] == "connect"

    play(house, scenario)
    assert house.plays() == []


def test_our_own_call_that_comes_back_is_refused(house: House) -> None:
    async def scenario(scene: Scene) -> None:
        scene.edge.invite(FREE, sdp=scene.caller.sdp)
        mark = (await scene.edge.instruction())["mark"]
        assert mark
        scene.edge.invite(FREE, mark=mark, sdp=scene.caller.sdp)
        refused = await scene.edge.instruction()
        assert (refused["do"], refused["code"]) == ("reject", 486)

    play(house, scenario)
