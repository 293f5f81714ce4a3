"""What the bridge tells the gateway of one call, and what it is told to do."""

from gateway.providers.sip.bridge.door import Door
from gateway.providers.sip.bridge.listening import Heard
from gateway.providers.sip.bridge.messages import Invite
from gateway.providers.sip.bridge.steps import Step


class Reporter:
    """Reports of one call; `attempt` names it beside its Call-ID, which a caller may repeat."""

    def __init__(self, door: Door, invite: Invite, attempt: str) -> None:
        """Report through `door`."""
        self._door = door
        self._invite = invite
        self._attempt = attempt

    async def tell(
        self, target: str, heard: Heard | None = None, *, mark: str = "", outcome: str = ""
    ) -> tuple[Step, ...]:
        """Report to `target`; return what is to be done. Raises GatewayAwayError, JunkError."""
        report: dict[str, str | int] = {
            "call": self._invite.call,
            "attempt": self._attempt,
            "caller": self._invite.caller,
            "callee": self._invite.callee,
            "mark": mark,
            "outcome": outcome,
        }
        if heard is not None:
            report |= {"key": heard.key, "heard_ms": heard.milliseconds}
        return await self._door.tell(target, report)
