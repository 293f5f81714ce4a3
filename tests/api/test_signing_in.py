from datetime import timedelta

import pyotp
import pytest
from werkzeug.test import TestResponse

from gateway.app import Running, create_app
from gateway.clock import utc_now
from gateway.domain.rights import Right, Role
from gateway.people import sessions
from gateway.people.sessions import Method
from gateway.settings import Settings
from tests.api.builders import Person, Registry, in_court

PASSWORD = "quite a long phrase of nobody's"


def json_of(answer: TestResponse) -> dict[str, object]:
    assert answer.json is not None, answer.text
    found: dict[str, object] = answer.json
    return found


def test_a_new_person_enrols_signs_in_works_and_signs_out(registry: Registry) -> None:
    admin, court = registry.everybody_in_one(), registry.a_court()
    draft = {
        "login": "new.clerk@example.org",
        "name": "A. Clerk",
        "roles": [{"role": "clerk", "court": court}],
    }
    added = json_of(admin.post("/people", draft))
    nobody = registry.client
    begun = json_of(nobody.post("/api/v1/enrolments/begin", json={"code": added["enrolment_code"]}))
    app = pyotp.parse_uri(str(begun["totp_uri"]))
    assert isinstance(app, pyotp.TOTP)
    now = utc_now()
    finished = nobody.post(
        "/api/v1/enrolments/password",
        json={
            "code": added["enrolment_code"],
            "ticket": begun["ticket"],
            "password": PASSWORD,
            "totp_code": app.at(now - timedelta(seconds=30)),
        },
    )
    assert finished.status_code == 200, finished.text
    typed = {"login": "New.Clerk@example.org", "password": PASSWORD, "code": app.at(utc_now())}
    opened = nobody.post("/api/v1/sessions", json=typed)
    assert opened.status_code == 201, opened.text
    person = Person(person_id=str(json_of(finished)["person"]), token=str(json_of(opened)["token"]), client=nobody)
    me = json_of(person.get("/me"))
    assert me["id"] == person.person_id
    assert {"right": "orders:draft", "court": court, "district": None} in me["grants"]  # type: ignore[operator]
    again = nobody.post("/api/v1/sessions", json=typed)
    assert (again.status_code, json_of(again)["code"]) == (401, "wrong_credentials")
    assert person.delete("/sessions/current").status_code == 204
    assert person.get("/me").status_code == 401


def test_who_guesses_has_to_wait_and_is_told_how_long(sqlite_registry: Registry) -> None:
    typed = {"login": "nobody@example.org", "password": "wrong wrong wrong", "code": "123456"}
    answers = [sqlite_registry.client.post("/api/v1/sessions", json=typed) for _ in range(8)]
    refused = answers[-1]
    assert answers[0].status_code == 401
    assert (refused.status_code, json_of(refused)["code"]) == (429, "too_many_attempts")
    assert int(refused.headers["Retry-After"]) == json_of(refused)["retry_after"]
    assert all("nobody@example.org" not in answer.text for answer in answers)


def test_a_session_that_is_over_or_closed_opens_nothing(registry: Registry) -> None:
    person = registry.somebody(Role.CLERK)
    with registry.desk.office.engine.begin() as connection:
        old = sessions.open_(
            connection, registry.desk.keys, person.person_id, Method.PASSWORD, utc_now() - timedelta(hours=13)
        )
    stale = Person(person_id=person.person_id, token=old.token, client=registry.client)
    answer = stale.get("/me")
    assert (answer.status_code, json_of(answer)["code"]) == (401, "session_expired")
    assert json_of(person.post(f"/people/{person.person_id}/sign-out"))["closed"] == 1
    assert person.get("/me").status_code == 401


def test_a_session_in_use_stays_open(registry: Registry) -> None:
    person = registry.somebody(Role.CLERK)
    with registry.desk.office.engine.begin() as connection:
        opened = sessions.open_(
            connection, registry.desk.keys, person.person_id, Method.PASSWORD, utc_now() - timedelta(minutes=29)
        )
    used = Person(person_id=person.person_id, token=opened.token, client=registry.client)
    assert used.get("/me").status_code == 200
    with registry.desk.reading.connect() as connection:
        later = utc_now() + timedelta(minutes=29)
        assert sessions.find(connection, registry.desk.keys, opened.token, later).person_id == person.person_id


def test_who_loses_a_role_is_stopped_at_the_next_request(registry: Registry) -> None:
    admin, court = registry.everybody_in_one(), registry.a_court()
    clerk = registry.somebody(Role.CLERK, scope=in_court(court))
    assert clerk.get("/orders").status_code == 200
    taken = admin.post(f"/people/{clerk.person_id}/roles/take", {"role": "clerk", "court": court})
    assert taken.status_code == 200, taken.text
    assert clerk.get("/orders").status_code == 403
    closed = admin.post(f"/people/{clerk.person_id}/close", {"revoke_keys": True})
    assert closed.status_code == 200, closed.text
    assert clerk.get("/me").status_code == 401


def test_an_api_key_is_shown_once_scoped_and_revocable(registry: Registry) -> None:
    admin, court = registry.everybody_in_one(), registry.a_court()
    wanted = {
        "name": "Case system",
        "rights": ["orders:read"],
        "court": court,
        "expires_at": (utc_now() + timedelta(days=30)).isoformat(),
    }
    issued = admin.post("/api-keys", wanted)
    assert issued.status_code == 201, issued.text
    token, key = str(json_of(issued)["token"]), json_of(issued)["key"]
    assert isinstance(key, dict)
    program = Person(person_id=key["id"], token=token, client=registry.client)
    assert program.get("/orders").status_code == 200
    assert program.get("/audit").status_code == 403
    assert token not in admin.get(f"/api-keys/{key['id']}").text + admin.get("/api-keys").text
    assert admin.post(f"/api-keys/{key['id']}/revoke").status_code == 200
    answer = program.get("/orders")
    assert (answer.status_code, json_of(answer)["code"]) == (401, "api_key_revoked")


@pytest.mark.parametrize("right", [Right.ORDERS_APPROVE, Right.PEOPLE_MANAGE, Right.DISPUTES_RESOLVE])
def test_no_key_gets_a_right_that_a_person_must_answer_for(sqlite_registry: Registry, right: Right) -> None:
    admin = sqlite_registry.everybody_in_one()
    until = (utc_now() + timedelta(days=30)).isoformat()
    answer = admin.post("/api-keys", {"name": "X", "rights": [right.value], "expires_at": until})
    assert (answer.status_code, json_of(answer)["code"]) == (422, "key_rights")


def test_an_administrator_of_one_court_gives_no_role_elsewhere(registry: Registry) -> None:
    own, other = registry.a_court("hillside"), registry.a_court("seaside")
    admin = registry.somebody(Role.ADMINISTRATOR, scope=in_court(own))
    clerk = registry.somebody(Role.CLERK, scope=in_court(own))
    assert admin.post(f"/people/{clerk.person_id}/roles", {"role": "approver", "court": own}).status_code == 200
    assert admin.post(f"/people/{clerk.person_id}/roles", {"role": "approver", "court": other}).status_code == 404
    assert admin.post(f"/people/{clerk.person_id}/roles", {"role": "approver"}).status_code == 403


def test_without_a_provider_nobody_signs_in_there(sqlite_registry: Registry) -> None:
    answer = sqlite_registry.client.post("/api/v1/sessions/oidc/begin")
    assert (answer.status_code, json_of(answer)["code"]) == (404, "no_provider")


def test_the_whole_program_answers_telephones_and_the_api_each_by_its_own(sqlite_settings: Settings) -> None:
    app = create_app(sqlite_settings)
    running: Running = app.extensions["notice_gateway"]
    try:
        client = app.test_client()
        assert client.get("/healthz").status_code == 200
        assert client.get("/api/v1/courts").content_type == "application/problem+json"
        assert client.get("/api/v1/openapi.json").status_code == 200
        assert client.post("/twilio/call").status_code == 403
        assert client.get("/api").content_type != "application/problem+json"
    finally:
        running.stop()
