"""The callee's leg: what is played between the answer and the bridge, and what it does to the call."""

import hashlib

import pytest

from gateway.workflows.simulate_call import CalleeBehaviour, CallScript, Disposition, KeyPress, to_json
from tests.providers.twilio.scripted_gateway import (
    CALLEE,
    Reply,
    explained,
    gateway_with,
    mulaw_file,
    play,
    sound,
    told,
    troubles,
    twiml,
)

OPENER, PRIVATE = (hashlib.sha256(mulaw_file(seconds)).hexdigest() for seconds in (4.0, 6.0))
ORDER = "order-9"
EXPLAINED = explained("private_notice", "service_order_in_force", ORDER, {OPENER: "opener", PRIVATE: "private"})
WHISPERED = (
    '<Dial answerOnBridge="true" timeout="60" action="{origin}/twilio/dialled?t=d">'
    '<Number url="{origin}/twilio/whisper?t=w" statusCallback="{origin}/twilio/status?t=s"'
    ' statusCallbackEvent="initiated ringing answered completed">+12025550110</Number></Dial>'
)


def a_gather(prompt: str) -> str:
    return (
        '<Gather input="dtmf" numDigits="1" timeout="1" finishOnKey="" actionOnEmptyResult="true"'
        f' action="{{origin}}/twilio/key?t=k"><Play>{{origin}}/prompts/{prompt}.wav</Play></Gather>'
    )


def a_private_notice() -> dict[str, list[Reply]]:
    return {
        "/twilio/call": twiml(WHISPERED, headers=EXPLAINED),
        "/twilio/whisper": twiml(a_gather(OPENER), headers=EXPLAINED),
        "/twilio/key": [*twiml(a_gather(PRIVATE), headers=EXPLAINED), *twiml()],
        f"/prompts/{OPENER}.wav": sound(4.0),
        f"/prompts/{PRIVATE}.wav": sound(6.0),
    }


def script(*presses: tuple[str, float], hangup: float = float("inf")) -> CallScript:
    return CallScript(
        callee=CALLEE, keys=tuple(KeyPress(digit=digit, at=at) for digit, at in presses), hangup_at=hangup
    )


def test_the_callee_hears_the_opener_presses_1_and_hears_the_content() -> None:
    with gateway_with(a_private_notice()) as gateway:
        played = play(gateway.origin, script(("1", 3.5)))
    shown = to_json(played)
    assert shown["caller_heard"] == []
    assert shown["callee_heard"] == [
        {"kind": "opener", "order": ORDER, "prompt": OPENER, "seconds": 2.5},
        {"kind": "private", "order": ORDER, "prompt": PRIVATE, "seconds": 6.0},
    ]
    assert (shown["disposition"], shown["decision"]) == ("completed", "private_notice")
    assert [each.form["Digits"] for each in gateway.to("/twilio/key")] == ["1", ""]
    # 1 s ringing, 2.5 s opener, 6 s content and its timeout of 1 s.
    assert "10.50 provider bridges caller and callee" in told(played)


def test_an_empty_document_bridges_at_once() -> None:
    with gateway_with({"/twilio/call": twiml(WHISPERED), "/twilio/whisper": twiml()}) as gateway:
        played = play(gateway.origin)
    assert "1.00 provider bridges caller and callee" in told(played)
    assert not played.heard


def test_every_webhook_of_the_callees_leg_names_its_parent() -> None:
    with gateway_with(a_private_notice()) as gateway:
        play(gateway.origin, script(("1", 3.5)))
    parent = gateway.to("/twilio/call")[0].form["CallSid"]
    legs = [each for each in gateway.seen if "ParentCallSid" in each.form]
    paths = ["status"] * 3 + ["whisper", "key", "key", "status"]
    assert [each.path for each in legs] == [f"/twilio/{each}" for each in paths]
    assert {each.form["ParentCallSid"] for each in legs} == {parent}
    assert len({each.form["CallSid"] for each in legs} | {parent}) == 2
    assert {(each.form["Direction"], each.form["To"]) for each in legs} == {("outbound-dial", CALLEE)}
    assert all(each.signed for each in legs)
    assert gateway.to("/twilio/dialled")[0].form["DialCallSid"] == legs[0].form["CallSid"]


def test_the_status_callback_hears_of_the_events_it_subscribed_to() -> None:
    with gateway_with(a_private_notice()) as gateway:
        play(gateway.origin)
    events = [each.form for each in gateway.to("/twilio/status") if each.query == {"t": "s"}]
    assert [each["CallStatus"] for each in events] == ["initiated", "ringing", "in-progress", "completed"]
    assert [each["SequenceNumber"] for each in events] == ["0", "1", "2", "3"]
    assert events[-1]["CallDuration"] == "14"
    last = gateway.seen[-1]
    assert (last.path, last.query, last.form["CallStatus"]) == ("/twilio/status", {}, "completed")


def test_a_status_callback_without_events_is_told_of_the_end_alone() -> None:
    # <Number>: "statusCallbackEvent ... default completed".
    dial = WHISPERED.replace(' statusCallbackEvent="initiated ringing answered completed"', "")
    with gateway_with({"/twilio/call": twiml(dial)}) as gateway:
        play(gateway.origin, CallScript(callee=CALLEE, behaviour=CalleeBehaviour.BUSY))
    assert [each.form["CallStatus"] for each in gateway.to("/twilio/status")] == ["busy", "busy"]


def test_the_caller_hears_ringing_during_the_whisper_with_answer_on_bridge() -> None:
    with gateway_with(a_private_notice()) as gateway:
        with_it = play(gateway.origin)
    with gateway_with(a_private_notice() | {"/twilio/call": twiml(WHISPERED.replace('"true"', '"false"'))}) as gateway:
        without = play(gateway.origin)
    (party, _) = with_it.sounds
    ringing, talk = with_it.sounds[party]
    assert (ringing.at, ringing.ticks, talk.at) == (0, 13 * 8000, 13 * 8000)
    assert [each.ticks for each in without.sounds[party]] == [8000, 16000]


def test_a_dial_is_forbidden_in_a_whisper() -> None:
    # <Number>: "TwiML documents executed in this manner are not allowed to contain the <Dial> verb".
    with gateway_with(
        {"/twilio/call": twiml(WHISPERED), "/twilio/whisper": twiml("<Dial>+12025550111</Dial>")}
    ) as gateway:
        played = play(gateway.origin)
    assert "not allowed in a document for the called party" in troubles(played)[0]
    assert played.disposition is Disposition.FAILED


def test_a_hangup_in_a_whisper_declines_the_call() -> None:
    with gateway_with({"/twilio/call": twiml(WHISPERED), "/twilio/whisper": twiml("<Hangup/>")}) as gateway:
        played = play(gateway.origin)
    assert played.disposition is Disposition.REJECTED
    assert gateway.to("/twilio/dialled")[0].form["DialBridged"] == "false"


@pytest.mark.parametrize(
    "broken", [Reply(status=500), Reply(body="<Response>"), Reply(body="{}", content_type="application/json")]
)
def test_a_whisper_that_fails_drops_the_callees_leg(broken: Reply) -> None:
    # What Twilio does here is documented nowhere; dropping the leg is the pessimistic assumption.
    with gateway_with({"/twilio/call": twiml(WHISPERED), "/twilio/whisper": [broken]}) as gateway:
        played = play(gateway.origin)
    assert "the callee's leg is dropped" in troubles(played)[0]
    action = gateway.to("/twilio/dialled")[0].form
    assert (action["DialCallStatus"], action["DialBridged"]) == ("completed", "false")
    assert (played.disposition, played.connected_to) == (Disposition.FAILED, None)


def test_a_dial_action_may_still_connect_after_a_whisper_that_failed() -> None:
    plain = '<Dial answerOnBridge="true" action="/twilio/dialled"><Number>+12025550110</Number></Dial>'
    replies = {
        "/twilio/call": twiml(WHISPERED),
        "/twilio/whisper": [Reply(status=500)],
        "/twilio/dialled": [*twiml(plain), *twiml("<Hangup/>")],
    }
    with gateway_with(replies) as gateway:
        played = play(gateway.origin)
    assert played.disposition is Disposition.COMPLETED


def test_a_caller_who_hangs_up_ends_the_whisper() -> None:
    with gateway_with(a_private_notice()) as gateway:
        played = play(gateway.origin, script(hangup=2.5))
    assert [each.seconds for each in played.heard] == [1.5]
    assert (played.disposition, played.connected_to) == (Disposition.CANCELED, None)
    assert "2.50 callee the line goes down with the caller's" in told(played)
    assert not gateway.to("/twilio/key")
    assert gateway.to("/twilio/dialled")[0].form["DialBridged"] == "false"
    assert played.ticks == 2.5 * 8000


def test_a_status_callback_that_fails_costs_nothing_but_a_remark() -> None:
    replies = a_private_notice() | {"/twilio/status": [Reply(status=500)]}
    with gateway_with(replies) as gateway:
        played = play(gateway.origin)
    assert played.disposition is Disposition.COMPLETED
    assert all("status callback /twilio/status: answered 500" in each for each in troubles(played))


def test_of_several_nouns_the_first_is_played() -> None:
    dial = "<Dial><Number>+12025550111</Number><Client>bob</Client></Dial>"
    with gateway_with({"/twilio/call": twiml(dial)}) as gateway:
        played = play(gateway.origin)
    assert played.connected_to == "+12025550111"
    assert "dials 2 parties" in told(played)


def test_a_client_and_a_caller_id_are_passed_on() -> None:
    dial = '<Dial callerId="+12025550177"><Client url="/twilio/whisper">bob</Client></Dial>'
    with gateway_with({"/twilio/call": twiml(dial), "/twilio/whisper": twiml()}) as gateway:
        assert play(gateway.origin).connected_to == "client:bob"
    form = gateway.to("/twilio/whisper")[0].form
    assert (form["From"], form["To"], form["CallStatus"]) == ("+12025550177", "client:bob", "in-progress")
