"""A bridge between a Kamailio, an rtpengine and a gateway that all do as they are told, and what they may be told."""

import asyncio
import hashlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.clock import utc_now
from gateway.providers.sip.bridge.program import Bridge
from gateway.settings import Settings, load
from tests.providers.sip.bridge.edge import Edge, Message, an_edge
from tests.providers.sip.bridge.engine import free_udp_port
from tests.providers.sip.bridge.stand_ins import (
    StandInEngine,
    StandInGateway,
    a_sound,
    a_stand_in_gateway,
    an_engine,
)

SOUND = a_sound()
NAME = hashlib.sha256(SOUND).hexdigest() + ".wav"
# The deadline of 450 ms, on a machine that does other things too; what waits for nothing in these tests would take 5 s.
IN_TIME_SECONDS = 1.2
CONNECT = {"connect": {"to": "", "mark": "m", "whisper": ""}}
WHISPERING = [{"connect": {"to": "", "mark": "m", "whisper": "/sip/whisper?t=w"}}]
BRIDGE: list[dict[str, Any]] = [{"bridge": {}}]


def a_play(to: str, following: str, *, wait: float = 0) -> dict[str, Any]:
    return {"play": {"to": to, "files": [NAME], "keys": bool(following), "wait_seconds": wait, "next": following}}


PUBLIC = [a_play("caller", "/sip/heard?t=h"), CONNECT]
OPENER = [a_play("callee", "/sip/key?t=k", wait=0.2), *BRIDGE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A bridge between a Kamailio, an rtpengine and a gateway that all do as they are told."""

    edge: Edge
    engine: StandInEngine
    gateway: StandInGateway
    bridge: Bridge
    settings: Settings

    async def instruction_in_time(self) -> Message:
        began = asyncio.get_running_loop().time()
        instruction = await self.edge.instruction(2)
        assert asyncio.get_running_loop().time() - began < IN_TIME_SECONDS
        return instruction

    async def ring_and_answer(self) -> str:
        call = self.edge.invite("+12025550120")
        assert (await self.edge.instruction())["whisper"] is True
        self.edge.send(event="answered", call=call, from_tag="A", to_tag="B")
        return call

    def press(self, call: str, tag: str, event: object) -> None:
        host, _, port = self.settings.sip_dtmf_listen.rpartition(":")
        told = {"callid": call, "source_tag": tag, "type": "DTMF", "event": event}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            way.sendto(json.dumps(told).encode(), (host, int(port)))

    def counted(self, name: str, **labels: str) -> float:
        return self.bridge.registry.get_sample_value(f"notice_gateway_sip_{name}", labels) or 0.0


@asynccontextmanager
async def a_scene(folder: Path) -> AsyncIterator[Scene]:
    async with an_edge() as edge, an_engine() as engine, a_stand_in_gateway() as gateway:
        gateway.answers = {"call": PUBLIC, "heard": [CONNECT], "whisper": OPENER, "key": BRIDGE}
        settings = load(
            data_dir=folder,
            sip_secret="a-secret-of-the-faults",
            sip_gateway_url=gateway.origin,
            sip_rtpengine=engine.address,
            sip_evapi=f"127.0.0.1:{edge.port}",
            sip_dtmf_listen=f"127.0.0.1:{free_udp_port()}",
        )
        settings.sounds_dir.mkdir()
        (settings.sounds_dir / NAME).write_bytes(SOUND)
        async with Bridge(settings, utc_now) as bridge:
            await asyncio.wait_for(edge.linked.wait(), 5)
            yield Scene(edge=edge, engine=engine, gateway=gateway, bridge=bridge, settings=settings)


Scenario = Callable[[Scene], Awaitable[None]]
