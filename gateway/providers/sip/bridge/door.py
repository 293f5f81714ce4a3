"""The bridge's way to the gateway: signed reports on connections that are kept alive, and recordings."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus

import aiohttp

from gateway.providers.sip.bridge.errors import GatewayAwayError
from gateway.providers.sip.bridge.poster import Poster
from gateway.providers.sip.bridge.steps import Step, read_steps
from gateway.providers.sip.facts import VERSION
from gateway.providers.sip.signature import HEADER, sign

DEADLINE_SECONDS = 0.45
_FETCH_SECONDS = 30.0
# Two minutes at 48 kHz and 16 bits, twice as long as a recording may be.
LARGEST_SOUND = 12_000_000


class Door:
    """Tells the gateway what happens in calls, and returns what it wants done."""

    def __init__(self, poster: Poster, *, secret: str, clock: Callable[[], datetime]) -> None:
        """Sign with `secret` at the time of `clock`."""
        self._poster = poster
        self._secret = secret
        self._clock = clock

    async def tell(self, target: str, report: Mapping[str, str | int]) -> tuple[Step, ...]:
        """Post a report; return the steps in the answer, none where it has no content.

        Raises GatewayAwayError within 450 ms, and JunkError.
        """
        body = json.dumps({"version": VERSION, **report}).encode()
        headers = {HEADER: sign(self._secret, target, body, self._clock())}
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                reply = await self._poster.post(target, body, headers)
        except TimeoutError as error:
            raise GatewayAwayError(why="late") from error
        except OSError as error:
            raise GatewayAwayError(why="away") from error
        if reply.status == HTTPStatus.NO_CONTENT:
            return ()
        if reply.status != HTTPStatus.OK:
            raise GatewayAwayError(why=f"status {reply.status // 100}xx")
        return read_steps(reply.body)


def open_session() -> aiohttp.ClientSession:
    """Return connections for recordings, which no call waits for."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)


async def is_gone(session: aiohttp.ClientSession, url: str) -> bool:
    """Tell whether there is no longer anything at `url`. Raises GatewayAwayError."""
    try:
        async with asyncio.timeout(_FETCH_SECONDS), session.head(url, allow_redirects=False) as answer:
            return answer.status == HTTPStatus.NOT_FOUND
    except TimeoutError as error:
        raise GatewayAwayError(why="late") from error
    except (aiohttp.ClientError, OSError) as error:
        raise GatewayAwayError(why="away") from error


async def fetch(session: aiohttp.ClientSession, url: str) -> bytes:
    """Return what is at `url`, at most some minutes of sound. Raises GatewayAwayError."""
    try:
        async with asyncio.timeout(_FETCH_SECONDS), session.get(url, allow_redirects=False) as answer:
            if answer.status != HTTPStatus.OK or (answer.content_length or 0) > LARGEST_SOUND:
                raise GatewayAwayError(why=f"status {answer.status // 100}xx")
            return await answer.read()
    except TimeoutError as error:
        raise GatewayAwayError(why="late") from error
    except (aiohttp.ClientError, OSError) as error:
        raise GatewayAwayError(why="away") from error
