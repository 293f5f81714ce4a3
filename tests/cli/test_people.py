"""`notice-gateway people` and `api-keys`: the way in when nobody can sign in yet."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.assembly import put_together
from gateway.clock import utc_now
from gateway.domain.errors import GatewayError
from gateway.domain.rights import ActorKind
from gateway.settings import Settings
from gateway.workflows.identify import identify
from gateway.workflows.sign_in import PasswordAttempt, sign_in
from tests.cli.command_line import CommandLine
from tests.people.desks import LOGIN, PASSWORD, Somebody, enrol, secret_in

ADD = ("people", "add", LOGIN, "--name", "Ada Example")


def listed(commands: CommandLine, login: str = LOGIN) -> dict[str, Any]:
    rows: list[dict[str, Any]] = json.loads(commands.succeed("people", "list", "--json"))
    return next(each for each in rows if each["login"] == login)


def signs_in(settings: Settings, who: Somebody, password: str) -> str:
    parts = put_together(settings)
    try:
        now = utc_now()
        attempt = PasswordAttempt(login=who.login, password=password, totp_code=who.code(now), address="127.0.0.1")
        desk = parts.people_desk()
        return identify(desk, sign_in(desk, attempt, now).token, now).actor_id
    finally:
        parts.close()


def test_a_person_is_added_with_roles_and_a_code_that_enrols(commands: CommandLine, sqlite_settings: Settings) -> None:
    out = commands.succeed(*ADD, "--role", "clerk@lakeside", "--role", "operator@lakeside/lakeside-north")
    code = out.splitlines()[-1]
    assert code.startswith("cne_")
    row = listed(commands)
    assert out.startswith(row["person"])
    assert row["roles"] == ["clerk@lakeside", "operator@lakeside/lakeside-north"]
    assert (row["signs_in_with"], row["state"]) == ([], "open")
    parts = put_together(sqlite_settings)
    enrol(parts.people_desk(), code, LOGIN, utc_now())
    parts.close()
    assert listed(commands)["signs_in_with"] == ["password"]
    assert LOGIN in commands.succeed("people", "list")


def test_a_password_is_set_at_the_console_and_signs_in_with_the_app(
    commands: CommandLine, sqlite_settings: Settings, tmp_path: Path
) -> None:
    commands.succeed(*ADD, "--role", "administrator@everywhere")
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\r\n", encoding="utf-8")
    out = commands.succeed("people", "enrol", LOGIN, "--password-file", str(file))
    assert PASSWORD not in out
    who = Somebody(person_id=listed(commands)["person"], login=LOGIN, secret=secret_in(out.splitlines()[-1]))
    assert signs_in(sqlite_settings, who, PASSWORD) == who.person_id
    file.write_text("short", encoding="utf-8")
    assert "12 characters" in commands.refuse("people", "enrol", LOGIN, "--password-file", str(file))
    assert "No such file" in commands.refuse("people", "enrol", LOGIN, "--password-file", str(tmp_path / "none"))


def test_roles_are_given_and_taken_by_login_or_id(commands: CommandLine) -> None:
    commands.succeed(*ADD)
    person_id = listed(commands)["person"]
    assert "clerk@lakeside" in commands.succeed("people", "roles", "give", LOGIN.upper(), "clerk@lakeside")
    assert "auditor@everywhere" in commands.succeed("people", "roles", "give", person_id, "auditor@everywhere")
    assert listed(commands)["roles"] == ["auditor@everywhere", "clerk@lakeside"]
    commands.succeed("people", "roles", "take", person_id, "clerk@lakeside")
    assert "without any role" in commands.succeed("people", "roles", "take", LOGIN, "auditor@everywhere")


def test_a_reset_gives_a_new_code_and_an_end_is_for_good(commands: CommandLine, tmp_path: Path) -> None:
    commands.succeed(*ADD)
    file = tmp_path / "password"
    file.write_text(PASSWORD, encoding="utf-8")
    commands.succeed("people", "enrol", LOGIN, "--password-file", str(file))
    assert listed(commands)["signs_in_with"] == ["password"]
    assert commands.succeed("people", "reset", LOGIN).splitlines()[-1].startswith("cne_")
    assert listed(commands)["signs_in_with"] == []
    assert "is closed" in commands.succeed("people", "close", LOGIN)
    assert listed(commands)["state"].startswith("closed ")
    assert "closed" in commands.refuse("people", "reset", LOGIN)
    assert "not given twice" in commands.refuse(*ADD)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("roles", "give", LOGIN, "king@lakeside"), "is no role"),
        (("roles", "give", LOGIN, "clerk@"), "is no place"),
        (("roles", "give", LOGIN, "clerk@lakeside/"), "is no place"),
        (("roles", "give", LOGIN, "clerk@nowhere"), "no court 'nowhere'"),
        (("roles", "give", LOGIN, "clerk@lakeside/thameside"), "no district"),
        (("roles", "take", LOGIN, "clerk@thameside"), "is not clerk there"),
        (("close", "nobody@example.org"), "no person with this login"),
        (("close", "per_0123"), "no person 'per_0123'"),
        (("add", "a b", "--name", "A"), "without spaces"),
        (("add", "new@example.org", "--name", " "), "A name has"),
    ],
)
def test_what_is_wrong_is_said_with_its_cure(commands: CommandLine, arguments: tuple[str, ...], said: str) -> None:
    commands.succeed(*ADD)
    assert said in commands.refuse("people", *arguments)


def test_a_key_is_shown_once_works_and_is_revoked(commands: CommandLine, sqlite_settings: Settings) -> None:
    issue = ("api-keys", "issue", "--name", "payments", "--right", "satisfaction:report")
    out = commands.succeed(*issue, "--at", "lakeside", "--days", "30")
    token = out.splitlines()[-1]
    row = json.loads(commands.succeed("api-keys", "list", "--json"))[0]
    assert (row["place"], row["rights"], row["state"]) == ("lakeside", ["satisfaction:report"], "in force")
    assert token not in commands.succeed("api-keys", "list")
    parts = put_together(sqlite_settings)
    actor = identify(parts.people_desk(), token, utc_now())
    assert (actor.actor_id, actor.kind) == (row["key"], ActorKind.API_KEY)
    assert "is revoked" in commands.succeed("api-keys", "revoke", row["key"])
    with pytest.raises(GatewayError):
        identify(parts.people_desk(), token, utc_now())
    parts.close()
    assert "Invalid value" in commands.refuse(*issue, "--at", "lakeside", "--right", "orders:approve")
    assert "--at" in commands.refuse(*issue)
    assert "no API key" in commands.refuse("api-keys", "revoke", "key_none")
