import importlib
import json
import pkgutil

import pytest
from flask import Response
from sqlalchemy import Engine, create_engine
from werkzeug.test import TestResponse

import gateway
from gateway import log
from gateway.api.v1.app import ROUTES, make_api
from gateway.api.v1.desk import Desk
from gateway.api.v1.docs import kinds_of
from gateway.api.v1.route import Answer, Call, Route
from gateway.domain.errors import GatewayError
from gateway.domain.rights import Role
from gateway.workflows.codes import ELSEWHERE, FIELDS, OURS, PERSONAL, STATUSES
from gateway.workflows.office import Office
from tests.api.builders import Registry

COURT = {"id": "meadow", "name": "Court", "zone": "Europe/London"}


def test_every_error_of_the_gateway_has_a_status() -> None:
    for found in pkgutil.walk_packages(gateway.__path__, "gateway."):
        if "migrations" not in found.name and found.name != "gateway.wsgi":
            importlib.import_module(found.name)
    codes = {kind.code for kind in kinds_of(GatewayError) if kind.__module__.startswith("gateway.")}
    assert codes - set(STATUSES) - ELSEWHERE == set()
    assert set(STATUSES) & ELSEWHERE == set()
    assert (set(FIELDS) | set(PERSONAL) | OURS) - set(STATUSES) == set()


def problem_of(answer: TestResponse | Response) -> dict[str, object]:
    assert answer.content_type == "application/problem+json"
    found: dict[str, object] = json.loads(answer.get_data())
    assert set(found) >= {"type", "title", "status", "detail", "code", "errors"}
    assert found["status"] == answer.status_code
    assert found["type"] == f"/api/v1/docs#{found['code']}"
    assert found["detail"]
    return found


# Method, path, body, content type; status and code.
REFUSED = [
    ("GET", "/nothing", b"", "", 404, "unknown_address"),
    ("GET", "/courts/%00", b"", "", 404, "unknown_address"),
    ("GET", "/courts/" + "x" * 65, b"", "", 404, "unknown_address"),
    ("PUT", "/courts", b"", "", 405, "wrong_method"),
    ("OPTIONS", "/courts", b"", "", 405, "wrong_method"),
    ("POST", "/courts", b"{}", "text/plain", 415, "wrong_content_type"),
    ("POST", "/courts", b"{}", "", 415, "wrong_content_type"),
    ("POST", "/courts", b"{", "application/json", 400, "malformed_json"),
    ("POST", "/courts", b"", "application/json", 400, "malformed_json"),
    ("POST", "/courts", b"\xff", "application/json", 400, "malformed_json"),
    ("POST", "/courts", b'{"a":NaN}', "application/json", 400, "malformed_json"),
    ("POST", "/courts", b"[" * 100_000, "application/json", 400, "malformed_json"),
    ("POST", "/courts", b"9" * 5000, "application/json", 400, "malformed_json"),
    ("POST", "/courts", b"[]", "application/json", 422, "invalid_fields"),
    ("POST", "/courts", b'{"id":"\\ud800"}', "application/json", 422, "invalid_fields"),
    ("POST", "/courts", b'{"\\ud800":1}', "application/json", 422, "invalid_fields"),
    ("POST", "/courts", b" " * 1_000_001, "application/json", 413, "too_large"),
    ("GET", "/courts?limit=0", b"", "", 422, "invalid_fields"),
    ("GET", "/courts?limit=201", b"", "", 422, "invalid_fields"),
    ("GET", "/courts?colour=red", b"", "", 422, "invalid_fields"),
    ("GET", "/courts?cursor=!", b"", "", 422, "bad_cursor"),
    ("GET", "/courts?cursor=WzFd", b"", "", 422, "bad_cursor"),
    ("GET", "/courts?cursor=WyJhXHUwMDAwIl0", b"", "", 422, "bad_cursor"),
    ("GET", "/audit?cursor=WzFlOTld", b"", "", 422, "bad_cursor"),
    ("GET", "/audit?since=2026-01-01T00:00:00", b"", "", 422, "invalid_fields"),
    ("GET", "/orders?state=sleeping", b"", "", 422, "invalid_fields"),
]


@pytest.mark.parametrize(
    "row", REFUSED, ids=[f"{row[0]} {row[1][:30]} {row[5]} {index}" for index, row in enumerate(REFUSED)]
)
def test_whatever_is_sent_the_answer_is_a_problem_in_one_shape(
    sqlite_registry: Registry, row: tuple[str, str, bytes, str, int, str]
) -> None:
    method, path, body, media, status, code = row
    person = sqlite_registry.everybody_in_one()
    answer = person.send(method, path, body, {"Content-Type": media} if media else {})
    assert (answer.status_code, problem_of(answer)["code"]) == (status, code)


def test_a_field_that_a_client_made_up_cannot_break_the_answer(sqlite_registry: Registry) -> None:
    person = sqlite_registry.everybody_in_one()
    body = b'{"a/b~": 1, "id": "meadow", "name": "Court", "zone": "Europe/London"}'
    answer = person.send("POST", "/courts", body, {"Content-Type": "application/json"})
    errors = problem_of(answer)["errors"]
    assert isinstance(errors, list)
    assert ascii(errors[0]["field"]) == ascii("/a~1b~0")


def test_a_defect_of_ours_is_told_without_a_trace_and_logged_without_its_message(
    sqlite_registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_call: Call) -> Answer:
        """Break."""
        raise RuntimeError("canary +442079460110")

    route = Route(name="show_self", method="GET", path="/me", handler=broken, tag="Courts")
    api = make_api(sqlite_registry.desk, routes=(route,))
    person = sqlite_registry.everybody_in_one()
    log.configure("info")
    answer = api.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {person.token}"})
    assert (answer.status_code, problem_of(answer)["code"]) == (500, "internal_error")
    logged = capsys.readouterr().err
    assert "canary" not in answer.text + logged
    assert "+44" not in answer.text + logged
    assert "Traceback" not in answer.text
    assert "RuntimeError" not in answer.text
    assert "RuntimeError" in logged


def test_the_log_has_one_line_a_request_and_nothing_of_what_was_sent(
    sqlite_registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    court = sqlite_registry.a_court()
    clerk = sqlite_registry.somebody(Role.CLERK)
    body = sqlite_registry.an_order(court, case_number="CANARY-1", lines=[{"number": "+442079460177"}])
    log.configure("info")
    capsys.readouterr()
    order = clerk.post("/orders", body).json
    clerk.post("/orders/search", {"line": "+442079460177"})
    assert order is not None
    clerk.get(f"/orders/{order['id']}")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["endpoint"] for line in lines] == ["draft_order", "search_orders", "show_order"]
    assert {line["event"] for line in lines} == {"api_request"}
    assert {line["actor"] for line in lines} == {clerk.person_id}
    for canary in ("CANARY", "442079460177", "Example Trading", clerk.token, order["id"]):
        assert canary not in json.dumps(lines)


def test_an_outage_of_the_database_is_told_as_one(sqlite_registry: Registry) -> None:
    desk, person = sqlite_registry.desk, sqlite_registry.everybody_in_one()
    away: Engine = create_engine("sqlite:////nowhere/at/all.sqlite3")
    office = Office(studio=desk.office.studio, vault=desk.office.vault, reading=away)
    api = make_api(Desk(office=office, people=desk.people))
    answer = api.test_client().get("/api/v1/courts", headers={"Authorization": f"Bearer {person.token}"})
    assert (answer.status_code, problem_of(answer)["code"]) == (503, "database_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_every_answer_carries_the_headers_that_keep_it_safe(sqlite_registry: Registry) -> None:
    person = sqlite_registry.everybody_in_one()
    for path in ("/courts", "/nothing", "/courts/absent"):
        headers = person.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Access-Control-Allow-Origin" not in headers


def test_no_refusal_is_about_a_field_that_no_body_has() -> None:
    known = {name for route in ROUTES if route.body is not None for name in route.body.model_fields}
    known |= {"subject", "document", "recording", "cursor", "until"}
    for pointer in FIELDS.values():
        if pointer[0] in "/?":
            assert pointer.strip("/?").split("/")[0] in known, pointer
