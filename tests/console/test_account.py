"""One's own account: the password, passkeys, sessions, and signing out everywhere."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from werkzeug.test import TestResponse

from gateway.clock import utc_now
from gateway.console.app import make_console
from gateway.console.cookies import session_cookie
from gateway.domain.rights import Role
from gateway.people import sessions
from gateway.people.passwords import Passwords
from gateway.people.sessions import Method
from gateway.workflows.add_person import PersonDraft, add_person
from gateway.workflows.list_people import read_person
from tests.console.scene import COMPILED, LAKESIDE, Console, Reader, errors_of, text_of
from tests.people.authenticator import Authenticator
from tests.people.desks import LOGIN, NAME, PASSWORD, Somebody, at, cheap, enrol, role

ORIGIN, PARTY = "http://127.0.0.1:8080", "127.0.0.1"
NEW_PASSWORD = "another phrase of several words"


def ada(console: Console) -> tuple[Somebody, Reader]:
    """Return somebody with a password, and her browser at a console that hashes cheaply."""
    people, earlier = replace(console.desk.people, passwords=Passwords(cheap())), utc_now() - timedelta(minutes=10)
    draft = PersonDraft(login=LOGIN, name=NAME, roles=(role(Role.CLERK),))
    who = enrol(people, add_person(people, at(earlier), draft).enrolment_code, LOGIN, earlier)
    app = make_console(replace(console.desk, people=people), compiled=COMPILED)
    token = a_session(console, who.person_id)
    client = app.test_client()
    client.set_cookie(session_cookie(console.desk), token)
    return who, Reader(person_id=who.person_id, token=token, client=client)


def a_session(console: Console, person_id: str) -> str:
    with console.desk.office.engine.begin() as connection:
        return sessions.open_(connection, console.desk.keys, person_id, Method.PASSWORD, utc_now()).token


def options_of(page: TestResponse) -> str:
    found = re.search(r'data-options="([^"]*)"', page.text)
    assert found
    return unescape(found[1])


def with_a_passkey(reader: Reader, label: str = "My laptop") -> str:
    """Add a passkey by the page, and return its id."""
    path = "/account/passkeys/add"
    page = reader.get(path)
    made = Authenticator(origin=ORIGIN, party_id=PARTY).create(options_of(page))
    answer = reader.send_as_seen(path, page, passkey=made, label=label)
    assert answer.status_code == 303, text_of(answer)
    found = re.findall(r"/account/passkeys/(pky_\w+)/remove", reader.get("/account").text)
    return str(found[-1])


def test_the_account_says_who_one_is_and_in_which_roles(console: Console) -> None:
    text = text_of(console.somebody(Role.CLERK, scope=LAKESIDE).get("/account"))
    assert re.search("Clerk . Lakeside County Court", text)
    assert "You are using this session." in text


def test_everybody_who_is_signed_in_finds_the_way_there_and_nobody_else_does(sqlite_console: Console) -> None:
    reader = sqlite_console.somebody(Role.OPERATOR)
    assert 'href="/console/account"' in reader.get("/").text
    assert 'href="/console/account"' not in sqlite_console.anybody.get("/console/sign-in").text


class TestPassword:
    PATH = "/account/password"

    def test_a_new_password_replaces_the_old_one_and_ends_the_other_sessions(self, sqlite_console: Console) -> None:
        who, reader = ada(sqlite_console)
        elsewhere = sqlite_console.with_session(who.person_id, a_session(sqlite_console, who.person_id))
        answer = self.change(reader, who)
        assert (answer.status_code, answer.location) == (303, "/console/account")
        assert reader.get("/account").status_code == 200
        assert elsewhere.get("/account").status_code == 303

    def test_a_wrong_password_or_code_is_told_in_the_form_and_changes_nothing(self, sqlite_console: Console) -> None:
        who, reader = ada(sqlite_console)
        answer = self.change(reader, who, current_password="some other long phrase")
        assert answer.status_code == 401
        assert "is wrong" in errors_of(answer)[0]
        for secret in ("some other long phrase", NEW_PASSWORD):
            assert secret not in answer.text
        assert self.change(reader, who, current_password=PASSWORD).status_code == 303

    def test_a_weak_password_is_refused_beside_its_field(self, sqlite_console: Console) -> None:
        who, reader = ada(sqlite_console)
        answer = self.change(reader, who, password="short")
        assert answer.status_code == 422
        assert 'id="password-error"' in answer.text

    def test_the_same_form_sent_twice_is_carried_out_once(self, sqlite_console: Console) -> None:
        who, reader = ada(sqlite_console)
        page, fields = reader.get(self.PATH), self.fields(who)
        answers = [reader.send_as_seen(self.PATH, page, fields) for _ in range(2)]
        assert [(each.status_code, each.location) for each in answers] == [(303, "/console/account")] * 2

    def test_who_signs_in_without_a_password_is_told_so(self, sqlite_console: Console) -> None:
        reader = sqlite_console.somebody(Role.CLERK)
        assert self.PATH not in reader.get("/account").text
        fields = {"current_password": PASSWORD, "password": NEW_PASSWORD, "totp_code": "123456"}
        answer = reader.send(self.PATH, fields)
        assert answer.status_code == 409
        assert "without a password" in errors_of(answer)[0]

    def test_no_password_is_kept_when_the_session_ends_before_the_form_is_sent(self, sqlite_console: Console) -> None:
        who, reader = ada(sqlite_console)
        page = reader.get(self.PATH)
        with sqlite_console.desk.office.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE sessions SET expires_at = opened_at")
        answer = reader.send_as_seen(self.PATH, page, self.fields(who))
        assert answer.status_code == 303
        again = sqlite_console.with_session(who.person_id, a_session(sqlite_console, who.person_id))
        shown = again.client.get(answer.location.partition("next=")[2].replace("%2F", "/").replace("%3F", "?"))
        for secret in (PASSWORD, NEW_PASSWORD):
            assert secret not in shown.text

    def fields(self, who: Somebody, **other: str) -> dict[str, str]:
        fields = {"current_password": PASSWORD, "password": NEW_PASSWORD, "totp_code": who.code(utc_now())}
        return fields | other

    def change(self, reader: Reader, who: Somebody, **other: str) -> TestResponse:
        return reader.send(self.PATH, self.fields(who, **other))


class TestPasskeys:
    def test_one_that_was_added_is_listed_and_can_be_removed(self, console: Console) -> None:
        reader = console.somebody(Role.CLERK)
        first, second = with_a_passkey(reader, "Laptop"), with_a_passkey(reader, "Telephone")
        assert "Laptop" in text_of(reader.get("/account"))
        assert "Remove the passkey Laptop" in text_of(reader.get(f"/account/passkeys/{first}/remove"))
        assert reader.send(f"/account/passkeys/{first}/remove").location == "/console/account"
        assert "Laptop" not in text_of(reader.get("/account"))
        assert reader.get(f"/account/passkeys/{first}/remove").status_code == 404
        last = reader.send(f"/account/passkeys/{second}/remove")
        assert last.status_code == 409
        assert "only way to sign in" in errors_of(last)[0]

    def test_an_answer_to_another_question_is_refused_and_the_name_stays(self, sqlite_console: Console) -> None:
        reader = sqlite_console.somebody(Role.CLERK)
        path = "/account/passkeys/add"
        old, page = reader.get(path), reader.get(path)
        made = Authenticator(origin=ORIGIN, party_id=PARTY).create(options_of(old))
        answer = reader.send_as_seen(path, page, passkey=made, label="My laptop")
        assert answer.status_code == 401
        assert "was not accepted" in errors_of(answer)[0]
        assert 'value="My laptop"' in answer.text
        assert 'name="passkey" type="hidden" value=""' in answer.text

    def test_the_same_form_sent_twice_adds_one(self, sqlite_console: Console) -> None:
        reader, path = sqlite_console.somebody(Role.CLERK), "/account/passkeys/add"
        page = reader.get(path)
        made = Authenticator(origin=ORIGIN, party_id=PARTY).create(options_of(page))
        answers = [reader.send_as_seen(path, page, passkey=made, label="Laptop") for _ in range(2)]
        assert [each.location for each in answers] == ["/console/account"] * 2
        assert read_person(sqlite_console.desk.people, at().actor, reader.person_id).passkeys == 1

    def test_another_persons_passkey_does_not_exist(self, sqlite_console: Console) -> None:
        owner, other = sqlite_console.somebody(Role.CLERK), sqlite_console.somebody(Role.ADMINISTRATOR)
        passkey_id = with_a_passkey(owner)
        path = f"/account/passkeys/{passkey_id}/remove"
        assert other.get(path).status_code == 404
        own = owner.get(path)
        assert other.send_as_seen(path, own).status_code in {404, 422}
        assert "My laptop" in text_of(owner.get("/account"))


class TestSessions:
    def other_session(self, console: Console, reader: Reader) -> tuple[Reader, str]:
        other = console.with_session(reader.person_id, a_session(console, reader.person_id))
        (session_id,) = set(re.findall(r"/account/sessions/(ses_\w+)/close", reader.get("/account").text))
        return other, session_id

    def test_another_session_of_ones_own_can_be_closed_and_this_one_goes_on(self, console: Console) -> None:
        reader = console.somebody(Role.CLERK)
        # The registry opened a session for its API as well; it is closed, so that one other is left.
        reader.send(f"/account/sessions/{self.first(reader)}/close")
        other, session_id = self.other_session(console, reader)
        assert other.get("/account").status_code == 200
        assert reader.send(f"/account/sessions/{session_id}/close").location == "/console/account"
        assert other.get("/account").status_code == 303
        assert reader.get("/account").status_code == 200

    def test_somebody_elses_session_does_not_exist(self, sqlite_console: Console) -> None:
        owner, other = sqlite_console.somebody(Role.CLERK), sqlite_console.somebody(Role.ADMINISTRATOR)
        path = f"/account/sessions/{self.first(owner)}/close"
        assert other.get(path).status_code == 404
        assert owner.get(path).status_code == 200

    def test_signing_out_everywhere_closes_every_session(self, console: Console) -> None:
        reader = console.somebody(Role.CLERK)
        other = console.with_session(reader.person_id, a_session(console, reader.person_id))
        answer = reader.send("/account/sign-out")
        assert answer.location == "/console/sign-in"
        reader.client.set_cookie(session_cookie(console.desk), reader.token)
        for each in (reader, other):
            assert each.get("/account").status_code == 303

    def first(self, reader: Reader) -> str:
        return str(re.findall(r"/account/sessions/(ses_\w+)/close", reader.get("/account").text)[0])


@pytest.mark.parametrize("path", ["/account", "/account/password", "/account/passkeys/add", "/account/sign-out"])
def test_nobody_gets_there_without_a_session(sqlite_console: Console, path: str) -> None:
    answer = sqlite_console.anybody.get(f"/console{path}")
    assert answer.status_code == 303
    assert "/console/sign-in" in answer.location
