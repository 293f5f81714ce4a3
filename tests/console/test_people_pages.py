"""People: the list, each form's good path and its refusals, and what is shown once."""

import re

import pytest
from werkzeug.test import TestResponse

from gateway.clock import utc_now
from gateway.domain.rights import COMMAND_LINE, Everywhere, InDistrict, Role
from gateway.errands.unfinished import FormContent, FormKind
from gateway.people.directory import Person
from gateway.people.roles import RoleHeld
from gateway.workflows.enrol import begin_enrolment
from gateway.workflows.issue_api_key import list_api_keys
from gateway.workflows.keep_form import keep_form
from gateway.workflows.list_people import list_people, read_person
from gateway.workflows.sign_in import errand_of
from tests.console.people_scene import THAMESIDE, an_administrator, follow, issue, secret_in
from tests.console.scene import LAKESIDE, Console, errors_of, text_of

NORTH = InDistrict(court_id="lakeside", district_id="lakeside-north")
LOGIN = "grace@example.org"
PERSON = {"name": "Grace Example", "login": LOGIN, "roles": ["clerk"], "place": "lakeside"}
OLD_LOGIN = "clerk"


def person_of(console: Console, person_id: str) -> Person:
    return read_person(console.desk.people, COMMAND_LINE, person_id)


def people_of(console: Console) -> set[str]:
    return {each.login for each in list_people(console.desk.people, COMMAND_LINE, limit=200).people}


def id_in(answer: TestResponse) -> str:
    found = re.search(r"/people/(per_\w+)", answer.location)
    assert found, answer.location
    return found[1]


class TestAdding:
    def test_a_person_is_added_and_the_code_that_is_shown_enrols_that_person(self, console: Console) -> None:
        reader = an_administrator(console)
        answer = reader.send("/people/add", PERSON, oidc_allowed="y")
        page = follow(reader, answer)
        person_id = id_in(answer)
        assert page.headers["Cache-Control"] == "no-store"
        begun = begin_enrolment(console.desk.people, secret_in(page, "cne_"), utc_now())
        assert begun.person_id == person_id
        person = person_of(console, person_id)
        assert (person.name, person.login, person.oidc_allowed) == ("Grace Example", LOGIN, True)
        assert person.roles == (RoleHeld(role=Role.CLERK, scope=LAKESIDE),)

    def test_the_form_sent_twice_adds_one_and_shows_the_same_code(self, console: Console) -> None:
        reader, before = an_administrator(console), people_of(console)
        form = reader.get("/people/add")
        answers = [reader.send_as_seen("/people/add", form, PERSON) for _ in range(2)]
        assert answers[0].location == answers[1].location
        assert len({secret_in(follow(reader, each), "cne_") for each in answers} - {""}) == 1
        assert people_of(console) - before == {LOGIN}

    def test_the_code_does_not_stand_in_the_address_and_nobody_else_opens_it(self, sqlite_console: Console) -> None:
        reader, other = an_administrator(sqlite_console), an_administrator(sqlite_console)
        answer = reader.send("/people/add", PERSON)
        code = secret_in(follow(reader, answer), "cne_")
        assert code not in answer.location
        page = follow(other, answer)
        assert page.status_code == 200
        assert code not in page.text
        elsewhere = answer.location.replace(id_in(answer), reader.person_id)
        assert code not in reader.client.get(elsewhere).text
        assert "shown only to who made it" in text_of(reader.get(f"/people/{id_in(answer)}/code"))

    @pytest.mark.parametrize(
        ("field", "value", "status", "said"),
        [
            ("login", "", 422, "Enter a login"),
            ("login", "two words", 422, "without spaces"),
            ("login", OLD_LOGIN, 409, "already a person"),
            ("name", "", 422, "Enter a name"),
            ("place", "", 422, "Choose where"),
            ("place", "thameside", 422, "valid choice"),
            ("place", "*", 422, "valid choice"),
            ("roles", "emperor", 422, "valid choice"),
        ],
    )
    def test_what_is_refused_is_told_and_what_was_typed_stays(
        self, sqlite_console: Console, field: str, value: str, status: int, said: str
    ) -> None:
        reader, before = an_administrator(sqlite_console), people_of(sqlite_console)
        answer = reader.send("/people/add", {**PERSON, field: value})
        assert answer.status_code == status
        assert any(said in each for each in errors_of(answer)), errors_of(answer)
        kept = "Grace Example" if field != "name" else LOGIN
        assert f'value="{kept}"' in answer.text
        assert people_of(sqlite_console) == before

    def test_a_person_without_a_role_needs_no_place(self, sqlite_console: Console) -> None:
        answer = an_administrator(sqlite_console).send("/people/add", {"name": "Grace", "login": LOGIN})
        assert person_of(sqlite_console, id_in(answer)).roles == ()


class TestReading:
    def test_an_administrator_sees_who_works_in_the_court_and_nobody_else(self, console: Console) -> None:
        reader = an_administrator(console)
        mine = console.somebody(Role.CLERK, scope=NORTH)
        other = console.somebody(Role.CLERK, scope=THAMESIDE)
        listed = reader.get("/people").text
        assert mine.person_id in listed
        assert other.person_id not in listed
        assert reader.get(f"/people/{mine.person_id}").status_code == 200
        assert reader.get(f"/people/{other.person_id}").status_code == 404

    def test_somebody_is_found_by_the_login_which_stands_in_no_address(self, sqlite_console: Console) -> None:
        reader = an_administrator(sqlite_console)
        answer = reader.send("/people", login=" Clerk ")
        assert "clerk" not in answer.location
        assert "demo" in text_of(follow(reader, answer))

    def test_a_login_of_another_court_is_not_found(self, sqlite_console: Console) -> None:
        reader = an_administrator(sqlite_console)
        other = sqlite_console.somebody(Role.CLERK, scope=THAMESIDE)
        login = person_of(sqlite_console, other.person_id).login
        answers = [reader.send("/people", login=each) for each in (login, "nobody@example.org")]
        assert [each.status_code for each in answers] == [404, 404]
        assert errors_of(answers[0]) == errors_of(answers[1])

    def test_a_role_in_another_court_is_told_without_naming_it(self, sqlite_console: Console) -> None:
        both = sqlite_console.registry.somebody(Role.CLERK, scope=LAKESIDE).person_id
        give(sqlite_console, both, RoleHeld(role=Role.AUDITOR, scope=THAMESIDE))
        page = an_administrator(sqlite_console).get(f"/people/{both}")
        assert "Thameside" not in page.text
        assert "thameside" not in page.text
        assert "Outside of what you may see" in text_of(page)
        assert "/reset" not in page.text

    @pytest.mark.parametrize("role", [Role.CLERK, Role.APPROVER, Role.OPERATOR, Role.AUDITOR])
    def test_every_other_role_is_refused(self, sqlite_console: Console, role: Role) -> None:
        reader = sqlite_console.somebody(role, scope=Everywhere())
        for path in ("/people", "/people/add", "/api-keys", "/api-keys/issue", "/courts", "/courts/add", "/settings"):
            assert reader.get(path).status_code == 403
        menu = reader.get("/account").text
        for path in ("people", "api-keys", "courts", "settings"):
            assert f'href="/console/{path}"' not in menu


def give(console: Console, person_id: str, held: RoleHeld) -> None:
    admin = an_administrator(console, everywhere=True)
    place = "*" if isinstance(held.scope, Everywhere) else getattr(held.scope, "court_id", "")
    answer = admin.send(f"/people/{person_id}/roles/give", role=held.role.value, place=place)
    assert answer.status_code == 303, text_of(answer)


class TestChanging:
    @pytest.fixture
    def grace(self, sqlite_console: Console) -> str:
        """Somebody who works at Lakeside."""
        return sqlite_console.registry.somebody(Role.CLERK, scope=LAKESIDE).person_id

    def test_a_name_is_changed_and_two_who_change_it_at_once_do_not_overwrite_each_other(
        self, sqlite_console: Console, grace: str
    ) -> None:
        path = f"/people/{grace}/change"
        first, second = an_administrator(sqlite_console), an_administrator(sqlite_console)
        seen = second.get(path)
        assert first.send(path, name="Grace First").status_code == 303
        answer = second.send_as_seen(path, seen, name="Grace Second")
        assert answer.status_code == 412
        assert 'value="Grace Second"' in answer.text
        assert person_of(sqlite_console, grace).name == "Grace First"

    def test_a_role_is_given_and_taken(self, console: Console) -> None:
        grace, reader = console.registry.somebody(Role.CLERK, scope=LAKESIDE).person_id, an_administrator(console)
        answer = reader.send(f"/people/{grace}/roles/give", role="auditor", place="lakeside/lakeside-north")
        assert answer.location == f"/console/people/{grace}"
        assert RoleHeld(role=Role.AUDITOR, scope=NORTH) in person_of(console, grace).roles
        assert "lakeside/lakeside-north" in reader.get(f"/people/{grace}").text
        reader.send(f"/people/{grace}/roles/auditor/take/lakeside/lakeside-north")
        assert person_of(console, grace).roles == (RoleHeld(role=Role.CLERK, scope=LAKESIDE),)

    def test_a_role_that_is_none_or_elsewhere_does_not_exist(self, sqlite_console: Console, grace: str) -> None:
        reader = an_administrator(sqlite_console)
        for address in ("emperor/take/lakeside", "clerk/take/thameside", "clerk/take/nowhere"):
            assert reader.get(f"/people/{grace}/roles/{address}").status_code == 404
        assert reader.send(f"/people/{grace}/roles/auditor/take/lakeside").status_code == 404

    def test_no_role_is_given_in_a_place_that_one_does_not_manage(self, sqlite_console: Console, grace: str) -> None:
        reader = an_administrator(sqlite_console)
        for place in ("", "*", "thameside"):
            answer = reader.send(f"/people/{grace}/roles/give", role="auditor", place=place)
            assert answer.status_code == 422
        assert len(person_of(sqlite_console, grace).roles) == 1

    def test_the_last_administrator_stays_and_the_form_says_so(self, sqlite_console: Console) -> None:
        reader = an_administrator(sqlite_console, everywhere=True)
        for path, form in (("roles/administrator/take/*", {}), ("close", {"revoke_keys": "no"})):
            answer = reader.send(f"/people/{reader.person_id}/{path}", form)
            assert answer.status_code == 409
            assert "last administrator" in errors_of(answer)[0]

    def test_a_reset_shows_a_new_code_and_ends_the_sessions(self, console: Console) -> None:
        grace, reader = console.somebody(Role.CLERK, scope=LAKESIDE), an_administrator(console)
        path = f"/people/{grace.person_id}/reset"
        form = reader.get(path)
        answers = [reader.send_as_seen(path, form) for _ in range(2)]
        codes = {secret_in(follow(reader, each), "cne_") for each in answers}
        assert len(codes - {""}) == 1
        assert begin_enrolment(console.desk.people, codes.pop(), utc_now()).person_id == grace.person_id
        assert grace.get("/account").status_code == 303

    def test_nobody_resets_themselves_for_the_code_would_be_lost(self, sqlite_console: Console) -> None:
        reader = an_administrator(sqlite_console)
        answer = reader.send(f"/people/{reader.person_id}/reset")
        assert answer.status_code == 422
        assert "Another administrator" in errors_of(answer)[0]
        assert reader.get("/account").status_code == 200

    def test_signing_somebody_out_ends_the_sessions(self, sqlite_console: Console) -> None:
        grace = sqlite_console.somebody(Role.CLERK)
        an_administrator(sqlite_console).send(f"/people/{grace.person_id}/sign-out")
        assert grace.get("/account").status_code == 303

    def test_closing_asks_what_becomes_of_the_keys(self, sqlite_console: Console, grace: str) -> None:
        answer = an_administrator(sqlite_console).send(f"/people/{grace}/close")
        assert answer.status_code == 422
        assert "Say what becomes of the API keys" in errors_of(answer)

    def test_keys_that_are_left_in_force_are_named_after_closing(self, sqlite_console: Console) -> None:
        issuer, reader = an_administrator(sqlite_console), an_administrator(sqlite_console)
        issue(issuer)
        left = follow(reader, reader.send(f"/people/{issuer.person_id}/close", revoke_keys="no"))
        assert "Payments" in text_of(left)
        assert "/close" not in left.text
        assert reader.send(f"/people/{issuer.person_id}/change", name="Anew").status_code == 409

    def test_keys_are_revoked_with_who_issued_them(self, sqlite_console: Console) -> None:
        issuer, reader = an_administrator(sqlite_console), an_administrator(sqlite_console)
        issue(issuer)
        closed = follow(reader, reader.send(f"/people/{issuer.person_id}/close", revoke_keys="yes"))
        assert "Payments" not in text_of(closed)
        (key,) = list_api_keys(sqlite_console.desk.people, COMMAND_LINE).keys
        assert key.revoked_at is not None

    def test_the_unfinished_forms_of_who_is_closed_are_gone(self, console: Console) -> None:
        grace, reader = console.somebody(Role.CLERK), an_administrator(console)
        content = FormContent(path="/console/orders", fields=(("case_number", "HC-1"),))
        keep_form(console.desk.office, FormKind.DRAFT_ORDER, content, errand_of(grace.person_id, utc_now()))
        reader.send(f"/people/{grace.person_id}/close", revoke_keys="no")
        with console.desk.office.reading.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM unfinished_forms").scalar() == 0

    @pytest.mark.parametrize(
        "page", ["", "/change", "/roles/give", "/roles/clerk/take/thameside", "/reset", "/sign-out", "/close", "/code"]
    )
    def test_somebody_of_another_court_does_not_exist(self, sqlite_console: Console, page: str) -> None:
        other = sqlite_console.registry.somebody(Role.CLERK, scope=THAMESIDE).person_id
        assert an_administrator(sqlite_console).get(f"/people/{other}{page}").status_code == 404

    @pytest.mark.parametrize("page", ["change", "reset", "close"])
    def test_who_has_a_role_elsewhere_too_is_not_changed_as_a_whole(
        self, sqlite_console: Console, grace: str, page: str
    ) -> None:
        give(sqlite_console, grace, RoleHeld(role=Role.AUDITOR, scope=THAMESIDE))
        form = {"name": "Other", "revoke_keys": "no"}
        answer = an_administrator(sqlite_console).send(f"/people/{grace}/{page}", form)
        assert answer.status_code == 403
        assert person_of(sqlite_console, grace).closed_at is None


def test_a_page_further_down_the_list_is_reached(sqlite_console: Console) -> None:
    reader = an_administrator(sqlite_console)
    for _ in range(55):
        sqlite_console.registry.somebody(Role.CLERK, scope=LAKESIDE)
    first = reader.get("/people")
    found = re.search(r'rel="next" href="/console(/people\?after=per_\w+)"', first.text)
    assert found
    second = reader.get(found[1])
    both = [set(re.findall(r'href="/console/people/(per_\w+)"', each.text)) for each in (first, second)]
    assert len(both[0]) == 50
    assert both[1]
    assert not both[0] & both[1]
