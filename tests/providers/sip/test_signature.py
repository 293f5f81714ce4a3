"""Only what the bridge signed just now, for this address and with this body, is read at all."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.providers.dialect import Delivery, Event, SignatureRefusedError
from gateway.providers.sip.signature import SignatureCheck, sign
from tests.builders import NOW

SECRET, OLD, TARGET = "the-secret-of-the-bridge", "the-secret-before-that", "/sip/call"
BODY = json.dumps({"version": 1, "call": "a@b", "callee": "+442079460110"}).encode()


def a_delivery(signature: str, *, target: str = TARGET, body: bytes = BODY) -> Delivery:
    return Delivery(event=Event.CALL, target=target, content_type="application/json", signature=signature, body=body)


def refusal(delivery: Delivery, *, late: float = 0, secrets: tuple[str, ...] = (SECRET, OLD)) -> str:
    """Return why a request is refused `late` seconds after it was signed; empty where it is not."""
    try:
        SignatureCheck(secrets, lambda: NOW + timedelta(seconds=late)).demand(delivery)
    except SignatureRefusedError as error:
        return str(error.details["why"])
    return ""


@pytest.mark.parametrize("secret", [SECRET, OLD])
def test_what_either_secret_signed_is_let_in(secret: str) -> None:
    assert refusal(a_delivery(sign(secret, TARGET, BODY, NOW))) == ""


@pytest.mark.parametrize(
    ("late", "why"), [(60, ""), (-60, ""), (61, "too old or too new"), (-62, "too old or too new")]
)
def test_a_signature_holds_for_a_minute(late: float, why: str) -> None:
    assert refusal(a_delivery(sign(SECRET, TARGET, BODY, NOW)), late=late) == why


def test_a_signature_of_another_secret_address_or_body_is_wrong() -> None:
    good = sign(SECRET, TARGET, BODY, NOW)
    assert refusal(a_delivery(sign("another-secret-altogether", TARGET, BODY, NOW))) == "wrong"
    assert refusal(a_delivery(good, target="/sip/status")) == "wrong"
    assert refusal(a_delivery(good, target=TARGET + "?t=x")) == "wrong"
    assert refusal(a_delivery(good, body=BODY.replace(b"0110", b"0111"))) == "wrong"
    assert refusal(a_delivery(good), secrets=()) == "wrong"


def test_the_time_cannot_be_moved_without_the_secret() -> None:
    stale = sign(SECRET, TARGET, BODY, NOW - timedelta(hours=1))
    _, _, digest = stale.partition(",")
    assert refusal(a_delivery(f"t={int(NOW.timestamp())},{digest}")) == "wrong"


@pytest.mark.parametrize(
    "signature", ["", "t=1", "v1=00", "t=,v1=", "t=1,v1=" + "g" * 64, "t=-1,v1=" + "0" * 64, "é" * 80]
)
def test_no_signature_and_a_misshapen_one_are_refused(signature: str) -> None:
    assert refusal(a_delivery(signature)) == ("wrong" if signature else "missing")


@given(st.text(max_size=120), st.binary(max_size=50))
def test_junk_is_refused_and_never_an_error(signature: str, body: bytes) -> None:
    assert refusal(a_delivery(signature, body=body)) in {"wrong", "missing"}
