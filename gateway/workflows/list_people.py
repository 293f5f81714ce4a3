"""Read people: one, or a page of those whom somebody may see."""

from dataclasses import dataclass

from gateway.domain.rights import Actor, NotAllowedError, Right
from gateway.people import directory
from gateway.people.directory import Person
from gateway.workflows.people_desk import MOST_ON_A_PAGE, PeopleDesk, demand_sight, visible_people


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePage:
    """Some people in the order of their ids; `next_after` is the id behind which more follow, or empty."""

    people: tuple[Person, ...]
    next_after: str


def read_person(desk: PeopleDesk, actor: Actor, person_id: str) -> Person:
    """Return one person; everybody may read themselves. Raises UnknownPersonError, NotAllowedError."""
    with desk.reading.connect() as connection:
        person = directory.get(connection, desk.keys, person_id)
        if actor.actor_id != person_id:
            demand_sight(connection, actor, person)
        return person


def person_of_login(desk: PeopleDesk, actor: Actor, login: str) -> Person:
    """Return the person with a login. Raises UnknownLoginError, UnknownPersonError, NotAllowedError."""
    with desk.reading.connect() as connection:
        person = directory.get(connection, desk.keys, directory.id_of_login(connection, desk.keys, login))
        demand_sight(connection, actor, person)
        return person


def list_people(desk: PeopleDesk, actor: Actor, *, after: str = "", limit: int = 50) -> PeoplePage:
    """Return whom the actor may see, closed people too. Raises NotAllowedError."""
    if actor.reach(Right.PEOPLE_MANAGE).is_empty:
        raise NotAllowedError(right=Right.PEOPLE_MANAGE.value, where="anybody")
    size = max(1, min(limit, MOST_ON_A_PAGE))
    with desk.reading.connect() as connection:
        found = directory.page(connection, desk.keys, visible=visible_people(actor), after=after, limit=size + 1)
    more = len(found) > size
    return PeoplePage(people=found[:size], next_after=found[size - 1].person_id if more else "")
