"""What the bridge tells is read as it is meant, and nothing that a caller can write leads a call astray."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.e164 import E164
from gateway.domain.facts import Arriving, CalleeListened, CallFacts, Looping, Opaque, SipUri, Telephone, Urgency
from gateway.domain.notice import Purpose
from gateway.domain.plan import CallPlan, Connect, Decision, Reason
from gateway.domain.route import Routes
from gateway.privacy.errors import TokenRefusedError
from gateway.providers.dialect import Event
from gateway.providers.sip.facts import party_of, read_body
from tests.builders import CALLEE, NOW
from tests.contract.dialects import KEYS, LIFETIME, SEALER, a_sip

CALL, ATTEMPT = "3848276298220188511@198.51.100.1", "00000000000000a1"
TRUNK = Routes(default="sip:{line}@trunk.example.net", lines={"+12025550111": "+12025550911"})


def read(event: Event = Event.CALL, token: str = "", *, routes: Routes | None = None, **fields: object) -> CallFacts:
    told = {"version": 1, "call": CALL, "attempt": ATTEMPT, "caller": "+12025550143", "callee": CALLEE.number, **fields}
    return a_sip(routes=routes).read(event, read_body(json.dumps(told).encode()), token, NOW)


def target(facts: CallFacts, routes: Routes | None = None) -> str:
    """Return the URI that Kamailio is told to call."""
    plan = CallPlan(steps=(Connect(destination=facts.destination),), decision=Decision.CONNECT, reason=Reason.NO_ORDER)
    steps = json.loads(a_sip(routes=routes).render(plan, facts, NOW).body)["steps"]
    return str(steps[0]["connect"]["to"])


@pytest.mark.parametrize(
    ("user", "number"),
    [
        ("+442079460110", "+442079460110"),
        ("00442079460110", "+442079460110"),
        ("%2B442079460110", "+442079460110"),
        ("+442079460110;npdi;rn=+4420", "+442079460110"),
        ("+44-20-7946-0110;phone-context=x", "+442079460110"),
    ],
)
def test_a_number_is_read_as_sip_writes_it(user: str, number: str) -> None:
    assert party_of(user) == E164(number)


@pytest.mark.parametrize(
    "user", ["", "alice", "anonymous", "2079460110", "442079460110", "911", "+1", "sip:x@y", "%00"]
)
def test_what_is_no_public_number_is_opaque(user: str) -> None:
    assert party_of(user) == Opaque(user)


def test_a_call_is_named_by_its_call_id_and_this_attempt_at_it() -> None:
    assert read().provider_call_id == f"{CALL} {ATTEMPT}"
    assert read().moment == Arriving()


@pytest.mark.parametrize(
    "fields", [{"call": ""}, {"call": "a b"}, {"call": "x" * 300}, {"attempt": ""}, {"attempt": "zz"}]
)
def test_a_call_without_a_name_has_no_line_to_play_a_notice_for(fields: dict[str, str]) -> None:
    assert isinstance(read(Event.CALL, "", routes=None, **fields).callee, Opaque)


def test_calls_go_where_the_route_table_says() -> None:
    assert target(read()) == ""
    assert target(read(routes=TRUNK), TRUNK) == "sip:+442079460110@trunk.example.net"
    assert target(read(callee="+12025550111", routes=TRUNK), TRUNK) == "tel:+12025550911"


@pytest.mark.parametrize("user", ["sip:evil@example.net", "sip%3Aevil%40example.net", "alice", "911", "", "\r\nX: y"])
def test_a_caller_cannot_choose_where_a_call_is_sent(user: str) -> None:
    facts = read(callee=user, routes=TRUNK)
    assert facts.destination == Telephone(number=user)
    assert target(facts, TRUNK) == ""


def test_a_call_over_sip_carries_a_mark_and_needs_no_rhythm_to_be_known_by() -> None:
    assert read().destination == SipUri(uri=f"tel:{CALLEE.number}")
    assert read(mark=KEYS.key_id).moment == Looping()
    assert read(mark="another").moment == Arriving()


@pytest.mark.parametrize("caller", ["911", "+1911", "+442079460999", "00442079460999"])
def test_callers_that_must_not_wait_are_known(caller: str) -> None:
    assert read(caller=caller).urgency is Urgency.NEVER_DELAY


def a_token(event: Event, call: str = f"{CALL} {ATTEMPT}") -> str:
    state = {"call": call, "callee": CALLEE.number, "order": "order-1", "purpose": "opener"}
    return SEALER.seal(state, use=event.value, now=NOW, lifetime=LIFETIME)


@pytest.mark.parametrize(("key", "read_as"), [("1", "1"), ("#", "#"), ("", ""), ("12", ""), ("x", ""), (1, "")])
def test_a_key_is_one_of_a_telephones(key: object, read_as: str) -> None:
    facts = read(Event.KEY, a_token(Event.KEY), key=key)
    assert facts.moment == CalleeListened(order_id="order-1", purpose=Purpose.OPENER, key=read_as)


def test_a_token_is_good_for_its_own_call_attempt_and_event_only() -> None:
    for event, token in (
        (Event.KEY, a_token(Event.KEY, f"{CALL} 00000000000000a2")),
        (Event.KEY, a_token(Event.WHISPER)),
        (Event.HEARD, ""),
        (Event.WHISPER, "Zm9yZ2Vk"),
    ):
        with pytest.raises(TokenRefusedError):
            read(event, token)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"version":2,"call":"x"}', b"\xff", b"[" * 100_000, b'{"call":"x"}']
)
def test_a_body_of_another_kind_says_nothing(body: bytes) -> None:
    assert read_body(body) == {}


@given(
    st.binary(max_size=200)
    | st.dictionaries(st.text(max_size=9), st.text(max_size=20)).map(lambda d: json.dumps(d).encode())
)
def test_whatever_is_posted_as_a_call_connects(body: bytes) -> None:
    sip, params = a_sip(), read_body(body)
    assert json.loads(sip.fall_through(Event.CALL, params).body)["steps"][0]["connect"]["to"] == ""
    assert isinstance(sip.read(Event.CALL, params, "", NOW).callee, Opaque)
