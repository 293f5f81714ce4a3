"""The demo's officers: they work for courts that do not exist, and everybody may know what they sign in with."""

from datetime import datetime

from gateway.audit.tags import Tag
from gateway.domain.rights import InCourt, Role
from gateway.people import credentials, directory, one_time_codes, roles
from gateway.people.errors import UnknownLoginError
from gateway.people.passwords import Passwords, argon2id
from gateway.people.roles import RoleHeld
from gateway.workflows.change import Change, at_the_command_line, change
from gateway.workflows.load_demo import COURTS
from gateway.workflows.office import Office

# Public by design. Their roles end at the demo's courts: they open nothing in a court that is real.
DEMO_PASSWORD = "a demonstration only"  # noqa: S105
DEMO_TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105
PEOPLE = {
    "clerk": ("The demo's clerk", Role.CLERK),
    "judge": ("The demo's judge", Role.APPROVER),
    "operator": ("The demo's operator", Role.OPERATOR),
    "auditor": ("The demo's auditor", Role.AUDITOR),
    "administrator": ("The demo's administrator", Role.ADMINISTRATOR),
}


def demo_code(now: datetime) -> str:
    """Return the code that the demo's people sign in with at this moment; each of them may use it once."""
    return one_time_codes.code_at(DEMO_TOTP_SECRET, now)


def load_demo_people(office: Office, now: datetime) -> None:
    """Add the demo's officers where they are missing."""
    hashed = Passwords(argon2id()).hash(DEMO_PASSWORD)
    with change(office.engine, office.keys, at_the_command_line(now)) as under_way:
        for login, (name, role) in PEOPLE.items():
            try:
                directory.id_of_login(under_way.connection, office.keys, login)
            except UnknownLoginError:
                _add(under_way, login, name, role, hashed)


def _add(under_way: Change, login: str, name: str, role: Role, hashed: str) -> None:
    connection, keys, errand = under_way.connection, under_way.keys, under_way.errand
    person_id = directory.add(
        connection, keys, login, name, oidc_allowed=False, created_by=errand.actor.actor_id, now=errand.at
    )
    credentials.set_password(connection, keys, person_id, hashed, DEMO_TOTP_SECRET, step=0)
    under_way.note(Tag.PERSON_ADDED, person_id)
    for court in COURTS:
        held = RoleHeld(role=role, scope=InCourt(court_id=court.court_id))
        roles.give(connection, person_id, held, given_by=errand.actor.actor_id, now=errand.at)
        under_way.note(Tag.ROLE_GIVEN, person_id, court_id=court.court_id, role=role.value)
