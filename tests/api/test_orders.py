from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from gateway.clock import utc_now
from gateway.domain.rights import Right, Role
from tests.api.builders import PDF, Person, Registry, a_person_order, an_order, in_court


def body_of(answer: TestResponse) -> dict[str, Any]:
    assert answer.json is not None
    found: dict[str, Any] = answer.json
    return found


def etag(person: Person, order_id: str) -> str:
    return person.get(f"/orders/{order_id}").headers["ETag"]


def test_an_order_lives_from_draft_to_lift(registry: Registry) -> None:
    court = registry.a_court()
    clerk, approver = registry.somebody(Role.CLERK), registry.somebody(Role.APPROVER)
    drafted = clerk.post("/orders", registry.an_order(court))
    order = body_of(drafted)["id"]
    assert drafted.status_code == 201
    assert drafted.headers["Location"] == f"/api/v1/orders/{order}"
    submitted = clerk.post(f"/orders/{order}/submit")
    assert body_of(submitted)["state"] == "submitted"
    approved = approver.post(f"/orders/{order}/approve", **{"If-Match": submitted.headers["ETag"]})
    assert approved.status_code == 200, approved.text
    assert body_of(approved)["state"] == "warned"
    suspended = clerk.post(f"/orders/{order}/suspend", {"reason": "The debtor has appealed."})
    assert body_of(suspended)["state"] == "suspended"
    resumed = approver.post(f"/orders/{order}/resume", {}, **{"If-Match": suspended.headers["ETag"]})
    assert body_of(resumed)["state"] == "warned", resumed.text
    lifted = clerk.post(f"/orders/{order}/lift", {"reason": "Settled."})
    assert body_of(lifted)["state"] == "lifted"
    remarks = body_of(clerk.get(f"/orders/{order}/remarks"))["items"]
    assert [each["text"] for each in remarks] == ["The debtor has appealed.", "Settled."]
    shown = body_of(clerk.get(f"/orders/{order}"))
    assert shown["state"] == "lifted"
    assert shown["lines"][0]["number"] == "+442079460110"
    assert shown["drafted_by"] == clerk.person_id
    assert shown["approved_by"] == approver.person_id


def test_who_drafted_cannot_approve(sqlite_registry: Registry) -> None:
    court = sqlite_registry.a_court()
    both = sqlite_registry.somebody(Role.CLERK, Role.APPROVER)
    order = sqlite_registry.a_draft(court, both)
    both.post(f"/orders/{order}/submit")
    answer = both.post(f"/orders/{order}/approve", **{"If-Match": etag(both, order)})
    assert (answer.status_code, body_of(answer)["code"]) == (409, "same_officer")


def test_an_order_is_sent_back_and_edited(sqlite_registry: Registry) -> None:
    court = sqlite_registry.a_court()
    clerk, approver = sqlite_registry.somebody(Role.CLERK), sqlite_registry.somebody(Role.APPROVER)
    order = sqlite_registry.a_draft(court, clerk)
    clerk.post(f"/orders/{order}/submit")
    returned = approver.post(f"/orders/{order}/return")
    assert body_of(returned)["state"] == "draft"
    change = {"valid_days": 30, "lines": [{"number": "+442079460111", "evidence": "https://example.com"}]}
    edited = clerk.patch(f"/orders/{order}", change, **{"If-Match": returned.headers["ETag"]})
    assert edited.status_code == 200, edited.text
    shown = body_of(clerk.get(f"/orders/{order}"))
    assert shown["valid_days"] == 30
    assert [line["number"] for line in shown["lines"]] == ["+442079460111"]
    assert shown["subject"]["name"] == "Example Trading Ltd"


def test_an_order_runs_longer_on_a_document_that_another_officer_uploaded(sqlite_registry: Registry) -> None:
    court = sqlite_registry.a_court()
    order = sqlite_registry.an_approved_order(court)
    approver = sqlite_registry.somebody(Role.APPROVER)
    document = sqlite_registry.a_document(court, PDF + b"more")
    until = (utc_now() + timedelta(days=200)).isoformat()
    body = {"valid_until": until, "document_sha256": document}
    answer = approver.post(f"/orders/{order}/extend", body, **{"If-Match": etag(approver, order)})
    assert answer.status_code == 200, answer.text
    assert body_of(answer)["valid_until"][:10] == until[:10]


def test_a_payment_system_lifts_an_order_that_it_may_not_read(registry: Registry) -> None:
    court = registry.a_court()
    order = registry.an_approved_order(court)
    program = registry.a_program([Right.SATISFACTION_REPORT], in_court(court))
    assert program.get(f"/orders/{order}").status_code == 403
    answer = program.post(f"/orders/{order}/satisfaction", {"reference": "PAY-1"})
    assert answer.status_code == 200, answer.text
    assert body_of(answer)["state"] == "lifted"
    assert "Example" not in answer.text


def test_a_program_approves_nothing(sqlite_registry: Registry) -> None:
    court = sqlite_registry.a_court()
    order = sqlite_registry.a_draft(court)
    program = sqlite_registry.a_program([Right.ORDERS_READ, Right.ORDERS_DRAFT, Right.ORDERS_END])
    assert program.post(f"/orders/{order}/approve", **{"If-Match": etag(program, order)}).status_code == 403


def test_orders_are_listed_page_by_page_without_gap_or_repeat(registry: Registry) -> None:
    court = registry.a_court()
    clerk = registry.somebody(Role.CLERK, scope=in_court(court))
    made = [registry.a_draft(court, clerk) for _ in range(5)]
    seen: list[str] = []
    path = "/orders?limit=2"
    while path:
        answer = clerk.get(path)
        page = body_of(answer)
        seen += [order["id"] for order in page["items"]]
        path = f"/orders?limit=2&cursor={page['next']}" if page["next"] else ""
        assert ("Link" in answer.headers) is bool(path)
    assert sorted(seen) == sorted(made)


def test_the_link_to_the_next_page_leads_there(sqlite_registry: Registry) -> None:
    court = sqlite_registry.a_court()
    clerk = sqlite_registry.somebody(Role.CLERK, scope=in_court(court))
    made = [sqlite_registry.a_draft(court, clerk) for _ in range(2)]
    first = clerk.get(f"/orders?limit=1&court={court}")
    target = first.headers["Link"].partition(">")[0].removeprefix("</api/v1")
    assert [body_of(first)["items"][0]["id"], body_of(clerk.get(target))["items"][0]["id"]] == made[::-1]


@pytest.mark.parametrize(
    ("query", "found"),
    [("state=draft", 2), ("state=warned", 1), ("state=lifted", 0), ("district=hillside-one", 3)],
)
def test_orders_are_found_by_state_and_district(sqlite_registry: Registry, query: str, found: int) -> None:
    court = sqlite_registry.a_court()
    clerk = sqlite_registry.somebody(Role.CLERK, scope=in_court(court))
    sqlite_registry.an_approved_order(court)
    for _ in range(2):
        sqlite_registry.a_draft(court, clerk)
    assert len(body_of(clerk.get(f"/orders?{query}"))["items"]) == found


def test_orders_are_found_by_line_and_by_case_number_and_neither_stands_in_the_address(registry: Registry) -> None:
    court = registry.a_court()
    clerk = registry.somebody(Role.CLERK, scope=in_court(court))
    lines = [{"number": "+442079460119", "evidence": "https://example.com"}]
    order = registry.a_draft(court, clerk, case_number="HC-2026-1", lines=lines)
    registry.a_draft(court, clerk)
    for sought in ({"line": "+442079460119"}, {"court": court, "case_number": "hc-2026-1"}):
        answer = clerk.post("/orders/search", sought)
        assert [each["id"] for each in body_of(answer)["items"]] == [order], answer.text
    assert clerk.get("/orders?line=%2B442079460119").status_code == 422


def test_a_second_order_for_the_same_case_is_refused_without_repeating_its_number(sqlite_registry: Registry) -> None:
    court = sqlite_registry.a_court()
    sqlite_registry.a_draft(court, case_number="HC-CANARY-1")
    answer = sqlite_registry.somebody(Role.CLERK).post(
        "/orders", sqlite_registry.an_order(court, case_number="HC-CANARY-1")
    )
    assert (answer.status_code, body_of(answer)["code"]) == (409, "duplicate_order")
    assert "CANARY" not in answer.text


def test_a_person_is_drafted_without_an_identifier(sqlite_registry: Registry) -> None:
    court = sqlite_registry.a_court()
    clerk = sqlite_registry.somebody(Role.CLERK)
    answer = clerk.post("/orders", a_person_order(court, document_sha256=sqlite_registry.a_document(court)))
    assert answer.status_code == 201, answer.text
    subject = body_of(clerk.get(f"/orders/{body_of(answer)['id']}"))["subject"]
    assert (subject["kind"], subject["identifier"]) == ("natural_person", None)


BAD_ORDERS = [
    ({"lines": [{"number": "+1"}]}, "/lines/0/number", "invalid_fields"),
    ({"lines": [{"number": "+442079460110"}, {"number": "+4420794"}]}, "/lines/1", "invalid_line"),
    ({"lines": [{"number": "+442079460110", "zone": "Mars/Base"}]}, "/lines/0", "unknown_zone"),
    ({"lines": []}, "/lines", "invalid_fields"),
    ({"valid_days": 0}, "/valid_days", "invalid_fields"),
    ({"valid_days": "90"}, "/valid_days", "invalid_fields"),
    ({"valid_days": 367}, "/valid_days", "invalid_fields"),
    ({"languages": ["english please"]}, "/languages/0", "invalid_fields"),
    ({"document_sha256": "f" * 64}, "/document_sha256", "no_such_document"),
    ({"case_number": "a\u0000b"}, "/case_number", "invalid_fields"),
    ({"subject": {"kind": "alien", "name": "X"}}, "/subject", "invalid_fields"),
    ({"subject": {"kind": "organisation", "name": "X"}}, "/subject/organisation/identifier", "invalid_fields"),
    ({"colour": "red"}, "/colour", "invalid_fields"),
    ({"district": "demo-nowhere"}, "", "unknown_entry"),
]


@pytest.mark.parametrize(("change", "field", "code"), BAD_ORDERS, ids=[row[1] + row[2] for row in BAD_ORDERS])
def test_a_refusal_names_the_field_and_the_cure(
    sqlite_registry: Registry, change: dict[str, object], field: str, code: str
) -> None:
    court = sqlite_registry.a_court()
    clerk = sqlite_registry.somebody(Role.CLERK, scope=in_court(court))
    answer = clerk.post("/orders", an_order(court, document_sha256=sqlite_registry.a_document(court)) | change)
    problem = body_of(answer)
    assert problem["code"] == code, problem
    if field:
        assert [each["field"] for each in problem["errors"]] == [field]
        assert all(each["message"] and each["cure"] for each in problem["errors"])
    assert body_of(clerk.get("/orders"))["items"] == []


def test_a_refused_identifier_is_not_repeated(sqlite_registry: Registry) -> None:
    court = sqlite_registry.a_court()
    subject = {
        "kind": "organisation",
        "name": "Example",
        "identifier": {"scheme": "siren", "value": "123456789", "legal_form": "SARL"},
    }
    answer = sqlite_registry.somebody(Role.CLERK).post("/orders", sqlite_registry.an_order(court, subject=subject))
    assert body_of(answer)["code"] == "invalid_identifier"
    assert body_of(answer)["errors"][0]["field"] == "/subject/identifier"
    assert "123456789" not in answer.text


def test_an_order_needs_evidence_of_its_line_before_it_is_handed_over(sqlite_registry: Registry) -> None:
    court = sqlite_registry.a_court()
    clerk = sqlite_registry.somebody(Role.CLERK)
    order = sqlite_registry.a_draft(court, clerk, lines=[{"number": "+442079460110"}])
    answer = clerk.post(f"/orders/{order}/submit")
    assert (answer.status_code, body_of(answer)["code"]) == (422, "line_evidence")
