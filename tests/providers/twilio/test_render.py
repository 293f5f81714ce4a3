"""Writing plans down as TwiML: valid, and with no attribute but those that Twilio's pages list."""

from datetime import timedelta
from typing import TypedDict, Unpack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.domain.decide import decide
from gateway.domain.facts import (
    Arriving,
    CalleeAnswered,
    CalleeListened,
    CallerListened,
    CallFacts,
    Destination,
    DialEnded,
    Looping,
    Outcome,
    SipUri,
    Telephone,
)
from gateway.domain.notice import Purpose
from gateway.domain.plan import (
    Acknowledge,
    Bridge,
    CallPlan,
    Connect,
    Decision,
    End,
    PlayToCallee,
    PlayToCaller,
    Reason,
    Step,
    SuspendLine,
)
from gateway.domain.route import Routes
from gateway.domain.standing import Ground
from gateway.providers.dialect import Event, Params
from gateway.providers.twilio.render import dial
from tests.builders import (
    CALLEE,
    DESTINATION,
    NOW,
    a_call,
    a_private_notice,
    a_public_notice,
    a_rendition,
    a_reply,
    a_warning,
    an_opener,
)
from tests.contract.dialects import KEYS, ORIGIN, SEALER, SID, a_twilio, params_of
from tests.domain.situations import Situation, situations
from tests.providers.twilio.documents import attributes, checked, token_in, verbs
from tests.twiml import demand_schema

TRUNK = "BY0123456789abcdef0123456789abcdef"
PUBLIC = PlayToCaller(order_id="order-1", notice=a_public_notice())
OPENER = PlayToCallee(order_id="order-1", notice=an_opener(), listens=True)
CONNECT = Connect(destination=DESTINATION)
WHISPERED = Connect(destination=DESTINATION, whisper_for="order-1")


class DialFields(TypedDict, total=False):
    """What `dialled` can be told."""

    action: str
    ring_seconds: int
    answered: bool
    url: str
    loop_mark: str


def a_plan(*steps: Step, reason: Reason = Reason.NO_ORDER) -> CallPlan:
    return CallPlan(steps=steps, decision=Decision.CONNECT, reason=reason)


def rendered(plan: CallPlan, facts: CallFacts | None = None) -> etree._Element:
    """Return the document of a plan, held to Twilio's schema and to the attributes of its pages."""
    answer = a_twilio().render(plan, facts or a_call(), NOW)
    assert answer.status == 200
    assert answer.content_type == "text/xml; charset=utf-8"
    return checked(answer.body)


def dialled(destination: Destination, **fields: Unpack[DialFields]) -> etree._Element:
    """Return the document that holds one Dial."""
    verb = dial(
        destination,
        action=fields.get("action", f"{ORIGIN}/twilio/dialled"),
        ring_seconds=fields.get("ring_seconds", 60),
        answered=fields.get("answered", False),
        url=fields.get("url", ""),
        loop_mark=fields.get("loop_mark", "mark"),
    )
    return checked(f'<?xml version="1.0" encoding="UTF-8"?><Response>{verb}</Response>'.encode())


def plain(event: Event, params: Params, routes: Routes | None = None) -> etree._Element:
    """Return the document that connects from the bare parameters."""
    return checked(a_twilio(routes=routes or Routes()).fall_through(event, params).body)


def test_the_schema_is_there_to_validate_against() -> None:
    demand_schema()


@settings(max_examples=120, deadline=None)
@given(situations())
def test_whatever_is_decided_is_written_as_valid_twiml(situation: Situation) -> None:
    rendered(decide(situation.facts, situation.standing, situation.now), situation.facts)


def test_a_public_notice_is_gathered_so_that_any_key_skips_and_silence_is_reported_too() -> None:
    document = rendered(a_plan(PUBLIC, CONNECT))
    assert verbs(document) == ["Gather", "Dial"]
    gather = attributes(document.find("Gather"))
    url = gather.pop("action")
    assert gather == {
        "input": "dtmf",
        "numDigits": "1",
        # "finishOnKey: ... the empty string" so that # and * are keys like any other.
        "finishOnKey": "",
        "timeout": "1",
        # "Gather's action defaults to the current URL" and is not called for silence unless asked to.
        "actionOnEmptyResult": "true",
    }
    assert url.startswith(f"{ORIGIN}/twilio/heard?t=")
    (play,) = document.findall("Gather/Play")
    assert play.text == f"{ORIGIN}/prompts/{a_rendition('public').mulaw}.wav"
    assert attributes(play) == {}


def test_every_language_of_a_notice_is_played_in_its_order() -> None:
    notice = a_public_notice(renditions=(a_rendition("one"), a_rendition("two", language="zh", seconds=3)))
    document = rendered(a_plan(PlayToCaller(order_id="order-1", notice=notice), CONNECT))
    played = [str(each.text) for each in document.findall("Gather/Play")]
    assert played == [f"{ORIGIN}/prompts/{a_rendition(name).mulaw}.wav" for name in ("one", "two")]


def test_a_plain_connection_keeps_the_caller_ringing_until_the_callee_answers() -> None:
    """ "answerOnBridge ... must be the first verb" and the call unanswered (twilio.com/docs/voice/twiml/dial)."""
    document = rendered(a_plan(CONNECT))
    assert verbs(document) == ["Dial"]
    expected = {"answerOnBridge": "true", "timeout": "60", "action": f"{ORIGIN}/twilio/dialled"}
    assert attributes(document.find("Dial")) == expected
    assert attributes(document.find("Dial/Number")) == {}
    assert document.findtext("Dial/Number") == CALLEE.number


@pytest.mark.parametrize(
    ("plan", "facts"),
    [
        (a_plan(PUBLIC, CONNECT), a_call()),
        (a_plan(CONNECT), a_call(CallerListened(order_id="order-1", key=""))),
        (a_plan(CONNECT), a_call(CallerListened(order_id="order-1", key="1"))),
    ],
)
def test_a_call_that_has_been_answered_is_not_dialled_on_bridge(plan: CallPlan, facts: CallFacts) -> None:
    assert "answerOnBridge" not in attributes(rendered(plan, facts).find("Dial"))


def test_a_second_attempt_after_a_failed_whisper_rings_on_bridge_and_whispers_nothing() -> None:
    facts = a_call(DialEnded(outcome=Outcome.FAILED, whispered=True))
    document = rendered(a_plan(CONNECT, reason=Reason.RETRY_WITHOUT_NOTICE), facts)
    assert attributes(document.find("Dial"))["answerOnBridge"] == "true"
    assert attributes(document.find("Dial/Number")) == {}


def test_a_whisper_is_on_the_noun_and_its_tokens_name_the_call() -> None:
    document = rendered(a_plan(WHISPERED))
    number, url = document.find("Dial/Number"), attributes(document.find("Dial"))["action"]
    whisper = attributes(number)["url"]
    assert whisper.startswith(f"{ORIGIN}/twilio/whisper?t=")
    assert url.startswith(f"{ORIGIN}/twilio/dialled?t=")
    state = {"call": SID, "callee": CALLEE.number, "order": "order-1", "purpose": ""}
    assert SEALER.open(token_in(whisper), use="whisper", now=NOW) == state
    assert SEALER.open(token_in(url), use="dialled", now=NOW) == state
    assert SEALER.open(token_in(whisper), use="whisper", now=NOW + timedelta(seconds=899))


@pytest.mark.parametrize(
    ("step", "timeout"),
    [
        (PlayToCallee(order_id="order-1", notice=a_warning(), listens=True), "1"),
        (OPENER, "4"),
        (PlayToCallee(order_id="order-1", notice=a_private_notice(), listens=True), "5"),
    ],
)
def test_a_callee_is_listened_to_and_never_dialled(step: PlayToCallee, timeout: str) -> None:
    """ "<Dial> is forbidden" in a whisper's document (twilio.com/docs/voice/twiml/number)."""
    document = rendered(a_plan(step, Bridge()), a_call(CalleeAnswered(order_id="order-1")))
    assert verbs(document) == ["Gather"]
    gather = attributes(document.find("Gather"))
    assert gather["timeout"] == timeout
    assert gather["action"].startswith(f"{ORIGIN}/twilio/key?t=")
    state = SEALER.open(token_in(gather["action"]), use="key", now=NOW)
    assert state["purpose"] == step.notice.purpose.value


def test_a_reply_is_played_without_listening_and_the_legs_are_bridged() -> None:
    facts = a_call(CalleeListened(order_id="order-1", purpose=Purpose.PRIVATE, key="2"))
    reply = PlayToCallee(order_id="order-1", notice=a_reply(Purpose.ACKNOWLEDGED), listens=False)
    assert verbs(rendered(a_plan(Acknowledge(order_id="order-1"), reply, Bridge()), facts)) == ["Play"]


@pytest.mark.parametrize(
    "steps",
    [
        (Bridge(),),
        (SuspendLine(order_id="order-1", ground=Ground.CONTESTED), Bridge()),
        (Acknowledge(order_id="order-1"), Bridge()),
    ],
)
def test_bridging_is_an_empty_document(steps: tuple[Step, ...]) -> None:
    answer = a_twilio().render(a_plan(*steps), a_call(CalleeAnswered(order_id="order-1")), NOW)
    assert answer.body == b'<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


def test_the_end_is_a_hangup_and_a_loop_is_rejected_as_busy() -> None:
    assert verbs(rendered(a_plan(End()))) == ["Hangup"]
    document = rendered(a_plan(End(), reason=Reason.LOOP), a_call(Looping()))
    assert verbs(document) == ["Reject"]
    assert attributes(document.find("Reject")) == {"reason": "busy"}


def test_a_trunk_carries_the_number_where_one_is_configured() -> None:
    document = dialled(Telephone(number=CALLEE.number, trunk_sid=TRUNK), url=f"{ORIGIN}/twilio/whisper?t=x")
    number = document.find("Dial/Number")
    assert attributes(number) == {"url": f"{ORIGIN}/twilio/whisper?t=x", "byoc": TRUNK}


def test_a_call_over_sip_carries_our_mark_after_its_address() -> None:
    """ "sip:jack@example.com?mycustomheader=tata" (twilio.com/docs/voice/twiml/sip)."""
    document = rendered(a_plan(Connect(destination=SipUri(uri="sip:+44@trunk.example.net;transport=tls"))))
    assert document.findtext("Dial/Sip") == f"sip:+44@trunk.example.net;transport=tls?X-Notice-Gateway={KEYS.key_id}"
    whispered = Connect(destination=SipUri(uri="sip:x@y.example"), whisper_for="order-1")
    assert attributes(rendered(a_plan(whispered)).find("Dial/Sip"))["url"].startswith(f"{ORIGIN}/twilio/whisper?t=")


def test_the_time_to_ring_is_the_operators() -> None:
    body = a_twilio(ring_seconds=25).render(a_plan(CONNECT), a_call(), NOW).body
    assert attributes(checked(body).find("Dial"))["timeout"] == "25"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("911", "911"),
        ("client:alice", "client:alice"),
        ("</Number><Play>", "</Number><Play>"),
        ("\"'&<>", "\"'&<>"),
        ("]]>", "]]>"),
        ("&amp;", "&amp;"),
        ("+1202\u00005550110", "+12025550110"),
        ("+1202\ufffe5550110\uffff", "+12025550110"),
        ("+1202\ud8005550110\udfff", "+12025550110"),
        ("\u000b\u001f911\u007f", "911\u007f"),
        ("  911  ", "911"),
        ("\U0001f4de", "\U0001f4de"),
        ("9" * 5000, "9" * 256),
    ],
)
@pytest.mark.parametrize("event", [Event.CALL, Event.HEARD])
def test_a_callee_is_connected_as_it_came_less_what_xml_cannot_hold(event: Event, written: str, text: str) -> None:
    document = plain(event, params_of(To=written))
    assert verbs(document) == ["Dial"]
    number = document.find("Dial/Number")
    assert number is not None
    assert number.text == text
    assert len(number) == 0


@pytest.mark.parametrize("written", ["", " ", "\t\r\n", "\u0000", "\ufffe\uffff", "\ud800"])
def test_nothing_to_dial_is_a_hangup_and_never_an_empty_number(written: str) -> None:
    assert verbs(plain(Event.CALL, params_of(To=written))) == ["Hangup"]
    assert verbs(dialled(SipUri(uri=written))) == ["Hangup"]


@pytest.mark.parametrize("routes", [Routes(), Routes(default="sip:{line}@trunk.example.net", byoc_trunk=TRUNK)])
def test_a_sip_address_that_is_called_is_called_with_our_mark(routes: Routes) -> None:
    document = plain(Event.CALL, params_of(To="sip:1001@example.net"), routes)
    assert document.findtext("Dial/Sip") == f"sip:1001@example.net?X-Notice-Gateway={KEYS.key_id}"


def test_a_short_number_does_not_go_over_the_trunk_of_subscribers() -> None:
    document = plain(Event.CALL, params_of(To="911"), Routes(byoc_trunk=TRUNK))
    assert attributes(document.find("Dial/Number")) == {}


@settings(max_examples=150, deadline=None)
@given(
    written=st.text(alphabet=st.characters(), max_size=40)
    | st.text(alphabet="</>&'\"]!-[CDATA\u0000\ufffe ", max_size=40),
    over_sip=st.booleans(),
    answered=st.booleans(),
)
def test_any_text_that_is_dialled_stays_text(written: str, *, over_sip: bool, answered: bool) -> None:
    """Surrogates included: parameters never hold one, and a route table that did would still not break a call."""
    destination = SipUri(uri=written) if over_sip else Telephone(number=written)
    document = dialled(destination, answered=answered, url=f"{ORIGIN}/twilio/whisper?t={'x' * 300}&u=<'\">")
    assert verbs(document) in (["Dial"], ["Hangup"])
    assert len(list(document.iter())) in (2, 3)


def test_falling_through_bridges_ends_or_says_nothing_as_each_event_wants() -> None:
    params = params_of(To=CALLEE.number)
    assert "answerOnBridge" in attributes(plain(Event.CALL, params).find("Dial"))
    assert "answerOnBridge" not in attributes(plain(Event.HEARD, params).find("Dial"))
    assert verbs(plain(Event.WHISPER, params)) == []
    assert verbs(plain(Event.KEY, params)) == []
    assert verbs(plain(Event.DIALLED, params)) == ["Hangup"]
    silent = a_twilio().fall_through(Event.STATUS, params)
    assert (silent.status, silent.body) == (204, b"")


def test_the_largest_document_stays_within_what_twilio_takes() -> None:
    """ "TwiML at most 64 kB": a long notice in many languages to a long address."""
    renditions = tuple(a_rendition(str(number), seconds=0.2) for number in range(100))
    steps = (
        PlayToCaller(order_id="order-1", notice=a_public_notice(renditions=renditions)),
        Connect(destination=SipUri(uri=f"sip:{'x' * 5000}@example.net")),
    )
    assert len(a_twilio().render(a_plan(*steps), a_call(Arriving()), NOW).body) < 64 * 1024
