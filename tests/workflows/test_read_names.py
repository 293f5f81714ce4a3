"""Whose names an officer learns: of those who act in the courts that the officer reads, and of nobody else."""

from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import event

from gateway.assembly import Parts
from gateway.domain.rights import COMMAND_LINE, Actor, ActorKind, Everywhere, InCourt, InDistrict, Right, Role, Scope
from gateway.people.api_keys import KeyDraft
from gateway.people.roles import RoleHeld
from gateway.workflows.add_person import PersonDraft, add_person
from gateway.workflows.change import Errand
from gateway.workflows.change_person import close_person, take_role
from gateway.workflows.issue_api_key import issue_api_key
from gateway.workflows.people_desk import PeopleDesk
from gateway.workflows.read_names import read_names
from tests.builders_office import COURT, DISTRICT, NOON, OTHER_COURT, SISTER, by_whom
from tests.people.desks import a_desk

HERE, THERE = InCourt(court_id=COURT), InCourt(court_id=OTHER_COURT)
NORTH, SOUTH = (InDistrict(court_id=COURT, district_id=each) for each in (DISTRICT, SISTER))
AT_THE_MACHINE = Errand(actor=COMMAND_LINE, at=NOON)
NUMBERS = count()
# The rights that let somebody know others by name.
NAMING = {Right.ORDERS_READ, Right.PEOPLE_MANAGE}


@pytest.fixture
def desk(parts: Parts) -> PeopleDesk:
    return a_desk(parts)


def add(desk: PeopleDesk, name: str, *held: tuple[Role, Scope]) -> str:
    roles = tuple(RoleHeld(role=role, scope=scope) for role, scope in held)
    draft = PersonDraft(login=f"somebody-{next(NUMBERS)}@example.org", name=name, roles=roles)
    return add_person(desk, AT_THE_MACHINE, draft).person.person_id


def a_key(desk: PeopleDesk, name: str, scope: Scope) -> str:
    rights = frozenset({Right.ORDERS_READ})
    draft = KeyDraft(name=name, rights=rights, scope=scope, expires_at=NOON + timedelta(days=30))
    return issue_api_key(desk, AT_THE_MACHINE, draft).key.key_id


def reader(scope: Scope = HERE, by: str = "per_reader", right: Right = Right.ORDERS_READ) -> Errand:
    return by_whom(right, by=by, scope=scope)


def named(parts: Parts, errand: Errand, *ids: str) -> list[str]:
    """Return the names that are told; an id that stays one is left out."""
    found = read_names(parts.office, ids, errand)
    assert set(found) == set(ids)
    return sorted(name for actor_id, name in found.items() if name != actor_id)


def test_an_officer_learns_the_names_of_those_who_have_a_role_in_the_same_court(parts: Parts, desk: PeopleDesk) -> None:
    ids = (
        add(desk, "Clerk Here", (Role.CLERK, HERE)),
        add(desk, "Clerk North", (Role.CLERK, NORTH)),
        add(desk, "Clerk South", (Role.CLERK, SOUTH)),
        add(desk, "Auditor Everywhere", (Role.AUDITOR, Everywhere())),
        add(desk, "Clerk There", (Role.CLERK, THERE)),
        add(desk, "Nothing Yet"),
        a_key(desk, "Case system", HERE),
        a_key(desk, "Central system", Everywhere()),
        a_key(desk, "Other system", THERE),
    )
    here = ["Auditor Everywhere", "Case system", "Central system", "Clerk Here", "Clerk North", "Clerk South"]
    assert named(parts, reader(HERE), *ids) == here
    assert named(parts, reader(NORTH), *ids) == here
    there = ["Auditor Everywhere", "Central system", "Clerk There", "Other system"]
    assert named(parts, reader(THERE), *ids) == there
    assert named(parts, reader(Everywhere()), *ids) == sorted({*here, *there})


def test_who_left_or_was_closed_goes_on_having_a_name(parts: Parts, desk: PeopleDesk) -> None:
    left = add(desk, "Ada Left", (Role.CLERK, HERE), (Role.CLERK, THERE))
    for scope in (HERE, THERE):
        take_role(desk, AT_THE_MACHINE, left, RoleHeld(role=Role.CLERK, scope=scope))
    closed = add(desk, "Ben Closed", (Role.APPROVER, HERE))
    close_person(desk, AT_THE_MACHINE, closed, revoke_keys=False)
    assert named(parts, reader(HERE), left, closed) == ["Ada Left", "Ben Closed"]
    assert named(parts, reader(THERE), left, closed) == ["Ada Left"]


@pytest.mark.parametrize("right", [each for each in Right if each not in NAMING])
def test_who_reads_no_orders_learns_the_own_name_only(parts: Parts, desk: PeopleDesk, right: Right) -> None:
    me, other = add(desk, "Me Myself", (Role.OPERATOR, HERE)), add(desk, "Clerk Here", (Role.CLERK, HERE))
    errand = reader(HERE, by=me, right=right)
    assert named(parts, errand, me, other, a_key(desk, "Case system", HERE)) == ["Me Myself"]


def test_who_manages_people_knows_them_by_name(parts: Parts, desk: PeopleDesk) -> None:
    here, there = add(desk, "Clerk Here", (Role.CLERK, HERE)), add(desk, "Clerk There", (Role.CLERK, THERE))
    assert named(parts, reader(HERE, right=Right.PEOPLE_MANAGE), here, there) == ["Clerk Here"]
    assert named(parts, reader(Everywhere(), right=Right.PEOPLE_MANAGE), here, there) == ["Clerk Here", "Clerk There"]


def test_a_program_gets_ids_and_who_is_no_officer_stays_as_called(parts: Parts, desk: PeopleDesk) -> None:
    here = add(desk, "Clerk Here", (Role.CLERK, HERE))
    rights = reader(Everywhere()).actor.grants
    program = Errand(actor=Actor(actor_id="key_1", kind=ActorKind.API_KEY, grants=rights), at=NOON)
    assert named(parts, program, here) == []
    assert named(parts, reader(), "command-line", "gateway", "callee", "per_nobody", "key_nobody", "", "'") == []
    assert named(parts, reader()) == []


def test_five_hundred_names_are_one_statement(parts: Parts, desk: PeopleDesk) -> None:
    here = add(desk, "Clerk Here", (Role.CLERK, HERE))
    statements: list[str] = []

    def note(*parameters: object) -> None:
        statements.append(str(parameters[2]))

    event.listen(parts.reading, "before_cursor_execute", note)
    assert named(parts, reader(), here, *(f"per_{number}" for number in range(499))) == ["Clerk Here"]
    assert len([each for each in statements if each.startswith("SELECT")]) == 1
    assert named(parts, reader(), here, *(f"per_{number}" for number in range(1200))) == ["Clerk Here"]
    event.remove(parts.reading, "before_cursor_execute", note)
