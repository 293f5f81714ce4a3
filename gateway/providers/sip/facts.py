"""Reading what the bridge tells of a call: a JSON object of which only the names below are read."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

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
    Destination,
    DialEnded,
    Looping,
    Moment,
    Opaque,
    Outcome,
    Party,
    SipUri,
    Telephone,
)
from gateway.domain.notice import Purpose
from gateway.domain.route import Routes
from gateway.privacy.errors import TokenRefusedError
from gateway.privacy.token import TokenSealer
from gateway.providers.dialect import Event, Params, first

NAME = "sip"
VERSION = 1
CAPABILITIES = frozenset(Capability)
PARAMETERS = ("call", "attempt", "caller", "callee", "mark", "key", "outcome")
_HEARD = "heard_ms"
_LONGEST_MS = 3_600_000
# RFC 3261, 25.1: callid = word [ "@" word ], and no word has a space or a control character in it.
_CALL_ID = re.compile(r"[!-~]{1,256}")
# The bridge's own name for one INVITE: a caller may repeat a Call-ID, and would be taken for a repeated webhook.
_ATTEMPT = re.compile(r"[0-9a-f]{16}")
_KEYS = frozenset("0123456789*#ABCD")
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
IsLoopMark = Callable[[str], bool]


def read_body(body: bytes) -> Params:
    """Return the parameters in a body; none where it is no object of this version, and then the call connects."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(document, dict) or document.get("version") != VERSION:
        return {}
    params = {name: (document[name],) for name in PARAMETERS if isinstance(document.get(name), str)}
    heard = document.get(_HEARD)
    if isinstance(heard, int) and not isinstance(heard, bool) and 0 <= heard <= _LONGEST_MS:
        params[_HEARD] = (str(heard),)
    return params


def party_of(user: str) -> Party:
    """Read the user part of a SIP URI: RFC 3261 allows parameters behind a semicolon, and `+` as `%2B`."""
    text = user.partition(";")[0].replace("%2B", "+").replace("%2b", "+")
    try:
        return E164.parse(text)
    except InvalidNumberError:
        return Opaque(user)


def call_of(params: Params) -> str:
    """Name the call: the Call-ID that carriers know it by, and the bridge's own name for this attempt at it."""
    return f"{first(params, 'call')} {first(params, 'attempt')}"


class FactsReader:
    """Turns verified parameters and a callback token into facts."""

    def __init__(self, *, routes: Routes, bypass: BypassList, sealer: TokenSealer, is_loop_mark: IsLoopMark) -> None:
        """`is_loop_mark` knows what our own outgoing calls carry, while keys change too."""
        self._routes = routes
        self._bypass = bypass
        self._sealer = sealer
        self._is_loop_mark = is_loop_mark

    def read(self, event: Event, params: Params, token: str, now: datetime) -> CallFacts:
        """Return the facts. Raises TokenRefusedError where the event needs a token and this is none for this call."""
        match event:
            case Event.CALL:
                looped = self._is_loop_mark(first(params, "mark"))
                return self._facts(params, _callee(params), Looping() if looped else Arriving())
            case Event.STATUS:
                outcome = ending_of(params) or Outcome.COMPLETED
                return self._facts(params, _callee(params), DialEnded(outcome=outcome, whispered=False))
            case Event.DIALLED if not token:
                return self._facts(params, _callee(params), DialEnded(outcome=_dialled(params), whispered=False))
            case _:
                state = self._state(event, params, token, now)
                return self._facts(params, party_of(state["callee"]), _moment(event, params, state))

    def destination_of(self, callee: Party) -> Destination:
        """Return where a called line is connected; what is no E.164 number goes on as it came, wherever it points.

        A number is called as a `tel:` URI (RFC 3966) over the edge's own trunks: the call carries our mark, and is
        known by it when it comes back.
        """
        if not isinstance(callee, E164):
            return Telephone(number=callee.text)
        match self._routes.destination_of(callee):
            case Telephone(number=number):
                return SipUri(uri=f"tel:{number}")
            case SipUri() as there:
                return there

    def _state(self, event: Event, params: Params, token: str, now: datetime) -> dict[str, str]:
        state = self._sealer.open(token, use=event.value, now=now)
        if state["call"] != call_of(params):
            raise TokenRefusedError(why="another call's")
        return state

    def _facts(self, params: Params, callee: Party, moment: Moment) -> CallFacts:
        caller = party_of(first(params, "caller"))
        return CallFacts(
            provider=NAME,
            provider_call_id=call_of(params),
            caller=caller,
            callee=callee,
            destination=self.destination_of(callee),
            capabilities=CAPABILITIES,
            urgency=self._bypass.urgency_of(str(caller).replace(" ", "")),
            moment=moment,
        )


def ending_of(params: Params) -> Outcome | None:
    """Return how the call ended."""
    return _OUTCOMES.get(first(params, "outcome"))


def _callee(params: Params) -> Party:
    """Read the called line; of a call that has no name there could be no evidence: it is connected, and no notice."""
    user = first(params, "callee")
    if not (_CALL_ID.fullmatch(first(params, "call")) and _ATTEMPT.fullmatch(first(params, "attempt"))):
        return Opaque(user)
    return party_of(user)


def _dialled(params: Params) -> Outcome:
    return ending_of(params) or Outcome.COMPLETED


def _moment(event: Event, params: Params, state: Mapping[str, Any]) -> Moment:
    key = first(params, "key")
    key = key if key in _KEYS else ""
    heard = int(first(params, _HEARD)) if _HEARD in params else None
    match event:
        case Event.HEARD:
            return CallerListened(order_id=state["order"], key=key, heard_ms=heard)
        case Event.WHISPER:
            return CalleeAnswered(order_id=state["order"])
        case Event.KEY:
            return CalleeListened(order_id=state["order"], purpose=Purpose(state["purpose"]), key=key, heard_ms=heard)
        case _:
            return DialEnded(outcome=_dialled(params), whispered=True)
