"""X-Twilio-Signature: Twilio's published vectors, Twilio's own validator as the oracle, and what that cannot answer."""

import hashlib
from base64 import b64decode, b64encode
from urllib.parse import urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from gateway.providers.dialect import Delivery, Event, SignatureRefusedError
from gateway.providers.twilio.signature import Fields, SignatureCheck
from tests.contract.dialects import ORIGIN, TOKEN, a_twilio, signature_by_twilio
from tests.telephone import Telephone, arriving

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
TARGET = "/twilio/call"
PAIRS = [("CallSid", "CA1"), ("From", "+12025550188"), ("To", "+12025550110")]
# Published in twilio-python, tests/unit/test_request_validator.py, and twilio-node, spec/validation.spec.js.
VECTOR_ORIGIN, VECTOR_TARGET, VECTOR_TOKEN = "https://mycompany.com", "/myapp.php?foo=1&bar=2", "12345"
VECTOR_PAIRS = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675309"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
]
VECTOR_SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
VECTOR_BODY = b'{"property": "value", "boolean": true}'
VECTOR_BODY_TARGET = VECTOR_TARGET + "&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
VECTOR_BODY_SIGNATURE = "a9nBmqA0ju/hNViExpshrM61xv4="
few = settings(max_examples=80, deadline=None)
TARGETS = st.from_regex(r"/[a-zA-Z0-9%/._~-]{0,12}(\?[a-zA-Z0-9%=&?+/:._~-]{0,20})?", fullmatch=True)
NAMES = st.sampled_from(("To", "From", "CallSid", "Digits", "")) | st.text(max_size=5)
FORMS = st.lists(st.tuples(NAMES, st.text(max_size=8)), max_size=8)
ORIGINS = st.sampled_from(
    ("https://gw.example.org", "http://gw.example.org", "https://gw.example.org:8443", "http://127.0.0.1:8080")
)


def a_delivery(
    target: str = TARGET, *, signature: str, body: bytes | None = None, content_type: str = FORM
) -> Delivery:
    body = urlencode(PAIRS).encode() if body is None else body
    return Delivery(event=Event.CALL, target=target, content_type=content_type, signature=signature, body=body)


def a_check(origin: str = ORIGIN, *tokens: str) -> SignatureCheck:
    return SignatureCheck(origin, tokens or (TOKEN,))


def a_json_target(body: bytes) -> str:
    return f"{TARGET}?bodySHA256={hashlib.sha256(body).hexdigest()}"


def refusal(check: SignatureCheck, delivery: Delivery) -> str:
    with pytest.raises(SignatureRefusedError) as refused:
        check.fields_of(delivery)
    return str(refused.value.details["why"])


def as_fields(pairs: list[tuple[str, str]]) -> Fields:
    form = MultiDict(pairs)
    return {name.encode(): [value.encode() for value in form.getlist(name)] for name in form}


def test_twilios_published_form_vector_is_accepted() -> None:
    assert RequestValidator(VECTOR_TOKEN).validate(VECTOR_ORIGIN + VECTOR_TARGET, dict(VECTOR_PAIRS), VECTOR_SIGNATURE)
    delivery = a_delivery(VECTOR_TARGET, signature=VECTOR_SIGNATURE, body=urlencode(VECTOR_PAIRS).encode())
    assert a_check(VECTOR_ORIGIN, VECTOR_TOKEN).fields_of(delivery) == as_fields(VECTOR_PAIRS)


def test_twilios_published_body_vector_is_accepted() -> None:
    oracle = RequestValidator(VECTOR_TOKEN)
    assert oracle.validate(VECTOR_ORIGIN + VECTOR_BODY_TARGET, VECTOR_BODY.decode(), VECTOR_BODY_SIGNATURE)
    delivery = a_delivery(
        VECTOR_BODY_TARGET, signature=VECTOR_BODY_SIGNATURE, body=VECTOR_BODY, content_type="application/json"
    )
    assert a_check(VECTOR_ORIGIN, VECTOR_TOKEN).fields_of(delivery) == {b"property": [b"value"]}


def test_the_published_vector_with_another_token_url_or_value_is_refused() -> None:
    body = urlencode(VECTOR_PAIRS).encode()
    good = a_delivery(VECTOR_TARGET, signature=VECTOR_SIGNATURE, body=body)
    assert refusal(a_check(VECTOR_ORIGIN, "54321"), good) == "wrong"
    assert refusal(a_check("https://mycompany.net", VECTOR_TOKEN), good) == "wrong"
    for target, changed in (
        (VECTOR_TARGET + "&baz=3", body),
        (VECTOR_TARGET, body + b"&Extra=1"),
        (VECTOR_TARGET, body.replace(b"1234", b"1235", 1)),
    ):
        delivery = a_delivery(target, signature=VECTOR_SIGNATURE, body=changed)
        assert refusal(a_check(VECTOR_ORIGIN, VECTOR_TOKEN), delivery) == "wrong"


@few
@given(ORIGINS, TARGETS, FORMS)
@example(ORIGIN, "/twilio/call?", [("To", "b"), ("To", "a"), ("To", "b"), ("From", ""), ("呼叫", "é\u0000\ufffe")])
@example(ORIGIN, "/twilio/call?a=client%3AA", [("", ""), ("=", "&"), ("+", "%41")])
def test_whatever_twilios_library_signs_is_accepted_and_read_as_it_was_sent(
    origin: str, target: str, pairs: list[tuple[str, str]]
) -> None:
    signature = signature_by_twilio(TOKEN, origin + target, pairs)
    delivery = a_delivery(target, signature=signature, body=urlencode(pairs).encode())
    assert a_check(origin).fields_of(delivery) == as_fields(pairs)


@few
@given(st.binary(min_size=20, max_size=20), FORMS, st.sampled_from(("right", "random")))
def test_a_signature_is_accepted_exactly_where_twilios_validator_accepts_it(
    noise: bytes, pairs: list[tuple[str, str]], kind: str
) -> None:
    target = "/twilio/heard?t=abc-_"
    signature = signature_by_twilio(TOKEN, ORIGIN + target, pairs) if kind == "right" else b64encode(noise).decode()
    delivery = a_delivery(target, signature=signature, body=urlencode(pairs).encode())
    expected = RequestValidator(TOKEN).validate(ORIGIN + target, MultiDict(pairs), signature)
    try:
        a_check().fields_of(delivery)
    except SignatureRefusedError:
        accepted = False
    else:
        accepted = True
    assert accepted == expected


@pytest.mark.parametrize(
    ("origin", "signed"),
    [
        ("https://gw.example.org", "https://gw.example.org"),
        ("https://gw.example.org", "https://gw.example.org:443"),
        ("https://gw.example.org:443", "https://gw.example.org"),
        ("http://gw.example.org", "http://gw.example.org:80"),
        ("http://gw.example.org:80", "http://gw.example.org"),
        ("https://gw.example.org:8443", "https://gw.example.org:8443"),
        ("https://gw.example.org:8443", "https://gw.example.org"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]:443"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]"),
        ("https://Gateway.Example.Org", "https://Gateway.Example.Org"),
        ("https://Gateway.Example.Org", "https://Gateway.Example.Org:443"),
        ("https://Gateway.Example.Org:443", "https://Gateway.Example.Org"),
    ],
)
def test_an_origin_is_accepted_with_and_without_its_port(origin: str, signed: str) -> None:
    """ "The signature may be computed with or without the port" - so both are tried, as Twilio's own library does."""
    delivery = a_delivery(signature=signature_by_twilio(TOKEN, signed + TARGET, PAIRS))
    assert a_check(origin).fields_of(delivery) == as_fields(PAIRS)


@pytest.mark.parametrize(
    "signed",
    [
        "http://gateway.example.net",
        "https://gateway.example.net:8443",
        "https://gateway.example.net:80",
        "https://gateway.example.net.evil.example",
        "https://user:pass@gateway.example.net",
        "",
    ],
)
def test_another_scheme_port_or_host_is_refused(signed: str) -> None:
    delivery = a_delivery(signature=signature_by_twilio(TOKEN, signed + TARGET, PAIRS))
    assert refusal(a_check(), delivery) == "wrong"


@pytest.mark.parametrize(
    "target",
    [
        "/twilio/call?a=client%3AA",
        "/twilio/call?x=%E5%91%BC%E5%8F%AB",
        "/twilio/call?",
        "/twilio/call?t=a%20b+c",
        "/twilio/c%61ll",
        "/twilio/call?a=1&a=2&&",
        "/twilio/call?a=%",
        "/twilio/call?a=%FF%00",
    ],
)
def test_the_raw_target_is_what_is_verified(target: str) -> None:
    """Flask's `request.url` is decoded and would lose the signature of each of these."""
    delivery = a_delivery(target, signature=signature_by_twilio(TOKEN, ORIGIN + target, PAIRS))
    assert a_check().fields_of(delivery) == as_fields(PAIRS)


def test_a_target_of_raw_utf_8_bytes_is_verified_as_the_bytes_it_came_in() -> None:
    written = "/twilio/call?x=呼叫"
    as_gunicorn_hands_it_over = written.encode().decode("latin-1")
    delivery = a_delivery(as_gunicorn_hands_it_over, signature=signature_by_twilio(TOKEN, ORIGIN + written, PAIRS))
    assert a_check().fields_of(delivery) == as_fields(PAIRS)


def test_unescaped_utf_8_in_a_form_is_verified_as_the_text_it_is() -> None:
    pairs = [("From", "呼叫"), ("To", "é")]
    delivery = a_delivery(signature=signature_by_twilio(TOKEN, ORIGIN + TARGET, pairs), body="From=呼叫&To=é".encode())
    assert a_check().fields_of(delivery) == as_fields(pairs)


def test_escaped_bytes_that_are_no_utf_8_are_verified_as_the_signer_would_read_them() -> None:
    """Twilio signs characters; bytes that are none have become U+FFFD where it decoded them itself."""
    signature = signature_by_twilio(TOKEN, ORIGIN + TARGET, [("To", "\ufffd")])
    assert a_check().fields_of(a_delivery(signature=signature, body=b"To=%FF")) == as_fields([("To", "\ufffd")])


def test_either_token_may_sign_while_they_are_rotated() -> None:
    check = a_check(ORIGIN, "primary", "secondary")
    for token in ("primary", "secondary"):
        delivery = a_delivery(signature=signature_by_twilio(token, ORIGIN + TARGET, PAIRS))
        assert check.fields_of(delivery) == as_fields(PAIRS)
    for token in ("third", "", "primarysecondary"):
        assert refusal(check, a_delivery(signature=signature_by_twilio(token, ORIGIN + TARGET, PAIRS))) == "wrong"


def test_no_token_at_all_refuses_everything() -> None:
    check = SignatureCheck(ORIGIN, ())
    assert refusal(check, a_delivery(signature=signature_by_twilio("", ORIGIN + TARGET, PAIRS))) == "wrong"


def test_any_flipped_bit_of_a_signature_is_refused() -> None:
    digest = b64decode(signature_by_twilio(TOKEN, ORIGIN + TARGET, PAIRS))
    for bit in range(len(digest) * 8):
        flipped = bytearray(digest)
        flipped[bit // 8] ^= 1 << bit % 8
        assert refusal(a_check(), a_delivery(signature=b64encode(flipped).decode())) == "wrong"


GOOD = signature_by_twilio(TOKEN, ORIGIN + TARGET, PAIRS)


@pytest.mark.parametrize(
    "signature",
    [
        " ",
        "x",
        "é",
        "\u00ff" * 28,
        "\x00",
        "呼叫",
        "\ud800",
        "=" * 28,
        GOOD + " ",
        " " + GOOD,
        f"{GOOD},{GOOD}",
        GOOD[:-1],
        GOOD.swapcase(),
        GOOD.replace("+", "-").replace("/", "_") + "\n",
        "A" * 100_000,
    ],
)
def test_a_signature_that_is_garbage_is_refused(signature: str) -> None:
    assert refusal(a_check(), a_delivery(signature=signature)) == "wrong"


def test_a_missing_signature_is_told_from_a_wrong_one() -> None:
    assert refusal(a_check(), a_delivery(signature="")) == "missing"


def test_a_form_with_more_fields_than_any_provider_sends_is_refused() -> None:
    pairs = [(f"Field{number}", "") for number in range(10_000)]
    signature = signature_by_twilio(TOKEN, ORIGIN + TARGET, pairs)
    delivery = a_delivery(signature=signature, body=urlencode(pairs).encode())
    assert "too many fields" in refusal(a_check(), delivery)


@pytest.mark.parametrize("content_type", [JSON, "Application/JSON; charset=utf-8", " application/json ;x"])
def test_a_json_body_is_verified_by_the_hash_in_the_signed_url(content_type: str) -> None:
    body = b'{"To": "+12025550110", "From": "\xe5\x91\xbc", "Digits": 1, "Deep": {"To": "x"}}'
    signature = signature_by_twilio(TOKEN, ORIGIN + a_json_target(body), [])
    delivery = a_delivery(a_json_target(body), signature=signature, body=body, content_type=content_type)
    assert a_check().fields_of(delivery) == {b"To": [b"+12025550110"], b"From": ["呼".encode()]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"To"',
        b"1",
        b"NaN",
        b"{",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"To":' * 200_000,
        b'{"To": ' + b"1" * 5000 + b"}",
    ],
    ids=[
        "empty",
        "null",
        "list",
        "text",
        "number",
        "nan",
        "broken",
        "bytes",
        "deep list",
        "deep object",
        "long number",
    ],
)
def test_an_authentic_json_body_that_is_no_object_of_texts_has_no_fields(body: bytes) -> None:
    signature = signature_by_twilio(TOKEN, ORIGIN + a_json_target(body), [])
    delivery = a_delivery(a_json_target(body), signature=signature, body=body, content_type=JSON)
    assert a_check().fields_of(delivery) == {}


def test_a_lone_surrogate_in_json_ends_as_a_replacement_character() -> None:
    body = rb'{"To": "\ud800x", "\udfff": "y"}'
    signature = signature_by_twilio(TOKEN, ORIGIN + a_json_target(body), [])
    params = a_twilio().verify(a_delivery(a_json_target(body), signature=signature, body=body, content_type=JSON))
    assert set(params) == {"To"}
    assert params["To"][0].endswith("x")
    assert params["To"][0].encode()


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?bodySHA256=",
        f"?bodySHA256={'0' * 64}",
        "?bodysha256={sha256}",
        "?bodySHA256={sha256}&bodySHA256={sha256}",
        "?bodySHA256={sha256}&bodySHA256=0",
        "?bodySHA256={sha256}x",
        "?bodySHA256=%E5%91%BC",
    ],
)
def test_a_json_body_without_exactly_one_right_hash_is_refused_although_the_url_is_signed(query: str) -> None:
    target = TARGET + query.replace("{sha256}", hashlib.sha256(VECTOR_BODY).hexdigest())
    signature = signature_by_twilio(TOKEN, ORIGIN + target, [])
    delivery = a_delivery(target, signature=signature, body=VECTOR_BODY, content_type=JSON)
    assert refusal(a_check(), delivery) == "wrong"


def test_a_right_hash_in_an_unsigned_url_is_refused() -> None:
    delivery = a_delivery(a_json_target(VECTOR_BODY), signature=GOOD, body=VECTOR_BODY, content_type=JSON)
    assert refusal(a_check(), delivery) == "wrong"


def test_a_body_hash_in_the_url_does_not_excuse_a_form_from_being_signed() -> None:
    """twilio-python returns True for a dict with such a URL and leaves the body unchecked."""
    body = urlencode(PAIRS).encode()
    signature = signature_by_twilio(TOKEN, ORIGIN + a_json_target(body), [])
    for content_type in (FORM, "", "text/plain", "application/jsonp", "text/json"):
        delivery = a_delivery(a_json_target(body), signature=signature, body=body, content_type=content_type)
        assert refusal(a_check(), delivery) == "wrong"


def test_a_name_that_borrows_from_its_value_has_the_same_signature_and_is_never_read() -> None:
    """`From` and `+1` are signed as `Fr` and `om+1` are: a signature does not say where a name ends."""
    moved = [("CallSid", "CA1"), ("Fr", "om+12025550188"), ("To+1", "2025550110")]
    delivery = a_delivery(signature=GOOD, body=urlencode(moved).encode())
    assert a_twilio().verify(delivery) == {"CallSid": ("CA1",)}


def test_only_post_is_allowed_on_every_webhook(sqlite_telephone: Telephone) -> None:
    client = sqlite_telephone.app.test_client()
    for event in Event:
        for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
            assert client.open(f"/twilio/{event.value}", method=method).status_code == 405


@pytest.mark.parametrize(
    "target",
    [
        "/twilio/call?",
        "/twilio/call?a=client%3AA&x=%E5%91%BC",
        "/twilio/c%61ll",
        "http://127.0.0.1:8080/twilio/call?a=%3A",
    ],
)
def test_targets_survive_the_way_through_the_web_service(sqlite_telephone: Telephone, target: str) -> None:
    """RFC 9112 3.2.2: a server must accept the absolute form of a request target."""
    path = target.removeprefix(sqlite_telephone.origin)
    fields = arriving("+12025550199")
    signature = signature_by_twilio(sqlite_telephone.token, sqlite_telephone.origin + path, list(fields.items()))
    answer = sqlite_telephone.post_raw(target, urlencode(fields).encode(), headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 200
