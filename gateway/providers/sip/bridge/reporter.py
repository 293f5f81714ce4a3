"""What the bridge tells the gateway of one call, and what it is told to do."""

from collections.abc import Mapping

from gateway.providers.sip.bridge.door import Door
from gateway.providers.sip.bridge.listening import Heard
from gateway.providers.sip.bridge.messages import Invite
from gateway.providers.sip.bridge.steps import Step

Arrival = Mapping[str, str]


def arrival_of(invite: Invite, attempt: str) -> Arrival:
    """Return what is told of a call that has come in; `attempt` names it beside its Call-ID, which may be repeated."""
    return {
        "call": invite.call,
        "attempt": attempt,
        "caller": invite.caller,
        "callee": invite.callee,
        "mark": invite.mark,
        "outcome": "",
    }


class Reporter:
    """Reports of one call."""

    def __init__(self, door: Door, arrival: Arrival) -> None:
        """Report through `door`."""
        self._door = door
        self._arrival = arrival

    async def arrive(self) -> tuple[Step, ...]:
        """Report that the call has come in; return what is to be done. Raises GatewayAwayError, JunkError."""
        return await self._door.tell("/sip/call", self._arrival)

    async def tell(self, target: str, heard: Heard | None = None, *, outcome: str = "") -> tuple[Step, ...]:
        """Report to `target`; return what is to be done. Raises GatewayAwayError, JunkError."""
        report: dict[str, str | int] = {**self._arrival, "mark": "", "outcome": outcome}
        if heard is not None:
            report |= {"key": heard.key, "heard_ms": heard.milliseconds}
        return await self._door.tell(target, report)
