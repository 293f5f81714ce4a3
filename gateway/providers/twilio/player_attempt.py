"""One attempt to connect: the callee's telephone rings, is answered or not, is whispered to, and the parties talk."""

import math
import re
from collections.abc import Mapping
from email.utils import format_datetime
from enum import Enum
from uuid import uuid4

from gateway.audio.mixdown import CALLEE_VOICE, CALLER_VOICE, TICKS_PER_SECOND, ring_back, tone
from gateway.clock import utc_now
from gateway.providers.twilio.player_http import ApplicationError, Wire
from gateway.providers.twilio.player_leg import Ending, Follower, Leg, refuse_dial
from gateway.providers.twilio.player_scene import Scene, ticks_of
from gateway.providers.twilio.player_verbs import Dial, Noun
from gateway.workflows.simulate_call import CalleeBehaviour, CallScript, Disposition, Party

TALK_SECONDS = 2.0
# <Number>: "You can use up to ten <Number> nouns within a <Dial> verb".
_MOST_NOUNS = 10
_DIALLABLE = {
    "Number": re.compile(r"\+?[0-9(][0-9 ().\-]+"),
    "Sip": re.compile(r"sips?:\S+"),
    "Client": re.compile(r"\S+"),
}


class AttemptEnd(Enum):
    """How one dialled leg ended: Twilio's DialCallStatus, and our word for the whole call."""

    TALKED = ("completed", Disposition.COMPLETED)
    BUSY = ("busy", Disposition.BUSY)
    NO_ANSWER = ("no-answer", Disposition.NO_ANSWER)
    # A declined call (SIP 603) is reported as busy; Twilio has no status of its own for it.
    DECLINED = ("busy", Disposition.REJECTED)
    NOT_ROUTABLE = ("failed", Disposition.FAILED)
    # A leg that was answered and dropped before bridging ends as "completed" with DialBridged=false. Where the
    # whisper's URL failed, what Twilio does is documented nowhere; that the leg drops is the pessimistic assumption.
    WHISPER_HUNG_UP = ("completed", Disposition.REJECTED)
    WHISPER_FAILED = ("completed", Disposition.FAILED)

    @property
    def status(self) -> str:
        """Return DialCallStatus."""
        return self.value[0]

    @property
    def disposition(self) -> Disposition:
        """Return what this means for the call."""
        return self.value[1]


class Attempt:
    """One execution of a <Dial>; `rang` is the party dialled, if it came to that."""

    def __init__(self, script: CallScript, scene: Scene, wire: Wire, caller: Leg, dial: Dial) -> None:
        """Make the child leg; nothing rings yet."""
        self._script, self._scene, self._wire, self._caller, self._dial = script, scene, wire, caller, dial
        self._noun = dial.nouns[0] if dial.nouns else None
        self._leg = Leg(Party.CALLEE, self._parameters(), "initiated")
        self._began = self._picked_up = scene.now
        self._answered = False
        self._sequence = 0
        self.bridged = False
        self.rang: str | None = None

    def _parameters(self) -> dict[str, str]:
        """Return what every webhook of the child leg carries; Twilio adds ParentCallSid to each of them."""
        caller = self._dial.caller_id or self._caller.parameter("From")
        called = _address(self._noun) if self._noun else ""
        return {
            "CallSid": f"CA{uuid4().hex}",
            "ParentCallSid": self._caller.sid,
            "AccountSid": self._caller.parameter("AccountSid"),
            "ApiVersion": self._caller.parameter("ApiVersion"),
            "Direction": "outbound-dial",
            "From": caller,
            "Caller": caller,
            "To": called,
            "Called": called,
        }

    def run(self) -> AttemptEnd:
        """Ring, whisper, bridge, talk. Raises CallerGoneError."""
        if not self._dial.answer_on_bridge and self._caller.status == "ringing":
            self._caller.status = "in-progress"
        if self._noun is None or (why := self._refusal(self._noun)):
            self._scene.trouble(why if self._noun else "<Dial> names nobody to dial")
            return AttemptEnd.NOT_ROUTABLE
        self._tell("initiated")
        if len(self._dial.nouns) > 1:
            self._scene.note(Party.PROVIDER, f"dials {len(self._dial.nouns)} parties; the first one is played here")
        self.rang = _address(self._noun)
        end = self._ring(self._noun)
        return self._talk() if end is None else end

    def _refusal(self, noun: Noun) -> str:
        """Say why Twilio would not dial, or nothing. An empty <Number> is warning 13223."""
        if len(self._dial.nouns) > _MOST_NOUNS:
            return f"<Dial> has {len(self._dial.nouns)} nouns; Twilio dials {_MOST_NOUNS} at most"
        shape = _DIALLABLE.get(noun.kind)
        if shape is None:
            return f"<Dial> holds <{noun.kind}>, which this player cannot dial"
        if shape.fullmatch(noun.text) is None:
            return f"<{noun.kind}> holds {noun.text!r}, which cannot be dialled"
        return ""

    def _ring(self, noun: Noun) -> AttemptEnd | None:
        """Ring and whisper while the caller hears ringing; return how it ended, None for ready to bridge."""
        if self._script.behaviour is CalleeBehaviour.BUSY:
            self._scene.note(Party.CALLEE, f"{_address(noun)} is busy")
            return AttemptEnd.BUSY
        try:
            end = self._until_answer(noun)
            return self._whisper(noun) if end is None else end
        finally:
            # <Number>: with answerOnBridge "the current caller will continue to hear ringing while the TwiML document
            # executes on the other end".
            silent_early = self._answered and not self._dial.answer_on_bridge
            until = self._picked_up if silent_early else self._scene.now
            self._scene.keep(Party.CALLER, self._began, ring_back(until - self._began))

    def _until_answer(self, noun: Noun) -> AttemptEnd | None:
        self._leg.status = "ringing"
        self._scene.note(Party.CALLEE, f"telephone rings: {_address(noun)}")
        self._scene.note(Party.CALLER, "hears ringing")
        self._tell("ringing")
        ring = ticks_of(self._script.ring_seconds)
        if self._script.behaviour is CalleeBehaviour.NO_ANSWER or ring > ticks_of(self._dial.timeout):
            self._scene.wait(ticks_of(self._dial.timeout))
            self._scene.note(Party.CALLEE, "does not answer")
            return AttemptEnd.NO_ANSWER
        self._scene.wait(ring)
        if self._script.behaviour is CalleeBehaviour.REJECTS:
            self._scene.note(Party.CALLEE, "declines")
            return AttemptEnd.DECLINED
        self._answered, self._picked_up = True, self._scene.now
        self._leg.status = "in-progress"
        self._scene.note(Party.CALLEE, "answers")
        self._tell("answered")
        return None

    def _whisper(self, noun: Noun) -> AttemptEnd | None:
        """Play the called party's document, if there is one; its end bridges."""
        if not noun.url:
            return None
        follower = Follower(self._scene, self._wire, self._leg, refuse_dial)
        try:
            ending = follower.follow(self._wire.fetch(noun.method, noun.url, self._leg.form()))
        except ApplicationError as error:
            self._scene.trouble(f"the callee's leg is dropped: {error}")
            return AttemptEnd.WHISPER_FAILED
        if ending is Ending.END_OF_DOCUMENT:
            return None
        self._scene.note(Party.CALLEE, f"is not connected: {ending.value}")
        return AttemptEnd.WHISPER_HUNG_UP

    def _talk(self) -> AttemptEnd:
        self.bridged = True
        self._caller.status = "in-progress"
        self._scene.note(Party.PROVIDER, "bridges caller and callee")
        began = self._scene.now
        try:
            self._scene.wait(ticks_of(TALK_SECONDS))
        finally:
            spoken = self._scene.now - began
            self._scene.keep(Party.CALLER, began, tone(CALLEE_VOICE, spoken))
            self._scene.keep(Party.CALLEE, began, tone(CALLER_VOICE, spoken))
        self._scene.note(Party.CALLEE, "hangs up")
        return AttemptEnd.TALKED

    def settle(self, status: str) -> None:
        """End the child leg in `status` and say so; "completed" is the event of every final status."""
        self._leg.status = status
        self._tell("completed", {"CallDuration": str(self._duration)} if self._answered else {})

    def abandon(self) -> None:
        """End the child leg because the caller has gone: a leg that was up is completed, one that rang is canceled."""
        self._scene.note(Party.CALLEE, "the line goes down with the caller's")
        self.settle("completed" if self._answered else "canceled")

    def report(self) -> dict[str, str]:
        """Return what the action of <Dial> is told beside the caller's own parameters."""
        told = {
            "DialCallStatus": self._leg.status,
            "DialCallSid": self._leg.sid,
            "DialBridged": str(self.bridged).lower(),
        }
        return {**told, "DialCallDuration": str(self._duration)} if self._answered else told

    @property
    def _duration(self) -> int:
        return math.ceil((self._scene.now - self._picked_up) / TICKS_PER_SECOND)

    def _tell(self, event: str, extra: Mapping[str, str] | None = None) -> None:
        """Deliver a call progress event to the noun's status callback, if it subscribed to this one."""
        if self._noun is None or not self._noun.status_callback or event not in self._noun.status_events:
            return
        form = {
            **self._leg.form(extra),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._sequence),
            "Timestamp": format_datetime(utc_now()),
        }
        self._sequence += 1
        try:
            self._wire.notify(self._noun.status_method, self._noun.status_callback, form)
        except ApplicationError as error:
            self._scene.trouble(str(error))


def _address(noun: Noun) -> str:
    """Return whom `noun` dials. <Sip>: what follows "?" in the URI is sent as headers and is no part of the address."""
    match noun.kind:
        case "Client":
            return f"client:{noun.text}"
        case "Sip":
            return noun.text.partition("?")[0]
        case _:
            return noun.text
