"""Writing a plan down as JSON steps for the bridge (docs/adr/0022)."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from gateway.domain.facts import CallFacts, Destination, SipUri
from gateway.domain.notice import Renditions
from gateway.domain.plan import (
    Acknowledge,
    Bridge,
    CallPlan,
    Connect,
    End,
    PlayToCallee,
    PlayToCaller,
    Step,
    SuspendLine,
)
from gateway.privacy.token import TokenSealer
from gateway.providers.dialect import Answer, Event
from gateway.providers.sip.facts import NAME, VERSION

CONTENT_TYPE = "application/json"
_WAIT_FOR_KEY = {"public": 1, "warning": 1, "opener": 4, "private": 5}
Written = dict[str, dict[str, Any]]


def document(*steps: Written) -> Answer:
    """Wrap steps into an answer."""
    return Answer(body=_dumps({"version": VERSION, "steps": list(steps)}), content_type=CONTENT_TYPE)


class Renderer:
    """Renders the steps of a plan, with addresses that carry the call's state in sealed tokens."""

    def __init__(self, *, sealer: TokenSealer, lifetime: timedelta, loop_mark: str) -> None:
        """Seal tokens for `lifetime`; calls go out with `loop_mark`."""
        self._sealer = sealer
        self._lifetime = lifetime
        self._loop_mark = loop_mark

    def render(self, plan: CallPlan, facts: CallFacts, now: datetime) -> Answer:
        """Return the steps of a plan; what only the register does is left out."""
        written = (self._written(step, facts, now) for step in plan.steps)
        return document(*(step for step in written if step))

    def plain(self, destination: Destination, callee: str) -> Answer:
        """Return the step that connects without a notice."""
        return document(self._connect(destination, callee, whisper=""))

    def _written(self, step: Step, facts: CallFacts, now: datetime) -> Written:
        match step:
            case PlayToCaller(order_id=order_id, notice=notice):
                following = _address(Event.HEARD, self._token(Event.HEARD, facts, now, order=order_id))
                return _play("caller", notice.renditions, notice.purpose.value, following)
            case PlayToCallee(order_id=order_id, notice=notice, listens=True):
                token = self._token(Event.KEY, facts, now, order=order_id, purpose=notice.purpose.value)
                return _play("callee", notice.renditions, notice.purpose.value, _address(Event.KEY, token))
            case PlayToCallee(notice=notice):
                return _play("callee", notice.renditions, notice.purpose.value, "")
            case Connect(destination=destination, whisper_for=""):
                return self._connect(destination, str(facts.callee), whisper="")
            case Connect(destination=destination, whisper_for=order_id):
                token = self._token(Event.WHISPER, facts, now, order=order_id)
                return self._connect(destination, str(facts.callee), whisper=_address(Event.WHISPER, token))
            case Bridge():
                return {"bridge": {}}
            case End():
                return {"end": {}}
            case SuspendLine() | Acknowledge():
                return {}

    def _connect(self, destination: Destination, callee: str, *, whisper: str) -> Written:
        return {"connect": {"to": _target(destination, callee), "mark": self._loop_mark, "whisper": whisper}}

    def _token(self, event: Event, facts: CallFacts, now: datetime, *, order: str, purpose: str = "") -> str:
        state = {"call": facts.provider_call_id, "callee": str(facts.callee), "order": order, "purpose": purpose}
        return self._sealer.seal(state, use=event.value, now=now, lifetime=self._lifetime)


def _target(destination: Destination, callee: str) -> str:
    """Return the URI to call; empty where the call goes on to what was called, along Kamailio's own routes."""
    match destination:
        case SipUri(uri=uri) if uri != f"tel:{callee}":
            return uri
        case _:
            return ""


def _play(to: str, renditions: Renditions, purpose: str, following: str) -> Written:
    return {
        "play": {
            "to": to,
            "files": list(_files(renditions)),
            "keys": bool(following),
            "wait_seconds": _WAIT_FOR_KEY.get(purpose, 0),
            "next": following,
        }
    }


def _files(renditions: Renditions) -> Iterable[str]:
    """Name the 48 kHz encoding: what rtpengine paces best, and resamples to whatever codec a leg has."""
    return (f"{each.wideband}.wav" for each in renditions)


def _address(event: Event, token: str) -> str:
    return f"/{NAME}/{event.value}?t={token}"


def _dumps(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
