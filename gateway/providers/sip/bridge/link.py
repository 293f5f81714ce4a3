"""The link to Kamailio's evapi: the bridge connects, and connects again for as long as it lives."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Protocol

import structlog

from gateway.providers.sip.bridge.errors import JunkError
from gateway.providers.sip.bridge.netstring import NetstringReader, framed

VERSION = 1
_CONNECT_SECONDS = 2.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 2.0
_CHUNK_BYTES = 65_536
# Kamailio reads at once, or is stuck: what waits here would come too late in any case.
_MOST_UNSENT_BYTES = 4_000_000
Message = Mapping[str, Any]


class Attendant(Protocol):
    """Who takes what comes over the link."""

    def take(self, told: Message) -> None:
        """Take a message."""
        ...

    def junk(self, error: JunkError) -> None:
        """Learn that something could not be read."""
        ...

    def found(self) -> None:
        """Learn that there is a link."""
        ...

    def lost(self) -> None:
        """Learn that there is none any more."""
        ...


class Link:
    """Receives messages from Kamailio and sends it instructions."""

    def __init__(
        self,
        host: str,
        port: int,
    ) -> None:
        """Use the evapi at `host`."""
        self._host, self._port = host, port
        self._writer: asyncio.StreamWriter | None = None

    def send(self, instruction: Message) -> None:
        """Send an instruction; without a link Kamailio goes on by itself, and nothing is kept for it."""
        if self._writer is None:
            return
        message = json.dumps({"v": VERSION, **instruction}, separators=(",", ":")).encode()
        self._writer.write(framed(message))
        if self._writer.transport.get_write_buffer_size() > _MOST_UNSENT_BYTES:
            self._writer.transport.abort()

    async def run(self, attendant: Attendant) -> None:
        """Stay connected; returns never."""
        log, pause = structlog.get_logger("gateway.sip"), _FIRST_PAUSE_SECONDS
        while True:
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    reader, writer = await asyncio.open_connection(self._host, self._port)
            except (OSError, TimeoutError):
                log.warning("sip_kamailio_away", again_in_seconds=pause)
            else:
                pause = _FIRST_PAUSE_SECONDS
                log.info("sip_linked")
                await self._stay(reader, writer, attendant)
                log.warning("sip_link_lost")
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _stay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, attendant: Attendant) -> None:
        self._writer = writer
        attendant.found()
        try:
            await _read(reader, attendant)
        except OSError:
            pass
        except JunkError as error:
            # Where a message begins is lost: a new link begins at the beginning.
            attendant.junk(error)
        finally:
            self._writer = None
            attendant.lost()
            writer.close()


async def _read(reader: asyncio.StreamReader, attendant: Attendant) -> None:
    netstrings = NetstringReader()
    while chunk := await reader.read(_CHUNK_BYTES):
        for message in netstrings.feed(chunk):
            try:
                attendant.take(_object(message))
            except JunkError as error:
                attendant.junk(error)


def _object(message: bytes) -> Message:
    try:
        told = json.loads(message.decode(errors="replace"), strict=False)
    except (ValueError, RecursionError) as error:
        raise JunkError(neighbour="kamailio", why="no JSON") from error
    if not isinstance(told, dict) or told.get("v") != VERSION:
        raise JunkError(neighbour="kamailio", why="another version")
    return told
