"""What officers do to an order in the console: each act's good path, and every way in which it is refused."""

import hashlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from werkzeug.test import TestResponse

from gateway.audit.tags import Tag
from gateway.clock import utc_now
from gateway.console.languages import instant
from gateway.domain.notice import Purpose
from gateway.domain.order import Order, OrderState
from gateway.domain.rights import InCourt, InDistrict, Role
from gateway.workflows.change import at_the_command_line
from gateway.workflows.propose_notice import propose_notice
from gateway.workflows.publish_notice import Text
from gateway.workflows.read_order_words import WordsFrom, read_order_words
from tests.api.builders import PDF
from tests.builders_office import the_order, trail_of
from tests.console.scene import Console, Reader, errors_of, text_of
from tests.console.test_order_pages import PERSON, a_draft, an_approved_order, elements

OTHER_PDF = b"%PDF-1.7\nanother signed order\n%%EOF\n"
NEW_YORK = ZoneInfo("America/New_York")


def order_of(console: Console, order_id: str) -> Order:
    return the_order(console.desk.office, order_id)


def state_of(console: Console, order_id: str) -> OrderState:
    return order_of(console, order_id).state_at(utc_now())


def a_submitted_order(console: Console, clerk: Reader | None = None, **changes: object) -> str:
    order_id = a_draft(console, **changes)  # type: ignore[arg-type]  # What the API takes as a body.
    answer = (clerk or console.somebody(Role.CLERK)).send(f"/orders/{order_id}/submit")
    assert answer.status_code == 303, text_of(answer)
    return order_id


def a_suspended_order(console: Console) -> str:
    order_id = an_approved_order(console)
    assert console.somebody(Role.CLERK).send(f"/orders/{order_id}/suspend").status_code == 303
    return order_id


def a_document(console: Console, content: bytes = OTHER_PDF) -> str:
    return console.registry.a_document("lakeside", content)


def forms_of(page: TestResponse) -> int:
    return len(elements(page, "//main//form"))


def send_again(reader: Reader, path: str, refused: TestResponse) -> TestResponse:
    """Send the form of a page that was just refused, as it is shown now."""
    form = elements(refused, "//main//form")[-1]
    return reader.client.post("/console" + path, data=dict(form.form_values()))


def test_a_draft_goes_from_its_clerk_to_an_approver_and_into_the_warning_period(console: Console) -> None:
    order_id, approver = a_submitted_order(console), console.somebody(Role.APPROVER)
    assert state_of(console, order_id) is OrderState.SUBMITTED
    answer = approver.send(f"/orders/{order_id}/approve")
    assert answer.headers["Location"] == f"/console/orders/{order_id}"
    assert state_of(console, order_id) is OrderState.WARNED
    assert order_of(console, order_id).approved_by == approver.person_id


def test_who_approves_reads_the_order_beside_its_document_and_the_words_that_will_be_spoken(console: Console) -> None:
    page = console.somebody(Role.APPROVER).get(f"/orders/{a_submitted_order(console)}/approve")
    frame = elements(page, "//iframe")[0].get("src")
    policy = page.headers["Content-Security-Policy"]
    assert "frame-src 'self'" in policy
    assert "script-src 'self'" in policy
    text = text_of(page)
    for said in ("Organisation", "Example Trading Ltd", "Warning to the callee", "Notice to callers", "2026-CV-7001"):
        assert said in text, said
    document = console.somebody(Role.APPROVER).client.get(frame.partition("#")[0])
    assert document.data == PDF
    assert "frame-src" not in console.somebody(Role.APPROVER).get("/orders").headers["Content-Security-Policy"]


def test_the_words_are_those_that_approving_the_order_makes(console: Console) -> None:
    order_id = a_submitted_order(console)
    office = console.desk.office
    foretold = read_order_words(office, order_id, at_the_command_line(utc_now()))
    assert console.somebody(Role.APPROVER).send(f"/orders/{order_id}/approve").status_code == 303
    answer = console.registry.somebody(Role.CLERK).get(f"/orders/{order_id}/notices")
    assert answer.json is not None
    spoken = {(each["purpose"], each["language"], each["text"]) for each in answer.json["notices"]}
    assert {(each.purpose.value, each.language, each.text) for each in foretold} == spoken


def test_a_proposed_text_is_read_before_the_order_is_approved(sqlite_console: Console) -> None:
    order_id, office = a_submitted_order(sqlite_console), sqlite_console.desk.office
    propose_notice(office, order_id, "en", Text(text="Words of our own."), at_the_command_line(utc_now()))
    words = read_order_words(office, order_id, at_the_command_line(utc_now()))
    content = next(each for each in words if each.purpose is Purpose.PUBLIC)
    assert (content.text, content.origin) == ("Words of our own.", WordsFrom.PROPOSED_TEXT)
    page = sqlite_console.somebody(Role.APPROVER).get(f"/orders/{order_id}/approve")
    assert "Words of our own." in text_of(page)
    assert "the command line" in text_of(page)


def test_the_drafter_sees_why_the_order_must_be_approved_by_somebody_else(console: Console) -> None:
    both = console.somebody(Role.CLERK, Role.APPROVER)
    drafted = console.registry.an_order("lakeside", district="lakeside-north")
    api = console.registry.api.test_client()
    created = api.post("/api/v1/orders", json=drafted, headers={"Authorization": f"Bearer {both.token}"})
    order_id = str(created.json["id"] if created.json else "")
    assert both.send(f"/orders/{order_id}/submit").status_code == 303
    for path in (f"/orders/{order_id}", f"/orders/{order_id}/approve"):
        assert "You drafted this order, or a part of it." in text_of(both.get(path))
    page = both.get(f"/orders/{order_id}/approve")
    assert "Approve the order" not in text_of(page)
    assert "Approve the order" in text_of(console.somebody(Role.APPROVER).get(f"/orders/{order_id}/approve"))
    assert "This order waits for an approver." in text_of(console.somebody(Role.CLERK).get(f"/orders/{order_id}"))


def test_an_order_that_was_changed_meanwhile_says_what_and_is_approved_on_the_second_look(console: Console) -> None:
    order_id, approver = a_submitted_order(console), console.somebody(Role.APPROVER)
    path = f"/orders/{order_id}/approve"
    page = approver.get(path)
    everybody = console.registry.everybody_in_one()
    returned = everybody.post(f"/orders/{order_id}/return")
    edited = everybody.patch(f"/orders/{order_id}", {"valid_days": 30}, **{"If-Match": returned.headers["ETag"]})
    assert edited.status_code == 200, edited.text
    assert everybody.post(f"/orders/{order_id}/submit").status_code == 200
    stale = approver.send_as_seen(path, page)
    assert stale.status_code == 412
    assert state_of(console, order_id) is OrderState.SUBMITTED
    text = text_of(stale)
    for said in ("The order was changed while you had this page open", "Draft changed", "30 days", "by Somebody"):
        assert said in text, said
    row = elements(stale, "//div[contains(@class, 'console-changed')]/dt")
    assert {each.text_content() for each in row} == {"Validity", "Drafted by"}
    assert send_again(approver, path, stale).status_code == 303
    assert state_of(console, order_id) is OrderState.WARNED


def test_an_order_is_sent_back_with_words_that_its_drafter_reads(console: Console) -> None:
    order_id, approver = a_submitted_order(console), console.somebody(Role.APPROVER)
    assert approver.send(f"/orders/{order_id}/return", reason="The case number is wrong.").status_code == 303
    assert state_of(console, order_id) is OrderState.DRAFT
    assert "The case number is wrong." in text_of(console.somebody(Role.CLERK).get(f"/orders/{order_id}"))


def test_a_lifted_order_says_the_very_second_at_which_it_took_effect(console: Console) -> None:
    order_id, clerk = an_approved_order(console), console.somebody(Role.CLERK)
    answer = clerk.send(f"/orders/{order_id}/lift", reason="Paid in full.")
    page = clerk.client.get(answer.headers["Location"])
    lifted_at = order_of(console, order_id).lifted_at
    assert lifted_at is not None
    with console.app.test_request_context():
        shown = str(instant(lifted_at, "America/New_York"))
    panel = elements(page, "//div[contains(@class, 'console-effect')]")[0]
    assert lifted_at.astimezone(NEW_YORK).strftime("%M:%S") in panel.text_content()
    assert shown.split(">")[1].split("<", maxsplit=1)[0] in panel.text_content()
    assert "Paid in full." in text_of(page)
    assert 'role="button"' not in page.text


def test_lifting_twice_keeps_the_first_instant(console: Console) -> None:
    order_id, path = an_approved_order(console), "/orders/{}/lift"
    one, other = console.somebody(Role.CLERK), console.somebody(Role.APPROVER)
    seen_by_other = other.get(path.format(order_id))
    assert one.send(path.format(order_id)).status_code == 303
    first = order_of(console, order_id).lifted_at
    assert other.send_as_seen(path.format(order_id), seen_by_other, reason="Again.").status_code == 303
    assert order_of(console, order_id).lifted_at == first
    assert trail_of(console.desk.office, order_id).count(Tag.ORDER_LIFTED.value) == 1
    again = other.get(path.format(order_id))
    assert "This order is lifted already." in text_of(again)
    assert forms_of(again) == 0


def test_a_form_that_is_sent_twice_is_carried_out_once(sqlite_console: Console) -> None:
    console, clerk = sqlite_console, sqlite_console.somebody(Role.CLERK)
    order_id = an_approved_order(console)
    for act, tag in (("suspend", Tag.ORDER_SUSPENDED), ("lift", Tag.ORDER_LIFTED)):
        page = clerk.get(f"/orders/{order_id}/{act}")
        answers = [clerk.send_as_seen(f"/orders/{order_id}/{act}", page, reason="Once.") for _ in range(2)]
        assert [each.status_code for each in answers] == [303, 303]
        assert trail_of(console.desk.office, order_id).count(tag.value) == 1


def test_an_order_is_suspended_and_a_second_officer_resumes_it(console: Console) -> None:
    order_id, clerk = an_approved_order(console), console.somebody(Role.CLERK)
    page = clerk.client.get(clerk.send(f"/orders/{order_id}/suspend", reason="Looking.").headers["Location"])
    suspended_at = order_of(console, order_id).suspended_at
    assert suspended_at is not None
    panel = elements(page, "//div[contains(@class, 'console-effect')]")[0].text_content()
    assert suspended_at.astimezone(NEW_YORK).strftime("%M:%S") in panel
    approver = console.somebody(Role.APPROVER)
    assert approver.send(f"/orders/{order_id}/resume", reason="It was a mistake.").status_code == 303
    assert state_of(console, order_id) is OrderState.WARNED
    assert "It was a mistake." in text_of(clerk.get(f"/orders/{order_id}"))


def test_a_stale_resumption_keeps_the_reason_and_tells_what_was_done_meanwhile(console: Console) -> None:
    order_id, approver = a_suspended_order(console), console.somebody(Role.APPROVER)
    path = f"/orders/{order_id}/resume"
    page = approver.get(path)
    console.registry.a_document("lakeside", OTHER_PDF)
    extended = _extend(console.somebody(Role.APPROVER), order_id, utc_now().date() + timedelta(days=200))
    assert extended.status_code == 303, errors_of(extended)
    stale = approver.send_as_seen(path, page, reason="My reason, typed at length.")
    assert stale.status_code == 412
    assert "My reason, typed at length." in stale.text
    assert "Order extended" in text_of(stale)
    assert send_again(approver, path, stale).status_code == 303
    assert "My reason, typed at length." in text_of(approver.get(f"/orders/{order_id}"))


def _extend(approver: Reader, order_id: str, until: object, document: bytes = OTHER_PDF) -> TestResponse:
    sha256 = hashlib.sha256(document).hexdigest()
    return approver.send(f"/orders/{order_id}/extend", until=str(until), document_sha256=sha256)


def test_an_order_is_extended_to_the_end_of_a_day_in_the_courts_zone_on_a_document_of_another(console: Console) -> None:
    order_id, clerk = an_approved_order(console), console.somebody(Role.CLERK)
    uploaded = clerk.send(f"/orders/{order_id}/documents/new", document=("order.pdf", OTHER_PDF))
    assert uploaded.status_code == 303, errors_of(uploaded)
    assert hashlib.sha256(OTHER_PDF).hexdigest() in text_of(clerk.client.get(uploaded.headers["Location"]))
    approver, day = console.somebody(Role.APPROVER), utc_now().date() + timedelta(days=200)
    page = approver.get(f"/orders/{order_id}/extend")
    document = elements(page, "//input[@type='radio']/@value")[0]
    answer = approver.send_as_seen(f"/orders/{order_id}/extend", page, until=str(day), document=document)
    assert answer.status_code == 303, errors_of(answer)
    ends = order_of(console, order_id).valid_until
    assert ends is not None
    assert ends.astimezone(NEW_YORK).replace(tzinfo=None) == datetime(day.year, day.month, day.day, tzinfo=UTC).replace(
        tzinfo=None
    ) + timedelta(days=1)
    assert order_of(console, order_id).authority.document_sha256 == hashlib.sha256(OTHER_PDF).hexdigest()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"until": ""}, "Enter the last day"),
        ({"until": "2026-01-01"}, "would be in force"),
        ({"document_sha256": "0" * 64}, "no authority document with the hash"),
        ({"document_sha256": ""}, "no authority document"),
    ],
)
def test_what_an_order_cannot_be_extended_on_is_said_in_the_form(
    sqlite_console: Console, fields: dict[str, str], said: str
) -> None:
    order_id = an_approved_order(sqlite_console)
    a_document(sqlite_console)
    right = {
        "until": str(utc_now().date() + timedelta(days=200)),
        "document_sha256": hashlib.sha256(OTHER_PDF).hexdigest(),
    }
    answer = sqlite_console.somebody(Role.APPROVER).send(f"/orders/{order_id}/extend", right | fields)
    assert answer.status_code == 422
    assert said in " ".join(errors_of(answer))
    for value in (right | fields).values():
        assert value in answer.text


def test_an_officer_does_not_extend_on_the_own_document(sqlite_console: Console) -> None:
    console = sqlite_console
    order_id, both = an_approved_order(console), console.somebody(Role.CLERK, Role.APPROVER)
    assert both.send(f"/orders/{order_id}/documents/new", document=("a.pdf", OTHER_PDF)).status_code == 303
    assert "No new document is on file." in text_of(both.get(f"/orders/{order_id}/extend"))
    refused = _extend(both, order_id, utc_now().date() + timedelta(days=200))
    assert refused.status_code == 409
    assert "second officer must" in errors_of(refused)[0]


def test_what_is_no_pdf_is_refused_in_the_form(sqlite_console: Console) -> None:
    order_id, clerk = an_approved_order(sqlite_console), sqlite_console.somebody(Role.CLERK)
    refused = clerk.send(f"/orders/{order_id}/documents/new", document=("a.pdf", b"<html>"))
    assert refused.status_code == 422
    assert "no PDF" in errors_of(refused)[0]


def test_a_clerk_of_one_district_uploads_a_document_and_sees_that_it_is_on_file(sqlite_console: Console) -> None:
    order_id = an_approved_order(sqlite_console)
    clerk = sqlite_console.somebody(Role.CLERK, scope=InDistrict(court_id="lakeside", district_id="lakeside-north"))
    uploaded = clerk.send(f"/orders/{order_id}/documents/new", document=("a.pdf", OTHER_PDF))
    assert clerk.client.get(uploaded.headers["Location"]).status_code == 200


@pytest.mark.parametrize("act", ["submit", "return", "approve", "suspend", "resume", "lift", "extend"])
def test_who_lacks_the_right_is_refused_before_anything_is_shown(sqlite_console: Console, act: str) -> None:
    order_id = a_submitted_order(sqlite_console)
    auditor = sqlite_console.somebody(Role.AUDITOR)
    assert auditor.get(f"/orders/{order_id}/{act}").status_code == 403


def test_an_act_that_came_too_late_is_said_with_the_reason_kept(sqlite_console: Console) -> None:
    console, clerk = sqlite_console, sqlite_console.somebody(Role.CLERK)
    order_id = an_approved_order(console)
    page = clerk.get(f"/orders/{order_id}/suspend")
    assert console.somebody(Role.APPROVER).send(f"/orders/{order_id}/lift").status_code == 303
    late = clerk.send_as_seen(f"/orders/{order_id}/suspend", page, reason="Too late.")
    assert late.status_code == 409
    assert "Too late." in late.text
    assert "is lifted already" in text_of(late)


def test_an_act_that_the_state_does_not_allow_is_not_asked_for(sqlite_console: Console) -> None:
    order_id = a_draft(sqlite_console)
    everybody = sqlite_console.somebody(Role.CLERK, Role.APPROVER)
    for act in ("approve", "return", "suspend", "resume", "extend"):
        page = everybody.get(f"/orders/{order_id}/{act}")
        assert page.status_code == 200
        assert "This cannot be done with the order as it stands now" in text_of(page)
        assert forms_of(page) == 0, act


def test_a_reason_that_is_too_long_is_kept_in_the_form(sqlite_console: Console) -> None:
    order_id = an_approved_order(sqlite_console)
    answer = sqlite_console.somebody(Role.CLERK).send(f"/orders/{order_id}/lift", reason="x" * 2001)
    assert answer.status_code == 422
    assert "x" * 2001 in answer.text
    assert order_of(sqlite_console, order_id).lifted_at is None


def test_an_act_on_another_courts_order_changes_nothing(sqlite_console: Console) -> None:
    console, order_id = sqlite_console, an_approved_order(sqlite_console)
    own = console.somebody(Role.CLERK)
    stranger = console.somebody(Role.CLERK, scope=InCourt(court_id="thameside"))
    theirs = an_approved_order(console, "2026-TC-1", court="thameside")
    page = stranger.get(f"/orders/{theirs}/lift")
    assert stranger.send_as_seen(f"/orders/{order_id}/lift", page).status_code == 404
    assert order_of(console, order_id).lifted_at is None
    assert own.get(f"/orders/{theirs}/lift").status_code == 404


def test_a_persons_order_is_approved_and_nothing_about_it_is_for_callers(console: Console) -> None:
    order_id, approver = a_submitted_order(console, subject=PERSON), console.somebody(Role.APPROVER)
    words = read_order_words(console.desk.office, order_id, at_the_command_line(utc_now()))
    assert {each.purpose for each in words} == {Purpose.OPENER, Purpose.PRIVATE}
    assert not any("Jo Bloggs" in each.text for each in words if each.purpose is Purpose.OPENER)
    assert approver.send(f"/orders/{order_id}/approve").status_code == 303
    assert state_of(console, order_id) is OrderState.IN_FORCE
    assert "Notice to callers" not in text_of(approver.get(f"/orders/{order_id}"))
