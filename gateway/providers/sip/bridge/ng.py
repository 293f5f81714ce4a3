"""A client of rtpengine's NG protocol: `<cookie> <bencoded dictionary>` in one UDP packet each way.

Rtpengine answers a repeated cookie from its memory, so that a lost packet is sent again without doing anything twice.
"""

import asyncio
import secrets
from collections.abc import Mapping
from typing import cast

from gateway.providers.sip.bridge.bencode import Read, Told, decode, encode
from gateway.providers.sip.bridge.errors import JunkError, MediaError

DEADLINE_SECONDS = 0.25
_AGAIN_SECONDS = (0.06, 0.08)
_OK = {b"ok", b"pong"}


class NgClient(asyncio.DatagramProtocol):
    """Sends commands and waits for their answers; any number may be under way."""

    def __init__(self) -> None:
        """Wait to be connected; `open_ng` does that."""
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[bytes, asyncio.Future[dict[str, Read]]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        # What asyncio hands over is one, and does not say so before Python 3.12.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002  (the socket is connected to one)
        """Hand an answer to who waits for it; what nobody waits for, or nobody can read, is dropped."""
        cookie, _, content = data.partition(b" ")
        waiting = self._waiting.get(cookie)
        if waiting is None or waiting.done():
            return
        try:
            answer = decode(content)
        except JunkError:
            waiting.set_exception(MediaError(why="junk"))
            return
        if isinstance(answer, dict):
            waiting.set_result(answer)
        else:
            waiting.set_exception(MediaError(why="junk"))

    def error_received(self, exc: Exception) -> None:  # noqa: ARG002  (all of them mean that nobody listens there)
        """Fail what is under way at once where the host says that nobody listens."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(MediaError(why="refused"))

    async def request(self, command: str, arguments: Mapping[str, Told]) -> dict[str, Read]:
        """Return rtpengine's answer to a command. Raises MediaError: none in 250 ms, junk, or anything but ok."""
        if self._transport is None or self._transport.is_closing():
            raise MediaError(why="closed")
        cookie = secrets.token_hex(8).encode()
        packet = cookie + b" " + encode({**arguments, "command": command})
        waiting: asyncio.Future[dict[str, Read]] = asyncio.get_running_loop().create_future()
        self._waiting[cookie] = waiting
        try:
            answer = await self._sent(self._transport, packet, waiting)
        finally:
            del self._waiting[cookie]
            waiting.cancel()
        if answer.get("result") not in _OK:
            raise MediaError(why="refused by rtpengine")
        return answer

    async def _sent(
        self, transport: asyncio.DatagramTransport, packet: bytes, waiting: asyncio.Future[dict[str, Read]]
    ) -> dict[str, Read]:
        for seconds in (*_AGAIN_SECONDS, DEADLINE_SECONDS - sum(_AGAIN_SECONDS)):
            transport.sendto(packet)
            done, _ = await asyncio.wait({waiting}, timeout=seconds)
            if done:
                return waiting.result()
        raise MediaError(why="no answer")

    def close(self) -> None:
        """Let the socket go."""
        if self._transport is not None:
            self._transport.close()


async def open_ng(host: str, port: int) -> NgClient:
    """Return a client of the rtpengine at `host`. Raises OSError."""
    _, client = await asyncio.get_running_loop().create_datagram_endpoint(NgClient, remote_addr=(host, port))
    return client
