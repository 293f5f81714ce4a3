"""Requests to the gateway on connections that are kept open, for what a call waits for.

A bridge is mostly idle, so that each call finds the processor's caches cold and pays for every line that it runs
through: with aiohttp a report took half a millisecond more (docs/adr/0022).
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import httptools

from gateway.providers.sip.bridge.errors import JunkError

_MOST_CONNECTIONS = 64
_KEPT_SECONDS = 25.0
# An answer has some hundred bytes a step.
_LARGEST_ANSWER = 1_000_000
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status and its body."""

    status: int
    body: bytes


class Poster:
    """Posts to one origin; each connection carries one request at a time."""

    def __init__(self, origin: str) -> None:
        """Post to `origin`: scheme, host and port."""
        parts = urlsplit(origin)
        self._host, self._port = str(parts.hostname), parts.port or _PORTS[parts.scheme]
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._head = f"Host: {parts.netloc}\r\nContent-Type: application/json\r\n"
        self._idle: list[_Connection] = []
        self._places = asyncio.Semaphore(_MOST_CONNECTIONS)

    async def post(self, target: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Post `body` to `target`, path and query as they shall go out. Raises OSError, JunkError.

        Takes as long as it takes: who waits sets the time.
        """
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        request = f"POST {target} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n{lines}\r\n".encode() + body
        async with self._places:
            kept = self._kept()
            if kept is not None:
                try:
                    return await self._exchange(kept, request)
                except ConnectionError:
                    # The gateway had closed it meanwhile; a report that comes twice is absorbed there.
                    pass
            return await self._exchange(await self._connect(), request)

    def close(self) -> None:
        """Close every connection."""
        while self._idle:
            self._idle.pop().close()

    def _kept(self) -> "_Connection | None":
        """Return the connection that was used last, if the gateway has kept it: the others may grow old."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and now - connection.rests_since < _KEPT_SECONDS:
                return connection
            connection.close()
        return None

    async def _connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: _Connection(loop), self._host, self._port, ssl=self._tls)
        return connection

    async def _exchange(self, connection: "_Connection", request: bytes) -> Reply:
        try:
            reply = await connection.exchange(request)
        except BaseException:
            # What still comes would be taken for the next answer.
            connection.close()
            raise
        if connection.is_open:
            self._idle.append(connection)
        return reply


class _Connection(asyncio.Protocol):
    """One connection; httptools calls its `on_...` methods."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._reply: asyncio.Future[Reply] | None = None
        self._body: list[bytes] = []
        self._size = 0
        self.rests_since = loop.time()

    @property
    def is_open(self) -> bool:
        """Tell whether another request may follow."""
        return self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def exchange(self, request: bytes) -> Reply:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError
        self._reply = self._loop.create_future()
        self._transport.write(request)
        return await self._reply

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._reply is None or self._reply.done():
            # Nothing was asked.
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail(JunkError(neighbour="the gateway", why="no HTTP"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._fail(exc if isinstance(exc, OSError) else ConnectionResetError())

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > _LARGEST_ANSWER:
            self._fail(JunkError(neighbour="the gateway", why="too large"))
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        body = b"".join(self._body)
        self._body.clear()
        self._size = 0
        self.rests_since = self._loop.time()
        answers = self._reply is not None and not self._reply.done()
        if not answers or not self._parser.should_keep_alive():
            self.close()
        if self._reply is not None and answers:
            self._reply.set_result(Reply(status=self._parser.get_status_code(), body=body))

    def _fail(self, error: Exception) -> None:
        self.close()
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(error)
