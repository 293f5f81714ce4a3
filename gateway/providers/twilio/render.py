"""Writing a plan down as TwiML.

Built by hand and not with twilio-python's classes: those swallow misspelt attributes and pass characters on that XML
does not allow (docs/adr/0004). Every document in the tests is validated against Twilio's published schema.
"""

import re
from datetime import datetime, timedelta
from xml.sax.saxutils import escape, quoteattr

from gateway.domain.facts import Arriving, CallFacts, Destination, DialEnded, SipUri, Telephone
from gateway.domain.notice import Renditions
from gateway.domain.plan import (
    Acknowledge,
    Bridge,
    CallPlan,
    Connect,
    End,
    PlayToCallee,
    PlayToCaller,
    Reason,
    Step,
    SuspendLine,
)
from gateway.privacy.token import TokenSealer
from gateway.providers.dialect import Answer, Event
from gateway.providers.twilio.facts import LOOP_HEADER

CONTENT_TYPE = "text/xml; charset=utf-8"
_OPEN, _CLOSE = '<?xml version="1.0" encoding="UTF-8"?><Response>', "</Response>"
# XML 1.0 allows tab, line feed, carriage return and U+0020 on, less surrogates, U+FFFE and U+FFFF.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST_NUMBER = 256
_WAIT_FOR_KEY = {"public": 1, "warning": 1, "opener": 4, "private": 5}


def document(*verbs: str) -> Answer:
    """Wrap verbs into a response. "TwiML at most 64 kB, nothing before the prolog"."""
    return Answer(body=(_OPEN + "".join(verbs) + _CLOSE).encode(), content_type=CONTENT_TYPE)


def dial(destination: Destination, *, action: str, ring_seconds: int, answered: bool, url: str, loop_mark: str) -> str:
    """Write a Dial, or a Hangup where there is nothing to dial: an empty Number must never be emitted.

    "answerOnBridge: if set to true, the inbound call will ring until the dialed call is answered" and the caller hears
    ringing during a whisper; it needs Dial to be the first verb of a call that nothing has answered yet.
    """
    noun = _noun(destination, url, loop_mark)
    if not noun:
        return "<Hangup/>"
    bridge = "" if answered else ' answerOnBridge="true"'
    return f'<Dial{bridge} timeout="{ring_seconds}" action={quoteattr(action)}>{noun}</Dial>'


def _noun(destination: Destination, url: str, loop_mark: str) -> str:
    whisper = f" url={quoteattr(url)}" if url else ""
    match destination:
        case SipUri(uri=uri):
            # "You may send custom SIP headers by appending them to the SIP URI, just as you'd pass headers in a URI."
            text = _clean(uri)
            return f"<Sip{whisper}>{escape(f'{text}?{LOOP_HEADER}={loop_mark}')}</Sip>" if text else ""
        case Telephone(number=number, trunk_sid=trunk_sid):
            text = _clean(number)
            trunk = f' byoc="{trunk_sid}"' if trunk_sid else ""
            return f"<Number{whisper}{trunk}>{escape(text)}</Number>" if text else ""


def _clean(text: str) -> str:
    return _ILLEGAL.sub("", text).strip()[:_LONGEST_NUMBER]


class Renderer:
    """Renders the steps of a plan, with callback URLs that carry the call's state in sealed tokens."""

    def __init__(
        self, *, origin: str, sealer: TokenSealer, lifetime: timedelta, ring_seconds: int, loop_mark: str
    ) -> None:
        """Point callbacks at `origin`."""
        self._origin = origin
        self._sealer = sealer
        self._lifetime = lifetime
        self._ring_seconds = ring_seconds
        self._loop_mark = loop_mark

    def render(self, plan: CallPlan, facts: CallFacts, now: datetime) -> Answer:
        """Return the TwiML of a plan."""
        if plan.reason is Reason.LOOP:
            # Reject as the first verb ends the call unbilled; "busy" makes the circle unwind.
            return document('<Reject reason="busy"/>')
        answered = any(isinstance(step, PlayToCaller) for step in plan.steps) or not isinstance(
            facts.moment, Arriving | DialEnded
        )
        return document(*(self._verb(step, facts, now, answered=answered) for step in plan.steps))

    def plain(self, destination: Destination, *, answered: bool) -> Answer:
        """Return the TwiML that connects without a notice."""
        return document(self._dial(destination, self._url(Event.DIALLED), answered=answered, url=""))

    def _verb(self, step: Step, facts: CallFacts, now: datetime, *, answered: bool) -> str:
        match step:
            case PlayToCaller(order_id=order_id, notice=notice):
                action = self._url(Event.HEARD, self._token(Event.HEARD, facts, now, order=order_id))
                return self._gather(notice.renditions, action, _WAIT_FOR_KEY[notice.purpose.value])
            case PlayToCallee(order_id=order_id, notice=notice, listens=True):
                token = self._token(Event.KEY, facts, now, order=order_id, purpose=notice.purpose.value)
                return self._gather(
                    notice.renditions, self._url(Event.KEY, token), _WAIT_FOR_KEY.get(notice.purpose.value, 1)
                )
            case PlayToCallee(notice=notice):
                return self._plays(notice.renditions)
            case Connect(destination=destination, whisper_for=""):
                return self._dial(destination, self._url(Event.DIALLED), answered=answered, url="")
            case Connect(destination=destination, whisper_for=order_id):
                whisper = self._url(Event.WHISPER, self._token(Event.WHISPER, facts, now, order=order_id))
                action = self._url(Event.DIALLED, self._token(Event.DIALLED, facts, now, order=order_id))
                return self._dial(destination, action, answered=answered, url=whisper)
            case End():
                return "<Hangup/>"
            case Bridge() | SuspendLine() | Acknowledge():
                # An empty document bridges; the effects on the register are done by the workflow.
                return ""

    def _dial(self, destination: Destination, action: str, *, answered: bool, url: str) -> str:
        return dial(
            destination,
            action=action,
            ring_seconds=self._ring_seconds,
            answered=answered,
            url=url,
            loop_mark=self._loop_mark,
        )

    def _gather(self, renditions: Renditions, action: str, timeout: int) -> str:
        """Play and listen for one key. Silence is reported too, so that the register is asked again either way."""
        return (
            f'<Gather input="dtmf" numDigits="1" finishOnKey="" timeout="{timeout}" actionOnEmptyResult="true"'
            f" action={quoteattr(action)}>{self._plays(renditions)}</Gather>"
        )

    def _plays(self, renditions: Renditions) -> str:
        return "".join(f"<Play>{self._origin}/prompts/{each.mulaw}.wav</Play>" for each in renditions)

    def _url(self, event: Event, token: str = "") -> str:
        return f"{self._origin}/twilio/{event.value}" + (f"?t={token}" if token else "")

    def _token(self, event: Event, facts: CallFacts, now: datetime, *, order: str, purpose: str = "") -> str:
        state = {"call": facts.provider_call_id, "callee": str(facts.callee), "order": order, "purpose": purpose}
        return self._sealer.seal(state, use=event.value, now=now, lifetime=self._lifetime)
