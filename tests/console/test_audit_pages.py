"""The trail for auditors: in words, filtered in the address, held to their courts, and verified."""

from enum import Enum

import pytest
from sqlalchemy import text, update
from werkzeug.test import TestResponse

from gateway.app import Running
from gateway.audit.faults import Flaw
from gateway.audit.tables import trail
from gateway.audit.tags import Tag
from gateway.clock import utc_now
from gateway.console.words import word
from gateway.domain.notice import Purpose
from gateway.domain.plan import Decision
from gateway.domain.rights import Everywhere, InCourt, Role
from gateway.domain.standing import Ground
from gateway.register.disputes import Resolution
from gateway.workflows.load_demo import person_in_permitted_hours
from tests.audit.test_guards import GUARDS
from tests.console.scene import Console, a_console, text_of
from tests.telephone import Telephone
from tests.workflows.test_disputes import press_on_a_call

THAMESIDE = InCourt(court_id="thameside")
FAR = "2100-01-01"


def _switch(console: Console, district_id: str = "lakeside-north", reason: str = "A pause of an hour.") -> str:
    """Have an operator switch a district off; return their id."""
    operator = console.somebody(Role.OPERATOR, scope=Everywhere())
    assert operator.send(f"/districts/{district_id}/switch", reason=reason).status_code == 303
    return operator.person_id


def _rows(page: TestResponse) -> str:
    return text_of(page).partition("Done by Court")[2]


@pytest.mark.parametrize(
    "code",
    [each for kind in (Tag, Flaw, Ground, Resolution, Decision, Purpose) for each in kind],
    ids=lambda each: f"{type(each).__name__}.{each.name}",
)
def test_every_code_that_these_pages_show_has_words(console_to_look_at: Console, code: Enum) -> None:
    with console_to_look_at.app.test_request_context("/console/"):
        assert word(code) != code.value


def test_the_trail_is_told_in_words_with_names_for_ids(console: Console) -> None:
    _switch(console)
    told = _rows(console.somebody(Role.AUDITOR).get("/audit?tag=office:district:switched_off"))
    for words in ("District switched off", "reason: A pause of an hour.", "North", "Somebody", "Lakeside County Court"):
        assert words in told
    assert "office:district" not in told


def test_each_filter_of_the_address_leaves_the_rest_out(console: Console) -> None:
    operator_id = _switch(console)
    _switch(console, "thameside", reason="Another pause.")
    auditor = console.somebody(Role.AUDITOR, scope=Everywhere())
    today = utc_now().date().isoformat()
    for kept in (
        "court=lakeside&tag=office:district:switched_off",
        "subject=lakeside-north",
        f"actor={operator_id}",
        f"subject=lakeside-north&since={today}&until={today}",
    ):
        told = _rows(auditor.get(f"/audit?{kept}"))
        assert "A pause of an hour." in told, kept
        assert "Another pause." not in told, kept
    for empty in ("subject=nothing", f"since={FAR}", "until=2000-01-01", "court=nowhere", "actor=nobody"):
        assert "No entry is like this" in text_of(auditor.get(f"/audit?{empty}")), empty


@pytest.mark.parametrize("wrong", ["since=yesterday", "until=2026-02-31", f"actor={'x' * 100}"])
def test_a_filter_that_cannot_be_read_lists_nothing_and_says_why(sqlite_console: Console, wrong: str) -> None:
    page = sqlite_console.somebody(Role.AUDITOR).get(f"/audit?{wrong}")
    assert page.status_code == 200
    assert "govuk-error-message" in page.text
    assert "No entry is like this" in text_of(page)


@pytest.mark.parametrize(
    "odd", ["tag=no:such:tag", "after=x", "after=99999999999999999999", "since=0001-01-01&until=9999-12-31"]
)
def test_an_address_that_asks_for_nonsense_is_answered(sqlite_console: Console, odd: str) -> None:
    assert sqlite_console.somebody(Role.AUDITOR).get(f"/audit?{odd}").status_code == 200


def test_a_long_trail_comes_in_pages(sqlite_console: Console) -> None:
    for _ in range(60):
        sqlite_console.somebody(Role.CLERK)
    auditor = sqlite_console.somebody(Role.AUDITOR)
    first = auditor.get("/audit?tag=people:role:given")
    after = first.text.partition("after=")[2].partition("&")[0]
    second = auditor.get(f"/audit?tag=people:role:given&after={after}")
    assert _rows(first).count("Role given") == 50
    assert f">{after}</td>" in first.text
    assert f">{after}</td>" not in second.text
    assert "Role given" in _rows(second)


def test_a_courts_auditor_sees_nothing_of_another_court(console: Console) -> None:
    operator_id = _switch(console, reason="Lakeside's own business.")
    page = console.somebody(Role.AUDITOR, scope=THAMESIDE).get("/audit")
    assert page.status_code == 200
    for secret in ("Lakeside", "lakeside", operator_id):
        assert secret not in page.text
    direct = console.somebody(Role.AUDITOR, scope=THAMESIDE).get("/audit?court=lakeside&subject=lakeside-north")
    assert "No entry is like this" in text_of(direct)


@pytest.mark.parametrize("role", [Role.CLERK, Role.APPROVER, Role.OPERATOR, Role.ADMINISTRATOR])
def test_the_trail_is_for_auditors_only(sqlite_console: Console, role: Role) -> None:
    reader = sqlite_console.somebody(role)
    for path in ("/audit", "/audit/verify", "/audit/export"):
        assert reader.get(path).status_code == 403


def test_a_sound_trail_is_said_to_be_sound(console: Console) -> None:
    _switch(console)
    for scope in (Everywhere(), THAMESIDE):
        answer = console.somebody(Role.AUDITOR, scope=scope).send("/audit/verify")
        assert answer.status_code == 200
        assert "Nothing is wrong" in text_of(answer)
        assert "Every seal is sound" in text_of(answer)


def test_an_edited_entry_is_found_and_only_who_reads_everything_is_told_where(console: Console) -> None:
    _switch(console)
    with console.desk.office.engine.begin() as connection:
        for guard in GUARDS[connection.dialect.name]:
            connection.execute(text(guard))
        connection.execute(update(trail).where(trail.c.seq == 3).values(actor="somebody-else"))
    whole = text_of(console.somebody(Role.AUDITOR, scope=Everywhere()).send("/audit/verify"))
    assert "Something is wrong" in whole
    assert "An entry was changed after it was written" in whole
    assert "Entry 3" in whole
    court = text_of(console.somebody(Role.AUDITOR, scope=THAMESIDE).send("/audit/verify"))
    assert "An entry was changed after it was written" in court
    assert "Entry 3" not in court
    assert "Who reads the trail of all courts is also told where." in court


def test_the_whole_trail_is_a_download_for_who_reads_all_of_it(console: Console) -> None:
    answer = console.somebody(Role.AUDITOR, scope=Everywhere()).get("/audit/export")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="trail-')
    assert answer.text.startswith('{"form":"court-notice-gateway/trail/1"')
    assert console.somebody(Role.AUDITOR).get("/audit/export").status_code == 403
    assert "Download" not in console.somebody(Role.AUDITOR).get("/audit").text


def test_plays_are_listed_with_their_order_and_key_and_only_within_reach(telephone: Telephone) -> None:
    running: Running = telephone.app.extensions["notice_gateway"]
    console = a_console(running.parts)
    number, _city = person_in_permitted_hours(utc_now())
    press_on_a_call(telephone, number, "9")
    auditor = console.somebody(Role.AUDITOR, scope=Everywhere())
    told = text_of(auditor.get("/plays"))
    for words in ("Opener", "Callee", "Key 9", "Intact"):
        assert words in told
    assert number not in told
    assert "No play is like this." in text_of(auditor.get("/plays?purpose=public"))
    assert "No play is like this." in text_of(auditor.get(f"/plays?since={FAR}"))
    console.registry.a_court("elsewhere")
    other = console.somebody(Role.AUDITOR, scope=InCourt(court_id="elsewhere"))
    assert "No play is like this." in text_of(other.get("/plays"))
    assert console.somebody(Role.OPERATOR).get("/plays").status_code == 403
