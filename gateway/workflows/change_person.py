"""Change a person: the name, the roles, a reset of credentials, and the end."""

from dataclasses import dataclass

from gateway.audit.tags import Tag
from gateway.domain.rights import Everywhere, Right, Role
from gateway.errands import unfinished
from gateway.people import api_keys, credentials, directory, roles, sessions
from gateway.people.directory import Person
from gateway.people.roles import RoleHeld, court_of, place_text
from gateway.workflows.change import Errand, change
from gateway.workflows.issue_api_key import revoke_each
from gateway.workflows.people_desk import PeopleDesk, demand_scope, demand_sight, person_to_change, reaches

_ADMINISTRATOR = RoleHeld(role=Role.ADMINISTRATOR, scope=Everywhere())


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonEdit:
    """What to change; None leaves it as it is."""

    name: str | None = None
    oidc_allowed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A person who was closed, and the API keys in force that this person issued and has seen the secrets of."""

    person: Person
    keys_left: tuple[str, ...]


def change_person(
    desk: PeopleDesk, errand: Errand, person_id: str, edit: PersonEdit, *, expected: int | None = None
) -> Person:
    """Change a person's name, or whether an identity provider may open the account.

    Raises UnknownPersonError, NotAllowedError, PersonClosedError, StaleVersionError, InvalidNameError.
    """
    with change(desk.engine, desk.keys, errand) as done:
        person_to_change(done.connection, desk, errand.actor, person_id, expected=expected)
        if edit.name is not None:
            directory.rename(done.connection, desk.keys, person_id, edit.name)
        if edit.oidc_allowed is not None:
            directory.allow_oidc(done.connection, person_id, allowed=edit.oidc_allowed)
        version = directory.touch(done.connection, person_id)
        renamed = edit.name is not None
        done.note(Tag.PERSON_CHANGED, person_id, renamed=renamed, oidc_allowed=edit.oidc_allowed, version=version)
        return directory.get(done.connection, desk.keys, person_id)


def give_role(
    desk: PeopleDesk, errand: Errand, person_id: str, held: RoleHeld, *, expected: int | None = None
) -> Person:
    """Give a role, in a place where the actor manages people; giving it twice changes nothing.

    Raises UnknownPersonError, UnknownEntryError, NotAllowedError, PersonClosedError, StaleVersionError.
    """
    actor = errand.actor
    with change(desk.engine, desk.keys, errand) as done:
        connection = done.connection
        demand_sight(connection, actor, directory.get(connection, desk.keys, person_id))
        demand_scope(connection, actor, Right.PEOPLE_MANAGE, held.scope)
        directory.locked(connection, desk.keys, person_id, expected=expected)
        if roles.give(connection, person_id, held, given_by=actor.actor_id, now=errand.at):
            directory.touch(connection, person_id)
            where = place_text(held.scope)
            done.note(Tag.ROLE_GIVEN, person_id, court_id=court_of(held.scope), role=held.role.value, place=where)
        return directory.get(connection, desk.keys, person_id)


def take_role(
    desk: PeopleDesk, errand: Errand, person_id: str, held: RoleHeld, *, expected: int | None = None
) -> Person:
    """Take a role away; it is gone from the person's next request on.

    Raises UnknownPersonError, UnknownRoleError, NotAllowedError, PersonClosedError, StaleVersionError,
    LastAdministratorError.
    """
    with change(desk.engine, desk.keys, errand) as done:
        connection = done.connection
        demand_sight(connection, errand.actor, directory.get(connection, desk.keys, person_id))
        demand_scope(connection, errand.actor, Right.PEOPLE_MANAGE, held.scope)
        if held == _ADMINISTRATOR:
            # Before the person's own row, so that two who do this to each other wait instead of blocking each other.
            roles.demand_other_administrator(connection, person_id)
        directory.locked(connection, desk.keys, person_id, expected=expected)
        roles.take(connection, person_id, held)
        directory.touch(connection, person_id)
        where = place_text(held.scope)
        done.note(Tag.ROLE_TAKEN, person_id, court_id=court_of(held.scope), role=held.role.value, place=where)
        return directory.get(connection, desk.keys, person_id)


def reset_credentials(desk: PeopleDesk, errand: Errand, person_id: str, *, expected: int | None = None) -> str:
    """Remove everything that a person signs in with, sign the person out everywhere, and return an enrolment code.

    Raises UnknownPersonError, NotAllowedError, PersonClosedError, StaleVersionError.
    """
    with change(desk.engine, desk.keys, errand) as done:
        person_to_change(done.connection, desk, errand.actor, person_id, expected=expected)
        credentials.remove_all(done.connection, person_id)
        closed = sessions.close_all(done.connection, person_id, errand.at)
        code = credentials.offer_enrolment(done.connection, desk.keys, person_id, errand.at)
        directory.touch(done.connection, person_id)
        done.note(Tag.CREDENTIAL_CHANGED, person_id, change="reset", sessions_closed=closed)
        return code


def close_person(
    desk: PeopleDesk, errand: Errand, person_id: str, *, revoke_keys: bool, expected: int | None = None
) -> Closed:
    """Close a person for good: credentials are removed, sessions closed, and the next request is refused.

    API keys belong to the court's programs, and a payment system should not stop because a clerk leaves; yet whoever
    issued a key has seen its secret. So the caller must say: `revoke_keys` revokes those that the person issued and
    the actor may manage; what is left in force is returned, to be replaced.

    Raises UnknownPersonError, NotAllowedError, PersonClosedError, StaleVersionError, LastAdministratorError.
    """
    with change(desk.engine, desk.keys, errand) as done:
        connection = done.connection
        person = directory.get(connection, desk.keys, person_id)
        if _ADMINISTRATOR in person.roles and person.closed_at is None:
            roles.demand_other_administrator(connection, person_id)
        person_to_change(connection, desk, errand.actor, person_id, expected=expected)
        credentials.remove_all(connection, person_id)
        closed = sessions.close_all(connection, person_id, errand.at)
        # What was typed and not sent names lines and people, and nobody is left who could send it.
        unfinished.drop_all_of(connection, person_id)
        directory.close(connection, person_id, errand.at)
        directory.touch(connection, person_id)
        done.note(Tag.PERSON_CLOSED, person_id, sessions_closed=closed)
        if revoke_keys:
            mine = (
                api_keys.get(connection, desk.keys, each)
                for each in api_keys.created_by(connection, person_id, errand.at)
            )
            revoke_each(
                done, [key for key in mine if reaches(connection, errand.actor, Right.API_KEYS_MANAGE, key.scope)]
            )
        left = api_keys.created_by(connection, person_id, errand.at)
        return Closed(person=directory.get(connection, desk.keys, person_id), keys_left=left)
