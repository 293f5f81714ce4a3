"""One call in the bridge, from the news of it to the moment when its parties talk.

Whatever fails, Kamailio is told to connect, or the legs are let through: every way through this file ends in one of the
two, but for a party who has hung up.
"""

import asyncio
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING

import structlog

from gateway.domain.facts import Outcome
from gateway.providers.sip.bridge.errors import BridgeError, JunkError, MediaError
from gateway.providers.sip.bridge.keys import KeyPressed
from gateway.providers.sip.bridge.listening import Heard, Listening
from gateway.providers.sip.bridge.messages import Invite
from gateway.providers.sip.bridge.reporter import Reporter, arrival_of
from gateway.providers.sip.bridge.steps import BridgeLegs, Connect, EndCall, Leg, Play, Step
from gateway.providers.sip.bridge.tools import Tools

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

log: "BoundLogger" = structlog.get_logger("gateway.sip")

# Kamailio connects by itself after 500 ms.
DEADLINE_SECONDS = 0.45
# Between the 183 and the first word: what is sent before the caller's telephone has read the 183 is lost.
_LEAD_IN_SECONDS = 0.1
# Opener, content and reply, each of them as long as may be. Kamailio lets the legs through by itself after 300 s.
_WHISPER_SECONDS = 280.0
_MOST_ROUNDS = 6
_RINGS = 60
# Keys are sent three times over; what comes behind the last of them must not be heard by the other party.
_SETTLE_SECONDS = 0.2
_STRANGER = "no_order"
_UNBLOCK_PAUSES_SECONDS = (0.0, 0.1, 0.5, 1.0, 2.0)


class Phase(Enum):
    """How far a call has come."""

    ARRIVING = "arriving"
    ANNOUNCING = "announcing"
    RINGING = "ringing"
    WHISPERING = "whispering"
    TALKING = "talking"
    OVER = "over"


class Call:
    """What the bridge does in one call; one of its coroutines runs at a time."""

    def __init__(self, invite: Invite, attempt: str, tools: Tools) -> None:
        """Begin with nothing done; `attempt` names this call beside its Call-ID, which a caller may repeat."""
        self.phase = Phase.ARRIVING
        self._invite = invite
        self._tools = tools
        self._arrival = arrival_of(invite, attempt)
        self._gateway = Reporter(tools.door, self._arrival)
        self._route = Connect()
        self._callee_tag = ""
        self._playing: Play | None = None
        self._listening = Listening(asyncio.get_running_loop())

    @property
    def call(self) -> str:
        """The Call-ID."""
        return self._invite.call

    @property
    def has_notice(self) -> bool:
        """Tell whether there is or may be a notice in it, so that the gateway wants to know how the call ends."""
        return self.phase is not Phase.OVER

    def press(self, pressed: KeyPressed) -> None:
        """Take a key; it counts where its leg is listened to."""
        self._listening.press(pressed)

    def connect_stranger(self) -> bool:
        """Connect a call that needs no question; return False for any other."""
        began = asyncio.get_running_loop().time()
        route = self._tools.screening.route(self._arrival)
        if route is None:
            return False
        self._route = route
        self._connect(_STRANGER)
        self._tools.counters.seconds.observe(asyncio.get_running_loop().time() - began)
        return True

    async def arrive(self) -> None:
        """Ask what to do with the call, and do it as far as connecting it."""
        began = asyncio.get_running_loop().time()
        play: Play | None = None
        try:
            async with asyncio.timeout_at(began + DEADLINE_SECONDS):
                play = await self._begin()
        except TimeoutError:
            self._connect("late")
        except BridgeError as error:
            self._connect(error.why, error)
        except Exception:
            log.exception("sip_defect", phase=self.phase.value)
            self._connect("defect")
        self._tools.counters.seconds.observe(asyncio.get_running_loop().time() - began)
        if play is not None:
            await self._announce(play)
        await self._report_unheard()

    def turn_away(self) -> None:
        """Connect the call unasked: there are too many."""
        self._connect("too many")

    async def whisper(self, callee_tag: str) -> None:
        """Speak to the callee, who has picked up, while the caller hears a ring tone; then let them talk."""
        self.phase, self._callee_tag = Phase.WHISPERING, callee_tag
        why = "whispered"
        try:
            async with asyncio.timeout(_WHISPER_SECONDS):
                await self._tools.media.block(self.call)
                await self._tools.media.play(self.call, self._invite.caller_tag, self._tools.sounds.ring, times=_RINGS)
                await self._speak()
        except TimeoutError:
            why = "too long"
        except BridgeError as error:
            why = self._failed(error)
        except Exception:
            log.exception("sip_defect", phase=self.phase.value)
            why = "defect"
        await self._let_through(why)
        await self._report_unheard()

    async def release(self) -> None:
        """Let go of a call whose coroutine was stopped, because the bridge ends or has lost Kamailio."""
        match self.phase:
            case Phase.ANNOUNCING:
                with suppress(MediaError):
                    await self._tools.media.stop(self.call, self._invite.caller_tag)
                self._connect("released")
            case Phase.ARRIVING:
                self._connect("released")
            case Phase.WHISPERING:
                await self._let_through("released")
            case Phase.RINGING | Phase.TALKING | Phase.OVER:
                pass
        self.phase = Phase.OVER
        await self._report_unheard()

    async def end(self, outcome: Outcome) -> None:
        """Stop what plays in a call that is over, and tell the gateway how far it came and how the call ended."""
        had_notice, phase = self.has_notice, self.phase
        self.phase = Phase.OVER
        if phase in {Phase.ANNOUNCING, Phase.WHISPERING}:
            await self._stop_all()
        await self._report_unheard()
        if had_notice:
            await self._tell("/sip/status", outcome=outcome.value)

    async def _report_unheard(self) -> None:
        """Tell, for the evidence, how much was heard of a play that did not come to its end: it may be nothing."""
        play, self._playing = self._playing, None
        if play is not None and play.following:
            await self._tell(play.following, self._listening.so_far)

    async def _tell(self, target: str, heard: Heard | None = None, *, outcome: str = "") -> None:
        """Tell the gateway what nothing follows from any more."""
        try:
            await self._gateway.tell(target, heard, outcome=outcome)
        except BridgeError as error:
            self._failed(error)

    async def _begin(self) -> Play | None:
        """Ask the gateway; return what is to be played once a 183 has been sent for it."""
        steps = await self._gateway.arrive()
        for route in steps:
            if isinstance(route, Connect):
                self._tools.screening.compare(route.mark)
        match steps:
            case (EndCall(),):
                self._instruct("reject", "loop", code=486, reason="Busy Here")
                self.phase = Phase.OVER
            case (Connect() as route,):
                self._route = route
                self._connect("whisper" if route.whisper else "plain")
            case (Play(leg=Leg.CALLER) as play, Connect(whisper="") as route):
                self._route = route
                await self._open_early_media(play)
                return play
            case _:
                raise JunkError(neighbour="the gateway", why="steps out of place")
        return None

    async def _open_early_media(self, play: Play) -> None:
        self._playing = play
        self._tools.sounds.find(play.files)
        sdp = await self._tools.media.announce(
            self.call, self._invite.caller_tag, self._announcer_tag, self._invite.sdp
        )
        self.phase = Phase.ANNOUNCING
        self._instruct("progress", "public", sdp=sdp)

    async def _announce(self, play: Play) -> None:
        """Play a public notice to the caller, and connect."""
        why = "heard"
        try:
            await asyncio.sleep(_LEAD_IN_SECONDS)
            heard = await self._play(play, self._invite.caller_tag)
            why = heard.why
            steps = await self._gateway.tell(play.following, heard)
            self._route = _only_route(steps)
        except BridgeError as error:
            why = self._failed(error)
        except Exception:
            log.exception("sip_defect", phase=self.phase.value)
            why = "defect"
        self._connect(why)

    async def _speak(self) -> None:
        """Follow the gateway from step to step for as long as it has something to say to the callee."""
        target, heard = self._route.whisper, None
        for _ in range(_MOST_ROUNDS):
            said = await self._say(await self._gateway.tell(target, heard))
            if said is None:
                return
            target, heard = said
        raise JunkError(neighbour="the gateway", why="no end of steps")

    async def _say(self, steps: tuple[Step, ...]) -> tuple[str, Heard] | None:
        """Play what the callee is to hear; return who wants to know of it and what, or None where the legs may talk."""
        for step in steps:
            match step:
                case Play(leg=Leg.CALLEE) as play:
                    heard = await self._play(play, self._callee_tag)
                    if play.following:
                        return play.following, heard
                case BridgeLegs():
                    return None
                case _:
                    raise JunkError(neighbour="the gateway", why="steps out of place")
        return None

    async def _play(self, play: Play, tag: str) -> Heard:
        """Play recordings to a leg until they end or, where keys count, one is pressed."""
        self._playing = play
        sounds = self._tools.sounds.find(play.files)
        heard = await self._listening.play(self._tools.media, self.call, tag, sounds, play)
        self._playing = None
        self._tools.counters.plays.labels(play.leg.value, heard.why).inc()
        return heard

    async def _let_through(self, why: str) -> None:
        await asyncio.sleep(self._listening.seconds_to_settle(_SETTLE_SECONDS))
        await self._stop_all()
        for pause in _UNBLOCK_PAUSES_SECONDS:
            await asyncio.sleep(pause)
            with suppress(MediaError):
                await self._tools.media.unblock(self.call)
                break
        else:
            # Not "bridged": Kamailio's own limit lets the legs through, if rtpengine comes back at all.
            self._failed(MediaError(why="not unblocked"))
            self.phase = Phase.TALKING
            return
        self._instruct("bridged", why)
        self.phase = Phase.TALKING

    async def _stop_all(self) -> None:
        tags = [tag for tag in (self._callee_tag, self._invite.caller_tag) if tag]
        await asyncio.gather(*(self._tools.media.stop(self.call, tag) for tag in tags), return_exceptions=True)

    def _connect(self, why: str, error: BridgeError | None = None) -> None:
        """Have Kamailio connect the call, along the route that the gateway has named if it could be asked."""
        if error is not None:
            self._failed(error)
        announced = self.phase is Phase.ANNOUNCING
        route = self._route
        self._instruct(
            "connect",
            why,
            to=route.to,
            mark=route.mark,
            whisper=bool(route.whisper),
            rtag=self._announcer_tag if announced else "",
        )
        self.phase = Phase.TALKING if announced else Phase.RINGING if route.whisper else Phase.OVER

    def _instruct(self, instruction: str, why: str, **fields: str | int) -> None:
        self._tools.link.send({"call": self.call, "do": instruction, **fields})
        self._tools.counters.calls.labels(instruction, why).inc()
        # A call to a line without an order is only counted.
        tell = log.debug if why == _STRANGER else log.info
        tell("sip_call", instruction=instruction, why=why)

    def _failed(self, error: BridgeError) -> str:
        self._tools.counters.failures.labels(error.code, error.why).inc()
        log.warning("sip_failed", code=error.code, why=error.why, phase=self.phase.value)
        return error.why

    @property
    def _announcer_tag(self) -> str:
        return f"notice-{self._invite.caller_tag}"


def _only_route(steps: tuple[Step, ...]) -> Connect:
    match steps:
        case (Connect(whisper="") as route,):
            return route
        case _:
            raise JunkError(neighbour="the gateway", why="steps out of place")
