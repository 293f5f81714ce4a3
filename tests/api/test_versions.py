from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.api.v1.app import ROUTES
from gateway.api.v1.route import IfMatch
from gateway.domain.rights import Role
from tests.api.builders import Person, Registry, in_court


def test_what_has_not_changed_is_not_sent_again(sqlite_registry: Registry) -> None:
    court = sqlite_registry.a_court()
    admin = sqlite_registry.everybody_in_one()
    for path in (f"/courts/{court}", "/courts", f"/districts/{court}-one", "/me"):
        first = admin.get(path)
        again = admin.get(path, **{"If-None-Match": f'"other", {first.headers["ETag"]}'})
        assert (again.status_code, again.data) == (304, b""), path
        assert again.headers["ETag"] == first.headers["ETag"]
        assert admin.get(path, **{"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("name", [route.name for route in ROUTES if route.if_match is IfMatch.REQUIRED])
def test_what_overwrites_needs_to_say_what_it_was_decided_on(name: str) -> None:
    assert name in {
        "change_court",
        "edit_draft",
        "approve_order",
        "resume_order",
        "extend_order",
        "change_webhook",
        "change_person",
    }


@pytest.mark.parametrize("tag", ["", "*", '"something"', '"v1"', '"v2-0000000000000000"'])
def test_a_change_without_a_version_is_refused(sqlite_registry: Registry, tag: str) -> None:
    court = sqlite_registry.a_court()
    headers = {"If-Match": tag} if tag else {}
    answer = sqlite_registry.everybody_in_one().patch(f"/courts/{court}", {"name": "Other"}, **headers)
    assert answer.status_code == (428 if tag in {"", "*"} else 412)
    assert answer.json is not None
    assert answer.json["errors"][0]["field"] == "If-Match"


def test_of_many_who_change_the_same_court_at_once_one_succeeds(registry: Registry) -> None:
    court = registry.a_court()
    admin = registry.everybody_in_one()
    tag = admin.get(f"/courts/{court}").headers["ETag"]

    def change(number: int) -> int:
        person = Person(person_id=admin.person_id, token=admin.token, client=registry.client)
        return person.patch(f"/courts/{court}", {"warning_days": number}, **{"If-Match": tag}).status_code

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(change, range(4, 10)))
    assert answers[0] == 200
    # Who waits too long for the others' locks is told to come again, and has changed nothing.
    assert set(answers[1:]) <= {412, 503}
    assert admin.get(f"/courts/{court}").headers["ETag"] != tag


def test_of_two_officers_who_approve_and_edit_at_once_one_succeeds(registry: Registry) -> None:
    court = registry.a_court()
    clerk = registry.somebody(Role.CLERK, scope=in_court(court))
    order = registry.a_draft(court, clerk)
    tag = clerk.post(f"/orders/{order}/submit").headers["ETag"]
    approvers = [registry.somebody(Role.APPROVER) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        sent = [pool.submit(each.post, f"/orders/{order}/approve", None, **{"If-Match": tag}) for each in approvers]
        statuses = sorted(each.result().status_code for each in sent)
    assert statuses[0] == 200
    assert set(statuses[1:]) <= {409, 412}


def test_a_lifted_order_stays_lifted_whoever_approves_meanwhile(registry: Registry) -> None:
    court = registry.a_court()
    order = registry.an_approved_order(court)
    clerk, approver = registry.somebody(Role.CLERK), registry.somebody(Role.APPROVER)
    tag = clerk.post(f"/orders/{order}/suspend", {}).headers["ETag"]
    with ThreadPoolExecutor(2) as pool:
        lifted = pool.submit(clerk.post, f"/orders/{order}/lift", {})
        resumed = pool.submit(approver.post, f"/orders/{order}/resume", {}, **{"If-Match": tag})
        assert lifted.result().status_code == 200
        assert resumed.result().status_code in {200, 409, 412}
    shown = clerk.get(f"/orders/{order}").json
    assert shown is not None
    assert shown["state"] == "lifted"
