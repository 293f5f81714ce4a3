"""What every form of the console survives: being sent twice, the back button, forgery, an ended session."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from gateway.clock import utc_now
from gateway.console.app import PAGES
from gateway.console.page import Page
from gateway.console.rights import NEEDS
from gateway.domain.rights import Right, Role
from gateway.people.tables import sessions
from gateway.register.tables import remarks
from gateway.workflows.doors import Door
from tests.console.scene import Console, Reader, errors_of, marks_of, text_of


def _an_order(console: Console) -> str:
    return console.registry.an_approved_order("lakeside", district="lakeside-north")


def _remarks(console: Console, order_id: str) -> int:
    with console.desk.office.reading.connect() as connection:
        count = select(func.count()).select_from(remarks).where(remarks.c.order_id == order_id)
        return connection.execute(count).scalar_one()


def _end_session(console: Console, reader: Reader) -> None:
    long_ago = utc_now() - timedelta(hours=1)
    with console.desk.office.engine.begin() as connection:
        statement = update(sessions).where(sessions.c.person_id == reader.person_id)
        connection.execute(statement.values(seen_at=long_ago))


def test_a_form_that_is_sent_twice_is_carried_out_once_and_leads_to_the_same_place_twice(console: Console) -> None:
    order_id, clerk = _an_order(console), console.somebody(Role.CLERK)
    path = f"/orders/{order_id}/lift"
    page = clerk.get(path)
    first = clerk.send_as_seen(path, page, reason="The debtor has paid.")
    again = clerk.send_as_seen(path, page, reason="The debtor has paid.")
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.headers["Location"] == again.headers["Location"]
    assert _remarks(console, order_id) == 1


def test_a_form_that_is_sent_twice_at_the_same_moment_is_carried_out_once(console: Console) -> None:
    order_id, clerk = _an_order(console), console.somebody(Role.CLERK)
    path = f"/orders/{order_id}/lift"
    page = clerk.get(path)
    twins = [console.with_session(clerk.person_id, clerk.token) for _ in range(2)]
    for twin in twins:
        twin.client.set_cookie("console", clerk.client.get_cookie("console", path="/console").value, path="/console")  # type: ignore[union-attr]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda twin: twin.send_as_seen(path, page, reason="Twice."), twins))
    assert [answer.status_code for answer in answers] == [303, 303], [text_of(a) for a in answers if a.data]
    assert _remarks(console, order_id) == 1


def test_a_form_that_the_back_button_brings_back_is_not_taken_for_the_earlier_one(sqlite_console: Console) -> None:
    console = sqlite_console
    order_id, clerk = _an_order(console), console.somebody(Role.CLERK)
    path = f"/orders/{order_id}/lift"
    page = clerk.get(path)
    assert clerk.send_as_seen(path, page, reason="The first reason.").status_code == 303
    other = clerk.send_as_seen(path, page, reason="Another reason.")
    assert other.status_code == 409
    assert "sent before" in errors_of(other)[0]
    assert "Another reason." in other.text
    assert marks_of(other.text)["once"] != marks_of(page.text)["once"]


def test_a_form_without_its_token_changes_nothing_and_keeps_what_was_typed(sqlite_console: Console) -> None:
    console = sqlite_console
    order_id, clerk = _an_order(console), console.somebody(Role.CLERK)
    path = f"/orders/{order_id}/lift"
    page = clerk.get(path)
    for token in ("", "forged", marks_of(page.text)["csrf_token"][:-2]):
        answer = clerk.send_as_seen(path, page, csrf_token=token, reason="The words that were typed.")
        assert answer.status_code == 422
        assert errors_of(answer)
        assert "The words that were typed." in answer.text
    assert _remarks(console, order_id) == 0


def test_another_browsers_token_opens_no_form(sqlite_console: Console) -> None:
    console = sqlite_console
    order_id, clerk, other = _an_order(console), console.somebody(Role.CLERK), console.somebody(Role.CLERK)
    path = f"/orders/{order_id}/lift"
    stolen = marks_of(other.get(path).text)["csrf_token"]
    assert clerk.send(path, csrf_token=stolen, reason="Stolen.").status_code == 422
    assert _remarks(console, order_id) == 0


def test_what_was_typed_into_a_form_whose_session_ended_is_there_after_signing_in(console: Console) -> None:
    order_id, clerk = _an_order(console), console.somebody(Role.CLERK)
    path = f"/orders/{order_id}/lift"
    page = clerk.get(path)
    _end_session(console, clerk)
    ended = clerk.send_as_seen(path, page, reason="Paid in full on Monday.")
    assert ended.status_code == 303
    where = ended.headers["Location"]
    assert where.startswith("/console/sign-in?")
    assert "Paid" not in where
    kept = console.app.test_client().get(where)
    assert "session has ended" in text_of(kept)
    assert _remarks(console, order_id) == 0
    back = _after_sign_in(console, clerk, where)
    assert "Paid in full on Monday." in back.text


def test_nobody_else_gets_what_was_typed(sqlite_console: Console) -> None:
    console = sqlite_console
    order_id, clerk, other = _an_order(console), console.somebody(Role.CLERK), console.somebody(Role.CLERK)
    path = f"/orders/{order_id}/lift"
    page = clerk.get(path)
    _end_session(console, clerk)
    where = clerk.send_as_seen(path, page, reason="Paid in full on Monday.").headers["Location"]
    seen = _after_sign_in(console, other, where)
    assert seen.status_code == 200
    assert "Paid in full on Monday." not in seen.text


def test_a_forged_form_of_an_ended_session_is_not_kept(sqlite_console: Console) -> None:
    console = sqlite_console
    order_id, clerk = _an_order(console), console.somebody(Role.CLERK)
    path = f"/orders/{order_id}/lift"
    page = clerk.get(path)
    _end_session(console, clerk)
    answer = clerk.send_as_seen(path, page, csrf_token="forged", reason="Forged.")
    assert "kept" not in answer.headers["Location"]


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(sqlite_console: Console) -> None:
    answer = sqlite_console.anybody.get("/console/orders", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"].startswith("/console/sign-in")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_states_what_it_takes(page: Page) -> None:
    assert page.name in NEEDS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_that_can_be_sent_has_a_form_and_the_other_way_round(page: Page) -> None:
    assert (page.form is None) == (page.send is None)


def test_no_two_pages_have_one_address() -> None:
    assert len({page.path for page in PAGES}) == len(PAGES)
    assert len({page.name for page in PAGES}) == len(PAGES)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if NEEDS.get(page.name) is not Door.PUBLIC], ids=lambda p: p.name
)
def test_who_is_not_signed_in_is_sent_to_sign_in(console_to_look_at: Console, page: Page) -> None:
    path = "/console" + _filled(page.path)
    answer = console_to_look_at.anybody.get(path)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/console/sign-in")


@pytest.mark.parametrize("page", [p for p in PAGES if isinstance(NEEDS.get(p.name), Right)], ids=lambda p: p.name)
def test_who_lacks_the_right_is_refused(console_to_look_at: Console, page: Page) -> None:
    nobody = console_to_look_at.somebody()
    assert nobody.get(_filled(page.path)).status_code == 403


def test_pages_are_not_stored_and_run_no_script_of_others(sqlite_console: Console) -> None:
    answer = sqlite_console.somebody(Role.CLERK).get("/orders")
    policy = answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script>" not in answer.text
    assert "style=" not in answer.text


def _filled(path: str) -> str:
    """Return a path with a made-up id in the place of each variable."""
    return re.sub(r"<[^>]*>", "x", path)


def _after_sign_in(console: Console, reader: Reader, where: str) -> TestResponse:
    """Open the page that a sign-in of `reader` leads back to."""
    fresh = console.somebody()
    with console.desk.office.engine.begin() as connection:
        statement = update(sessions).where(sessions.c.person_id == fresh.person_id)
        connection.execute(statement.values(person_id=reader.person_id))
    return fresh.client.get(parse_qs(urlsplit(where).query)["next"][0])
