"""Neighbours of the bridge that fail as they are told; what goes well runs with the real ones."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from aiohttp import web

from gateway.providers.sip.bridge.bencode import Read, decode, encode
from gateway.providers.sip.bridge.wav_file import as_wav

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
SHORT_MS = 60
# Given a command, the whole packet that comes back behind the cookie, or None for none.
Answering = Callable[[str], bytes | None]


def all_well(command: str) -> bytes | None:
    """Answer as rtpengine does."""
    match command:
        case "offer" | "answer":
            return encode({"result": "ok", "sdp": SDP})
        case "play media":
            return encode({"result": "ok", "duration": SHORT_MS})
        case _:
            return encode({"result": "ok"})


class StandInEngine(asyncio.DatagramProtocol):
    """Hears NG commands and answers them as `answering` says."""

    def __init__(self) -> None:
        self.answering: Answering = all_well
        self.commands: list[dict[str, Read]] = []
        self._cookies: dict[bytes, bytes | None] = {}
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        cookie, _, content = data.partition(b" ")
        if cookie not in self._cookies:
            told = decode(content)
            assert isinstance(told, dict)
            command = told["command"]
            assert isinstance(command, bytes)
            self.commands.append(told)
            self._cookies[cookie] = self.answering(command.decode())
        answer = self._cookies[cookie]
        if answer is not None and self._transport is not None:
            self._transport.sendto(cookie + b" " + answer, addr)

    def told(self, command: str) -> list[dict[str, Read]]:
        """Return the commands of one name that came, each once."""
        return [each for each in self.commands if each["command"] == command.encode()]

    @property
    def address(self) -> str:
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")
        return f"{host}:{port}"

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


@asynccontextmanager
async def an_engine() -> AsyncIterator[StandInEngine]:
    loop = asyncio.get_running_loop()
    _, engine = await loop.create_datagram_endpoint(StandInEngine, local_addr=("127.0.0.1", 0))
    try:
        yield engine
    finally:
        engine.close()


@dataclass(slots=True, kw_only=True)
class StandInGateway:
    """Answers each address with what stands here for its event; remembers what was reported."""

    origin: str = ""
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    status: int = 200
    raw: bytes | None = None
    seconds: float = 0.0
    reports: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    sounds: dict[str, bytes] = field(default_factory=dict)

    async def handle(self, request: web.Request) -> web.Response:
        event = request.match_info["event"]
        self.reports.append((event, json.loads(await request.read())))
        await asyncio.sleep(self.seconds)
        if event == "status":
            return web.Response(status=204)
        body = self.raw if self.raw is not None else json.dumps({"version": 1, "steps": self.answers[event]}).encode()
        return web.Response(status=self.status, body=body, content_type="application/json")

    async def prompt(self, request: web.Request) -> web.Response:
        content = self.sounds.get(request.match_info["name"])
        return web.Response(body=content) if content is not None else web.Response(status=404)

    def told(self, event: str) -> list[dict[str, Any]]:
        return [report for name, report in self.reports if name == event]


@asynccontextmanager
async def a_stand_in_gateway() -> AsyncIterator[StandInGateway]:
    gateway = StandInGateway()
    app = web.Application()
    app.add_routes([web.post("/sip/{event}", gateway.handle), web.get("/prompts/{name}", gateway.prompt)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        gateway.origin = f"http://127.0.0.1:{port}"
        yield gateway
    finally:
        await runner.cleanup()


def a_sound(seconds: float = 0.1) -> bytes:
    """Return a recording of the form that is played."""
    return as_wav(b"\x00\x10" * int(48_000 * seconds))
