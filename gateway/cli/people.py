"""`notice-gateway people`: the way in when nobody can sign in yet, or any more."""

import json
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from gateway.cli.context import OUT, Tools
from gateway.clock import utc_now
from gateway.domain.rights import COMMAND_LINE, Everywhere, InCourt, InDistrict, Role, Scope
from gateway.people.credentials import ENROLMENT
from gateway.people.directory import Person
from gateway.people.roles import RoleHeld, place_text
from gateway.workflows.add_person import PersonDraft, add_person
from gateway.workflows.change import Errand
from gateway.workflows.change_person import close_person, give_role, reset_credentials, take_role
from gateway.workflows.enrol import enrol_at_console
from gateway.workflows.list_people import list_people, person_of_login, read_person
from gateway.workflows.people_desk import MOST_ON_A_PAGE, PeopleDesk

_EVERYWHERE = "everywhere"
WIDTH = 150


def read_scope(text: str) -> Scope:
    """Read `everywhere`, COURT or COURT/DISTRICT."""
    court_id, slash, district_id = text.partition("/")
    if text == _EVERYWHERE:
        return Everywhere()
    if not court_id or (slash and not district_id):
        raise click.UsageError(f"{text!r} is no place; write everywhere, COURT or COURT/DISTRICT")
    return InDistrict(court_id=court_id, district_id=district_id) if slash else InCourt(court_id=court_id)


def show_scope(scope: Scope) -> str:
    """Return a scope as `read_scope` reads it."""
    return place_text(scope) or _EVERYWHERE


@click.group()
def people() -> None:
    """Add people, give them roles, and let them enrol.

    WHO is a login, or an id such as per_0123456789abcdef. A ROLE is clerk, approver, operator, auditor or
    administrator, with a place: clerk@COURT, operator@COURT/DISTRICT, administrator@everywhere.
    """


@people.command()
@click.argument("login")
@click.option("--name", required=True, help="The person's name.")
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="A role with its place. Repeatable.")
@click.option("--oidc", is_flag=True, help="Let the identity provider's verified e-mail, equal to LOGIN, sign in.")
@click.pass_obj
def add(tools: Tools, *, login: str, name: str, roles: tuple[str, ...], oidc: bool) -> None:
    """Add a person who signs in as LOGIN, and print the code to enrol with.

    \b
    Example:
      notice-gateway people add registrar@example.org --name "A. Registrar" --role administrator@everywhere
    """  # noqa: D301  (the backslash is click's own mark for a paragraph that keeps its lines)
    held = tuple(_role(each) for each in roles)
    draft = PersonDraft(login=login, name=name, roles=held, oidc_allowed=oidc)
    added = add_person(tools.parts().people_desk(), _errand(), draft)
    click.echo(f"{added.person.person_id} is added.")
    _show_code(added.enrolment_code)


@people.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.pass_obj
def list_(tools: Tools, *, as_json: bool) -> None:
    """Show everybody with their roles, closed people too."""
    desk = tools.parts().people_desk()
    found: list[Person] = []
    after = ""
    while True:
        page = list_people(desk, COMMAND_LINE, after=after, limit=MOST_ON_A_PAGE)
        found += page.people
        after = page.next_after
        if not after:
            break
    rows = [_row(each) for each in found]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("Person", "Login", "Name", "Roles", "Signs in with", "State"):
        table.add_column(heading, no_wrap=heading != "Name")
    for row in rows:
        table.add_row(
            row["person"],
            row["login"],
            row["name"],
            "\n".join(row["roles"]),
            ", ".join(row["signs_in_with"]) or "nothing yet",
            row["state"],
        )
    # A login or an id that is cut short is of no use: a narrow terminal wraps instead.
    Console(highlight=False, width=max(OUT.width, WIDTH)).print(table)


@people.group()
def roles() -> None:
    """Give and take roles; both hold from the person's next request on."""


@roles.command()
@click.argument("who")
@click.argument("role")
@click.pass_obj
def give(tools: Tools, *, who: str, role: str) -> None:
    """Give WHO a ROLE such as clerk@lakeside."""
    desk, held = tools.parts().people_desk(), _role(role)
    person = give_role(desk, _errand(), _person(desk, who).person_id, held)
    click.echo(f"{person.person_id} is {', '.join(map(_show_role, person.roles))}.")


@roles.command()
@click.argument("who")
@click.argument("role")
@click.pass_obj
def take(tools: Tools, *, who: str, role: str) -> None:
    """Take a ROLE such as clerk@lakeside from WHO."""
    desk, held = tools.parts().people_desk(), _role(role)
    person = take_role(desk, _errand(), _person(desk, who).person_id, held)
    click.echo(f"{person.person_id} is {', '.join(map(_show_role, person.roles)) or 'without any role'}.")


@people.command()
@click.argument("who")
@click.option("--revoke-keys", is_flag=True, help="Revoke the API keys that WHO issued, too.")
@click.pass_obj
def close(tools: Tools, *, who: str, revoke_keys: bool) -> None:
    """Close WHO for good: nobody signs in as WHO any more, and open sessions end."""
    desk = tools.parts().people_desk()
    closed = close_person(desk, _errand(), _person(desk, who).person_id, revoke_keys=revoke_keys)
    click.echo(f"{closed.person.person_id} is closed.")
    if closed.keys_left:
        click.echo("API keys in force whose secrets this person has seen; replace them:")
        for key_id in closed.keys_left:
            click.echo(f"  {key_id}")


@people.command()
@click.argument("who")
@click.option("--password-file", type=click.Path(path_type=Path, dir_okay=False), help="Its first line, unasked.")
@click.pass_obj
def enrol(tools: Tools, *, who: str, password_file: Path | None) -> None:
    """Set WHO's password here, and print the otpauth URI for WHO's authenticator app.

    Replaces whatever WHO signed in with. Where WHO can reach the gateway with a browser, let WHO use the enrolment code
    that `add` and `reset` print: then nobody else sees either secret.
    """
    desk = tools.parts().people_desk()
    person = _person(desk, who)
    if password_file is None:
        password = str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    else:
        password = password_file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    uri = enrol_at_console(desk, _errand(), person.person_id, password)
    click.echo(f"{person.person_id} signs in with this password and a code. For the authenticator app:")
    click.echo(uri)


@people.command()
@click.argument("who")
@click.pass_obj
def reset(tools: Tools, *, who: str) -> None:
    """Remove everything WHO signs in with, end WHO's sessions, and print a new code to enrol with."""
    desk = tools.parts().people_desk()
    person = _person(desk, who)
    code = reset_credentials(desk, _errand(), person.person_id)
    click.echo(f"{person.person_id} can no longer sign in as before.")
    _show_code(code)


def _show_code(code: str) -> None:
    click.echo(f"Enrolment code, good once and for {ENROLMENT.total_seconds() / 3600:.0f} hours:")
    click.echo(code)


def _errand() -> Errand:
    return Errand(actor=COMMAND_LINE, at=utc_now())


def _person(desk: PeopleDesk, who: str) -> Person:
    if who.startswith("per_"):
        return read_person(desk, COMMAND_LINE, who)
    return person_of_login(desk, COMMAND_LINE, who)


def _role(text: str) -> RoleHeld:
    name, at, place = text.partition("@")
    try:
        return RoleHeld(role=Role(name), scope=read_scope(place if at else _EVERYWHERE))
    except ValueError as error:
        known = ", ".join(each.value for each in Role)
        raise click.UsageError(f"{name!r} is no role; write one of {known}, for example clerk@lakeside") from error


def _show_role(held: RoleHeld) -> str:
    return f"{held.role.value}@{show_scope(held.scope)}"


def _row(person: Person) -> dict[str, Any]:
    ways = {"password": person.has_password, "passkey": person.passkeys > 0, "oidc": person.oidc_allowed}
    return {
        "person": person.person_id,
        "login": person.login,
        "name": person.name,
        "roles": [_show_role(each) for each in person.roles],
        "signs_in_with": [way for way, has in ways.items() if has],
        "state": "open" if person.closed_at is None else f"closed {person.closed_at:%Y-%m-%d}",
    }
