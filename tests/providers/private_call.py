"""Calls to lines under an order, step by step, with the tokens that they carry."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import update
from werkzeug.test import TestResponse

from gateway.audit.tables import plays
from gateway.clock import utc_now
from gateway.privacy.token import TokenSealer
from gateway.providers.dialect import Event
from tests.contract.scene import (
    move_to_noon,
    order_on,
    parts_of,
    plays_in,
)
from tests.telephone import Telephone, a_call_sid, arriving, child, prompts_in, xml

PERSON, ORGANISATION, WARNED = "+442079460120", "+12025550110", "+12025550111"
CALLER = "+12025550188"
BRIDGE: list[str] = []
LIFETIME = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call to a line, whose callee may pick up and press keys."""

    telephone: Telephone
    line: str = PERSON
    caller: str = CALLER
    sid: str = field(default_factory=a_call_sid)

    def comes_in(self) -> TestResponse:
        return self.telephone.call(self.line, caller=self.caller, sid=self.sid)

    def picked_up(self) -> TestResponse:
        return self.telephone.answer(self.comes_in(), self.sid)

    def hears(self, *keys: str) -> bool:
        """Tell whether the callee, picking up and pressing these keys, hears something last."""
        if not xml(self.comes_in()).xpath("//Number/@url"):
            return False
        return is_heard(self.keys(*keys))

    def pressed(self, gathering: TestResponse, key: str) -> TestResponse:
        return self.telephone.press(gathering, key, child(self.sid))

    def keys(self, *keys: str) -> TestResponse:
        """Pick up and press one key after another, as long as somebody listens."""
        answer = self.picked_up()
        for key in keys:
            answer = self.pressed(answer, key)
        return answer

    def posted(self, event: Event, token: str, **fields: str) -> TestResponse:
        """Post a callback of this call with any token."""
        legs = child(self.sid) if event in {Event.WHISPER, Event.KEY} else arriving(self.line, sid=self.sid)
        return self.telephone.post(f"/twilio/{event.value}?t={token}", {**legs, **fields})


def a_person(telephone: Telephone, **fields: str) -> Call:
    """Return a call to the person's line, at noon there."""
    move_to_noon(telephone, PERSON)
    return Call(telephone=telephone, **fields)


def sealed(call: Call, event: Event, *, purpose: str = "opener", at: datetime | None = None) -> str:
    """Seal what the gateway itself would, with its own key."""
    state = {"call": call.sid, "callee": call.line, "order": order_on(call.telephone, call.line), "purpose": purpose}
    sealer = TokenSealer(parts_of(call.telephone).keys)
    return sealer.seal(state, use=event.value, now=at or utc_now(), lifetime=LIFETIME)


def token_in(response: TestResponse, path: str) -> str:
    url = str(xml(response).xpath(f"string({path})"))
    return url.partition("?t=")[2]


def without_tokens(response: TestResponse) -> str:
    return re.sub(r"\?t=[\w-]+", "?t=TOKEN", response.text)


def is_heard(response: TestResponse) -> bool:
    return len(prompts_in(response)) > 0


def age_plays(telephone: Telephone, by: timedelta) -> None:
    """Let every play have been so much longer ago."""
    rows = plays_in(telephone)
    with parts_of(telephone).studio.engine.begin() as connection:
        for row in rows:
            aged = {"played_at": row.played_at - by, "keyed_at": row.keyed_at and row.keyed_at - by}
            connection.execute(update(plays).where(plays.c.play_id == row.play_id).values(**aged))
