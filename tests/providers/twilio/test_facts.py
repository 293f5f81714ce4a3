"""Reading Twilio's parameters: every moment of a call, and every party that is no plain number."""

from datetime import timedelta
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.e164 import E164
from gateway.domain.facts import (
    Arriving,
    CalleeAnswered,
    CalleeListened,
    CallerListened,
    Capability,
    DialEnded,
    Looping,
    Moment,
    Opaque,
    Outcome,
    Party,
    SipUri,
    Telephone,
    Urgency,
)
from gateway.domain.notice import Purpose
from gateway.domain.route import Routes
from gateway.privacy.errors import TokenRefusedError
from gateway.providers.dialect import Event, Params
from tests.builders import CALLEE, CALLER, NOW
from tests.contract.dialects import CHILD_SID, KEYS, SID, a_token, a_twilio, params_of

TRUNK = "BY0123456789abcdef0123456789abcdef"
TOKENS = {
    Event.HEARD: a_token(Event.HEARD),
    Event.WHISPER: a_token(Event.WHISPER),
    Event.KEY: a_token(Event.KEY, purpose="opener"),
    Event.DIALLED: a_token(Event.DIALLED),
}
# 911 in every form in which carriers present it to us.
NEVER_DELAYED = ("911", "+911", "+1911", "+442079460999", "+1 911")


def arriving_with(**fields: str | tuple[str, ...]) -> Params:
    """Return the parameters of a call that comes in, as Twilio names them, with some of them replaced."""
    usual = {"CallSid": SID, "From": CALLER.number, "To": CALLEE.number, "Called": CALLEE.number}
    return params_of(**{**usual, **fields, "CallStatus": "ringing"})


def child_with(**fields: str) -> Params:
    return params_of(**{"CallSid": CHILD_SID, "ParentCallSid": SID, **fields})


def callee_in(params: Params) -> Party:
    return a_twilio().read(Event.CALL, params, "", NOW).callee


def test_a_call_that_comes_in_is_read_whole() -> None:
    facts = a_twilio().read(Event.CALL, arriving_with(), "", NOW)
    assert (facts.provider, facts.provider_call_id) == ("twilio", SID)
    assert (facts.caller, facts.callee) == (CALLER, CALLEE)
    assert facts.destination == Telephone(number=CALLEE.number)
    assert facts.capabilities == frozenset(Capability)
    assert facts.urgency is Urgency.ORDINARY
    assert facts.moment == Arriving()


@pytest.mark.parametrize(
    ("event", "fields", "moment"),
    [
        (Event.HEARD, {"CallSid": SID, "Digits": "5"}, CallerListened(order_id="order-1", key="5")),
        (Event.HEARD, {"CallSid": SID}, CallerListened(order_id="order-1", key="")),
        (Event.WHISPER, {"CallSid": CHILD_SID, "ParentCallSid": SID}, CalleeAnswered(order_id="order-1")),
        (
            Event.KEY,
            {"CallSid": CHILD_SID, "ParentCallSid": SID, "Digits": "1"},
            CalleeListened(order_id="order-1", purpose=Purpose.OPENER, key="1"),
        ),
        (
            Event.DIALLED,
            {"CallSid": SID, "DialCallStatus": "failed"},
            DialEnded(outcome=Outcome.FAILED, whispered=True),
        ),
    ],
)
def test_a_callback_with_its_token_is_read_as_its_moment(event: Event, fields: dict[str, str], moment: Moment) -> None:
    facts = a_twilio().read(event, params_of(**fields), TOKENS[event], NOW)
    assert facts.moment == moment
    assert facts.callee == CALLEE
    assert facts.provider_call_id == SID
    assert facts.destination == Telephone(number=CALLEE.number)


@pytest.mark.parametrize("event", [Event.HEARD, Event.WHISPER, Event.KEY, Event.DIALLED])
def test_a_callback_of_another_call_is_refused(event: Event) -> None:
    for fields in ({"CallSid": CHILD_SID}, {"CallSid": SID, "ParentCallSid": CHILD_SID}, {"CallSid": ""}, {}):
        with pytest.raises(TokenRefusedError) as refused:
            a_twilio().read(event, params_of(**fields), TOKENS[event], NOW)
        assert refused.value.details["why"] == "another call's"


@pytest.mark.parametrize("event", [Event.HEARD, Event.WHISPER, Event.KEY])
def test_a_callback_that_needs_a_token_and_has_none_is_refused(event: Event) -> None:
    with pytest.raises(TokenRefusedError) as refused:
        a_twilio().read(event, child_with(), "", NOW)
    assert refused.value.details["why"] == "missing"


def test_a_token_is_good_until_its_lifetime_is_over() -> None:
    almost, over = timedelta(minutes=14, seconds=59), timedelta(minutes=15)
    assert a_twilio().read(Event.WHISPER, child_with(), TOKENS[Event.WHISPER], NOW + almost).callee == CALLEE
    with pytest.raises(TokenRefusedError) as refused:
        a_twilio().read(Event.WHISPER, child_with(), TOKENS[Event.WHISPER], NOW + over)
    assert refused.value.details["why"] == "expired"


@pytest.mark.parametrize("used_at", list(TOKENS))
def test_a_token_for_one_use_does_not_open_another(used_at: Event) -> None:
    for made_for, token in TOKENS.items():
        if made_for is not used_at:
            with pytest.raises(TokenRefusedError) as refused:
                a_twilio().read(used_at, child_with(), token, NOW)
            assert refused.value.details["why"] == "forged"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("completed", Outcome.COMPLETED),
        ("answered", Outcome.COMPLETED),
        ("busy", Outcome.BUSY),
        ("no-answer", Outcome.NO_ANSWER),
        ("failed", Outcome.FAILED),
        ("canceled", Outcome.CANCELED),
        ("", Outcome.COMPLETED),
        ("something new", Outcome.COMPLETED),
    ],
)
def test_every_dial_status_is_an_outcome_and_an_unknown_one_ends_the_call(status: str, outcome: Outcome) -> None:
    """DialCallStatus: completed, answered, busy, no-answer, failed, canceled (twilio.com/docs/voice/twiml/dial)."""
    plain = a_twilio().read(Event.DIALLED, arriving_with(DialCallStatus=status), "", NOW)
    assert plain.moment == DialEnded(outcome=outcome, whispered=False)
    whispered = a_twilio().read(Event.DIALLED, arriving_with(DialCallStatus=status), TOKENS[Event.DIALLED], NOW)
    assert whispered.moment == DialEnded(outcome=outcome, whispered=True)


def test_only_the_final_status_of_the_callers_own_leg_is_an_ending() -> None:
    twilio = a_twilio()
    assert twilio.ending_of(params_of(CallSid=SID, CallStatus="completed")) is Outcome.COMPLETED
    assert twilio.ending_of(params_of(CallSid=SID, CallStatus="canceled")) is Outcome.CANCELED
    for status in ("queued", "initiated", "ringing", "in-progress", "", "COMPLETED"):
        assert twilio.ending_of(params_of(CallSid=SID, CallStatus=status)) is None
    assert twilio.ending_of(child_with(CallStatus="completed")) is None
    ended = twilio.read(Event.STATUS, params_of(CallSid=SID, To=CALLEE.number, CallStatus="busy"), "", NOW)
    assert ended.moment == DialEnded(outcome=Outcome.BUSY, whispered=False)


@pytest.mark.parametrize(
    ("digits", "key"),
    [
        ("1", "1"),
        ("12", "1"),
        ("#", "#"),
        ("*", "*"),
        ("A", "A"),
        ("", ""),
        ("x", ""),
        ("\uff11", ""),
        ("²", ""),
        (" 1", ""),
    ],
)
def test_one_key_is_read_and_only_of_a_telephone(digits: str, key: str) -> None:
    moment = a_twilio().read(Event.KEY, child_with(Digits=digits), TOKENS[Event.KEY], NOW).moment
    assert moment == CalleeListened(order_id="order-1", purpose=Purpose.OPENER, key=key)


@pytest.mark.parametrize(
    "fields",
    [
        {"To": "+442079460110", "Called": "+12025550110"},
        {"To": ("+442079460110", "+12025550110")},
        {"To": "+442079460110", "Called": ("+442079460110", "+12025550110")},
        {"To": "+442079460110", "Called": ""},
        {"To": "+442079460110", "Called": "00442079460110"},
    ],
)
def test_a_line_that_is_called_two_things_is_opaque_and_goes_where_the_first_says(
    fields: dict[str, str | tuple[str, ...]],
) -> None:
    facts = a_twilio().read(Event.CALL, arriving_with(**fields), "", NOW)
    assert facts.callee == Opaque("+442079460110")
    assert facts.destination == Telephone(number="+442079460110")


def test_a_line_that_is_called_the_same_twice_is_that_line() -> None:
    assert callee_in(arriving_with(To=(CALLEE.number, CALLEE.number))) == CALLEE
    assert callee_in(params_of(CallSid=SID, To=CALLEE.number)) == CALLEE
    assert callee_in(params_of(CallSid=SID, Called=CALLEE.number)) == CALLEE


@pytest.mark.parametrize(
    "sid", ["", "C", "CA 1", "CA1\n", "CA\u0000", "é" * 34, "CA" + "0" * 100, "\uff23\uff21\uff11"]
)
def test_a_call_without_an_id_of_its_own_can_hear_no_notice(sid: str) -> None:
    """Evidence is kept by the call's id: without one, nothing could be told from a repetition."""
    assert callee_in(arriving_with(CallSid=sid)) == Opaque(CALLEE.number)


def test_a_parent_call_id_is_held_to_the_form_of_a_call_id() -> None:
    """The id goes into tokens and so into URLs: what is no id must not make them longer than Twilio takes."""
    assert callee_in(arriving_with(ParentCallSid="x" * 5000)) == Opaque(CALLEE.number)


@pytest.mark.parametrize(
    "written",
    [
        "00442079460110",
        "+44 20 7946 0110",
        "+44-20-7946-0110",
        "+44(20)79460110",
        "+44.20.7946.0110",
        " +442079460110 ",
    ],
)
def test_a_number_in_another_spelling_is_the_same_line(written: str) -> None:
    assert callee_in(arriving_with(To=written, Called=written)) == CALLEE


@pytest.mark.parametrize(
    ("written", "destination"),
    [
        ("911", Telephone(number="911")),
        ("+911", Telephone(number="+911")),
        ("client:alice", Telephone(number="client:alice")),
        ("sip:1001@example.net", SipUri(uri="sip:1001@example.net")),
        ("SIPS:1001@example.net;transport=tls", SipUri(uri="SIPS:1001@example.net;transport=tls")),
        ("sip:1001", Telephone(number="sip:1001")),
        ('sip:"><x>@y', Telephone(number='sip:"><x>@y')),
        ("", Telephone(number="")),
        ("</Number><Play>", Telephone(number="</Number><Play>")),
        ("+1202555\u00000110", Telephone(number="+1202555\u00000110")),
        (
            "+\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19",
            Telephone(number="+\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19"),
        ),
        ("+0442079460110", Telephone(number="+0442079460110")),
        ("+" + "1" * 16, Telephone(number="+" + "1" * 16)),
        ("+12025550110;ext=5", Telephone(number="+12025550110;ext=5")),
    ],
)
def test_a_line_that_is_no_public_number_is_opaque_and_goes_where_it_was_meant_to(
    written: str, destination: Telephone | SipUri
) -> None:
    facts = a_twilio().read(Event.CALL, arriving_with(To=written, Called=written), "", NOW)
    assert facts.callee == Opaque(written)
    assert facts.destination == destination


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([Event.CALL, Event.STATUS, Event.DIALLED]), st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_some_party(event: Event, caller: str, callee: str) -> None:
    facts = a_twilio().read(event, arriving_with(From=caller, To=callee, Called=callee), "", NOW)
    assert isinstance(facts.callee, E164 | Opaque)
    assert isinstance(facts.caller, E164 | Opaque)


def test_a_party_of_any_length_is_read_at_once() -> None:
    """A pattern that tries every `@` against every end takes seconds for this, and the caller waits for them."""
    started = perf_counter()
    callee_in(arriving_with(To="sip:" + "@" * 10_000 + "?", Called="sip:" + "@" * 10_000 + "?"))
    assert perf_counter() - started < 0.5


@pytest.mark.parametrize(
    "caller", ["Anonymous", "anonymous", "Restricted", "", "client:bob", "sip:x@y.example", "呼叫"]
)
def test_a_caller_who_shows_no_number_is_opaque(caller: str) -> None:
    facts = a_twilio().read(Event.CALL, arriving_with(From=caller), "", NOW)
    assert facts.caller == Opaque(caller)
    assert facts.callee == CALLEE


@pytest.mark.parametrize("caller", NEVER_DELAYED)
def test_an_emergency_call_back_is_never_delayed(caller: str) -> None:
    assert a_twilio().read(Event.CALL, arriving_with(From=caller), "", NOW).urgency is Urgency.NEVER_DELAY


def test_our_own_mark_on_a_call_that_comes_in_is_a_loop() -> None:
    looped = {"SipHeader_X-Notice-Gateway": KEYS.key_id}
    assert a_twilio().read(Event.CALL, arriving_with(**looped), "", NOW).moment == Looping()


@pytest.mark.parametrize("mark", ["", "1", "0" * 12, KEYS.key_id.upper() + "0"])
def test_anothers_mark_is_no_loop(mark: str) -> None:
    marked = {"SipHeader_X-Notice-Gateway": mark}
    assert a_twilio().read(Event.CALL, arriving_with(**marked), "", NOW).moment == Arriving()


@pytest.mark.parametrize(
    ("routes", "destination"),
    [
        (Routes(byoc_trunk=TRUNK), Telephone(number=CALLEE.number, trunk_sid=TRUNK)),
        (Routes(default="sip:{line}@trunk.example.net"), SipUri(uri=f"sip:{CALLEE.number}@trunk.example.net")),
        (Routes(lines={CALLEE.number: "+442079460910"}), Telephone(number="+442079460910")),
        (
            Routes(lines={CALLEE.number: "+442079460910"}, byoc_trunk=TRUNK),
            Telephone(number="+442079460910", trunk_sid=TRUNK),
        ),
        (Routes(lines={CALLEE.number: "sip:desk@pbx.example.net"}), SipUri(uri="sip:desk@pbx.example.net")),
        (Routes(lines={"+442079460111": "+442079460910"}), Telephone(number=CALLEE.number)),
    ],
)
def test_the_route_table_says_where_a_line_rings(routes: Routes, destination: Telephone | SipUri) -> None:
    twilio = a_twilio(routes=routes)
    for written in (CALLEE.number, "00442079460110"):
        facts = twilio.read(Event.CALL, arriving_with(To=written, Called=written), "", NOW)
        assert facts.destination == destination
    contradictory = twilio.read(Event.CALL, arriving_with(Called="+12025550110"), "", NOW)
    assert contradictory.destination == destination
    answered = twilio.read(Event.WHISPER, child_with(), TOKENS[Event.WHISPER], NOW)
    assert answered.destination == destination
