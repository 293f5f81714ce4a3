"""Dialects with fixed keys, and plans that need no register: what the contract and the tests of each dialect share."""

from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from gateway.domain.bypass import BypassList
from gateway.domain.route import Routes
from gateway.privacy.keys import derive
from gateway.privacy.ring import KeyRing
from gateway.privacy.token import TokenSealer
from gateway.providers.dialect import Event, Params
from gateway.providers.sip.dialect import Sip
from gateway.providers.twilio.dialect import Twilio
from tests.builders import CALLEE, NOW

ORIGIN = "https://gateway.example.net"
TOKEN = "a-token-of-the-contract"
SECRET = "a-secret-of-the-contract"
KEYS = KeyRing(derive(bytes(range(32))))
SEALER = TokenSealer(KEYS)
LIFETIME = timedelta(minutes=15)
BYPASS = BypassList.of(short_codes=("911",), country_codes=("1",), numbers=("+442079460999",))
SID = "CA00000000000000000000000000000001"
CHILD_SID = "CA00000000000000000000000000000002"


class DialectFields(TypedDict, total=False):
    """What `a_twilio` can be told."""

    origin: str
    tokens: tuple[str, ...]
    routes: Routes
    ring_seconds: int


def a_twilio(**overrides: Unpack[DialectFields]) -> Twilio:
    """Return Twilio as a dialect that dials the called number itself, at a fixed origin and with fixed keys."""
    return Twilio(
        origin=overrides.get("origin", ORIGIN),
        tokens=overrides.get("tokens", (TOKEN,)),
        keys=KEYS,
        routes=overrides.get("routes", Routes()),
        bypass=BYPASS,
        token_lifetime=LIFETIME,
        ring_seconds=overrides.get("ring_seconds", 60),
    )


def a_sip(*, secrets: tuple[str, ...] = (SECRET,), routes: Routes | None = None, now: datetime = NOW) -> Sip:
    """Return SIP as a dialect whose clock stands still."""
    return Sip(
        secrets=secrets,
        clock=lambda: now,
        keys=KEYS,
        routes=routes or Routes(),
        bypass=BYPASS,
        token_lifetime=LIFETIME,
    )


def params_of(**fields: str | tuple[str, ...]) -> Params:
    """Return verified parameters; a tuple stands for a repeated one."""
    return {name: (value,) if isinstance(value, str) else value for name, value in fields.items()}


def a_token(event: Event, *, order: str = "order-1", purpose: str = "", call: str = SID, callee: str = "") -> str:
    """Seal the state that the gateway itself would put in a callback URL of the call `SID`."""
    state = {"call": call, "callee": callee or CALLEE.number, "order": order, "purpose": purpose}
    return SEALER.seal(state, use=event.value, now=NOW, lifetime=LIFETIME)


def signature_by_twilio(token: str, url: str, pairs: list[tuple[str, str]]) -> str:
    """Sign as Twilio's own library does, repeated keys included."""
    return str(RequestValidator(token).compute_signature(url, MultiDict(pairs)))
