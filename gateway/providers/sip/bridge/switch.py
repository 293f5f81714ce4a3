"""The table of calls that the bridge has a part in; messages and keys find their call here."""

import asyncio
import secrets
from collections.abc import Coroutine

import structlog

from gateway.domain.facts import Outcome
from gateway.providers.sip.bridge.call import Call, Phase
from gateway.providers.sip.bridge.errors import JunkError
from gateway.providers.sip.bridge.keys import KeyPressed
from gateway.providers.sip.bridge.link import Message
from gateway.providers.sip.bridge.messages import Answered, Gone, Invite, read_message
from gateway.providers.sip.bridge.tools import Tools

# More than this at once are no calls but a flood; the gateway would answer none of them in time.
_MOST_ARRIVING = 400


class Switch:
    """Starts, finds and forgets calls."""

    def __init__(self, tools: Tools) -> None:
        """Start without a call."""
        self._tools = tools
        self._calls: dict[str, Call] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._others: set[asyncio.Task[None]] = set()

    def take(self, told: Message) -> None:
        """Take a message; of a call that it cannot read it says nothing, and Kamailio goes on. Raises JunkError."""
        match message := read_message(told):
            case Invite():
                self._invited(message)
            case Answered(call=name, callee_tag=tag):
                call = self._calls.get(name)
                if call is not None and call.phase is Phase.RINGING and tag:
                    self._run(call, call.whisper(tag))
            case Gone(call=name, outcome=outcome):
                self._gone(name, outcome)

    def press(self, pressed: KeyPressed) -> None:
        """Hand a key to its call."""
        call = self._calls.get(pressed.call)
        if call is not None:
            call.press(pressed)

    def junk(self, error: JunkError) -> None:
        """Count what cannot be read."""
        self._tools.counters.failures.labels(error.code, error.why).inc()
        structlog.get_logger("gateway.sip").warning("sip_junk", why=error.why, neighbour=error.details["neighbour"])

    def found(self) -> None:
        """Note that Kamailio is there."""
        self._tools.counters.linked.set(1)

    def lost(self) -> None:
        """Let go of every call: Kamailio goes on with them by itself."""
        self._tools.counters.linked.set(0)
        self._spawn(self.release())

    async def release(self) -> None:
        """Stop and let go of every call."""
        calls, tasks = [*self._calls.values()], [*self._tasks.values()]
        self._calls.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(call.release() for call in calls), return_exceptions=True)
        self._tools.counters.under_way.set(len(self._calls))

    async def settle(self) -> None:
        """Wait until what was begun for calls that are over is done."""
        await asyncio.gather(*self._others, return_exceptions=True)

    def _invited(self, invite: Invite) -> None:
        before = self._calls.get(invite.call)
        if before is not None and before.phase not in {Phase.TALKING, Phase.OVER}:
            raise JunkError(neighbour="kamailio", why="a call that is under way")
        call = Call(invite, secrets.token_hex(8), self._tools)
        if call.connect_stranger():
            return
        if len(self._tasks) >= _MOST_ARRIVING:
            call.turn_away()
            return
        self._calls[invite.call] = call
        self._run(call, call.arrive())

    def _run(self, call: Call, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks[call.call] = task
        task.add_done_callback(lambda done: self._done(call, done))
        self._tools.counters.under_way.set(len(self._calls))

    def _done(self, call: Call, task: asyncio.Task[None]) -> None:
        if self._tasks.get(call.call) is task:
            del self._tasks[call.call]
        if call.phase is Phase.OVER and self._calls.get(call.call) is call:
            del self._calls[call.call]
        self._tools.counters.under_way.set(len(self._calls))

    def _gone(self, name: str, outcome: Outcome) -> None:
        call, task = self._calls.pop(name, None), self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
        if call is not None:
            self._spawn(_ended(call, task, outcome))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._others.add(task)
        task.add_done_callback(self._others.discard)


async def _ended(call: Call, task: asyncio.Task[None] | None, outcome: Outcome) -> None:
    if task is not None:
        await asyncio.gather(task, return_exceptions=True)
    await call.end(outcome)
