"""What the workflows of people have at hand, and which of them somebody may see or change.

Who manages people in a court sees everybody who has a role there. To change a person as a whole (name, credentials, an
end), one must reach every role the person has: nobody gets hold of an account that can do more than they may give. What
one does not see is answered as if it did not exist.
"""

from dataclasses import dataclass
from typing import assert_never

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, exists, or_, select

from gateway.db.snapshot import Reading
from gateway.domain.rights import Actor, Everywhere, InCourt, InDistrict, NotAllowedError, Place, Reach, Right, Scope
from gateway.people import directory, roles
from gateway.people.directory import Person
from gateway.people.errors import UnknownPersonError
from gateway.people.passkeys import RelyingParty
from gateway.people.passwords import Passwords, argon2id
from gateway.people.tables import people
from gateway.people.tables import roles as role_rows
from gateway.privacy.ring import KeyRing
from gateway.privacy.token import TokenSealer
from gateway.register import districts
from gateway.workflows.access import demand_court, demand_district, place_of

NAME = "Court notice gateway"
MOST_ON_A_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleDesk:
    """The engines, the keys, and what checks passwords and passkeys; one for each process, which hashes in turn.

    `reading` is for lists and for `identify`: it takes no lock that a writer would wait for. `noting` is one
    that gives up early, for what may be left unwritten: when a session or a key was last used.
    """

    engine: Engine
    reading: Reading
    noting: Engine
    keys: KeyRing
    passwords: Passwords
    sealer: TokenSealer
    party: RelyingParty

    @classmethod
    def over(
        cls, *, engine: Engine, reading: Reading, noting: Engine, keys: KeyRing, public_origin: str
    ) -> "PeopleDesk":
        """Return a desk over a register; passkeys are bound to the host of `public_origin`."""
        return cls(
            engine=engine,
            reading=reading,
            noting=noting,
            keys=keys,
            passwords=Passwords(argon2id()),
            sealer=TokenSealer(keys),
            party=RelyingParty.at(public_origin, NAME),
        )


def demand_scope(connection: Connection, actor: Actor, right: Right, scope: Scope) -> None:
    """Raise UnknownEntryError or NotAllowedError where `actor` lacks `right` in the whole of a scope."""
    match scope:
        case Everywhere():
            actor.demand(right, None, where="all courts")
        case InCourt(court_id=court_id):
            demand_court(connection, actor, court_id, right)
        case InDistrict(court_id=court_id, district_id=district_id):
            demand_district(connection, actor, district_id, right)
            if districts.get(connection, district_id).court_id != court_id:
                raise districts.unknown(district_id)
        case _:
            assert_never(scope)


def reaches(connection: Connection, actor: Actor, right: Right, scope: Scope) -> bool:
    """Tell whether `actor` has `right` in the whole of a scope."""
    return actor.may(right, place_in(connection, scope))


def place_in(connection: Connection, scope: Scope) -> Place | None:
    """Return the place that a scope is; None for everywhere."""
    match scope:
        case Everywhere():
            return None
        case InCourt(court_id=court_id):
            return Place(court_id=court_id)
        case InDistrict(court_id=court_id, district_id=district_id):
            return place_of(connection, court_id, district_id)
        case _:
            assert_never(scope)


def demand_sight(connection: Connection, actor: Actor, person: Person) -> None:
    """Raise UnknownPersonError or NotAllowedError where a person is none of the actor's business."""
    if actor.reach(Right.PEOPLE_MANAGE).is_empty:
        raise NotAllowedError(right=Right.PEOPLE_MANAGE.value, where="anybody")
    if actor.may(Right.PEOPLE_MANAGE, None) or (not person.roles and person.created_by == actor.actor_id):
        return
    if not any(reaches(connection, actor, Right.PEOPLE_MANAGE, held.scope) for held in person.roles):
        raise UnknownPersonError(person_id=person.person_id)


def demand_person(connection: Connection, actor: Actor, person: Person) -> None:
    """Raise UnknownPersonError or NotAllowedError where the actor may not change a person as a whole."""
    demand_sight(connection, actor, person)
    if not all(reaches(connection, actor, Right.PEOPLE_MANAGE, held.scope) for held in person.roles):
        raise NotAllowedError(right=Right.PEOPLE_MANAGE.value, where=f"every role of person {person.person_id}")


def visible_people(actor: Actor) -> ColumnElement[bool] | None:
    """Return the condition on whom an actor sees; None for everybody."""
    reach = actor.reach(Right.PEOPLE_MANAGE)
    if reach.everywhere:
        return None
    within = roles.within(reach.courts, reached_districts(reach))
    has_role_within = exists().where(role_rows.c.person_id == people.c.person_id, within)
    has_role = exists().where(role_rows.c.person_id == people.c.person_id)
    return or_(has_role_within, and_(people.c.created_by == actor.actor_id, ~has_role))


def reached_districts(reach: Reach) -> frozenset[str] | Select[str]:
    """Return the districts that a reach extends to, those below them too, for a condition of a statement."""
    return select(districts.below(reach.districts).c.district_id) if reach.districts else frozenset()


def person_to_change(
    connection: Connection, desk: PeopleDesk, actor: Actor, person_id: str, *, expected: int | None
) -> Person:
    """Return a person, locked, whom the actor may change as a whole.

    Raises UnknownPersonError, NotAllowedError, PersonClosedError, StaleVersionError.
    """
    demand_person(connection, actor, directory.get(connection, desk.keys, person_id))
    person = directory.locked(connection, desk.keys, person_id, expected=expected)
    # Somebody may have given a role between the two looks; only the locked one counts.
    demand_person(connection, actor, person)
    return person
