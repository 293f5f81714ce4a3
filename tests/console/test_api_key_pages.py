"""API keys: issuing one, what is shown once, revoking it."""

import pytest

from gateway.domain.rights import COMMAND_LINE, Role
from gateway.workflows.issue_api_key import list_api_keys
from tests.console.people_scene import THAMESIDE, an_administrator, follow, issue, key_form, secret_in
from tests.console.scene import LAKESIDE, Console, errors_of, text_of


class TestApiKeys:
    def test_a_key_is_issued_and_its_token_opens_the_api(self, console: Console) -> None:
        reader = an_administrator(console)
        page = follow(reader, issue(reader))
        token = secret_in(page, "cnk_")
        api = console.registry.client
        assert api.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        (key,) = list_api_keys(console.desk.people, COMMAND_LINE).keys
        assert {right.value for right in key.rights} == {"satisfaction:report", "orders:read"}
        assert key.scope == LAKESIDE
        assert key.created_by == reader.person_id
        assert "Payments" in text_of(reader.get("/api-keys"))
        assert token not in reader.get(f"/api-keys/{key.key_id}").text
        assert token not in follow(an_administrator(console), issue(reader)).text

    def test_the_form_sent_twice_issues_one_key_and_shows_the_same_token(self, console: Console) -> None:
        reader = an_administrator(console)
        form = reader.get("/api-keys/issue")
        answers = [reader.send_as_seen("/api-keys/issue", form, key_form()) for _ in range(2)]
        assert len({secret_in(follow(reader, each), "cnk_") for each in answers} - {""}) == 1
        assert len(list_api_keys(console.desk.people, COMMAND_LINE).keys) == 1

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("name", "", "which program"),
            ("name", " ", "1 to 200 characters"),
            ("rights", [], "at least one"),
            ("rights", ["orders:approve"], "valid choice"),
            ("place", "", "Choose a place"),
            ("place", "thameside", "valid choice"),
            ("expires_at", "", "Choose the last day"),
            ("expires_at", "2020-01-01", "366 days"),
            ("expires_at", "9999-12-31", "366 days"),
            ("expires_at", "0001-01-01", "366 days"),
            ("expires_at", "tomorrow", "valid date"),
        ],
    )
    def test_what_is_refused_is_told_and_no_key_is_issued(
        self, sqlite_console: Console, field: str, value: object, said: str
    ) -> None:
        answer = issue(an_administrator(sqlite_console), **{field: value})
        assert answer.status_code == 422
        assert any(said in each for each in errors_of(answer)), errors_of(answer)
        assert list_api_keys(sqlite_console.desk.people, COMMAND_LINE).keys == ()

    def test_a_key_that_was_revoked_opens_nothing_and_says_so(self, sqlite_console: Console) -> None:
        reader = an_administrator(sqlite_console)
        token = secret_in(follow(reader, issue(reader)), "cnk_")
        (key,) = list_api_keys(sqlite_console.desk.people, COMMAND_LINE).keys
        page = follow(reader, reader.send(f"/api-keys/{key.key_id}/revoke"))
        assert "Revoked" in text_of(page)
        assert "/revoke" not in page.text
        api = sqlite_console.registry.client
        assert api.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401

    @pytest.mark.parametrize("page", ["", "/revoke", "/token"])
    def test_a_key_of_another_court_does_not_exist(self, sqlite_console: Console, page: str) -> None:
        issue(an_administrator(sqlite_console))
        (key,) = list_api_keys(sqlite_console.desk.people, COMMAND_LINE).keys
        other = sqlite_console.somebody(Role.ADMINISTRATOR, scope=THAMESIDE)
        assert other.get(f"/api-keys/{key.key_id}{page}").status_code == 404
        assert key.key_id not in other.get("/api-keys").text
