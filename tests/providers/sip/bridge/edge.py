"""Kamailio's side of evapi, played by the test: netstrings of JSON over TCP (docs/adr/0022)."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gateway.providers.sip.bridge.netstring import NetstringReader, framed

Message = dict[str, Any]
PATIENCE_SECONDS = 10.0


class Edge:
    """A listener that one bridge connects to."""

    def __init__(self) -> None:
        self.port = 0
        self.linked = asyncio.Event()
        self.received: asyncio.Queue[Message] = asyncio.Queue()
        self._writer: asyncio.StreamWriter | None = None
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self.drop()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def drop(self) -> None:
        """Cut the link."""
        if self._writer is not None:
            self._writer.transport.abort()

    def send(self, **message: object) -> None:
        self.send_raw(framed(json.dumps({"v": 1, **message}).encode()))

    def send_raw(self, data: bytes) -> None:
        assert self._writer is not None
        self._writer.write(data)

    def invite(
        self, callee: str, *, call: str = "", caller: str = "+12025550188", mark: str = "", sdp: str = ""
    ) -> str:
        """Let a call come in; return its Call-ID."""
        call = call or f"{secrets.token_hex(6)}@test"
        self.send(event="invite", call=call, from_tag="A", caller=caller, callee=callee, source="", mark=mark, sdp=sdp)
        return call

    async def instruction(self, seconds: float = PATIENCE_SECONDS) -> Message:
        """Return the next instruction."""
        return await asyncio.wait_for(self.received.get(), seconds)

    async def silence(self, seconds: float) -> bool:
        """Tell whether there is no instruction for a while."""
        await asyncio.sleep(seconds)
        return self.received.empty()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.linked.set()
        netstrings = NetstringReader()
        try:
            while chunk := await reader.read(65_536):
                for message in netstrings.feed(chunk):
                    self.received.put_nowait(json.loads(message))
        except ConnectionError:
            pass
        finally:
            self.linked.clear()
            writer.close()


@asynccontextmanager
async def an_edge() -> AsyncIterator[Edge]:
    edge = Edge()
    await edge.start()
    try:
        yield edge
    finally:
        await edge.stop()
