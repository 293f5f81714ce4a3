"""The list of orders, finding one, and one order's page: what is shown, to whom, and what is not."""

import re
from datetime import timedelta
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import html
from werkzeug.test import TestResponse

from gateway.audit.tags import Tag
from gateway.clock import utc_now
from gateway.console.life_words import what_happened
from gateway.console.words import word
from gateway.domain.notice import Purpose
from gateway.domain.order import OrderState
from gateway.domain.rights import InCourt, InDistrict, Role
from gateway.workflows.change import at_the_command_line
from gateway.workflows.purge_ended import purge_ended
from gateway.workflows.read_order_acts import OrderAct
from gateway.workflows.read_order_life import LifeEvent, LifeKind
from gateway.workflows.read_order_words import WordsFrom
from tests.api.builders import PDF
from tests.builders_office import a_dispute, the_order
from tests.console.scene import Console, Reader, errors_of, text_of

PERSON = {"kind": "natural_person", "name": "Jo Bloggs"}
LINES = [{"number": "+12025550171", "zone": "America/New_York", "evidence": "its own web page, 2026-03-01"}]


def a_draft(console: Console, case_number: str = "2026-CV-7001", court: str = "lakeside", **changes: object) -> str:
    changes.setdefault("district", "lakeside-north" if court == "lakeside" else court)
    changes.setdefault("lines", LINES)
    return console.registry.a_draft(court, None, case_number=case_number, **changes)


def an_approved_order(
    console: Console, case_number: str = "2026-CV-7002", court: str = "lakeside", **changes: object
) -> str:
    changes.setdefault("district", "lakeside-north" if court == "lakeside" else court)
    changes.setdefault("lines", LINES)
    return console.registry.an_approved_order(court, case_number=case_number, **changes)


def elements(page: TestResponse, path: str) -> list[Any]:
    """Return what an XPath finds in a page."""
    return cast("list[Any]", html.fromstring(page.text).xpath(path))


def links_of(page: TestResponse) -> dict[str, str]:
    """Return the links of a page's main part: their texts, with spaces folded, and where they lead."""
    return {" ".join(each.text_content().split()): each.get("href", "") for each in elements(page, "//main//a")}


def find(reader: Reader, sought: str) -> TestResponse:
    """Use the field in the header, as it stands on another page."""
    page = reader.get("/")
    form = elements(page, "//header//form")[0]
    data = dict(form.form_values()) | {"sought": sought}
    return reader.client.post(form.get("action"), data=data)


def rows_of(page: TestResponse) -> list[str]:
    return [each.text_content().strip() for each in elements(page, "//tbody/tr/th[@scope='row']")]


def test_the_header_leads_from_any_page_to_the_one_order_of_a_case_and_from_there_to_lift(console: Console) -> None:
    order_id, clerk = an_approved_order(console), console.somebody(Role.CLERK)
    answer = find(clerk, " 2026-CV-7002 ")
    assert answer.headers["Location"] == f"/console/orders/{order_id}"
    links = links_of(clerk.get(f"/orders/{order_id}"))
    assert links["Lift order 2026-CV-7002"] == f"/console/orders/{order_id}/lift"


@pytest.mark.parametrize("written", ["+12025550171", "001 202 555 0171", "+1 (202) 555-0171"])
def test_the_header_finds_an_order_by_its_line_however_it_is_written(sqlite_console: Console, written: str) -> None:
    order_id = an_approved_order(sqlite_console)
    answer = find(sqlite_console.somebody(Role.CLERK), written)
    assert answer.headers["Location"] == f"/console/orders/{order_id}"


def test_a_line_under_two_orders_leads_to_a_list_of_both_whose_address_does_not_name_it(console: Console) -> None:
    an_approved_order(console, "2026-CV-7003")
    an_approved_order(console, "2026-CV-7004")
    clerk = console.somebody(Role.CLERK)
    answer = find(clerk, "+12025550171")
    assert "2025550171" not in answer.headers["Location"]
    assert rows_of(clerk.client.get(answer.headers["Location"])) == ["2026-CV-7004", "2026-CV-7003"]


def test_what_is_not_found_is_said_in_the_form_with_what_was_typed(sqlite_console: Console) -> None:
    answer = find(sqlite_console.somebody(Role.CLERK), "2026-CV-9999")
    assert answer.status_code == 422
    assert "No order that you may read" in errors_of(answer)[0]
    assert 'value="2026-CV-9999"' in answer.text


def test_nothing_of_another_court_is_found(sqlite_console: Console) -> None:
    console = sqlite_console
    an_approved_order(console)
    for sought in ("2026-CV-7002", "+12025550171"):
        assert find(console.somebody(Role.CLERK, scope=InCourt(court_id="thameside")), sought).status_code == 422


def test_who_reads_no_orders_has_no_field_to_find_them(sqlite_console: Console) -> None:
    operator = sqlite_console.somebody(Role.OPERATOR)
    assert "find-order" not in operator.get("/").text
    assert operator.get("/orders").status_code == 403
    assert operator.get("/find").status_code == 403


def test_filters_stand_in_the_address_and_hold_together(console: Console) -> None:
    an_approved_order(console, "2026-CV-7005", district="lakeside-south")
    a_draft(console, "2026-CV-7006", district="lakeside-south")
    an_approved_order(console, "2026-CV-7007", lines=[LINES[0] | {"number": "+12025550172"}])
    clerk = console.somebody(Role.CLERK)
    answer = clerk.send("/orders", district="lakeside-south", state="warned", line="+1 202 555 0171", court="lakeside")
    named = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (named["district"], named["state"]) == (["lakeside-south"], ["warned"])
    page = clerk.client.get(answer.headers["Location"])
    assert rows_of(page) == ["2026-CV-7005"]
    assert 'value="+12025550171"' in page.text
    assert "1 order, the newest first" in text_of(page)


def test_a_bad_line_is_said_beside_the_field_and_nothing_that_was_typed_is_lost(sqlite_console: Console) -> None:
    answer = sqlite_console.somebody(Role.CLERK).send("/orders", line="555 01", case_number="2026-X", state="draft")
    assert answer.status_code == 422
    assert "country code" in errors_of(answer)[0]
    assert 'value="555 01"' in answer.text
    assert 'value="2026-X"' in answer.text
    assert re.search(r'value="draft"\s+selected', answer.text)
    assert "<tbody" not in answer.text


def test_lists_go_on_page_by_page_and_back_to_the_first(sqlite_console: Console) -> None:
    for number in range(52):
        a_draft(sqlite_console, f"2026-P-{number:03}")
    clerk = sqlite_console.somebody(Role.CLERK)
    first = clerk.get("/orders?state=draft")
    assert len(rows_of(first)) == 50
    assert "there are more" in text_of(first)
    second = clerk.client.get(links_of(first)["Next page"])
    assert rows_of(second) == ["2026-P-001", "2026-P-000"]
    assert links_of(second)["First page"] == "/console/orders?state=draft"


def test_each_row_offers_to_lift_only_what_this_reader_may_lift(sqlite_console: Console) -> None:
    console = sqlite_console
    south = an_approved_order(console, "2026-CV-7008", district="lakeside-south")
    north = an_approved_order(console, "2026-CV-7009")
    clerk = console.somebody(Role.CLERK, scope=InDistrict(court_id="lakeside", district_id="lakeside-south"))
    shown = links_of(clerk.get("/orders"))
    assert shown["Lift 2026-CV-7008"] == f"/console/orders/{south}/lift"
    assert north not in str(shown)
    assert not any(each.startswith("Lift") for each in links_of(console.somebody(Role.AUDITOR).get("/orders")))


def test_an_open_dispute_is_marked_in_the_list_and_led_to_from_the_order(console: Console) -> None:
    order_id = an_approved_order(console, subject=PERSON)
    office = console.desk.office
    dispute = a_dispute(office, the_order(office, order_id), number="+12025550171")
    clerk = console.somebody(Role.CLERK)
    assert "1 dispute" in text_of(clerk.get("/orders?state=in_force"))
    page = clerk.get(f"/orders/{order_id}")
    assert f"/console/disputes/{dispute}" in links_of(page).values()
    assert "Silent" in text_of(page)


def test_another_courts_order_is_not_there(sqlite_console: Console) -> None:
    order_id = an_approved_order(sqlite_console)
    stranger = sqlite_console.somebody(Role.CLERK, Role.APPROVER, scope=InCourt(court_id="thameside"))
    for act in ("", "/submit", "/return", "/approve", "/suspend", "/resume", "/lift", "/extend", "/documents/new"):
        page = stranger.get(f"/orders/{order_id}{act}")
        assert page.status_code == 404, act
        assert "2026-CV-7002" not in page.text


def test_an_order_shows_what_it_says_its_life_and_who_did_it(console: Console) -> None:
    order_id, clerk = an_approved_order(console), console.somebody(Role.CLERK)
    text = text_of(clerk.get(f"/orders/{order_id}"))
    for said in ("Order 2026-CV-7002", "Warning period", "+12025550171", "its own web page", "Somebody", "Version 3"):
        assert said in text, said
    assert [text.index(each) for each in ("Order approved", "Order submitted", "Order drafted")] == sorted(
        text.index(each) for each in ("Order approved", "Order submitted", "Order drafted")
    )
    assert "Still to come" in text


def test_who_may_do_nothing_is_offered_nothing(sqlite_console: Console) -> None:
    page = sqlite_console.somebody(Role.AUDITOR).get(f"/orders/{an_approved_order(sqlite_console)}")
    assert 'role="button"' not in page.text
    assert any("/audit?subject=" in each for each in links_of(page).values())


@pytest.mark.parametrize(
    ("role", "state", "offered"),
    [
        (Role.CLERK, OrderState.DRAFT, {"Change the draft", "Submit for approval", "Lift"}),
        (Role.APPROVER, OrderState.DRAFT, {"Lift"}),
        (Role.CLERK, OrderState.SUBMITTED, {"Lift"}),
        (Role.APPROVER, OrderState.SUBMITTED, {"Read and approve", "Send back to the drafter", "Lift"}),
        (Role.CLERK, OrderState.WARNED, {"Suspend", "Lift"}),
        (Role.APPROVER, OrderState.WARNED, {"Suspend", "Extend", "Lift"}),
        (Role.APPROVER, OrderState.SUSPENDED, {"Resume", "Extend", "Lift"}),
        (Role.APPROVER, OrderState.LIFTED, set()),
    ],
)
def test_the_buttons_are_what_this_reader_may_do_in_this_state(
    sqlite_console: Console, role: Role, state: OrderState, offered: set[str]
) -> None:
    console = sqlite_console
    order_id = a_draft(console) if state in {OrderState.DRAFT, OrderState.SUBMITTED} else an_approved_order(console)
    everybody = console.registry.everybody_in_one()
    path = {OrderState.SUBMITTED: "submit", OrderState.SUSPENDED: "suspend", OrderState.LIFTED: "lift"}.get(state)
    if path:
        assert everybody.post(f"/orders/{order_id}/{path}").status_code == 200
    page = console.somebody(role).get(f"/orders/{order_id}")
    buttons = elements(page, "//main//a[@role='button']")
    assert {" ".join((each.text or "").split()) for each in buttons} == offered


def test_the_authority_document_is_read_in_the_page_or_kept_and_runs_nothing(console: Console) -> None:
    order_id, clerk = an_approved_order(console), console.somebody(Role.CLERK)
    links = links_of(clerk.get(f"/orders/{order_id}"))
    read = clerk.client.get(next(href for text, href in links.items() if text.startswith("Read the document")))
    assert read.data == PDF
    assert read.mimetype == "application/pdf"
    assert read.headers["Content-Disposition"].startswith("inline")
    assert "default-src 'none'" in read.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in read.headers["Content-Security-Policy"]
    assert read.headers["X-Content-Type-Options"] == "nosniff"
    kept = clerk.client.get(links["Download the document"])
    assert kept.headers["Content-Disposition"].startswith("attachment")
    elsewhere = console.somebody(Role.CLERK, scope=InCourt(court_id="thameside"))
    assert elsewhere.client.get(links["Download the document"]).status_code == 404


def test_a_natural_persons_order_never_speaks_of_callers_hearing_anything(sqlite_console: Console) -> None:
    console = sqlite_console
    order_id = an_approved_order(console, subject=PERSON)
    waiting = a_draft(console, subject=PERSON)
    assert console.registry.everybody_in_one().post(f"/orders/{waiting}/submit").status_code == 200
    approver = console.somebody(Role.APPROVER)
    for path in (f"/orders/{order_id}", f"/orders/{waiting}", f"/orders/{waiting}/approve"):
        page = approver.get(path)
        text = text_of(page)
        assert page.status_code == 200
        assert "Nobody who rings the person ever hears anything of it." in text
        assert "Notice to callers" not in text
        assert "who calls the line hears" not in text
        assert "publication order" not in text
        assert "public" not in page.text.replace("publication", "")


def test_an_order_in_a_silent_district_says_that_nothing_is_heard(console: Console) -> None:
    order_id = an_approved_order(console)
    operator = console.registry.somebody(Role.OPERATOR)
    switched = operator.post("/districts/lakeside-north/switch", {"enabled": False, "reason": "test"})
    assert switched.status_code == 200, switched.text
    assert "is switched off" in text_of(console.somebody(Role.CLERK).get(f"/orders/{order_id}"))


def test_texts_of_a_case_are_escaped(sqlite_console: Console) -> None:
    nasty = "<script>alert(1)</script>"
    order_id = a_draft(sqlite_console, "2026-<b>-7", legal_basis=nasty, subject={**PERSON, "name": nasty})
    clerk = sqlite_console.somebody(Role.CLERK)
    for path in ("/orders", f"/orders/{order_id}", f"/orders/{order_id}/lift"):
        page = clerk.get(path)
        assert nasty not in page.text
        assert "<b>-7" not in page.text


def test_an_address_whose_secret_part_is_forged_filters_nothing(sqlite_console: Console) -> None:
    an_approved_order(sqlite_console)
    assert "2026-CV-7002" in rows_of(sqlite_console.somebody(Role.CLERK).get("/orders?sought=forged"))


def test_every_kind_of_event_and_act_has_its_words(sqlite_console: Console) -> None:
    with sqlite_console.app.test_request_context():
        for code in (*OrderAct, *WordsFrom, *LifeKind, *OrderState):
            assert word(code) != code.value, code
        for kind in LifeKind:
            wording = {"dispute_opened": "contested", "dispute_resolved": "resume"}.get(kind.value, "")
            event = LifeEvent(kind=kind, at=utc_now(), word=wording, tag=Tag.ORDER_LIFTED, purpose=Purpose.OPENER)
            assert what_happened(event), kind


def test_of_a_purged_order_what_is_left_is_shown_and_nothing_can_be_done_to_it(console: Console) -> None:
    order_id, office = an_approved_order(console), console.desk.office
    long_after = utc_now() + timedelta(days=500)
    assert list(purge_ended(office, at_the_command_line(long_after), days=365))
    clerk = console.somebody(Role.CLERK)
    page = clerk.get(f"/orders/{order_id}")
    text = text_of(page)
    assert page.status_code == 200
    for said in (order_id, "Purged", "Lakeside County Court", "Organisation", "Personal data of an ended order purged"):
        assert said in text, said
    for gone in ("2026-CV-7002", "Example Trading", "+12025550171", 'role="button"'):
        assert gone not in page.text
    assert order_id in rows_of(clerk.get("/orders"))
    for act in ("lift", "approve", "extend"):
        everybody = console.somebody(Role.CLERK, Role.APPROVER)
        assert everybody.get(f"/orders/{order_id}/{act}").status_code == 410, act
