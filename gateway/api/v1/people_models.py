"""What people, their roles and programs' keys look like from outside, and back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Self, assert_never

from pydantic import Field, model_validator

from gateway.api.v1.fields import Id, Input, Output
from gateway.domain.rights import Everywhere, Grant, InCourt, InDistrict, Right, Role, Scope
from gateway.people.directory import Person
from gateway.people.roles import RoleHeld


class PlaceIn(Input):
    """A place: a court, one of its districts with all below it, or everywhere if neither is named."""

    court: Id | None = None
    district: Id | None = None

    @model_validator(mode="after")
    def _is_a_place(self) -> Self:
        if self.district is not None and self.court is None:
            raise ValueError("name the court that the district belongs to")
        return self

    def to_domain(self) -> Scope:
        """Return the scope."""
        match self.court, self.district:
            case None, _:
                return Everywhere()
            case str(court), None:
                return InCourt(court_id=court)
            case str(court), str(district):
                return InDistrict(court_id=court, district_id=district)
        raise AssertionError("a place is one of the three")


class RoleIn(PlaceIn):
    """A role in a place."""

    role: Role

    def held(self) -> RoleHeld:
        """Return the role."""
        return RoleHeld(role=self.role, scope=self.to_domain())


class RoleOut(Output):
    """A role in a place; without a court it holds everywhere."""

    role: Role
    court: str | None
    district: str | None


class GrantOut(Output):
    """A right in a place; without a court it holds everywhere."""

    right: Right
    court: str | None
    district: str | None


class PersonOut(Output):
    """Somebody who works with the gateway; `enrolment_until` is set while an enrolment code is good."""

    id: str
    login: str
    name: str
    roles: list[RoleOut]
    has_password: bool
    passkeys: int
    oidc_allowed: bool
    created_by: str
    created_at: datetime
    enrolment_until: datetime | None
    closed_at: datetime | None
    version: int


def show_person(person: Person) -> PersonOut:
    """Return a person."""
    return PersonOut(
        id=person.person_id,
        login=person.login,
        name=person.name,
        roles=[RoleOut(role=held.role, **place(held.scope)) for held in person.roles],
        has_password=person.has_password,
        passkeys=person.passkeys,
        oidc_allowed=person.oidc_allowed,
        created_by=person.created_by,
        created_at=person.created_at,
        enrolment_until=person.enrolment_until,
        closed_at=person.closed_at,
        version=person.version,
    )


def show_grants(grants: Iterable[Grant]) -> list[GrantOut]:
    """Return grants, sorted."""
    shown = [GrantOut(right=grant.right, **place(grant.scope)) for grant in grants]
    return sorted(shown, key=lambda each: (each.right.value, each.court or "", each.district or ""))


def place(scope: Scope) -> dict[str, str | None]:
    """Return the fields `court` and `district` of a scope."""
    match scope:
        case Everywhere():
            return {"court": None, "district": None}
        case InCourt(court_id=court):
            return {"court": court, "district": None}
        case InDistrict(court_id=court, district_id=district):
            return {"court": court, "district": district}
        case _:
            assert_never(scope)


LOGIN = Field(min_length=3, max_length=200, description="For example an e-mail address; without spaces.")
