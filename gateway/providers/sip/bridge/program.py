"""The bridge as a program: its parts put together, and run until it is told to stop."""

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from datetime import datetime
from typing import Self

import aiohttp
import structlog
import uvloop
from prometheus_client import CollectorRegistry, start_http_server

from gateway.providers.sip.bridge.counters import Counters
from gateway.providers.sip.bridge.door import Door, fetch, is_gone, open_session
from gateway.providers.sip.bridge.errors import JunkError
from gateway.providers.sip.bridge.keeping import copy_new, keep_copying, keep_tidy
from gateway.providers.sip.bridge.keys import KeyListener
from gateway.providers.sip.bridge.link import Link
from gateway.providers.sip.bridge.media import Media
from gateway.providers.sip.bridge.ng import open_ng
from gateway.providers.sip.bridge.poster import Poster
from gateway.providers.sip.bridge.screening import OpenStrangers, Screening
from gateway.providers.sip.bridge.sounds import Fetch, Sounds
from gateway.providers.sip.bridge.switch import Switch
from gateway.providers.sip.bridge.tools import Tools
from gateway.settings import Settings, SettingsError


def run_bridge(settings: Settings, clock: Callable[[], datetime], strangers: OpenStrangers | None) -> None:
    """Run the bridge until SIGTERM or SIGINT. Raises SettingsError, OSError.

    `strangers` opens a screen of the bridge's own, in a thread; None where every call is the gateway's.
    """
    if not settings.sip_secrets:
        raise SettingsError(
            where="NOTICE_GATEWAY_SIP_SECRET", why="it is not set, and the gateway would refuse the bridge"
        )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_stopped(Bridge(settings, clock, strangers)))


async def _until_stopped(bridge: "Bridge") -> None:
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    async with bridge:
        # The collector need not walk again and again through what was loaded for good, while a call waits.
        gc.collect()
        gc.freeze()
        structlog.get_logger("gateway.sip").info("sip_bridge_runs")
        await stop.wait()


class Bridge:
    """All of the bridge in one context, at whose end it lets go of every call."""

    def __init__(
        self, settings: Settings, clock: Callable[[], datetime], strangers: OpenStrangers | None = None
    ) -> None:
        """Open nothing yet."""
        self._settings = settings
        self._clock = clock
        self._strangers = strangers
        self._opened = AsyncExitStack()
        self.registry = CollectorRegistry()

    async def __aenter__(self) -> Self:
        """Open everything. Raises SettingsError, OSError."""
        async with AsyncExitStack() as opened:
            await self._open(opened)
            self._opened = opened.pop_all()
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Let go of every call and close everything."""
        await self._opened.aclose()

    async def _open(self, opened: AsyncExitStack) -> None:
        settings, counters = self._settings, Counters(self.registry)
        session = await opened.enter_async_context(open_session())
        poster = Poster(settings.sip_gateway_url)
        opened.callback(poster.close)
        ng = await open_ng(*_address(settings.sip_rtpengine))
        opened.callback(ng.close)
        link = Link(*_address(settings.sip_evapi))
        sounds = Sounds(settings.sounds_dir, _fetcher(session, settings.sip_gateway_url))
        # Before the link: a call that came now would find nothing to play.
        copied = await asyncio.to_thread(copy_new, sounds, settings.renditions_dir, 0.0)
        screening = Screening(counters, self._clock)
        opened.push_async_callback(screening.close)
        switch = Switch(
            Tools(
                door=Door(poster, secret=settings.sip_secrets[0], clock=self._clock),
                screening=screening,
                link=link,
                media=Media(ng),
                sounds=sounds,
                counters=counters,
            )
        )
        opened.push_async_callback(switch.settle)
        with _listening("SIP_DTMF_LISTEN", settings.sip_dtmf_listen) as here:
            await _listen_to_keys(opened, switch, here)
        if settings.sip_metrics_listen:
            with _listening("SIP_METRICS_LISTEN", settings.sip_metrics_listen) as (host, port):
                server, _ = start_http_server(port, addr=host, registry=self.registry)
            opened.callback(server.server_close)
            opened.callback(server.shutdown)
        for work in (
            link.run(switch),
            keep_copying(sounds, settings.renditions_dir, copied),
            keep_tidy(sounds, lambda name: is_gone(session, f"{settings.sip_gateway_url}/prompts/{name}")),
            *((screening.open(self._strangers),) if self._strangers is not None else ()),
        ):
            opened.push_async_callback(_stopped, asyncio.create_task(work))
        opened.push_async_callback(switch.release)


@contextmanager
def _listening(name: str, address: str) -> Iterator[tuple[str, int]]:
    """Name the setting where an address cannot be listened on. Raises SettingsError."""
    try:
        yield _address(address)
    except OSError as error:
        why = f"{address} cannot be listened on: {error.strerror or error}"
        raise SettingsError(where=f"NOTICE_GATEWAY_{name}", why=why) from error


async def _listen_to_keys(opened: AsyncExitStack, switch: Switch, here: tuple[str, int]) -> None:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: KeyListener(switch.press, lambda: switch.junk(JunkError(neighbour="rtpengine", why="no key"))),
        sock=_bound(here),
    )
    opened.callback(transport.close)


def _bound(here: tuple[str, int]) -> socket.socket:
    """Return a socket for datagrams that come `here`. Raises OSError: uvloop would leave its own half open then."""
    family, kind, protocol, _, address = socket.getaddrinfo(*here, type=socket.SOCK_DGRAM)[0]
    with ExitStack() as opened:
        listening = opened.enter_context(socket.socket(family, kind, protocol))
        listening.setblocking(False)  # noqa: FBT003  (the standard library has it so)
        listening.bind(address)
        opened.pop_all()
    return listening


def _fetcher(session: aiohttp.ClientSession, url: str) -> Fetch:
    async def get(name: str) -> bytes:
        return await fetch(session, f"{url}/prompts/{name}")

    return get


async def _stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)
