"""The roles that people have, each in a place."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import assert_never

from sqlalchemy import ColumnElement, Connection, Select, delete, or_, select
from sqlalchemy.exc import IntegrityError

from gateway.domain.rights import Everywhere, Grant, InCourt, InDistrict, Role, Scope, grants_of
from gateway.people.errors import LastAdministratorError, UnknownRoleError
from gateway.people.tables import people, roles

# For so many different roles, and sets of them, a process keeps what they amount to; who holds them it does not keep.
_KEPT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleHeld:
    """What a person is, and where."""

    role: Role
    scope: Scope


def place_text(scope: Scope) -> str:
    """Return a scope as one text: empty for everywhere, `court`, or `court/district`."""
    match scope:
        case Everywhere():
            return ""
        case InCourt(court_id=court_id):
            return court_id
        case InDistrict(court_id=court_id, district_id=district_id):
            return f"{court_id}/{district_id}"
        case _:
            assert_never(scope)


def columns_of(scope: Scope) -> dict[str, str | None]:
    """Return the columns `place`, `court_id` and `district_id` of a scope."""
    match scope:
        case Everywhere():
            court_id, district_id = None, None
        case InCourt(court_id=court):
            court_id, district_id = court, None
        case InDistrict(court_id=court, district_id=district):
            court_id, district_id = court, district
        case _:
            assert_never(scope)
    return {"place": place_text(scope), "court_id": court_id, "district_id": district_id}


def scope_of(court_id: str | None, district_id: str | None) -> Scope:
    """Return the scope that the columns say."""
    if court_id is None:
        return Everywhere()
    return InCourt(court_id=court_id) if district_id is None else InDistrict(court_id=court_id, district_id=district_id)


@lru_cache(maxsize=_KEPT)
def held_as(role: str, court_id: str | None, district_id: str | None) -> RoleHeld:
    """Return the role that a row's columns say."""
    return RoleHeld(role=Role(role), scope=scope_of(court_id, district_id))


def court_of(scope: Scope) -> str:
    """Return the court that a scope lies in; empty for everywhere."""
    return "" if isinstance(scope, Everywhere) else scope.court_id


def of_people(connection: Connection, which: ColumnElement[bool]) -> dict[str, tuple[RoleHeld, ...]]:
    """Return the roles of the people that `which` selects by their role rows, by person_id."""
    found: dict[str, tuple[RoleHeld, ...]] = {}
    for row in connection.execute(select(roles).where(which).order_by(roles.c.person_id, roles.c.place, roles.c.role)):
        held = held_as(row.role, row.court_id, row.district_id)
        found[row.person_id] = (*found.get(row.person_id, ()), held)
    return found


def give(connection: Connection, person_id: str, held: RoleHeld, *, given_by: str, now: datetime) -> bool:
    """Give a role, and tell whether it is new to the person."""
    values = {"person_id": person_id, "role": held.role.value, "given_by": given_by, "given_at": now}
    try:
        with connection.begin_nested():
            connection.execute(roles.insert().values(**values, **columns_of(held.scope)))
    except IntegrityError:
        if held in of_people(connection, roles.c.person_id == person_id).get(person_id, ()):
            return False
        raise
    return True


def take(connection: Connection, person_id: str, held: RoleHeld) -> None:
    """Take a role away. Raises UnknownRoleError where the person does not have it."""
    gone = connection.execute(
        delete(roles).where(
            roles.c.person_id == person_id,
            roles.c.role == held.role.value,
            roles.c.place == place_text(held.scope),
        )
    )
    if gone.rowcount == 0:
        raise UnknownRoleError(person_id=person_id, role=held.role.value)


def demand_other_administrator(connection: Connection, person_id: str) -> None:
    """Raise LastAdministratorError where nobody but this person administers everything.

    The rows stay locked until commit: two administrators who close each other take turns, and the second is refused.
    """
    statement = (
        select(roles.c.person_id)
        .join(people, people.c.person_id == roles.c.person_id)
        .where(roles.c.role == Role.ADMINISTRATOR.value, roles.c.place == "", people.c.closed_at.is_(None))
        .order_by(roles.c.person_id)
        .with_for_update()
    )
    administrators = set(connection.execute(statement).scalars())
    if administrators == {person_id}:
        raise LastAdministratorError


@lru_cache(maxsize=_KEPT)
def grants(held: tuple[RoleHeld, ...]) -> frozenset[Grant]:
    """Return everything that roles amount to; it follows from them alone, and each request asks."""
    return frozenset(grant for each in held for grant in grants_of(each.role, each.scope))


def within(courts: frozenset[str], district_ids: frozenset[str] | Select[str]) -> ColumnElement[bool]:
    """Return the condition that a role lies in one of the courts or of the districts."""
    return or_(roles.c.court_id.in_(courts), roles.c.district_id.in_(district_ids))
