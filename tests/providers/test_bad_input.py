"""What bad input gets: a valid answer that connects, or 4xx where nothing was signed; never 500."""

import errno
import hashlib
import io
import json
from collections.abc import Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from gateway.app import Running, create_app
from gateway.providers.dialect import Event
from gateway.providers.twilio.facts import PARAMETERS
from gateway.providers.twilio.signature import compute
from gateway.settings import DEMO_TOKEN, Settings
from tests.contract.dialects import signature_by_twilio
from tests.contract.scene import ANSWERED, REFUSED, counted, counters, grown, plays_in, verbs
from tests.telephone import Telephone, a_call_sid, arriving, xml

FORM = "application/x-www-form-urlencoded"
CALL = "/twilio/call"
LINE, UNDER_ORDER = "+12025550199", "+12025550110"
# Nobody's number is shown, so that the loop guard has nothing to count.
FIELDS = arriving(LINE, caller="Anonymous", sid="CA00000000000000000000000000000001")
PAIRS = list(FIELDS.items())
TWO_MEGABYTES, FIVE_MEGABYTES = 2_000_000, 5_000_000
fuzz = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAMES = st.sampled_from(sorted(PARAMETERS)) | st.text(max_size=8)
VALUES = (
    st.sampled_from(("", LINE, UNDER_ORDER, "sip:a@b.example", "911", "1", "completed", FIELDS["CallSid"]))
    | st.text(max_size=30)
    | st.text(alphabet="</>&'\"\u0000\ufffe\r\n@:;?", max_size=30)
)
# What can stand in a request target: printable ASCII without the space and the fragment's mark.
QUERIES = st.text(alphabet=[chr(code) for code in range(0x21, 0x7F) if chr(code) != "#"], max_size=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One webhook with bad input; `signed_as` is what its sender put under the signature."""

    signed_as: list[tuple[str, str]]
    body: bytes
    target: str = CALL
    content_type: str = FORM
    headers: Mapping[str, str] | None = None


def a_post(pairs: list[tuple[str, str]], **extra: str) -> Post:
    """Return a form that is signed as it stands."""
    return replace(Post(signed_as=pairs, body=urlencode(pairs).encode()), **extra)  # type: ignore[arg-type]


def send_signed(telephone: Telephone, post: Post) -> TestResponse:
    signature = signature_by_twilio(telephone.token, telephone.origin + post.target, post.signed_as)
    headers = {**(post.headers or {}), "X-Twilio-Signature": signature}
    return telephone.post_raw(post.target, post.body, content_type=post.content_type, headers=headers)


def send_unsigned(telephone: Telephone, post: Post) -> TestResponse:
    return telephone.post_raw(post.target, post.body, content_type=post.content_type, headers=post.headers)


def dialled(response: TestResponse) -> str:
    return str(xml(response).xpath("string(//Number | //Sip)"))


CONNECTS = {
    "two megabytes in one field": a_post([*PAIRS, ("Junk", "x" * TWO_MEGABYTES)]),
    "two megabytes of escapes": a_post([*PAIRS, ("Junk", "\u0000" * (TWO_MEGABYTES // 3))]),
    "text/plain": a_post(PAIRS, content_type="text/plain"),
    "no content type": a_post(PAIRS, content_type=""),
    "octets": a_post(PAIRS, content_type="application/octet-stream"),
    "multipart that is none": a_post(PAIRS, content_type="multipart/form-data; boundary=x"),
    "a content type of nonsense": a_post(PAIRS, content_type=";;=\u00ff"),
    "an unknown charset": a_post(PAIRS, content_type=f"{FORM}; charset=klingon"),
    "escaped bytes that are no UTF-8": Post(
        signed_as=[*PAIRS, ("Caller2", "\ufffd\ufffd")], body=urlencode(PAIRS).encode() + b"&Caller2=%FF%FE"
    ),
    "a huge header": replace(a_post(PAIRS), headers={"X-Junk": "x" * 1_000_000}),
    "a huge target": a_post(PAIRS, target=f"{CALL}?junk={'x' * 1_000_000}"),
    "many query parameters": a_post(PAIRS, target=f"{CALL}?{'&'.join(['a=b'] * 20_000)}"),
    "names that are unknown": a_post([*PAIRS, ("To ", "+1"), ("to", "+1"), ("TO", "+1"), ("X" * 300, "")]),
}
REFUSED_EVEN_SIGNED = {
    "five megabytes": a_post([*PAIRS, ("Junk", "x" * FIVE_MEGABYTES)]),
    "ten thousand fields": a_post([*PAIRS, *[(f"Field{number}", "") for number in range(10_000)]]),
    "multipart": Post(
        signed_as=PAIRS,
        body=b'--x\r\nContent-Disposition: form-data; name="To"\r\n\r\n+12025550199\r\n--x--\r\n',
        content_type="multipart/form-data; boundary=x",
    ),
    "a form that says it is JSON": a_post(PAIRS, content_type="application/json"),
    "a signature over other fields": replace(a_post(PAIRS), signed_as=[]),
}


@pytest.mark.parametrize("what", CONNECTS)
def test_signed_bad_input_connects_and_the_same_unsigned_is_refused(sqlite_telephone: Telephone, what: str) -> None:
    answer = send_signed(sqlite_telephone, CONNECTS[what])
    assert answer.status_code == 200
    assert dialled(answer) == LINE
    _assert_refused_unsigned(sqlite_telephone, CONNECTS[what])


@pytest.mark.parametrize("what", REFUSED_EVEN_SIGNED)
def test_what_cannot_be_verified_is_refused_with_4xx(sqlite_telephone: Telephone, what: str) -> None:
    before = counters(sqlite_telephone)
    answer = send_signed(sqlite_telephone, REFUSED_EVEN_SIGNED[what])
    assert answer.status_code == (413 if what == "five megabytes" else 403)
    assert grown(before, counters(sqlite_telephone)) <= {REFUSED}
    _assert_refused_unsigned(sqlite_telephone, REFUSED_EVEN_SIGNED[what])


def _assert_refused_unsigned(telephone: Telephone, post: Post) -> None:
    before = counters(telephone)
    answer = send_unsigned(telephone, post)
    assert 400 <= answer.status_code < 500
    assert grown(before, counters(telephone)) <= {REFUSED}
    assert plays_in(telephone) == []


def test_a_body_that_is_too_large_is_counted_as_a_refusal(sqlite_telephone: Telephone) -> None:
    """The counter's own words: "refused before anything was parsed: signature, method or size"."""
    assert send_unsigned(sqlite_telephone, REFUSED_EVEN_SIGNED["five megabytes"]).status_code == 413
    assert counted(sqlite_telephone, REFUSED) == 1


def test_a_wrong_method_is_counted_as_a_refusal(sqlite_telephone: Telephone) -> None:
    assert sqlite_telephone.app.test_client().get(CALL).status_code == 405
    assert counted(sqlite_telephone, REFUSED) == 1


def test_raw_bytes_that_are_no_utf_8_connect_where_they_are_signed_as_they_are(sqlite_telephone: Telephone) -> None:
    fields = {b"To": [LINE.encode()], b"CallSid": [b"CA1"], b"From": [b"\xff\xfe\xed\xa0\x80"]}
    signature = compute(sqlite_telephone.token.encode(), (sqlite_telephone.origin + CALL).encode(), fields).decode()
    body = b"To=%2B12025550199&CallSid=CA1&From=\xff\xfe\xed\xa0\x80"
    answer = sqlite_telephone.post_raw(CALL, body, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 200
    assert dialled(answer) == LINE
    assert sqlite_telephone.post_raw(CALL, body).status_code == 403


def test_a_json_body_that_is_signed_connects(sqlite_telephone: Telephone) -> None:
    body = json.dumps(FIELDS).encode()
    target = f"{CALL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    post = Post(signed_as=[], body=body, target=target, content_type="application/json")
    assert dialled(send_signed(sqlite_telephone, post)) == LINE
    assert send_unsigned(sqlite_telephone, post).status_code == 403


@pytest.mark.parametrize(
    ("event", "tags"),
    [
        (Event.CALL, ["Hangup"]),
        (Event.HEARD, ["Hangup"]),
        (Event.WHISPER, []),
        (Event.KEY, []),
        (Event.DIALLED, ["Hangup"]),
    ],
)
def test_an_empty_body_is_answered_with_what_harms_no_call(
    sqlite_telephone: Telephone, event: Event, tags: list[str]
) -> None:
    answer = send_signed(sqlite_telephone, Post(signed_as=[], body=b"", target=f"/twilio/{event.value}"))
    assert answer.status_code == 200
    assert verbs(answer) == tags


def test_an_empty_status_is_taken_without_a_word(sqlite_telephone: Telephone) -> None:
    answer = send_signed(sqlite_telephone, Post(signed_as=[], body=b"", target="/twilio/status"))
    assert (answer.status_code, answer.data) == (204, b"")


@pytest.mark.parametrize(
    "changed",
    [
        {"CallSid": ""},
        {"CallSid": "CA 1"},
        {"CallSid": "\u0000"},
        {"Called": LINE},
        {"Called": ""},
        {"ParentCallSid": "x" * 60_000},
    ],
    ids=["no id", "no id but text", "a null", "another line", "no line", "an endless parent"],
)
def test_a_call_that_contradicts_itself_connects_without_a_notice(
    sqlite_telephone: Telephone, changed: dict[str, str]
) -> None:
    answer = sqlite_telephone.post(CALL, {**arriving(UNDER_ORDER), **changed})
    assert verbs(answer) == ["Dial"]
    assert dialled(answer) == UNDER_ORDER
    assert plays_in(sqlite_telephone) == []


def test_a_call_that_gives_one_name_twice_connects_without_a_notice(sqlite_telephone: Telephone) -> None:
    answer = send_signed(sqlite_telephone, a_post([*arriving(UNDER_ORDER).items(), ("To", LINE), ("CallSid", "CA9")]))
    assert verbs(answer) == ["Dial"]
    assert dialled(answer) in {UNDER_ORDER, LINE}
    assert plays_in(sqlite_telephone) == []


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("911", "911"),
        ("client:alice", "client:alice"),
        ("</Number><Play>", "</Number><Play>"),
        ("+1202\u00005550110", "+12025550110"),
        ("+1202\ufffe5550110", "+12025550110"),
        ("9" * 5000, "9" * 256),
        ("9" * TWO_MEGABYTES, "9" * 256),
    ],
    ids=["short", "client", "markup", "a null", "no character", "5,000 digits", "2 MB of digits"],
)
def test_a_callee_that_is_no_number_is_connected_as_it_came(
    sqlite_telephone: Telephone, written: str, text: str
) -> None:
    answer = sqlite_telephone.call(written)
    assert answer.status_code == 200
    assert dialled(answer) == text


def test_a_callee_of_invalid_utf_8_is_connected_with_what_can_be_read_of_it(sqlite_telephone: Telephone) -> None:
    """%ED%A0%80 is a lone surrogate in what would be UTF-8."""
    body = b"CallSid=CA1&To=911%ED%A0%80%FF"
    signed_as = [("CallSid", "CA1"), ("To", "911\ufffd\ufffd\ufffd\ufffd")]
    answer = send_signed(sqlite_telephone, Post(signed_as=signed_as, body=body))
    assert answer.status_code == 200
    assert dialled(answer).startswith("911")


@pytest.mark.parametrize("signature", ["", " ", "é", "\u00ff" * 28, "=", "x" * 1_000_000])
def test_a_signature_of_garbage_is_refused_and_nothing_else_is_counted(
    sqlite_telephone: Telephone, signature: str
) -> None:
    before = counters(sqlite_telephone)
    for event in Event:
        answer = sqlite_telephone.post_raw(
            f"/twilio/{event.value}?t=forged",
            urlencode(arriving(UNDER_ORDER)).encode(),
            headers={"X-Twilio-Signature": signature, "X-Notice-Gateway-Explain": "forged"},
        )
        assert answer.status_code == 403
        assert "X-Notice-Gateway-Explanation" not in answer.headers
    assert grown(before, counters(sqlite_telephone)) == {REFUSED}
    assert counted(sqlite_telephone, REFUSED) == len(Event)
    assert plays_in(sqlite_telephone) == []


def test_a_call_signed_with_another_token_is_never_read(sqlite_telephone: Telephone) -> None:
    forger = replace(sqlite_telephone, token="another-token")
    assert forger.call(UNDER_ORDER).status_code == 403
    assert counted(sqlite_telephone, REFUSED, why="wrong") == 1
    assert counted(sqlite_telephone, ANSWERED) == 0
    assert plays_in(sqlite_telephone) == []


class FullDisk(io.StringIO):
    """An error stream that cannot be written to any more."""

    def write(self, _text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("line", [LINE, UNDER_ORDER])
def test_a_log_that_cannot_be_written_costs_no_call(sqlite_settings: Settings, line: str) -> None:
    """Promise 1: "disk full ... the provider still gets a plan that connects the caller to the callee"."""
    with redirect_stderr(FullDisk()):
        app = create_app(sqlite_settings)
    telephone = Telephone(app=app, origin=sqlite_settings.public_origin, token=DEMO_TOKEN)
    answer = telephone.call(line)
    refused = telephone.post_raw(CALL, b"")
    running: Running = app.extensions["notice_gateway"]
    running.stop()
    assert (answer.status_code, refused.status_code) == (200, 403)
    assert dialled(answer) == line


@fuzz
@given(event=st.sampled_from(Event), pairs=st.lists(st.tuples(NAMES, VALUES), max_size=8))
def test_any_signed_form_gets_a_valid_answer(
    sqlite_telephone: Telephone, event: Event, pairs: list[tuple[str, str]]
) -> None:
    answer = send_signed(sqlite_telephone, a_post(pairs, target=f"/twilio/{event.value}"))
    assert answer.status_code == (204 if event is Event.STATUS else 200)


def test_any_bytes_unsigned_are_refused_and_signed_are_answered(sqlite_telephone: Telephone) -> None:
    @fuzz
    @given(st.sampled_from(Event), st.binary(max_size=80), st.sampled_from((FORM, "text/plain")))
    def holds(event: Event, body: bytes, content_type: str) -> None:
        post = Post(signed_as=[], body=body, target=f"/twilio/{event.value}", content_type=content_type)
        assert send_unsigned(sqlite_telephone, post).status_code == 403
        assert send_signed(sqlite_telephone, post).status_code in {200, 204, 403}

    holds()


def test_no_bytes_unsigned_are_ever_read(sqlite_telephone: Telephone) -> None:
    before = counters(sqlite_telephone)

    @fuzz
    @given(st.sampled_from(Event), st.binary(max_size=80))
    def holds(event: Event, body: bytes) -> None:
        post = Post(signed_as=[], body=body, target=f"/twilio/{event.value}?t=x")
        assert send_unsigned(sqlite_telephone, post).status_code == 403

    holds()
    assert grown(before, counters(sqlite_telephone)) == {REFUSED}


@fuzz
@given(event=st.sampled_from(Event), query=QUERIES | QUERIES.map(lambda text: f"t={text}"))
def test_any_signed_query_string_gets_a_valid_answer(sqlite_telephone: Telephone, event: Event, query: str) -> None:
    pairs = [*PAIRS, ("DialCallStatus", "failed")]
    post = a_post(pairs, target=f"/twilio/{event.value}?{query}")
    answer = send_signed(sqlite_telephone, post)
    assert answer.status_code == (204 if event is Event.STATUS else 200)
    if event in {Event.CALL, Event.HEARD}:
        assert dialled(answer) == LINE
    assert send_unsigned(sqlite_telephone, post).status_code == 403


@fuzz
@given(text=st.text(max_size=40))
def test_any_callee_is_dialled_or_hung_up_on(sqlite_telephone: Telephone, text: str) -> None:
    answer = sqlite_telephone.call(text, caller="Anonymous", sid=a_call_sid())
    assert answer.status_code == 200
    assert verbs(answer) in (["Dial"], ["Hangup"], ["Gather", "Dial"])
    if text.isalnum() and len(text) < 7:
        assert dialled(answer) == text
