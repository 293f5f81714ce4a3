"""What goes wrong between Twilio and the gateway, and what becomes of the call."""

import socket

import pytest

from gateway.providers.twilio.player_http import sign
from gateway.workflows.simulate_call import CallRefusedError, CallScript, Disposition, GatewayUnreachableError
from tests.providers.twilio.scripted_gateway import (
    CALLEE,
    DIAL,
    Reply,
    gateway_with,
    mulaw_file,
    play,
    troubles,
    twiml,
)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (Reply(status=500, body="<Response/>"), "/twilio/next: answered 500"),
        (Reply(status=302, headers={"Location": "/twilio/call"}), "answered 302"),
        (Reply(body="<Response><Dial></Response>"), "not well-formed XML"),
        (Reply(body=" <?xml version='1.0'?><Response/>"), "not well-formed XML"),
        (Reply(body=b"<Response>\xff</Response>"), "not UTF-8 at byte 10"),
        (Reply(body="<response/>"), "its root is <response>, not <Response>"),
        (Reply(body="<!DOCTYPE Response [<!ENTITY a 'b'>]><Response>&a;</Response>"), "declares a document type"),
        (Reply(body="<Response>" + " " * 65536 + "</Response>"), "more than 65536"),
        (Reply(body="<Response/>", content_type="application/json"), "content type application/json"),
        (Reply(body="<Response><Redirect>http://[</Redirect></Response>"), "'http://[' is not a URL"),
        (Reply(body="<Response><Redirect>ftp://a.example/</Redirect></Response>"), "no answer"),
        (Reply(drop=True), "no answer"),
    ],
)
def test_an_answer_that_twilio_cannot_execute_ends_the_call_as_failed(broken: Reply, why: str) -> None:
    replies = {"/twilio/call": twiml("<Redirect>/twilio/next</Redirect>"), "/twilio/next": [broken]}
    with gateway_with(replies) as gateway:
        played = play(gateway.origin)
    assert played.disposition is Disposition.FAILED
    assert "application error, the call ends" in troubles(played)[0]
    assert why in troubles(played)[0]
    assert gateway.seen[-1].path == "/twilio/status"


def test_a_first_answer_of_500_is_a_failed_call_and_not_an_unreachable_gateway() -> None:
    with gateway_with({"/twilio/call": [Reply(status=500)]}) as gateway:
        played = play(gateway.origin)
    assert (played.disposition, played.connected_to) == (Disposition.FAILED, None)
    assert [(each.path, each.status) for each in played.webhooks] == [("/twilio/call", 500), ("/twilio/status", 204)]


def test_a_slow_answer_is_asked_for_once_more_with_the_same_idempotency_token() -> None:
    slow = Reply(body="<Response/>", delay=1.0)
    with gateway_with({"/twilio/call": [slow, *twiml(DIAL)]}) as gateway:
        played = play(gateway.origin, read=0.4)
    first, second = gateway.to("/twilio/call")
    for header in ("I-Twilio-Idempotency-Token", "X-Twilio-Signature"):
        assert first.headers[header] == second.headers[header]
    assert first.form == second.form
    assert [each.status for each in played.webhooks][:2] == [0, 200]
    assert played.disposition is Disposition.COMPLETED


def test_an_answer_that_is_slow_twice_fails_the_call() -> None:
    with gateway_with({"/twilio/call": [Reply(body="<Response/>", delay=1.0)]}) as gateway:
        played = play(gateway.origin, read=0.4)
    assert len(gateway.to("/twilio/call")) == 2
    assert played.disposition is Disposition.FAILED


def test_the_time_that_the_gateway_takes_is_told_but_is_not_time_of_the_call() -> None:
    with gateway_with({"/twilio/call": [Reply(body=str(twiml(DIAL)[0].body), delay=0.2)]}) as gateway:
        played = play(gateway.origin)
    assert played.webhooks[0].ms >= 200
    assert played.ticks == 3 * 8000


def test_an_unreachable_gateway_is_told_in_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(GatewayUnreachableError, match=r"Nothing answered at .*/twilio/call .*notice-gateway serve"):
            play(origin)


@pytest.mark.parametrize("origin", ["gateway.example", "http://[::bad", "ftp://127.0.0.1"])
def test_an_origin_that_is_no_url_is_told_in_a_sentence(origin: str) -> None:
    with pytest.raises(GatewayUnreachableError, match="PUBLIC_ORIGIN"):
        play(origin)


def test_a_refused_signature_is_told_in_a_sentence() -> None:
    with (
        gateway_with({"/twilio/call": [Reply(status=403)]}) as gateway,
        pytest.raises(CallRefusedError, match=r"answered 403: .*auth token"),
    ):
        play(gateway.origin, token="another")
    assert not gateway.seen[0].signed


@pytest.mark.parametrize(
    ("recording", "why"),
    [
        (Reply(status=404), "<Play> /prompts/a.wav: answered 404"),
        (Reply(body=mulaw_file(1.0), content_type="text/plain"), "content type text/plain cannot be played"),
        (Reply(body=b"ID3", content_type="audio/mpeg"), "cannot be decoded"),
        (Reply(drop=True), "no answer"),
    ],
)
def test_a_recording_that_cannot_be_played_ends_the_call_as_failed(recording: Reply, why: str) -> None:
    replies = {"/twilio/call": twiml("<Play>/prompts/a.wav</Play>", DIAL), "/prompts/a.wav": [recording]}
    with gateway_with(replies) as gateway:
        played = play(gateway.origin)
    assert played.disposition is Disposition.FAILED
    assert why in troubles(played)[0]


def test_a_dial_action_that_fails_ends_the_call_as_failed_while_the_caller_is_there() -> None:
    with gateway_with({"/twilio/call": twiml(DIAL), "/twilio/dialled": [Reply(status=500)]}) as gateway:
        assert play(gateway.origin).disposition is Disposition.FAILED


def test_a_dial_action_that_fails_after_the_caller_has_gone_is_only_a_remark() -> None:
    with gateway_with({"/twilio/call": twiml(DIAL), "/twilio/dialled": [Reply(status=500)]}) as gateway:
        played = play(gateway.origin, CallScript(callee=CALLEE, hangup_at=2.0))
    assert played.disposition is Disposition.COMPLETED
    assert troubles(played) == ["/twilio/dialled: answered 500."]


def test_the_signature_is_the_one_of_twilios_public_example() -> None:
    # https://www.twilio.com/docs/usage/security, "Validating requests": the example with token 12345.
    pairs = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert sign("12345", url, pairs.items()) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_repeated_parameters_are_signed_once_each_and_in_order() -> None:
    once = sign("12345", "https://a.example/", [("A", "1"), ("A", "2")])
    assert sign("12345", "https://a.example/", [("A", "2"), ("A", "1"), ("A", "2")]) == once
