"""Read the names behind the ids of actors, for pages that tell who did what with an order."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Connection,
    and_,
    bindparam,
    false,
    literal,
    or_,
    select,
    true,
    union_all,
)

from gateway.audit.tables import trail
from gateway.audit.tags import Tag
from gateway.domain.rights import Actor, ActorKind, InCourt, InDistrict, Right
from gateway.people.tables import api_keys, people, roles
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.workflows.change import Errand
from gateway.workflows.office import Office
from gateway.workflows.people_desk import visible_people

_MOST = 500
# For so many actors of late a process keeps the statement, and never what it found.
_ACTORS = 64
_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_PERSON, _KEY = "people.name", "api_keys.name"


def read_names(office: Office, actor_ids: Iterable[str], errand: Errand) -> dict[str, str]:
    """Return what to show for each actor id: the name where the asker may know it, else the id itself.

    A person who may read orders of a court, or of one of its districts, learns the names of those who hold or held a
    role there (a role everywhere is one there too), and of the API keys that act there: it is they who answer for what
    was done with its orders. Everybody knows the own name, and who manages people the names of those people. All others
    keep their ids, and a program gets ids only: it needs no names of officers. `command-line`, `gateway` and `callee`
    stay as they are, for a page to put into its language. One statement for each 500 ids.
    """
    wanted = sorted(set(actor_ids))
    names = {each: each for each in wanted}
    if errand.actor.kind is ActorKind.API_KEY:
        return names
    with office.reading.connect() as connection:
        for start in range(0, len(wanted), _MOST):
            some = wanted[start : start + _MOST]
            names.update(_found(connection, office.keys, some, errand.actor))
    return names


def _found(connection: Connection, keys: KeyRing, ids: list[str], actor: Actor) -> Iterator[tuple[str, str]]:
    cipher = FieldCipher(keys)
    for row in connection.execute(_names_for(actor), {"ids": ids}).all():
        yield row.actor_id, cipher.decrypt(row.name, place=f"{row.place}:{row.actor_id}")


@lru_cache(maxsize=_ACTORS)
def _names_for(actor: Actor) -> CompoundSelect[Any]:
    """Return the statement for an actor with the rights of the moment: putting it together takes longer than asking."""
    persons = select(people.c.person_id.label("actor_id"), people.c.name, literal(_PERSON).label("place")).where(
        people.c.person_id.in_(_IDS), _may_know(actor)
    )
    programs = select(api_keys.c.key_id, api_keys.c.name, literal(_KEY)).where(
        api_keys.c.key_id.in_(_IDS), _in_courts(actor, api_keys.c.court_id)
    )
    return union_all(persons, programs)


def _may_know(actor: Actor) -> ColumnElement[bool]:
    here = roles.c.person_id == people.c.person_id
    holds = select(roles.c.person_id).where(here, _in_courts(actor, roles.c.court_id)).exists()
    # A role that was taken away leaves no row; that it was given stays in the trail.
    given = and_(trail.c.subject_id == people.c.person_id, trail.c.tag == Tag.ROLE_GIVEN.value)
    held = select(trail.c.seq).where(given, _in_courts(actor, trail.c.court_id)).exists()
    return or_(people.c.person_id == actor.actor_id, holds, held, _manages(actor))


def _manages(actor: Actor) -> ColumnElement[bool]:
    if actor.reach(Right.PEOPLE_MANAGE).is_empty:
        return false()
    visible = visible_people(actor)
    return true() if visible is None else visible


def _in_courts(actor: Actor, court_id: ColumnElement[str] | ColumnElement[str | None]) -> ColumnElement[bool]:
    """Return the condition that a court is one whose orders the actor reads; none at all stands for all courts."""
    reach = actor.reach(Right.ORDERS_READ)
    if reach.everywhere:
        return true()
    if reach.is_empty:
        return false()
    scopes = (grant.scope for grant in actor.grants if grant.right is Right.ORDERS_READ)
    courts = sorted({scope.court_id for scope in scopes if isinstance(scope, InCourt | InDistrict)})
    return or_(court_id.is_(None), court_id.in_(["", *courts]))
