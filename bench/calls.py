"""Signed webhooks of calls, made before anything is measured; each call has its own CallSid.

Every number is from a block that the Australian ACMA reserves for fiction. Callers and lines are paired so that no
caller rings one line twice in 10,000 calls, or the gateway would take it for a call that goes round in a circle.
"""

import hmac
import random
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlencode

from bench.data import ORIGIN, ordered_line
from gateway.settings import DEMO_TOKEN

PATH = "/twilio/call"
_BLOCK = 10_000
_MIX_EVERY = 100


class Scenario(Enum):
    """Which lines are called; the value is how the table names it."""

    WITHOUT_ORDER = "line without an order"
    WITH_ORDER = "line under an order in force"
    MIX = "1 % of the calls to lines under an order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One webhook: its form body and signature."""

    sid: str
    body: bytes
    signature: str

    def headers(self) -> dict[str, str]:
        """Return the headers that Twilio sends, less those that the connection adds."""
        return {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
            "X-Twilio-Signature": self.signature,
        }

    def over_the_wire(self) -> bytes:
        """Return the whole HTTP request."""
        fields = {"Host": "gateway.example.org", "Content-Length": str(len(self.body)), **self.headers()}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"POST {PATH} HTTP/1.1\r\n{head}\r\n".encode() + self.body


def calls(scenario: Scenario, count: int, *, seed: int, orders: int) -> Iterator[Call]:
    """Yield `count` calls; `orders` is how many lines are under an order."""
    chance = random.Random(f"{scenario.name}{seed}")  # noqa: S311  (repeatable call ids, no secret)
    every_call = scenario is Scenario.WITH_ORDER
    for number in range(count):
        with_order = every_call or (scenario is Scenario.MIX and number % _MIX_EVERY == 0)
        callee = (
            ordered_line((number if every_call else number // _MIX_EVERY) % orders)
            if with_order
            else f"+6127010{number % _BLOCK:04d}"
        )
        caller = f"+6187010{(number * 7919 + number // min(orders, _BLOCK)) % _BLOCK:04d}"
        yield signed_call(f"CA{chance.getrandbits(128):032x}", caller, callee)


def write(calls_to_keep: Iterable[Call], file: Path) -> None:
    """Write requests for the load generator: each as its length in ten digits, then its bytes."""
    with file.open("wb") as target:
        for call in calls_to_keep:
            request = call.over_the_wire()
            target.write(b"%010d" % len(request) + request)


def _parameters(sid: str, caller: str, callee: str) -> dict[str, str]:
    """Return the parameters that Twilio posts when a call comes in (twilio.com/docs/voice/twiml)."""
    places = {
        f"{party}{part}": value
        for party in ("From", "To", "Caller", "Called")
        for part, value in (("City", "SYDNEY"), ("State", "NEW SOUTH WALES"), ("Zip", ""), ("Country", "AU"))
    }
    return {
        "AccountSid": "AC" + "0" * 32,
        "ApiVersion": "2010-04-01",
        "CallSid": sid,
        "CallStatus": "ringing",
        "Called": callee,
        "Caller": caller,
        "Direction": "inbound",
        "From": caller,
        "StirVerstat": "TN-Validation-Passed-A",
        "To": callee,
        **places,
    }


_SLOTS = _parameters("{sid}", "{caller}", "{callee}")
# Filled in a hundred thousand times before a run: built once, with the "+" of the numbers as a form writes it.
_BODY = urlencode(_SLOTS, safe="{}")
_SIGNED = ORIGIN + PATH + "".join(name + _SLOTS[name] for name in sorted(_SLOTS))


def signed_call(sid: str, caller: str, callee: str) -> Call:
    """Return the webhook of a call between two numbers in E.164."""
    signed = _SIGNED.format(sid=sid, caller=caller, callee=callee)
    digest = hmac.digest(DEMO_TOKEN.encode(), signed.encode(), "sha1")
    body = _BODY.format(sid=sid, caller=f"%2B{caller[1:]}", callee=f"%2B{callee[1:]}")
    return Call(sid=sid, body=body.encode(), signature=b64encode(digest).decode())
