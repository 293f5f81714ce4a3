"""Promise 3 over SIP: no answer on the caller's leg carries, links or hints at a notice about a person."""

import base64
import json
import secrets
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from werkzeug.test import TestResponse

from gateway.app import Running, create_app
from gateway.clock import utc_now
from gateway.privacy.token import TokenSealer
from gateway.providers.dialect import Event
from gateway.settings import DEMO_TOKEN, Settings
from tests.contract.scene import order_on, parts_of, plays_in, put_at_noon
from tests.contract.ways import Signer, SipWay
from tests.providers.test_privacy import (
    CALLERS_LEG,
    FREE,
    LINES,
    PERSONS,
    PURPOSES,
    WARNED,
    assert_says_nothing_private,
    kept_from_callers,
    secrets_of_cases,
)
from tests.telephone import Telephone

SECRET = "a-secret-of-the-property"
LIFETIME = timedelta(minutes=15)


@pytest.fixture
def telephone(sqlite_settings: Settings) -> Iterator[Telephone]:
    """The demo with SIP switched on, every person's line inside permitted hours."""
    app = create_app(sqlite_settings.model_copy(update={"sip_secret": SecretStr(SECRET)}))
    running: Running = app.extensions["notice_gateway"]
    for line in PERSONS:
        put_at_noon(running.parts, line)
    yield Telephone(app=app, origin=sqlite_settings.public_origin, token=DEMO_TOKEN)
    running.stop()


def signer_of(telephone: Telephone) -> Signer:
    return Signer(app=telephone.app, secret=SECRET)


def a_report(line: str, **more: str) -> dict[str, str]:
    return {"call": "7@edge", "attempt": secrets.token_hex(8), "caller": "+12025550188", "callee": line, **more}


def a_token(telephone: Telephone, report: dict[str, str], event: Event, purpose: str) -> str:
    """Seal a good token for any event, as if the gateway had handed it out."""
    line = report["callee"]
    order = order_on(telephone, line) if line in LINES else "ord_none"
    state = {"call": f"{report['call']} {report['attempt']}", "callee": line, "order": order, "purpose": purpose}
    return TokenSealer(parts_of(telephone).keys).seal(state, use=event.value, now=utc_now(), lifetime=LIFETIME)


def steps_in(answer: TestResponse) -> list[dict[str, dict[str, Any]]]:
    return list(json.loads(answer.data)["steps"]) if answer.status_code == 200 else []


def played_to(answer: TestResponse) -> set[str]:
    """Return on which legs an answer plays anything."""
    return {step["play"]["to"] for step in steps_in(answer) if "play" in step}


@pytest.mark.parametrize("line", [*LINES, FREE])
def test_no_event_on_the_callers_leg_of_any_line_tells_of_a_private_matter(telephone: Telephone, line: str) -> None:
    kept, names = kept_from_callers(telephone), secrets_of_cases(telephone)
    assert len(kept) >= 3
    signer = signer_of(telephone)
    for event, key, outcome, with_token in product(CALLERS_LEG, ("", "1", "9"), ("", "failed"), (True, False)):
        report = a_report(line, key=key, outcome=outcome)
        token = f"?t={a_token(telephone, report, event, 'private')}" if with_token else ""
        answer = signer.post(f"/sip/{event.value}{token}", report)
        assert answer.status_code in {200, 204}
        assert_says_nothing_private(answer, kept, names)
        assert "callee" not in played_to(answer)
        if line in PERSONS:
            assert played_to(answer) == set()


def test_no_mixture_of_fields_and_tokens_brings_a_private_matter_to_the_callers_leg(telephone: Telephone) -> None:
    kept, names = kept_from_callers(telephone), secrets_of_cases(telephone)
    signer = signer_of(telephone)

    @settings(max_examples=100, deadline=None)
    @given(
        line=st.sampled_from([*LINES, FREE]),
        event=st.sampled_from(CALLERS_LEG),
        made_for=st.sampled_from([*Event, None]),
        purpose=st.sampled_from(PURPOSES),
        key=st.sampled_from(["", *"0123456789*#"]),
        meddled=st.dictionaries(
            st.sampled_from(["caller", "mark", "outcome", "call", "attempt"]),
            st.sampled_from(["", *PERSONS, "private", "completed", "0" * 16]),
            max_size=3,
        ),
    )
    def holds(line: str, event: Event, made_for: Event | None, purpose: str, key: str, meddled: dict[str, str]) -> None:
        report = a_report(line, key=key)
        token = a_token(telephone, report, made_for, purpose) if made_for else ""
        answer = signer.post(f"/sip/{event.value}?t={token}", {**report, **meddled})
        assert_says_nothing_private(answer, kept, names)
        assert "callee" not in played_to(answer)

    holds()


def test_what_is_for_the_callee_is_never_to_be_played_to_the_caller(telephone: Telephone) -> None:
    call = SipWay(signer_of(telephone), PERSONS[0])
    kept = kept_from_callers(telephone)
    opener = call.picked_up(call.comes_in())
    content = call.pressed(opener, "1", by_callee=True)
    assert set(opener.files) | set(content.files) <= kept
    assert {row.leg for row in plays_in(telephone)} == {"B"}


def test_the_two_kinds_of_callee_notice_look_alike_in_the_answer_to_an_arriving_call(telephone: Telephone) -> None:
    """Who listens there sees that somebody will be spoken to, and not about what: not by a length either."""
    shapes = set()
    for line in (WARNED, "+12025550120"):
        steps = steps_in(signer_of(telephone).post("/sip/call", a_report(line)))
        whisper = str(steps[0]["connect"].pop("whisper"))
        shapes.add(f"{steps} {len(whisper)}")
        token = whisper.partition("?t=")[2]
        sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        for text in (order_on(telephone, line), line[1:], "order", "callee", *PURPOSES):
            assert text.encode() not in sealed
    assert len(shapes) == 1


def test_a_request_that_is_not_signed_gets_nothing(telephone: Telephone) -> None:
    body = json.dumps({"version": 1, **a_report("+12025550110")}).encode()
    assert telephone.post_raw("/sip/call", body, content_type="application/json").status_code == 403
    assert Signer(app=telephone.app, secret="another-secret").post("/sip/call", a_report(FREE)).status_code == 403


def test_sip_is_off_without_its_secret(sqlite_telephone: Telephone) -> None:
    answer = Signer(app=sqlite_telephone.app, secret=SECRET).post("/sip/call", a_report(FREE))
    assert answer.status_code == 404


def test_a_gateway_for_sip_alone_has_no_other_entrance(sqlite_settings: Settings) -> None:
    sqlite_settings.demo_mark.unlink()
    app = create_app(sqlite_settings.model_copy(update={"sip_secret": SecretStr(SECRET)}))
    running: Running = app.extensions["notice_gateway"]
    try:
        signer = Signer(app=app, secret=SECRET)
        assert signer.post("/sip/call", a_report(FREE)).status_code == 200
        assert signer.post("/twilio/call", a_report(FREE)).status_code == 404
    finally:
        running.stop()
