import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import html
from sqlalchemy import update
from werkzeug.test import TestResponse

from gateway.clock import utc_now
from gateway.domain.rights import Everywhere, InCourt, Role
from gateway.people.sessions import Method, open_
from gateway.people.tables import sessions
from tests.api.builders import PDF
from tests.console.scene import Console, Reader, errors_of, text_of

EARLIER = datetime(2026, 1, 1, tzinfo=UTC)
ORGANISATION = {
    "case_number": "2026-CV-7001",
    "kind": "organisation",
    "scheme": "company_gb",
    "identifier": "01234567",
    "legal_form": "",
    "name": "Canary Trading Ltd",
}
LINE = {
    "lines-0-number": "+44 20 7946 0130",
    "lines-0-zone": "Europe/London",
    "lines-0-evidence": "Its web page, seen 2026-03-02",
}


def seen_in(page: TestResponse, path: str) -> list[Any]:
    """Return what an XPath finds in a page: elements, or texts."""
    return list(cast("Iterable[Any]", html.fromstring(page.text).xpath(path)))


def where(answer: TestResponse) -> str:
    """Return the address that an answer leads to, below /console."""
    assert answer.status_code == 303, (answer.status_code, errors_of(answer))
    return answer.headers["Location"].removeprefix("/console")


def resent(reader: Reader, path: str, page: TestResponse) -> TestResponse:
    """Send the form of a page that was refused, as it stands there."""
    form = seen_in(page, "//main//form[@method='post']")[-1]
    return reader.client.post("/console" + path, data=dict(form.form_values()))


def begun(clerk: Reader) -> str:
    """Begin a draft and return the address that its steps lie below."""
    path = where(clerk.send("/orders/new", district="lakeside-north"))
    assert path.endswith("/subject")
    return path.removesuffix("/subject")


def answered(clerk: Reader) -> str:
    """Answer all steps of a draft and return the address that they lie below."""
    draft = begun(clerk)
    assert where(clerk.send(f"{draft}/subject", ORGANISATION)) == f"{draft}/lines"
    assert where(clerk.send(f"{draft}/lines", LINE)) == f"{draft}/authority"
    document = {"legal_basis": "Rule 69", "document": ("order.pdf", PDF)}
    assert where(clerk.send(f"{draft}/authority", document)) == f"{draft}/validity"
    assert where(clerk.send(f"{draft}/validity", {"valid_days": "60"})) == f"{draft}/check"
    return draft


def test_an_order_is_drafted_step_by_step_and_submitted(console: Console) -> None:
    clerk = console.somebody(Role.CLERK)
    draft = answered(clerk)
    check = clerk.get(f"{draft}/check")
    for said in ("2026-CV-7001", "Canary Trading Ltd", "+44 20 7946 0130", "Rule 69", "order.pdf", "60 days"):
        assert said in text_of(check)
    order = where(clerk.send(f"{draft}/check", act="submit"))
    assert re.fullmatch(r"/orders/ord_\w+", order)
    api = console.registry.somebody(Role.AUDITOR)
    found = api.get(order).json
    assert found is not None
    assert (found["state"], found["case_number"], found["valid_days"]) == ("submitted", "2026-CV-7001", 60)
    assert [each["number"] for each in found["lines"]] == ["+442079460130"]
    assert clerk.get(f"{draft}/check").status_code == 404


def test_a_draft_that_is_sent_twice_is_one_order(console: Console) -> None:
    clerk = console.somebody(Role.CLERK)
    draft = answered(clerk)
    page = clerk.get(f"{draft}/check")
    first = where(clerk.send_as_seen(f"{draft}/check", page))
    assert where(clerk.send_as_seen(f"{draft}/check", page)) == first
    found = console.registry.somebody(Role.AUDITOR).post(
        "/orders/search", {"court": "lakeside", "case_number": "2026-CV-7001"}
    )
    assert found.json is not None
    assert [f"/orders/{each['id']}" for each in found.json["items"]] == [first]


def test_a_draft_is_put_aside_half_typed_and_gone_on_with(console: Console) -> None:
    clerk = console.somebody(Role.CLERK)
    draft = begun(clerk)
    half = {"case_number": "2026-CV-7002", "kind": "organisation", "identifier": "nonsense", "act": "save"}
    assert where(clerk.send(f"{draft}/subject", half)) == "/orders/unfinished"
    listed = clerk.get("/orders/unfinished")
    assert "2026-CV-7002" in text_of(listed)
    assert f"/console{draft}/check" in listed.text
    again = clerk.get(f"{draft}/subject").text
    assert 'value="nonsense"' in again
    assert 'value="2026-CV-7002"' in again
    refused = clerk.send(f"{draft}/check")
    assert refused.status_code == 422
    assert "Mend what is marked below" in " ".join(errors_of(refused))
    assert "Something is missing here" in text_of(refused)


def test_an_unfinished_draft_can_be_discarded_and_twice_does_no_harm(sqlite_console: Console) -> None:
    clerk = sqlite_console.somebody(Role.CLERK)
    draft = begun(clerk)
    page = clerk.get(f"{draft}/discard")
    for _ in range(2):
        assert where(clerk.send_as_seen(f"{draft}/discard", page)) == "/orders/unfinished"
    assert clerk.get(f"{draft}/subject").status_code == 404
    assert "You have no unfinished draft" in text_of(clerk.get("/orders/unfinished"))


def again(console: Console, reader: Reader) -> Reader:
    """Return the same person, signed in once more."""
    with console.desk.office.engine.begin() as connection:
        opened = open_(connection, console.desk.keys, reader.person_id, Method.PASSWORD, utc_now())
    return console.with_session(reader.person_id, opened.token)


def test_a_session_that_ends_while_lines_are_typed_keeps_every_row(console: Console) -> None:
    clerk = console.somebody(Role.CLERK)
    draft = begun(clerk)
    where(clerk.send(f"{draft}/subject", ORGANISATION))
    where(clerk.send(f"{draft}/lines", LINE | {"act": "add"}))
    page = clerk.get(f"{draft}/lines")
    with console.desk.office.engine.begin() as connection:
        connection.execute(update(sessions).values(seen_at=EARLIER, expires_at=EARLIER))
    typed = LINE | {"lines-1-number": "not yet a number", "lines-1-evidence": "A letterhead"}
    away = where(clerk.send_as_seen(f"{draft}/lines", page, typed))
    assert away.startswith("/sign-in")
    back = again(console, clerk)
    kept = parse_qs(urlsplit(away).query)["next"][0].removeprefix("/console")
    shown = back.get(kept)
    assert "This is what you had typed" in text_of(shown)
    assert 'value="not yet a number"' in shown.text
    assert 'value="A letterhead"' in shown.text
    assert where(back.send_as_seen(kept, shown, {"lines-1-number": "+442079460131"})) == f"{draft}/authority"


def test_a_sole_trader_is_refused_beside_the_identifier_in_the_gateways_words(sqlite_console: Console) -> None:
    clerk = sqlite_console.somebody(Role.CLERK)
    draft = begun(clerk)
    refused = clerk.send(f"{draft}/subject", ORGANISATION | {"scheme": "uscc", "identifier": "92310115MA1K000007"})
    assert refused.status_code == 422
    [beside] = seen_in(refused, "//*[@id='identifier-error']")
    assert beside.text_content().strip(), refused.text
    assert 'value="92310115MA1K000007"' in refused.text
    sole = clerk.send(
        f"{draft}/subject",
        ORGANISATION | {"scheme": "ein", "identifier": "12-3456701", "legal_form": "sole proprietor"},
    )
    assert "identifies a sole trader, who is a natural person" in " ".join(errors_of(sole))


@pytest.mark.parametrize(
    ("step", "typed", "field"),
    [
        ("court", {"district": "bayside"}, "district"),
        ("subject", ORGANISATION | {"case_number": ""}, "case_number"),
        ("subject", ORGANISATION | {"kind": ""}, "kind"),
        ("subject", ORGANISATION | {"name": " "}, "name"),
        ("subject", ORGANISATION | {"scheme": "lei", "identifier": "5493001KJTIIGC8Y1R13"}, "identifier"),
        ("subject", ORGANISATION | {"scheme": "ein", "identifier": "12-3456701"}, "legal_form"),
        ("lines", LINE | {"lines-0-number": "12345"}, "lines-0-number"),
        ("lines", LINE | {"lines-0-number": ""}, "lines-0-number"),
        ("lines", LINE | {"lines-0-zone": "Moon/Sea"}, "lines-0-zone"),
        ("lines", LINE | {"lines-0-evidence": ""}, "lines-0-evidence"),
        ("lines", LINE | {f"lines-1-{key[8:]}": value for key, value in LINE.items()}, "lines-1-number"),
        ("authority", {"legal_basis": "", "document": ("order.pdf", PDF)}, "legal_basis"),
        ("authority", {"legal_basis": "Rule 69", "document": ("order.pdf", b"MZ\x90\x00")}, "document"),
        ("authority", {"legal_basis": "Rule 69"}, "document"),
        ("validity", {"valid_days": "367"}, "valid_days"),
        ("validity", {"valid_days": "some"}, "valid_days"),
    ],
)
def test_what_is_wrong_in_a_step_is_said_beside_its_field_and_stays_there(
    sqlite_console: Console, step: str, typed: dict[str, object], field: str
) -> None:
    clerk = sqlite_console.somebody(Role.CLERK)
    draft = begun(clerk)
    where(clerk.send(f"{draft}/subject", ORGANISATION))
    refused = clerk.send(f"{draft}/{step}", typed)
    assert refused.status_code == 422, refused.text
    [beside] = seen_in(refused, f"//*[@id='{field}-error']")
    assert beside.text_content().split(":", 1)[1].strip()
    assert seen_in(refused, f"//*[@id='{field}']"), "the summary's link leads nowhere"
    assert f"#{field}" in seen_in(refused, "//*[contains(@class, 'error-summary')]//a/@href")
    for value in typed.values():
        if isinstance(value, str) and value.strip() and step in {"subject", "lines", "validity"}:
            assert f'value="{value}"' in refused.text


def test_a_document_that_has_arrived_is_kept_even_where_something_else_is_missing(sqlite_console: Console) -> None:
    clerk = sqlite_console.somebody(Role.CLERK)
    draft = begun(clerk)
    refused = clerk.send(f"{draft}/authority", {"legal_basis": "", "document": ("signed.pdf", PDF)})
    assert refused.status_code == 422
    assert "signed.pdf" in text_of(refused)
    assert where(clerk.send_as_seen(f"{draft}/authority", refused, legal_basis="Rule 69")) == f"{draft}/validity"
    shown = text_of(clerk.get(f"{draft}/authority"))
    assert hashlib.sha256(PDF).hexdigest() in shown


def test_a_document_of_one_court_is_not_taken_to_another(sqlite_console: Console) -> None:
    clerk = sqlite_console.somebody(Role.CLERK, scope=Everywhere())
    draft = answered(clerk)
    where(clerk.send(f"{draft}/court", district="bayside"))
    assert hashlib.sha256(PDF).hexdigest() not in text_of(clerk.get(f"{draft}/authority"))


def test_rows_are_added_and_removed_without_a_script(sqlite_console: Console) -> None:
    clerk = sqlite_console.somebody(Role.CLERK)
    draft = begun(clerk)
    where(clerk.send(f"{draft}/lines", LINE | {"act": "add"}))
    second = {"lines-1-number": "+442079460199", "lines-1-zone": "", "lines-1-evidence": "", "act": "remove:0"}
    where(clerk.send(f"{draft}/lines", second))
    left = seen_in(clerk.get(f"{draft}/lines"), "//input[contains(@name, '-number')]/@value")
    assert left == ["+442079460199"]


def test_what_is_typed_is_kept_by_the_buttons_that_lead_to_other_steps(sqlite_console: Console) -> None:
    clerk = sqlite_console.somebody(Role.CLERK)
    draft = begun(clerk)
    assert where(clerk.send(f"{draft}/validity", {"valid_days": "77", "act": "go:court"})) == f"{draft}/court"
    assert 'value="77"' in clerk.get(f"{draft}/validity").text


def test_change_leads_to_a_step_and_back_to_the_answers(sqlite_console: Console) -> None:
    clerk = sqlite_console.somebody(Role.CLERK)
    draft = answered(clerk)
    assert where(clerk.send(f"{draft}/validity?from=check", {"valid_days": "30"})) == f"{draft}/check"
    assert "30 days from the approval" in text_of(clerk.get(f"{draft}/check"))


def test_a_second_window_does_not_replace_what_the_first_kept_unseen(sqlite_console: Console) -> None:
    clerk = sqlite_console.somebody(Role.CLERK)
    draft = begun(clerk)
    second = clerk.get(f"{draft}/validity")
    where(clerk.send(f"{draft}/validity", {"valid_days": "30"}))
    refused = clerk.send_as_seen(f"{draft}/validity", second, {"valid_days": "40"})
    assert refused.status_code == 412
    assert "30 days" in text_of(refused)
    assert 'value="40"' in refused.text
    where(resent(clerk, f"{draft}/validity", refused))
    assert 'value="40"' in clerk.get(f"{draft}/validity").text


def test_another_persons_unfinished_draft_is_not_there(console: Console) -> None:
    clerk, other = console.somebody(Role.CLERK), console.somebody(Role.CLERK)
    draft = begun(clerk)
    where(clerk.send(f"{draft}/subject", ORGANISATION))
    for step in ("subject", "check", "discard"):
        assert other.get(f"{draft}/{step}").status_code == 404
    assert other.send_as_seen(f"{draft}/validity", clerk.get(f"{draft}/validity")).status_code in {404, 422}
    assert "2026-CV-7001" not in other.get("/orders/unfinished").text
    assert clerk.get(f"{draft}/nonsense").status_code == 404


def test_who_may_not_draft_is_told_so(sqlite_console: Console) -> None:
    approver = sqlite_console.somebody(Role.APPROVER)
    for path in ("/orders/new", "/orders/unfinished", "/orders/draft/frm_x/court", "/orders/ord_x/edit"):
        assert approver.get(path).status_code == 403, path


def test_a_case_number_that_the_court_has_already_is_refused_with_all_answers_kept(sqlite_console: Console) -> None:
    clerk = sqlite_console.somebody(Role.CLERK)
    where(clerk.send(f"{answered(clerk)}/check"))
    draft = answered(clerk)
    refused = clerk.send(f"{draft}/check")
    assert refused.status_code == 409
    assert errors_of(refused)
    assert "Canary Trading Ltd" in text_of(refused)


def test_a_person_is_drafted_without_evidence_and_callers_are_promised_nothing(sqlite_console: Console) -> None:
    clerk = sqlite_console.somebody(Role.CLERK)
    draft = begun(clerk)
    person = {"case_number": "2026-SV-7001", "kind": "natural_person", "name": "Canary Person"}
    where(clerk.send(f"{draft}/subject", person))
    where(clerk.send(f"{draft}/lines", {"lines-0-number": "+12025550199"}))
    where(clerk.send(f"{draft}/authority", {"legal_basis": "Rule 4", "document": ("order.pdf", PDF)}))
    check = text_of(clerk.get(f"{draft}/check"))
    assert "Those who call hear nothing, ever." in check
    assert "Those who call a line of the organisation hear" not in check
    order = where(clerk.send(f"{draft}/check"))
    found = sqlite_console.registry.somebody(Role.AUDITOR).get(order).json
    assert found is not None
    assert (found["kind"], found["state"]) == ("natural_person", "draft")


def drafted(clerk: Reader) -> str:
    """Draft an order and return its address."""
    return where(clerk.send(f"{answered(clerk)}/check"))


def test_a_draft_is_edited_by_the_same_steps(console: Console) -> None:
    clerk = console.somebody(Role.CLERK)
    order = drafted(clerk)
    edit = where(clerk.send(f"{order}/edit")).removesuffix("/check")
    assert "2026-CV-7001" in text_of(clerk.get(f"{edit}/check"))
    where(clerk.send(f"{edit}/validity?from=check", {"valid_days": "30"}))
    assert "Go on with that edit" in text_of(clerk.get(f"{order}/edit"))
    assert where(clerk.send(f"{edit}/check")) == order
    found = console.registry.somebody(Role.AUDITOR).get(order).json
    assert found is not None
    assert (found["valid_days"], found["version"]) == (30, 2)


def test_two_who_edit_the_same_order_are_told_what_the_other_changed(console: Console) -> None:
    clerk, colleague = console.somebody(Role.CLERK), console.somebody(Role.CLERK)
    order = drafted(clerk)
    mine = where(clerk.send(f"{order}/edit")).removesuffix("/check")
    where(clerk.send(f"{mine}/validity", {"valid_days": "30"}))
    before = clerk.get(f"{mine}/check")
    theirs = where(colleague.send(f"{order}/edit")).removesuffix("/check")
    where(colleague.send(f"{theirs}/validity", {"valid_days": "45"}))
    where(colleague.send(f"{theirs}/check"))
    refused = clerk.send_as_seen(f"{mine}/check", before)
    assert refused.status_code == 412
    assert "30 days" in text_of(refused)
    assert "The order says now: 45 days" in text_of(refused)
    assert where(resent(clerk, f"{mine}/check", refused)) == order
    found = console.registry.somebody(Role.AUDITOR).get(order).json
    assert found is not None
    assert found["valid_days"] == 30


def test_only_a_draft_of_the_own_court_is_edited(sqlite_console: Console) -> None:
    clerk = sqlite_console.somebody(Role.CLERK)
    order = drafted(clerk)
    elsewhere = sqlite_console.somebody(Role.CLERK, scope=InCourt(court_id="bayside"))
    assert elsewhere.get(f"{order}/edit").status_code == 404
    page = clerk.get(f"{order}/edit")
    where(clerk.send(where(clerk.send(f"{order}/edit")), act="submit"))
    refused = clerk.send_as_seen(f"{order}/edit", page)
    assert refused.status_code == 409
    assert "Only a draft can be edited" in text_of(clerk.get(f"{order}/edit"))


def test_evidence_may_be_missing_from_a_draft_but_not_from_what_is_submitted(sqlite_console: Console) -> None:
    clerk = sqlite_console.somebody(Role.CLERK)
    draft = answered(clerk)
    where(clerk.send(f"{draft}/lines", LINE | {"lines-0-evidence": "", "act": "go:check"}))
    refused = clerk.send(f"{draft}/check", act="submit")
    assert refused.status_code == 422
    assert "where the organisation publishes it" in text_of(refused)
    assert where(clerk.send(f"{draft}/check")).startswith("/orders/ord_")
