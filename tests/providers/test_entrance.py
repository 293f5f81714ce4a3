"""The entrance as a WSGI program: what it does with requests that no well-kept provider or server would send."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
from prometheus_client import CollectorRegistry
from twilio.request_validator import RequestValidator
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app

from gateway.app import Running
from gateway.clock import utc_now
from gateway.dialects import dialects
from gateway.domain.plan import Decision
from gateway.metrics import Metrics
from gateway.privacy.token import TokenSealer
from gateway.providers.entrance import Entrance, Switchboard
from gateway.register.screen import Screen
from gateway.workflows.call_desk import make_call_desk
from gateway.workflows.count_calls import Tally
from tests.contract.scene import REFUSED, counted, verbs
from tests.telephone import Telephone, arriving

CALL = "/twilio/call"
FIELDS = arriving("+12025550199", caller="Anonymous", sid="CA00000000000000000000000000000001")


def send(
    telephone: Telephone, changed: Mapping[str, object] | None = None, *, without: tuple[str, ...] = ()
) -> TestResponse:
    """Send a signed webhook with another environment than a server's usual one."""
    signature = RequestValidator(telephone.token).compute_signature(telephone.origin + CALL, FIELDS)
    body = urlencode(FIELDS).encode()
    built = EnvironBuilder(
        path=CALL,
        method="POST",
        data=body,
        content_type="application/x-www-form-urlencoded",
        headers=[("X-Twilio-Signature", signature)],
    )
    environ: dict[str, Any] = dict(built.get_environ())
    environ.update(changed or {})
    for name in without:
        environ.pop(name, None)
    return TestResponse(*run_wsgi_app(telephone.app.wsgi_app, environ), EnvironBuilder(path=CALL).get_request())


def a_body() -> bytes:
    return urlencode(FIELDS).encode()


def test_what_is_not_a_webhook_is_not_found_and_counts_as_nothing(sqlite_telephone: Telephone) -> None:
    for path in ("/twilio/", "/twilio/calls", "/twilio/call/", "/twilio/call/more"):
        answer = sqlite_telephone.app.test_client().post(path)
        assert (answer.status_code, answer.text) == (404, "404: there is nothing at this address\n")
    assert counted(sqlite_telephone, REFUSED) == 0


def test_a_wrong_method_is_told_the_right_one(sqlite_telephone: Telephone) -> None:
    for method in ("GET", "PUT", "OPTIONS", "DELETE"):
        answer = sqlite_telephone.app.test_client().open(CALL, method=method)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_a_body_in_chunks_is_read_to_its_end(sqlite_telephone: Telephone) -> None:
    chunked = {"wsgi.input": BytesIO(a_body()), "wsgi.input_terminated": True}
    answer = send(sqlite_telephone, chunked, without=("CONTENT_LENGTH",))
    assert (answer.status_code, verbs(answer)) == (200, ["Dial"])


def test_a_body_in_chunks_that_never_ends_is_refused_at_the_limit(sqlite_telephone: Telephone) -> None:
    endless = {"wsgi.input": BytesIO(b"a" * 5_000_000), "wsgi.input_terminated": True}
    assert send(sqlite_telephone, endless, without=("CONTENT_LENGTH",)).status_code == 413
    assert counted(sqlite_telephone, REFUSED) == 1


@pytest.mark.parametrize("stated", ["-1", "many", "1e3", "٣", ""])
def test_a_length_that_is_no_length_is_refused_and_nothing_breaks(sqlite_telephone: Telephone, stated: str) -> None:
    answer = send(sqlite_telephone, {"CONTENT_LENGTH": stated})
    assert 400 <= answer.status_code < 500


def test_a_body_that_ends_before_its_length_is_refused(sqlite_telephone: Telephone) -> None:
    short = send(sqlite_telephone, {"wsgi.input": BytesIO(a_body()[:-20])})
    assert short.status_code in {400, 403}


@pytest.mark.parametrize(
    "target",
    [
        {"RAW_URI": CALL},
        {"RAW_URI": "", "REQUEST_URI": CALL},
        {"RAW_URI": "", "REQUEST_URI": ""},
        {"RAW_URI": f"http://gateway.example.org{CALL}"},
    ],
    ids=["gunicorn", "Werkzeug", "neither", "absolute"],
)
def test_the_target_is_found_behind_every_server(sqlite_telephone: Telephone, target: Mapping[str, str]) -> None:
    assert send(sqlite_telephone, target).status_code == 200


def test_an_answer_states_its_length_and_type_and_nothing_else(sqlite_telephone: Telephone) -> None:
    answer = send(sqlite_telephone)
    assert dict(answer.headers) == {
        "Content-Type": "text/xml; charset=utf-8",
        "Content-Length": str(len(answer.data)),
    }


def test_a_status_webhook_gets_no_content_and_no_length(sqlite_telephone: Telephone) -> None:
    answer = sqlite_telephone.post("/twilio/status", {**FIELDS, "CallStatus": "completed"})
    assert (answer.status_code, answer.data, "Content-Length" in answer.headers) == (204, b"", False)


def test_a_defect_before_the_signature_is_an_error_without_a_trace(sqlite_telephone: Telephone) -> None:
    class Broken:
        def read(self, _size: int = -1) -> bytes:
            raise RuntimeError("the cable is cut")

    answer = send(sqlite_telephone, {"wsgi.input": Broken()})
    assert (answer.status_code, answer.text) == (500, "500: an error on our side; it is in the log\n")


class Broken(Tally):
    """A tally that cannot count."""

    def count(self, outcome: Decision) -> None:
        raise RuntimeError(f"no place for {outcome}")


def test_an_answer_that_cannot_be_counted_connects_all_the_same(sqlite_telephone: Telephone) -> None:
    running: Running = sqlite_telephone.app.extensions["notice_gateway"]
    parts, screen = running.parts, Screen(running.parts.keys)
    desk = make_call_desk(engine=parts.calls, office=parts.wishes, screen=screen, keys=parts.keys)
    metrics, sealer = Metrics(CollectorRegistry()), TokenSealer(parts.keys)
    switchboard = Switchboard(desk=desk, metrics=metrics, sealer=sealer, tally=Broken(utc_now()))
    sqlite_telephone.app.wsgi_app = Entrance(dialects(parts), switchboard, largest=10_000)  # type: ignore[method-assign]
    answer = send(sqlite_telephone)
    assert (answer.status_code, verbs(answer)) == (200, ["Dial"])
