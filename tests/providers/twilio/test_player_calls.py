"""The caller's leg: what the player asks the gateway, in which order, and what the caller hears of the answers."""

import hashlib
from uuid import UUID

import pytest

from gateway.workflows.simulate_call import CalleeBehaviour, CallScript, Disposition, KeyPress, to_json
from tests.providers.twilio.scripted_gateway import (
    CALLEE,
    DIAL,
    QUESTION,
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

PUBLIC = hashlib.sha256(mulaw_file(5.0)).hexdigest()
ORDER = "order-7"
EXPLAINED = explained("public_notice", "publication_order_in_force", ORDER, {PUBLIC: "public"})


def keys(*presses: tuple[str, float]) -> tuple[KeyPress, ...]:
    return tuple(KeyPress(digit=digit, at=at) for digit, at in presses)


def a_public_notice() -> dict[str, list[Reply]]:
    gather = (
        '<Gather input="dtmf" numDigits="1" timeout="1" finishOnKey="" actionOnEmptyResult="true"'
        f' action="{{origin}}/twilio/heard?t=a%2Bb&amp;u=1"><Play>{{origin}}/prompts/{PUBLIC}.wav</Play></Gather>'
    )
    return {
        "/twilio/call": twiml(gather, DIAL, headers=EXPLAINED),
        "/twilio/heard": twiml(DIAL, headers=explained("connect", "notice_heard", ORDER)),
        f"/prompts/{PUBLIC}.wav": sound(5.0),
    }


def a_gather(attributes: str, *after: str) -> dict[str, list[Reply]]:
    gather = f"<Gather {attributes}><Play>/prompts/{PUBLIC}.wav</Play></Gather>"
    return {
        "/twilio/call": twiml(gather, *after),
        "/twilio/keyed": twiml(),
        f"/prompts/{PUBLIC}.wav": sound(5.0),
    }


def test_a_plain_call_rings_connects_talks_and_ends() -> None:
    with gateway_with({"/twilio/call": twiml(DIAL, headers=explained("connect", "no_order"))}) as gateway:
        played = play(gateway.origin)
    assert to_json(played) | {"webhooks": []} == {
        "decision": "connect",
        "reason": "no_order",
        "caller_heard": [],
        "callee_heard": [],
        "connected_to": "+12025550110",
        "disposition": "completed",
        "webhooks": [],
    }
    assert [each.path for each in played.webhooks] == ["/twilio/call", "/twilio/dialled", "/twilio/status"]
    assert [each.status for each in played.webhooks] == [200, 200, 204]
    assert "1.00 callee answers" in told(played)
    assert "1.00 provider bridges caller and callee" in told(played)
    assert "3.00 callee hangs up" in told(played)


def test_every_webhook_carries_a_signature_that_twilios_own_validator_accepts() -> None:
    with gateway_with(a_public_notice()) as gateway:
        play(gateway.origin)
    posts = [each for each in gateway.seen if each.method == "POST"]
    assert [each.path for each in posts] == ["/twilio/call", "/twilio/heard", "/twilio/dialled", "/twilio/status"]
    assert all(each.signed for each in posts)
    assert posts[1].query == {"t": "a+b", "u": "1"}


def test_every_webhook_asks_for_an_explanation_and_has_an_idempotency_token_of_its_own() -> None:
    with gateway_with(a_public_notice()) as gateway:
        play(gateway.origin)
    posts = [each for each in gateway.seen if each.method == "POST"]
    assert {each.headers["X-Notice-Gateway-Explain"] for each in posts} == {QUESTION}
    assert len({UUID(each.headers["I-Twilio-Idempotency-Token"]) for each in posts}) == len(posts)


def test_the_first_webhook_announces_the_call_as_twilio_does() -> None:
    with gateway_with({"/twilio/call": twiml(DIAL)}) as gateway:
        play(gateway.origin, CallScript(callee=CALLEE, caller="anonymous"))
    form = gateway.to("/twilio/call")[0].form
    assert form.pop("CallSid").startswith("CA")
    assert form.pop("AccountSid").startswith("AC")
    assert form == {
        "From": "anonymous",
        "Caller": "anonymous",
        "To": CALLEE,
        "Called": CALLEE,
        "Direction": "inbound",
        "CallStatus": "ringing",
        "ApiVersion": "2010-04-01",
    }


def test_the_dial_action_and_the_number_are_told_how_it_ended() -> None:
    with gateway_with({"/twilio/call": twiml(DIAL)}) as gateway:
        play(gateway.origin)
    call, action, status = (gateway.to(f"/twilio/{each}")[0].form for each in ("call", "dialled", "status"))
    assert (action["DialCallStatus"], action["DialCallDuration"], action["DialBridged"]) == ("completed", "2", "true")
    assert action["DialCallSid"] != call["CallSid"] == action["CallSid"] == status["CallSid"]
    assert (status["CallStatus"], status["CallDuration"], status["Direction"]) == ("completed", "3", "inbound")


def test_a_sip_uri_without_its_headers_is_where_the_call_was_connected_to() -> None:
    dial = '<Dial answerOnBridge="true" action="/twilio/dialled"><Sip>sip:+12025550110@trunk.example?X-A=b</Sip></Dial>'
    with gateway_with({"/twilio/call": twiml(dial)}) as gateway:
        assert play(gateway.origin).connected_to == "sip:+12025550110@trunk.example"


def test_a_public_notice_is_heard_whole_and_named_by_the_explanation() -> None:
    with gateway_with(a_public_notice()) as gateway:
        played = play(gateway.origin)
    shown = to_json(played)
    assert shown["caller_heard"] == [{"kind": "public", "order": ORDER, "prompt": PUBLIC, "seconds": 5.0}]
    assert shown["callee_heard"] == []
    assert (shown["decision"], shown["reason"]) == ("public_notice", "publication_order_in_force")
    assert "0.00 caller hears the public notice of order order-7 for 5.00 s" in told(played)
    # The Gather's timeout of one second runs after the notice, then the telephone rings for one second.
    assert "7.00 callee answers" in told(played)
    heard = gateway.to("/twilio/heard")[0].form
    assert (heard["Digits"], heard["msg"], heard["CallStatus"]) == ("", "Gather End", "in-progress")


def test_a_key_cuts_the_notice_off_and_is_posted() -> None:
    with gateway_with(a_public_notice()) as gateway:
        played = play(gateway.origin, CallScript(callee=CALLEE, keys=keys(("5", 2.25))))
    assert [each.seconds for each in played.heard] == [2.25]
    assert gateway.to("/twilio/heard")[0].form["Digits"] == "5"
    assert "2.25 caller presses 5" in told(played)
    assert "3.25 callee answers" in told(played)


def test_a_key_in_the_silence_after_the_notice_is_still_heard() -> None:
    with gateway_with(a_public_notice()) as gateway:
        played = play(gateway.origin, CallScript(callee=CALLEE, keys=keys(("#", 5.5))))
    assert [each.seconds for each in played.heard] == [5.0]
    assert gateway.to("/twilio/heard")[0].form["Digits"] == "#"


def test_keys_that_nobody_listens_to_are_reported() -> None:
    script = CallScript(callee=CALLEE, keys=keys(("1", 0.5), ("2", 2.0), ("3", 60.0)))
    with gateway_with({"/twilio/call": twiml(DIAL)}) as gateway:
        played = play(gateway.origin, script)
    assert "0.50 provider key 1 is not heard: nobody is being listened to" in told(played)
    assert "2.00 provider key 2 is not heard: nobody is being listened to" in told(played)
    assert "60.00 provider key 3 is not heard: the call is over" in told(played)


def test_a_notice_that_is_not_explained_is_of_unknown_kind() -> None:
    replies = a_public_notice() | {"/twilio/call": [Reply(body=str(a_public_notice()["/twilio/call"][0].body))]}
    with gateway_with(replies) as gateway:
        played = play(gateway.origin)
    assert [(each.kind, each.order, each.prompt) for each in played.heard] == [("unknown", "", PUBLIC)]
    assert (played.decision, played.reason) == ("public_notice", "not_explained")


def test_a_call_that_is_not_explained_is_judged_by_what_was_seen() -> None:
    with gateway_with({"/twilio/call": twiml(DIAL)}) as gateway:
        assert play(gateway.origin).decision == "connect"
    with gateway_with({"/twilio/call": twiml("<Hangup/>")}) as gateway:
        assert play(gateway.origin).decision == "end"


def test_a_recording_is_fetched_once_and_unsigned() -> None:
    twice = f"<Play loop='2'>/prompts/{PUBLIC}.wav</Play><Play>{{origin}}/prompts/{PUBLIC}.wav</Play>"
    with gateway_with({"/twilio/call": twiml(twice), f"/prompts/{PUBLIC}.wav": sound(5.0)}) as gateway:
        played = play(gateway.origin)
    assert [each.seconds for each in played.heard] == [5.0, 5.0, 5.0]
    fetched = gateway.to(f"/prompts/{PUBLIC}.wav")
    assert [(each.method, "X-Twilio-Signature" in each.headers) for each in fetched] == [("GET", False)]


def test_a_recording_that_is_not_what_its_name_says_is_reported() -> None:
    other = "a" * 64
    replies = {"/twilio/call": twiml(f"<Play>/prompts/{other}.wav</Play>"), f"/prompts/{other}.wav": sound(1.0)}
    with gateway_with(replies) as gateway:
        played = play(gateway.origin)
    assert "does not hold what its name says" in troubles(played)[0]
    assert played.heard[0].prompt == other


def test_relative_urls_resolve_against_the_document() -> None:
    # <Redirect> and action: "absolute or relative URL".
    replies = {
        "/twilio/call": twiml("<Redirect>deeper/first?x=1</Redirect>"),
        "/twilio/deeper/first": twiml("<Redirect>second</Redirect>"),
        "/twilio/deeper/second": twiml(DIAL),
    }
    with gateway_with(replies) as gateway:
        assert play(gateway.origin).disposition is Disposition.COMPLETED
    assert gateway.to("/twilio/deeper/first")[0].query == {"x": "1"}
    assert all(each.signed for each in gateway.seen)


def test_a_gather_without_action_posts_to_its_own_document() -> None:
    # <Gather>: "action ... default: current document URL".
    first = a_gather('numDigits="1"')["/twilio/call"][0]
    replies = a_gather("") | {"/twilio/call": [first, twiml(DIAL)[0]]}
    with gateway_with(replies) as gateway:
        play(gateway.origin, CallScript(callee=CALLEE, keys=keys(("7", 1.0))))
    assert [each.form.get("Digits") for each in gateway.to("/twilio/call")] == [None, "7"]


def test_an_empty_gather_falls_through_after_five_seconds_by_default() -> None:
    # <Gather>: "timeout ... default 5"; without input Twilio goes on with the next verb.
    with gateway_with(a_gather('action="/twilio/keyed"', DIAL)) as gateway:
        played = play(gateway.origin)
    assert not gateway.to("/twilio/keyed")
    assert "10.00 caller hears ringing" in told(played)


@pytest.mark.parametrize(
    ("attributes", "pressed", "digits", "finished", "posted_at"),
    [
        ('numDigits="2"', (("1", 1.0), ("2", 2.0), ("3", 3.0)), "12", "", 2.0),
        ("", (("1", 1.0), ("2", 2.0), ("#", 2.5)), "12", "#", 2.5),
        ('finishOnKey="*"', (("#", 1.0), ("*", 2.0)), "#", "*", 2.0),
        ('finishOnKey="" numDigits="1"', (("#", 1.0),), "#", "", 1.0),
        ("", (("4", 1.0),), "4", "", 6.0),
        ('timeout="2"', (("4", 1.0), ("5", 2.5)), "45", "", 4.5),
        ('timeout="nonsense"', (("4", 1.0),), "4", "", 6.0),
    ],
)
def test_a_gather_collects_keys_until_it_has_enough(
    attributes: str, pressed: tuple[tuple[str, float], ...], digits: str, finished: str, posted_at: float
) -> None:
    replies = a_gather(f'action="/twilio/keyed" {attributes}') | {"/twilio/keyed": twiml(DIAL)}
    with gateway_with(replies) as gateway:
        played = play(gateway.origin, CallScript(callee=CALLEE, keys=keys(*pressed)))
    form = gateway.to("/twilio/keyed")[0].form
    assert (form["Digits"], form["FinishedOnKey"]) == (digits, finished)
    assert f"{posted_at:.2f} caller hears ringing" in told(played)


def test_a_gather_for_speech_alone_takes_no_keys() -> None:
    with gateway_with(a_gather('input="speech" action="/twilio/keyed"', DIAL)) as gateway:
        played = play(gateway.origin, CallScript(callee=CALLEE, keys=keys(("1", 1.0))))
    assert not gateway.to("/twilio/keyed")
    assert "1.00 provider key 1 is not heard" in told(played)


def test_a_play_outside_a_gather_is_not_stopped_by_a_key() -> None:
    replies = {"/twilio/call": twiml(f"<Play>/prompts/{PUBLIC}.wav</Play>"), f"/prompts/{PUBLIC}.wav": sound(5.0)}
    with gateway_with(replies) as gateway:
        played = play(gateway.origin, CallScript(callee=CALLEE, keys=keys(("1", 1.0))))
    assert played.heard[0].seconds == 5.0
    assert "1.00 provider key 1 is not heard" in told(played)
    assert "5.00 provider ends the call: end of document" in told(played)


def test_pause_and_say_take_their_time() -> None:
    verbs = '<Pause length="3"/><Pause/><Gather timeout="0"><Say>five words are two seconds</Say></Gather>'
    with gateway_with({"/twilio/call": twiml(verbs, DIAL)}) as gateway:
        played = play(gateway.origin)
    assert "6.00 caller hears ringing" in told(played)
    assert [(each.kind, each.seconds) for each in played.heard] == [("say", 2.0)]


def test_a_redirect_by_get_signs_the_url_with_its_parameters() -> None:
    replies = {"/twilio/call": twiml('<Redirect method="GET">/twilio/next?t=1</Redirect>'), "/twilio/next": twiml(DIAL)}
    with gateway_with(replies) as gateway:
        play(gateway.origin)
    asked = gateway.to("/twilio/next")[0]
    assert (asked.method, asked.signed, asked.query["t"], asked.query["To"]) == ("GET", True, "1", CALLEE)


def test_a_redirect_loop_ends_after_twenty_documents() -> None:
    with gateway_with({"/twilio/call": twiml("<Redirect>/twilio/call</Redirect>")}) as gateway:
        played = play(gateway.origin)
    assert len(gateway.to("/twilio/call")) <= 21
    assert played.disposition is Disposition.FAILED
    assert "more than 20 documents" in troubles(played)[0]


@pytest.mark.parametrize(("reason", "status"), [("", "no-answer"), ('reason="busy"', "busy")])
def test_a_rejected_call_is_never_answered(reason: str, status: str) -> None:
    with gateway_with({"/twilio/call": twiml(f"<Reject {reason}/>", DIAL)}) as gateway:
        played = play(gateway.origin)
    assert (played.disposition, played.connected_to) == (Disposition.REJECTED, None)
    assert gateway.to("/twilio/status")[0].form["CallStatus"] == status


def test_after_a_dial_without_action_the_next_verb_runs() -> None:
    # <Dial>: without action "Twilio will continue to render the original TwiML document".
    first = "<Dial>(202) 555-0111</Dial>"
    with gateway_with({"/twilio/call": twiml(first, DIAL)}) as gateway:
        played = play(gateway.origin)
    assert "0.00 callee telephone rings: (202) 555-0111" in told(played)
    assert played.connected_to == "+12025550110"


def test_unknown_verbs_and_misspelt_attributes_are_passed_over_and_reported() -> None:
    dial = DIAL.replace("answerOnBridge", "answeronbridge")
    with gateway_with({"/twilio/call": twiml("<Hangout/>", dial)}) as gateway:
        played = play(gateway.origin)
    assert played.disposition is Disposition.COMPLETED
    assert any("<Hangout>" in each for each in troubles(played))
    assert any("<Dial> has no attribute answeronbridge" in each for each in troubles(played))


@pytest.mark.parametrize(
    ("behaviour", "posted", "disposition", "at"),
    [
        (CalleeBehaviour.BUSY, "busy", Disposition.BUSY, 0.0),
        (CalleeBehaviour.NO_ANSWER, "no-answer", Disposition.NO_ANSWER, 60.0),
        (CalleeBehaviour.REJECTS, "busy", Disposition.REJECTED, 1.0),
    ],
)
def test_a_call_that_is_not_taken_says_how(
    behaviour: CalleeBehaviour, posted: str, disposition: Disposition, at: float
) -> None:
    with gateway_with({"/twilio/call": twiml(DIAL)}) as gateway:
        played = play(gateway.origin, CallScript(callee=CALLEE, behaviour=behaviour))
    form = gateway.to("/twilio/dialled")[0].form
    assert (form["DialCallStatus"], form["DialBridged"], form.get("DialCallDuration")) == (posted, "false", None)
    assert (played.disposition, played.connected_to) == (disposition, None)
    assert played.timeline[-1].at == at
    assert gateway.to("/twilio/status")[0].form["CallStatus"] == posted


def test_a_telephone_that_rings_longer_than_the_timeout_is_not_answered() -> None:
    with gateway_with({"/twilio/call": twiml(DIAL.replace('"60"', '"5"'))}) as gateway:
        played = play(gateway.origin, CallScript(callee=CALLEE, ring_seconds=6.0))
    assert played.disposition is Disposition.NO_ANSWER
    assert "5.00 callee does not answer" in told(played)


def test_another_dial_may_answer_the_dial_action() -> None:
    first = DIAL.replace("+12025550110", "+12025550111")
    replies = {"/twilio/call": twiml(first), "/twilio/dialled": [*twiml(DIAL), *twiml("<Hangup/>")]}
    with gateway_with(replies) as gateway:
        played = play(gateway.origin, CallScript(callee=CALLEE, behaviour=CalleeBehaviour.BUSY))
    assert len(gateway.to("/twilio/dialled")) == 2
    assert played.connected_to is None


@pytest.mark.parametrize(
    "dial",
    ["<Dial/>", "<Dial><Number/></Dial>", "<Dial><Number>nobody</Number></Dial>", "<Dial><Queue>q</Queue></Dial>"],
)
def test_dialling_nobody_is_an_error_and_fails(dial: str) -> None:
    with gateway_with({"/twilio/call": twiml(dial.replace("<Dial", '<Dial action="/twilio/dialled"', 1))}) as gateway:
        played = play(gateway.origin)
    assert gateway.to("/twilio/dialled")[0].form["DialCallStatus"] == "failed"
    assert (played.disposition, played.connected_to) == (Disposition.FAILED, None)
    assert troubles(played)


def test_more_than_ten_nouns_are_an_error() -> None:
    dial = "<Dial>" + "<Number>+12025550110</Number>" * 11 + "</Dial>"
    with gateway_with({"/twilio/call": twiml(dial)}) as gateway:
        assert "Twilio dials 10 at most" in troubles(play(gateway.origin))[0]


@pytest.mark.parametrize(
    ("hangup", "disposition", "seconds"),
    [(2.0, Disposition.CANCELED, 2.0), (6.5, Disposition.CANCELED, 5.0), (7.5, Disposition.COMPLETED, 5.0)],
)
def test_the_caller_may_hang_up_at_any_time(hangup: float, disposition: Disposition, seconds: float) -> None:
    with gateway_with(a_public_notice()) as gateway:
        played = play(gateway.origin, CallScript(callee=CALLEE, hangup_at=hangup))
    assert played.disposition is disposition
    assert played.heard[0].seconds == seconds
    assert f"{hangup:.2f} caller hangs up" in told(played)
    assert gateway.to("/twilio/status")[0].form["CallStatus"] == "completed"


def test_a_caller_who_hangs_up_while_it_rings_cancels_the_dial() -> None:
    with gateway_with({"/twilio/call": twiml(DIAL)}) as gateway:
        played = play(gateway.origin, CallScript(callee=CALLEE, hangup_at=0.5))
    assert gateway.to("/twilio/dialled")[0].form["DialCallStatus"] == "canceled"
    assert (played.disposition, played.connected_to) == (Disposition.CANCELED, None)
    assert gateway.to("/twilio/status")[0].form["CallStatus"] == "canceled"


def test_no_call_lasts_longer_than_four_hours() -> None:
    with gateway_with({"/twilio/call": twiml('<Pause length="999999"/>')}) as gateway:
        played = play(gateway.origin)
    assert played.ticks == 4 * 3600 * 8000
    assert "is cut off" in told(played)
