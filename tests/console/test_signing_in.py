"""Signing in at the console: password and code, a passkey, an identity provider; and enrolling with a code."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.clock import utc_now
from gateway.console.app import make_console
from gateway.console.cookies import session_cookie
from gateway.console.views.sign_in import local
from gateway.people.oidc import OidcSettings
from gateway.people.passwords import Passwords
from gateway.workflows.add_person import Added, PersonDraft, add_person
from gateway.workflows.people_desk import PeopleDesk
from tests.console.scene import COMPILED, Console, errors_of, marks_of, text_of
from tests.people.authenticator import Authenticator
from tests.people.desks import LOGIN, NAME, PASSWORD, Somebody, at, cheap, enrol
from tests.people.providers import CLIENT_ID, CLIENT_SECRET, Lies, LyingProvider, consent, lying_provider, real_provider

ORIGIN, PARTY = "http://127.0.0.1:8080", "127.0.0.1"


@pytest.fixture
def desk(sqlite_console: Console) -> PeopleDesk:
    return sqlite_console.desk.people


@pytest.fixture
def anybody(sqlite_console: Console) -> FlaskClient:
    """A browser at a console that hashes cheaply."""
    return an_app(sqlite_console).test_client()


@pytest.fixture
def liar() -> Iterator[LyingProvider]:
    with lying_provider() as started:
        yield started


def an_app(console: Console, provider: OidcSettings | None = None) -> Flask:
    people = replace(console.desk.people, passwords=Passwords(cheap()))
    app = make_console(replace(console.desk, people=people, oidc=provider), compiled=COMPILED)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app


def add(desk: PeopleDesk, *, oidc: bool = False) -> Added:
    """Add Ada, and return her with her enrolment code."""
    return add_person(desk, at(utc_now()), PersonDraft(login=LOGIN, name=NAME, oidc_allowed=oidc))


def ada(desk: PeopleDesk) -> Somebody:
    """Return Ada, who enrolled long enough ago for the next code to be a new one."""
    cheaply = replace(desk, passwords=Passwords(cheap()))
    return enrol(cheaply, add(desk).enrolment_code, LOGIN, utc_now() - timedelta(minutes=10))


def send(browser: FlaskClient, path: str, **fields: str) -> TestResponse:
    """Open a page, and send its form with these fields."""
    page = browser.get(path)
    assert page.status_code == 200, page.text
    return browser.post(path, data=marks_of(page.text) | fields)


def enter(browser: FlaskClient, who: Somebody, *, then: str = "", code: str = "") -> TestResponse:
    path = f"/console/sign-in?next={then}" if then else "/console/sign-in"
    return send(browser, path, login=who.login, password=PASSWORD, code=code or who.code(utc_now()))


def is_in(browser: FlaskClient) -> bool:
    return browser.get("/console/account").status_code == 200


def options_of(page: TestResponse) -> str:
    found = re.search(r'data-options="([^"]*)"', page.text)
    assert found
    return unescape(found[1])


def ticket_of(page: TestResponse) -> str:
    found = re.search(r'name="ticket" type="hidden" value="([^"]*)"', page.text)
    assert found, page.text
    return found[1]


class TestPassword:
    def test_a_password_and_a_code_open_a_session_that_nobody_knew_before(
        self, anybody: FlaskClient, desk: PeopleDesk
    ) -> None:
        planted = f"cns_{'x' * 43}"
        anybody.set_cookie("session", planted)
        answer = enter(anybody, ada(desk), then="/console/account")
        assert (answer.status_code, answer.location) == (303, "/console/account")
        cookie = anybody.get_cookie("session")
        assert cookie is not None
        assert cookie.value != planted
        assert cookie.http_only
        assert cookie.same_site == "Lax"
        assert is_in(anybody)

    def test_the_session_that_the_browser_had_before_is_closed(
        self, sqlite_console: Console, anybody: FlaskClient, desk: PeopleDesk
    ) -> None:
        before = sqlite_console.somebody()
        anybody.set_cookie(session_cookie(sqlite_console.desk), before.token)
        enter(anybody, ada(desk))
        assert before.get("/account").status_code == 303
        assert is_in(anybody)

    def test_what_is_wrong_is_told_in_the_form_which_keeps_the_login_and_no_secret(
        self, anybody: FlaskClient, desk: PeopleDesk
    ) -> None:
        who = ada(desk)
        answer = send(anybody, "/console/sign-in", login=who.login, password="not the password at all", code="000000")
        assert answer.status_code == 401
        assert "is wrong" in errors_of(answer)[0]
        assert f'value="{LOGIN}"' in answer.text
        assert "not the password at all" not in answer.text
        assert not is_in(anybody)

    def test_empty_fields_are_named(self, anybody: FlaskClient) -> None:
        answer = send(anybody, "/console/sign-in")
        assert answer.status_code == 422
        assert "Enter your login" in errors_of(answer)

    def test_a_form_without_its_mark_opens_nothing(self, anybody: FlaskClient, desk: PeopleDesk) -> None:
        who = ada(desk)
        anybody.get("/console/sign-in")
        fields = {"login": who.login, "password": PASSWORD, "code": who.code(utc_now())}
        assert anybody.post("/console/sign-in", data=fields).status_code == 422
        assert not is_in(anybody)

    def test_a_code_that_was_used_opens_nothing(self, anybody: FlaskClient, desk: PeopleDesk) -> None:
        who = ada(desk)
        code = who.code(utc_now())
        enter(anybody, who, code=code)
        other = anybody.application.test_client()
        assert enter(other, who, code=code).status_code == 401

    @pytest.mark.parametrize(
        "elsewhere",
        [
            "https://evil.example/console",
            "//evil.example/console",
            "/\\evil.example/console",
            "/console\\@evil.example",
            "//[",
            "http://[::1",
            "javascript:alert(1)",
            "/consolation",
            "/api/v1/people",
            "\t//evil.example/console",
            " //evil.example/console",
            "/console/\r\nSet-Cookie:x=y",
        ],
    )
    def test_an_address_elsewhere_is_never_gone_on_to(self, anybody: FlaskClient, elsewhere: str) -> None:
        with anybody.application.test_request_context():
            assert local(elsewhere) == url_for("home")

    def test_signing_out_closes_the_session_itself(self, anybody: FlaskClient, desk: PeopleDesk) -> None:
        enter(anybody, ada(desk))
        cookie = anybody.get_cookie("session")
        assert cookie is not None
        assert send(anybody, "/console/sign-out").location.endswith("/console/sign-in")
        anybody.set_cookie("session", cookie.value)
        assert not is_in(anybody)


class TestPasskey:
    def with_a_passkey(self, browser: FlaskClient, desk: PeopleDesk) -> Authenticator:
        """Enrol with a passkey, by the pages."""
        code, made = add(desk).enrolment_code, Authenticator(origin=ORIGIN, party_id=PARTY)
        assert send(browser, "/console/enrol", enrolment_code=code).location.endswith("/console/enrol/password")
        page = browser.get("/console/enrol/passkey")
        fields = {"ticket": ticket_of(page), "passkey": made.create(options_of(page)), "label": "My laptop"}
        answer = browser.post("/console/enrol/passkey", data=marks_of(page.text) | fields)
        assert answer.status_code == 303, answer.text
        assert answer.location.endswith("/console/sign-in?enrolled=1")
        return made

    def test_who_enrolled_with_a_passkey_signs_in_with_it_once_for_each_answer(
        self, anybody: FlaskClient, desk: PeopleDesk
    ) -> None:
        made = self.with_a_passkey(anybody, desk)
        page = anybody.get("/console/sign-in/passkey?next=/console/account")
        fields = {"ticket": ticket_of(page), "passkey": made.get(options_of(page))} | marks_of(page.text)
        again = anybody.application.test_client()
        strange = again.get("/console/sign-in/passkey")
        answer = anybody.post("/console/sign-in/passkey?next=/console/account", data=fields)
        assert (answer.status_code, answer.location) == (303, "/console/account")
        assert is_in(anybody)
        replayed = again.post("/console/sign-in/passkey", data=fields | marks_of(strange.text))
        assert replayed.status_code == 401
        assert not is_in(again)

    def test_a_refused_passkey_is_asked_for_anew(self, anybody: FlaskClient, desk: PeopleDesk) -> None:
        self.with_a_passkey(anybody, desk)
        page = anybody.get("/console/sign-in/passkey")
        stranger = Authenticator(origin=ORIGIN, party_id=PARTY).get(options_of(page))
        fields = {"ticket": ticket_of(page), "passkey": stranger}
        answer = anybody.post("/console/sign-in/passkey", data=marks_of(page.text) | fields)
        assert answer.status_code == 401
        assert "was not accepted" in errors_of(answer)[0]
        assert ticket_of(answer) != ticket_of(page)
        assert 'name="passkey" type="hidden" value=""' in answer.text

    def test_without_an_answer_of_the_browser_it_is_said_what_to_do(self, anybody: FlaskClient) -> None:
        answer = send(anybody, "/console/sign-in/passkey")
        assert answer.status_code == 422
        assert "sign in with your password" in errors_of(answer)[0]

    def test_it_is_offered_only_where_browsers_make_passkeys(self, sqlite_console: Console) -> None:
        assert "/console/sign-in/passkey" not in sqlite_console.anybody.get("/console/sign-in").text
        party = replace(sqlite_console.desk.people.party, party_id="gateway.example.org")
        people = replace(sqlite_console.desk.people, party=party)
        named = make_console(replace(sqlite_console.desk, people=people), compiled=COMPILED).test_client()
        assert "/console/sign-in/passkey" in named.get("/console/sign-in").text


class TestProvider:
    def browser(self, console: Console, issuer: str, redirect_uri: str = "") -> FlaskClient:
        provider = OidcSettings(
            issuer=issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, redirect_uri=redirect_uri
        )
        return an_app(console, provider).test_client()

    def test_who_comes_back_from_a_real_provider_is_in_and_a_second_return_opens_nothing(
        self, sqlite_console: Console, desk: PeopleDesk
    ) -> None:
        add(desk, oidc=True)
        with real_provider({"sub": "subject-1", "email": LOGIN, "email_verified": True}) as issuer:
            browser = self.browser(sqlite_console, issuer)
            left = browser.get("/console/sign-in/oidc/begin?next=/console/account")
            assert left.status_code == 303
            asked = parse_qs(urlsplit(left.location).query)
            assert asked["redirect_uri"] == [f"{ORIGIN}/console/sign-in/oidc"]
            back = consent(left.location, "subject-1")
            came = browser.get("/console/sign-in/oidc", query_string=back)
            assert (came.status_code, came.location) == (303, "/console/account")
            assert is_in(browser)
            assert browser.get("/console/sign-in/oidc", query_string=back).status_code == 422

    def test_a_return_that_another_browser_began_opens_nothing(
        self, sqlite_console: Console, desk: PeopleDesk, liar: LyingProvider
    ) -> None:
        add(desk, oidc=True)
        liar.lies = Lies(claims={"email": LOGIN, "email_verified": True})
        mine = self.browser(sqlite_console, liar.issuer)
        back = liar.authorize(mine.get("/console/sign-in/oidc/begin").location)
        victim = mine.application.test_client()
        assert victim.get("/console/sign-in/oidc", query_string=back).status_code == 422
        victim.get("/console/sign-in/oidc/begin")
        refused = victim.get("/console/sign-in/oidc", query_string=back)
        assert refused.status_code == 401
        assert "state" in errors_of(refused)[0]
        assert not is_in(victim)

    def test_a_ticket_that_the_browser_kept_a_copy_of_opens_no_second_session(
        self, sqlite_console: Console, desk: PeopleDesk, liar: LyingProvider
    ) -> None:
        add(desk, oidc=True)
        liar.lies = Lies(claims={"email": LOGIN, "email_verified": True})
        browser = self.browser(sqlite_console, liar.issuer)
        back = liar.authorize(browser.get("/console/sign-in/oidc/begin").location)
        kept = browser.get_cookie("console", path="/console")
        assert kept is not None
        assert browser.get("/console/sign-in/oidc", query_string=back).status_code == 303
        thief = browser.application.test_client()
        thief.set_cookie("console", kept.value, path="/console")
        refused = thief.get("/console/sign-in/oidc", query_string=back)
        assert refused.status_code == 401
        assert "finished already" in errors_of(refused)[0]
        assert not is_in(thief)

    def test_a_session_that_was_planted_is_not_the_one_that_is_opened(
        self, sqlite_console: Console, desk: PeopleDesk, liar: LyingProvider
    ) -> None:
        add(desk, oidc=True)
        liar.lies = Lies(claims={"email": LOGIN, "email_verified": True})
        browser = self.browser(sqlite_console, liar.issuer)
        planted = sqlite_console.somebody()
        browser.set_cookie("session", planted.token)
        back = liar.authorize(browser.get("/console/sign-in/oidc/begin").location)
        browser.get("/console/sign-in/oidc", query_string=back)
        assert LOGIN in browser.get("/console/account").text
        assert planted.get("/account").status_code == 303

    def test_a_provider_that_lets_nobody_in_leads_back_to_the_other_ways(
        self, sqlite_console: Console, liar: LyingProvider
    ) -> None:
        browser = self.browser(sqlite_console, liar.issuer)
        browser.get("/console/sign-in/oidc/begin")
        page = browser.get("/console/sign-in/oidc?error=access_denied&error_description=<b>told</b>")
        assert page.status_code == 422
        assert "told" not in text_of(page)
        assert 'action="/console/sign-in' in page.text

    def test_a_provider_that_is_away_is_told_of_in_the_form(self, sqlite_console: Console, liar: LyingProvider) -> None:
        liar.lies = Lies(status=500)
        page = self.browser(sqlite_console, liar.issuer).get("/console/sign-in/oidc/begin")
        assert page.status_code == 502
        assert "did not answer" in errors_of(page)[0]

    def test_it_is_not_offered_where_people_would_come_back_to_another_page(
        self, sqlite_console: Console, anybody: FlaskClient
    ) -> None:
        link = "/console/sign-in/oidc/begin"
        ours = self.browser(sqlite_console, "https://id.example", f"{ORIGIN}/console/sign-in/oidc")
        theirs = self.browser(sqlite_console, "https://id.example", "https://portal.example/back")
        assert link in ours.get("/console/sign-in").text
        for browser in (theirs, anybody):
            assert link not in browser.get("/console/sign-in").text
            assert browser.get(link).status_code == 422
            assert browser.get("/console/sign-in/oidc?code=x&state=y").status_code == 422


class TestEnrolling:
    def begun(self, browser: FlaskClient, desk: PeopleDesk) -> tuple[str, pyotp.TOTP, TestResponse]:
        code = add(desk).enrolment_code
        assert send(browser, "/console/enrol", enrolment_code=f" {code} ").status_code == 303
        page = browser.get("/console/enrol/password")
        secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
        assert secret
        assert f"secret={secret[1].replace(' ', '')}" in page.text
        return code, pyotp.TOTP(secret[1].replace(" ", "")), page

    def test_a_password_and_the_app_that_were_set_sign_in(self, anybody: FlaskClient, desk: PeopleDesk) -> None:
        _code, app, _page = self.begun(anybody, desk)
        earlier = utc_now() - timedelta(seconds=30)
        answer = send(anybody, "/console/enrol/password", password=PASSWORD, totp_code=app.at(earlier))
        assert answer.location.endswith("/console/sign-in?enrolled=1")
        assert "You have enrolled" in text_of(anybody.get(answer.location))
        who = Somebody(person_id="", login=LOGIN, secret=app.secret)
        assert enter(anybody, who).status_code == 303
        assert is_in(anybody)

    def test_a_weak_password_and_a_wrong_code_are_told_and_the_same_secret_stays(
        self, anybody: FlaskClient, desk: PeopleDesk
    ) -> None:
        _code, app, _page = self.begun(anybody, desk)
        weak = send(anybody, "/console/enrol/password", password="short", totp_code=app.now())
        wrong = send(anybody, "/console/enrol/password", password=PASSWORD, totp_code="000000")
        assert (weak.status_code, wrong.status_code) == (422, 422)
        assert "not accepted" in errors_of(weak)[0]
        assert "six digits" in errors_of(wrong)[0]
        assert " ".join(re.findall("....", app.secret)) in wrong.text
        assert send(anybody, "/console/enrol/password", password=PASSWORD, totp_code=app.now()).status_code == 303

    def test_the_code_stands_in_no_address_and_in_no_page_after_it(
        self, anybody: FlaskClient, desk: PeopleDesk
    ) -> None:
        code, _app, page = self.begun(anybody, desk)
        assert code not in page.text
        cookie = anybody.get_cookie("console", path="/console")
        assert cookie is not None
        assert code not in cookie.value

    def test_a_code_that_is_not_one_is_refused(self, anybody: FlaskClient, desk: PeopleDesk) -> None:
        answer = send(anybody, "/console/enrol", enrolment_code="cne_nothing")
        assert answer.status_code == 401
        assert "unknown, used or expired" in errors_of(answer)[0]
        code = add(desk).enrolment_code
        enrol(replace(desk, passwords=Passwords(cheap())), code, LOGIN, utc_now())
        assert send(anybody, "/console/enrol", enrolment_code=code).status_code == 401

    @pytest.mark.parametrize("path", ["/console/enrol/password", "/console/enrol/passkey"])
    def test_without_a_code_the_code_is_asked_for(self, anybody: FlaskClient, path: str) -> None:
        begun = anybody.get("/console/enrol")
        for answer in (anybody.get(path), anybody.post(path, data=marks_of(begun.text))):
            assert answer.status_code == 303
            assert "/console/enrol?late=1" in answer.location
        assert "Enter the code again" in text_of(anybody.get("/console/enrol?late=1"))
