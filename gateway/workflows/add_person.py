"""Add a person, who enrols with a code that is good once."""

from dataclasses import dataclass, field

from gateway.audit.tags import Tag
from gateway.domain.rights import NotAllowedError, Right
from gateway.people import credentials, directory, roles
from gateway.people.directory import Person
from gateway.people.roles import RoleHeld, court_of, place_text
from gateway.workflows.change import Errand, change
from gateway.workflows.people_desk import PeopleDesk, demand_scope


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDraft:
    """Whom to add; `oidc_allowed` lets an identity provider's verified e-mail, equal to the login, open the account."""

    login: str = field(repr=False)
    name: str = field(repr=False)
    roles: tuple[RoleHeld, ...] = ()
    oidc_allowed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A person with the enrolment code, which is shown to the administrator once, to be handed to the person."""

    person: Person
    enrolment_code: str = field(repr=False)


def add_person(desk: PeopleDesk, errand: Errand, draft: PersonDraft) -> Added:
    """Add a person with roles that the actor may give.

    Raises NotAllowedError, UnknownEntryError, InvalidLoginError, InvalidNameError, TakenLoginError.
    """
    actor, now = errand.actor, errand.at
    with change(desk.engine, desk.keys, errand) as done:
        connection = done.connection
        if actor.reach(Right.PEOPLE_MANAGE).is_empty:
            raise NotAllowedError(right=Right.PEOPLE_MANAGE.value, where="anybody")
        for held in draft.roles:
            demand_scope(connection, actor, Right.PEOPLE_MANAGE, held.scope)
        person_id = directory.add(
            connection,
            desk.keys,
            draft.login,
            draft.name,
            oidc_allowed=draft.oidc_allowed,
            created_by=actor.actor_id,
            now=now,
        )
        done.note(Tag.PERSON_ADDED, person_id, oidc_allowed=draft.oidc_allowed)
        for held in draft.roles:
            if roles.give(connection, person_id, held, given_by=actor.actor_id, now=now):
                where = place_text(held.scope)
                done.note(Tag.ROLE_GIVEN, person_id, court_id=court_of(held.scope), role=held.role.value, place=where)
        code = credentials.offer_enrolment(connection, desk.keys, person_id, now)
        return Added(person=directory.get(connection, desk.keys, person_id), enrolment_code=code)
