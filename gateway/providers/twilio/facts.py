"""Reading Twilio's parameters. Only the names below are read: a signature does not say where a name ends."""

import re
from collections.abc import Callable
from datetime import datetime

from gateway.domain.bypass import BypassList
from gateway.domain.e164 import E164
from gateway.domain.errors import InvalidNumberError
from gateway.domain.facts import (
    Arriving,
    CalleeAnswered,
    CalleeListened,
    CallerListened,
    CallFacts,
    Capability,
    DialEnded,
    Looping,
    Moment,
    Opaque,
    Outcome,
    Party,
)
from gateway.domain.notice import Purpose
from gateway.domain.route import Routes
from gateway.privacy.errors import TokenRefusedError
from gateway.privacy.token import TokenSealer
from gateway.providers.dialect import Event, Params, first

NAME = "twilio"
CAPABILITIES = frozenset(Capability)
# The header that marks calls we sent out over SIP; Twilio hands it back as a parameter of an inbound SIP call.
LOOP_HEADER = "X-Notice-Gateway"
_LOOP_PARAMETER = f"SipHeader_{LOOP_HEADER}"
PARAMETERS = {
    name: name.encode()
    for name in (
        "CallSid",
        "ParentCallSid",
        "From",
        "To",
        "Called",
        "CallStatus",
        "Digits",
        "DialCallStatus",
        _LOOP_PARAMETER,
    )
}
_CALL_ID = re.compile(r"[A-Za-z0-9]{2,64}")
# A caller who withholds the number arrives as a word on the telephone's keys: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN,
# UNAVAILABLE. These look like numbers and are nobody's.
_WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})
_KEYS = frozenset("0123456789*#ABCD")
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}


def party_of(text: str) -> Party:
    """Read a party. "From" may be withheld, alphabetic, a client name or a SIP URI: all that is opaque."""
    try:
        return E164.parse(text)
    except InvalidNumberError:
        return Opaque(text)


def called(params: Params) -> str:
    """Return the called line as Twilio wrote it, in `To` and again in `Called`."""
    return first(params, "To") or first(params, "Called")


IsLoopMark = Callable[[str], bool]


class FactsReader:
    """Turns verified parameters and a callback token into facts."""

    def __init__(self, *, routes: Routes, bypass: BypassList, sealer: TokenSealer, is_loop_mark: IsLoopMark) -> None:
        """`is_loop_mark` knows what our own outgoing SIP calls carry, while keys change too."""
        self._routes = routes
        self._bypass = bypass
        self._sealer = sealer
        self._is_loop_mark = is_loop_mark

    def read(self, event: Event, params: Params, token: str, now: datetime) -> CallFacts:
        """Return the facts. Raises TokenRefusedError where the event needs a token and this is none for this call."""
        match event:
            case Event.CALL:
                return self._facts(params, _callee(params), self._arrival(params))
            case Event.STATUS:
                outcome = ending_of(params) or Outcome.COMPLETED
                return self._facts(params, _callee(params), DialEnded(outcome=outcome, whispered=False))
            case Event.DIALLED if not token:
                return self._facts(params, _callee(params), DialEnded(outcome=_dialled(params), whispered=False))
            case _:
                state = self._state(event, params, token, now)
                return self._facts(params, party_of(state["callee"]), _moment(event, params, state))

    def _state(self, event: Event, params: Params, token: str, now: datetime) -> dict[str, str]:
        state = self._sealer.open(token, use=event.value, now=now)
        # "ParentCallSid: a unique identifier for the call that created this leg. This parameter is not passed if this
        # is the first leg of a call." (twilio.com/docs/voice/twiml) So one of the two names the caller's leg.
        if state["call"] != _call_of(params):
            raise TokenRefusedError(why="another call's")
        return state

    def _facts(self, params: Params, callee: Party, moment: Moment) -> CallFacts:
        caller = first(params, "From")
        return CallFacts(
            provider=NAME,
            provider_call_id=_call_of(params),
            caller=Opaque(caller) if caller in _WITHHELD else party_of(caller),
            callee=callee,
            # A line that is opaque because its parameters contradict each other is still connected along its route.
            destination=self._routes.destination_of(callee if isinstance(callee, E164) else party_of(callee.text)),
            capabilities=CAPABILITIES,
            urgency=self._bypass.urgency_of(caller.replace(" ", "")),
            moment=moment,
        )

    def _arrival(self, params: Params) -> Moment:
        looped = self._is_loop_mark(first(params, _LOOP_PARAMETER))
        return Looping() if looped else Arriving()


def ending_of(params: Params) -> Outcome | None:
    """Return the final status of the caller's leg; a child leg's is the Dial's business."""
    if first(params, "ParentCallSid"):
        return None
    return _OUTCOMES.get(first(params, "CallStatus"))


def _callee(params: Params) -> Party:
    """Read the called line; where the parameters contradict each other it is opaque: connected, and no notice."""
    spellings = {*params.get("To", ()), *params.get("Called", ())}
    text = called(params)
    if len(spellings) != 1 or not _is_call(params):
        return Opaque(text)
    return party_of(text)


def _call_of(params: Params) -> str:
    """Name the caller's leg, of which this leg may be a child."""
    return first(params, "ParentCallSid") or first(params, "CallSid")


def _is_call(params: Params) -> bool:
    names = {first(params, "CallSid"), _call_of(params)}
    return all(_CALL_ID.fullmatch(name) for name in names)


def _dialled(params: Params) -> Outcome:
    """Read DialCallStatus: "completed", "answered", "busy", "no-answer", "failed" or "canceled"."""
    return _OUTCOMES.get(first(params, "DialCallStatus"), Outcome.COMPLETED)


def _key(params: Params) -> str:
    """Read Digits; one key was asked for, and of more the first counts."""
    digits = first(params, "Digits")[:1]
    return digits if digits in _KEYS else ""


def _moment(event: Event, params: Params, state: dict[str, str]) -> Moment:
    match event:
        case Event.HEARD:
            return CallerListened(order_id=state["order"], key=_key(params))
        case Event.WHISPER:
            return CalleeAnswered(order_id=state["order"])
        case Event.KEY:
            return CalleeListened(order_id=state["order"], purpose=Purpose(state["purpose"]), key=_key(params))
        case _:
            return DialEnded(outcome=_dialled(params), whispered=True)
