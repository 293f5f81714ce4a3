"""Whole calls: the real gateway, the real rtpengine and the bridge; the test plays Kamailio and both telephones."""

import asyncio
import shutil
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.assembly import Parts, put_together
from gateway.audit.tables import plays
from gateway.clock import utc_now
from gateway.providers.sip.bridge.program import Bridge
from gateway.register.tables import disputes, notices, renditions
from gateway.settings import Settings, load
from tests.contract.scene import put_at_noon
from tests.end_to_end.server import serving
from tests.providers.sip.bridge.edge import Edge, an_edge
from tests.providers.sip.bridge.engine import PROGRAM, Engine, ask, free_udp_port, running_rtpengine
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

    def pitch_of(self, purpose: str, line_order: str = "") -> float:
        """Return the frequency of the one tone that a notice of the demo is."""
        query = select(renditions.c.wideband).join(notices, notices.c.rendition_id == renditions.c.rendition_id)
        query = query.where(notices.c.purpose == purpose)
        if line_order:
            query = query.where(notices.c.order_id == line_order)
        with self.parts.studio.engine.connect() as connection:
            sha256 = connection.execute(query).scalars().first()
        path = self.parts.studio.library.path_of(str(sha256), "wav")
        assert path is not None
        return _pitch(path.read_bytes()[44:])

    def plays(self) -> list[Any]:
        with self.parts.studio.engine.connect() as connection:
            return list(connection.execute(select(plays).order_by(plays.c.played_at)))

    def grounds(self) -> list[str]:
        with self.parts.studio.engine.connect() as connection:
            return list(connection.execute(select(disputes.c.ground)).scalars())


def _pitch(samples: bytes) -> float:
    """Count how often a tone at 48 kHz crosses zero."""
    values = struct.unpack(f"<{len(samples) // 2}h", samples)[4800:43_200]
    crossings = sum(before < 0 <= after for before, after in zip(values, values[1:], strict=False))
    return crossings / (len(values) / 48_000)


@pytest.fixture
def house(sqlite_settings: Settings, tmp_path: Path) -> Iterator[House]:
    parts = put_together(sqlite_settings)
    put_at_noon(parts, PERSON)
    keys_to = f"127.0.0.1:{free_udp_port()}"
    data = sqlite_settings.data_dir
    with (
        serving(data, tmp_path / "home", workers=1, sip_secret=SECRET) as server,
        running_rtpengine(tmp_path, keys_to) as engine,
    ):
        settings = load(
            data_dir=data,
            sip_secret=SECRET,
            sip_gateway_url=server.origin,
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


@asynccontextmanager
async def a_scene(house: House) -> AsyncIterator[Scene]:
    async with an_edge() as edge:
        settings = house.settings.model_copy(update={"sip_evapi": f"127.0.0.1:{edge.port}"})
        caller, callee = await Party.create(), await Party.create()
        talking = [asyncio.create_task(each.talk()) for each in (caller, callee)]
        try:
            async with Bridge(settings, utc_now):
                await asyncio.wait_for(edge.linked.wait(), 5)
                yield Scene(house=house, edge=edge, caller=caller, callee=callee)
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


def test_the_caller_hears_a_public_notice_before_the_callee_rings(house: House) -> None:
    pitch = house.pitch_of("public")

    async def scenario(scene: Scene) -> None:
        call = scene.edge.invite(ORGANISATION, sdp=scene.caller.sdp)
        progress = await scene.edge.instruction()
        assert progress["do"] == "progress"
        port, begun = scene.caller.send_to(progress["sdp"]), scene.now
        connect = await scene.edge.instruction()
        ended = scene.now
        print("TIMES", ended - begun, scene.caller.hears(pitch, begun, ended), connect)
        assert scene.caller.hears(pitch, begun + 0.3, ended - 1.2) > 0.8
        assert scene.connect(call, connect["rtag"]) == port
        await asyncio.sleep(1)
        print(
            "AFTER",
            scene.caller.hears(VOICE_HERTZ, scene.now - 0.6, scene.now),
            scene.callee.hears(VOICE_HERTZ, scene.now - 0.6, scene.now),
        )
        scene.edge.send(event="gone", call=call, how="bye")
        await asyncio.sleep(0.5)

    play(house, scenario)
    print(house.plays())
