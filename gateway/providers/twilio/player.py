"""Take Twilio's part in a call against the running gateway, on a virtual clock, and tell what each party hears."""

import math
from collections.abc import Sequence
from uuid import uuid4

import httpx

from gateway.audio.mixdown import TICKS_PER_SECOND
from gateway.providers.twilio.player_dial import Dialler
from gateway.providers.twilio.player_http import Answer, ApplicationError, Explainer, Patience, Wire
from gateway.providers.twilio.player_leg import Ending, Follower, Leg
from gateway.providers.twilio.player_scene import CallerGoneError, Scene
from gateway.workflows.simulate_call import (
    NOT_EXPLAINED,
    CallScript,
    Disposition,
    Explanation,
    Heard,
    Party,
    PlayedCall,
)

__all__ = ["Explainer", "Patience", "TwilioPlayer"]

# An account of nobody's; the gateway identifies an account by its token, not by this.
ACCOUNT_SID = "AC" + "0" * 32


class TwilioPlayer:
    """Plays calls against the gateway at `origin`, signed with `token`."""

    def __init__(
        self, origin: str, token: str, explainer: Explainer, http: httpx.Client, *, patience: Patience | None = None
    ) -> None:
        """Keep the collaborators; nothing is sent yet."""
        self._origin, self._token, self._explainer, self._http = origin.rstrip("/"), token, explainer, http
        self._patience = patience or Patience()

    def play(self, script: CallScript) -> PlayedCall:
        """Play `script` from the first webhook to the last. Raises GatewayUnreachableError and CallRefusedError."""
        wire = Wire(self._token, self._explainer, self._http, self._patience)
        return _Call(self._origin, script, wire).play()


class _Call:
    """One call while it is played."""

    def __init__(self, origin: str, script: CallScript, wire: Wire) -> None:
        self._origin, self._wire = origin, wire
        self._scene = Scene(script)
        self._caller = Leg(Party.CALLER, _parameters(script), "ringing")
        self._dialler = Dialler(script, self._scene, wire, self._caller)
        self._explanation: Explanation | None = None

    def play(self) -> PlayedCall:
        disposition = self._follow()
        self._report_end(disposition)
        self._scene.end()
        heard = tuple(self._scene.heard)
        explained = self._explanation
        return PlayedCall(
            decision=explained.decision if explained else _inferred(heard, self._dialler.connected_to),
            reason=explained.reason if explained else NOT_EXPLAINED,
            heard=heard,
            timeline=self._scene.timeline(),
            webhooks=tuple(self._wire.webhooks),
            connected_to=self._dialler.connected_to,
            disposition=disposition,
            ticks=self._scene.now,
            sounds=self._scene.sounds(),
        )

    def _follow(self) -> Disposition:
        self._scene.note(Party.CALLER, f"calls {self._caller.parameter('To')}")
        follower = Follower(self._scene, self._wire, self._caller, self._dialler.dial)
        try:
            return self._disposition_of(follower.follow(self._open()))
        except CallerGoneError:
            return Disposition.COMPLETED if self._dialler.bridged else Disposition.CANCELED
        except ApplicationError as error:
            # Twilio tells the caller that an application error has occurred, and hangs up.
            self._scene.trouble(f"application error, the call ends: {error}")
            return Disposition.FAILED

    def _open(self) -> Answer:
        answer = self._wire.open(f"{self._origin}/twilio/call", self._caller.form())
        self._explanation = answer.explanation if answer.explained else None
        return answer

    def _disposition_of(self, ending: Ending) -> Disposition:
        match ending:
            case Ending.REJECTED | Ending.REJECTED_BUSY:
                self._caller.status = "busy" if ending is Ending.REJECTED_BUSY else "no-answer"
                self._scene.note(Party.PROVIDER, "rejects the call")
                return Disposition.REJECTED
            case Ending.HANGUP | Ending.END_OF_DOCUMENT:
                self._scene.note(Party.PROVIDER, f"ends the call: {ending.value}")
                return self._dialler.disposition or Disposition.COMPLETED

    def _report_end(self, disposition: Disposition) -> None:
        """Deliver the number's own status callback.

        An answered call ends as completed, whatever came of its <Dial>; one that was never answered keeps the reason.
        See "CallStatus values" on https://www.twilio.com/docs/voice/twiml.
        """
        if self._caller.status == "ringing":
            unanswered = Disposition.BUSY if disposition is Disposition.REJECTED else disposition
            self._caller.status = unanswered.value
        elif self._caller.status == "in-progress":
            self._caller.status = "completed"
        extra = {"CallDuration": str(math.ceil(self._scene.now / TICKS_PER_SECOND)), "SequenceNumber": "0"}
        extra["CallbackSource"] = "call-progress-events"
        try:
            self._wire.notify("POST", f"{self._origin}/twilio/status", self._caller.form(extra))
        except ApplicationError as error:
            self._scene.trouble(str(error))


def _parameters(script: CallScript) -> dict[str, str]:
    """Return what every webhook of the caller's leg carries."""
    return {
        "CallSid": f"CA{uuid4().hex}",
        "AccountSid": ACCOUNT_SID,
        "From": script.caller,
        "To": script.callee,
        "Caller": script.caller,
        "Called": script.callee,
        "Direction": "inbound",
        "ApiVersion": "2010-04-01",
    }


def _inferred(heard: Sequence[Heard], connected_to: str | None) -> str:
    """Say what the gateway seems to have decided, where it does not explain itself."""
    kinds = {each.kind for each in heard if each.party is Party.CALLEE}
    if any(each.party is Party.CALLER for each in heard):
        return "public_notice"
    if kinds:
        return "warning" if "warning" in kinds else "private_notice" if kinds & {"opener", "private"} else "whisper"
    return "connect" if connected_to is not None else "end"
