import json
import re

from flask import Response
from werkzeug.test import TestResponse

from gateway.api.v1.app import ROUTES, make_api
from gateway.api.v1.rights import NEEDS
from gateway.api.v1.route import Answer, Call, IfMatch, Route
from gateway.domain.rights import Right, Role
from gateway.workflows.doors import Door
from tests.api.builders import Person, Registry, in_court, in_district

WITH_ID = [route for route in ROUTES if "<" in route.path]
KINDS = ("court", "district", "order", "document", "webhook", "delivery", "dispute", "key", "person", "job", "batch")
ABSENT = {f"{kind}_id": f"absent-{kind}" for kind in KINDS} | {"language": "en", "purpose": "public"}


def test_every_route_is_in_the_table_of_rights_and_nothing_else_is(sqlite_registry: Registry) -> None:
    served = {rule.endpoint for rule in sqlite_registry.api.url_map.iter_rules()}
    assert served == set(NEEDS)
    assert {route.name for route in ROUTES} <= served


def test_every_right_opens_something() -> None:
    assert set(Right) - set(NEEDS.values()) == set()


def test_a_route_that_nobody_listed_is_closed_to_everybody(sqlite_registry: Registry) -> None:
    def secret(_call: Call) -> Answer:
        """Tell everything."""
        raise AssertionError("nobody may come here")

    unlisted = Route(name="secret", method="GET", path="/secret", handler=secret, tag="Courts")
    api = make_api(sqlite_registry.desk, routes=(unlisted,))
    person = sqlite_registry.everybody_in_one()
    answer = api.test_client().get("/api/v1/secret", headers={"Authorization": f"Bearer {person.token}"})
    assert (answer.status_code, code_of(answer)) == (403, "unlisted_route")


def code_of(answer: TestResponse | Response) -> str:
    assert answer.json is not None, answer.get_data(as_text=True)
    return str(answer.json["code"])


PROTECTED = [route for route in ROUTES if NEEDS[route.name] is not Door.PUBLIC]


def test_nothing_is_shown_or_done_without_a_valid_token(sqlite_registry: Registry) -> None:
    client = sqlite_registry.client
    for bearer in ("", "Bearer", "Bearer x", "Basic dTpw", "Bearer cns_" + "A" * 43, "Bearer cnk_ab_" + "A" * 43):
        for route in PROTECTED:
            headers = {"Authorization": bearer} if bearer else {}
            answer = client.open(path_of(route), method=route.method, headers=headers, json={})
            assert (answer.status_code, code_of(answer)) == (401, "not_signed_in"), route.name
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_every_body_has_an_example_that_is_accepted() -> None:
    for route in ROUTES:
        if route.body is not None:
            assert route.example is not None, route.name
            route.body.model_validate(route.example)


def test_nothing_is_shown_or_done_without_a_right(sqlite_registry: Registry) -> None:
    nobody = sqlite_registry.somebody()
    for route in PROTECTED:
        if isinstance(NEEDS[route.name], Right):
            answer = ask(nobody, route)
            assert (answer.status_code, code_of(answer)) == (403, "not_allowed"), route.name


def test_what_lies_in_another_court_is_answered_as_if_it_did_not_exist(registry: Registry) -> None:
    """Every route with an id, each with the id of a thing that is really there, in a court that is not the asker's."""
    own, other = registry.a_court("hillside"), registry.a_court("seaside")
    stranger = registry.somebody(*Role, scope=in_court(own))
    program = registry.a_program([Right.SATISFACTION_REPORT], in_court(own))
    ids = things_in(registry, other)
    for route in WITH_ID:
        # A person's role never has the right to report payments; a program has nothing but that.
        asker = program if NEEDS[route.name] is Right.SATISFACTION_REPORT else stranger
        there, absent = ask(asker, route, filled(route, ids)), ask(asker, route, filled(route, ABSENT))
        assert there.status_code == absent.status_code == 404, (route.name, there.text, absent.text)
        assert without_ids(there, ids) == without_ids(absent, ABSENT), route.name


def test_lists_show_what_lies_within_reach_and_nothing_else(registry: Registry) -> None:
    own, other = registry.a_court("hillside"), registry.a_court("seaside")
    registry.a_district(own, "hillside-two")
    registry.a_draft(other)
    mine = registry.a_draft(own, district="hillside-two")
    registry.a_draft(own)
    clerk = registry.somebody(Role.CLERK, scope=in_district(own, "hillside-two"))
    answer = clerk.get("/orders").json
    assert answer is not None
    assert [order["id"] for order in answer["items"]] == [mine]
    courts = clerk.get("/courts").json
    assert courts is not None
    assert [court["id"] for court in courts["items"]] == [own]


def things_in(registry: Registry, court: str) -> dict[str, str]:
    """Return the id of one thing of each kind in a court, by the name that paths have for it."""
    admin = registry.everybody_in_one()
    order = registry.a_draft(court)
    hook = admin.post(f"/courts/{court}/webhooks", {"url": "https://court.example.org/hooks"}).json
    document = registry.somebody(Role.CLERK).upload(f"/courts/{court}/documents", "document", b"%PDF-1.4 other").json
    key = registry.a_program([Right.ORDERS_READ], in_court(court))
    person = registry.somebody(Role.CLERK, scope=in_court(court))
    assert hook is not None
    assert document is not None
    return {
        "court_id": court,
        "district_id": f"{court}-one",
        "order_id": order,
        "document_id": document["id"],
        "webhook_id": hook["webhook"]["id"],
        "delivery_id": "dlv_absent",
        "dispute_id": "dis_absent",
        "key_id": key.person_id,
        "person_id": person.person_id,
        "job_id": "job_absent",
        "batch_id": "bat_absent",
        "language": "en",
        "purpose": "public",
    }


def without_ids(answer: TestResponse, ids: dict[str, str]) -> str:
    """Return an answer in which what the asker wrote is left out."""
    text = answer.text
    for each in sorted(ids.values(), key=len, reverse=True):
        text = text.replace(repr(each)[1:-1], "")
    return text


def filled(route: Route, ids: dict[str, str]) -> str:
    return re.sub(r"<id:(\w+)>", lambda found: ids[found[1]], route.path)


def path_of(route: Route) -> str:
    return "/api/v1" + re.sub(r"<id:(\w+)>", "some_1", route.path)


def ask(person: Person, route: Route, path: str = "") -> TestResponse:
    """Send a request that is complete but for what its path names."""
    where = path or re.sub(r"<id:(\w+)>", "some_1", route.path)
    if route.upload is not None:
        form = {"language": "en"} if route.name == "propose_recording" else {}
        return person.upload(where, route.upload.field, b"%PDF-1.4 another", form)
    headers = {"If-Match": '"v1-0000000000000000"'} if route.if_match is IfMatch.REQUIRED else {}
    query = "?since=2026-01-01&until=2026-01-31" if route.name == "show_statistics" else ""
    body = json.dumps(route.example or {}).encode() if route.method in {"POST", "PATCH"} else None
    return person.send(route.method, where + query, body, headers | {"Content-Type": "application/json"})
