"""Calls to lines under no order, decided in the bridge: 99 in 100 need no question (docs/adr/0025).

The bridge has a screen of its own where it has the register's database and keys, as it does on the gateway's machine.
Only a line that is certainly under no order is answered for; everything else, and every doubt, is the gateway's.
"""

import asyncio
import gc
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import structlog

from gateway.domain.facts import CallFacts
from gateway.domain.plan import CallPlan
from gateway.providers.dialect import Event
from gateway.providers.sip.bridge.counters import Counters
from gateway.providers.sip.bridge.errors import ScreenAwayError
from gateway.providers.sip.bridge.reporter import Arrival
from gateway.providers.sip.bridge.steps import Connect, read_steps
from gateway.providers.sip.dialect import Sip

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

log: "BoundLogger" = structlog.get_logger("gateway.sip")

_AGAIN_SECONDS = 5.0


class Strangers(Protocol):
    """Who knows lines that are certainly under no order."""

    dialect: Sip

    def answer(self, facts: CallFacts, now: datetime) -> CallPlan | None:
        """Return what happens with a call to such a line, None for any other."""
        ...

    def is_own_key(self, key_id: str) -> bool:
        """Tell whether the register's keys are those of whoever names `key_id`."""
        ...

    def close(self) -> None:
        """Let go of the register."""
        ...


OpenStrangers = Callable[[Callable[[str], None]], Strangers]


class Screening:
    """Answers for strangers, once a gateway was seen to have the same register's keys."""

    def __init__(self, counters: Counters, clock: Callable[[], datetime]) -> None:
        """Know no line yet."""
        self._counters = counters
        self._clock = clock
        self._opening: asyncio.Future[Strangers] | None = None
        self._strangers: Strangers | None = None
        self._is_the_gateways = False

    def route(self, arrival: Arrival) -> Connect | None:
        """Return where a call that has come in is connected to; None where the gateway is to be asked."""
        if self._strangers is None or not self._is_the_gateways:
            return None
        try:
            return self._route(self._strangers, arrival)
        except Exception:
            log.exception("sip_screen_defect")
            self._failed("defect")
            return None

    def compare(self, mark: str) -> None:
        """Take the mark of a route that the gateway has named: the id of its key.

        A register that somebody left on the bridge's machine has other keys, and would keep every notice silent.
        """
        self._is_the_gateways = self._strangers is not None and self._strangers.is_own_key(mark)
        self._counters.screening.set(self._is_the_gateways)

    async def open(self, opening: OpenStrangers) -> None:
        """Open the register's screen, and try again until there is one. Falls open: without it the gateway is asked."""
        told = ""
        while self._strangers is None:
            self._opening = asyncio.ensure_future(asyncio.to_thread(opening, self._failed))
            try:
                # A thread goes on when nobody waits for it any more: `close` lets go of what it still opens.
                self._strangers = await asyncio.shield(self._opening)
            except ScreenAwayError as error:
                if error.why != told:
                    log.info("sip_screen_away", why=error.why)
                told = error.why
                await asyncio.sleep(_AGAIN_SECONDS)
            except Exception:
                log.exception("sip_screen_defect")
                self._failed("defect")
                return
        # What was loaded is there for good: the collector need not walk through it while a call waits.
        gc.collect()
        gc.freeze()
        log.info("sip_screen_open")

    async def close(self) -> None:
        """Let go of the register."""
        self._strangers = None
        self._counters.screening.set(0)
        if self._opening is None:
            return
        await asyncio.wait({self._opening})
        if self._opening.exception() is None:
            await asyncio.to_thread(self._opening.result().close)

    def _route(self, strangers: Strangers, arrival: Arrival) -> Connect | None:
        now, dialect = self._clock(), strangers.dialect
        facts = dialect.read(Event.CALL, {name: (value,) for name, value in arrival.items()}, "", now)
        plan = strangers.answer(facts, now)
        if plan is None:
            return None
        match read_steps(dialect.render(plan, facts, now).body):
            case (Connect(whisper="") as route,):
                return route
            case _:
                return None

    def _failed(self, why: str) -> None:
        self._counters.failures.labels(ScreenAwayError.code, why).inc()
