"""Rights: what a role means in a place, and what a place contains."""

import pytest

from gateway.domain.rights import (
    API_KEY_RIGHTS,
    CALLEE,
    COMMAND_LINE,
    RIGHTS_OF,
    Actor,
    ActorKind,
    Everywhere,
    Grant,
    InCourt,
    InDistrict,
    NotAllowedError,
    Place,
    Right,
    Role,
    Scope,
    everything_for,
    grants_of,
)

COURT = Place(court_id="lakeside")
NORTH = Place(court_id="lakeside", district_path=("north", "lakeside"))
BELOW_NORTH = Place(court_id="lakeside", district_path=("harbour", "north", "lakeside"))
SOUTH = Place(court_id="lakeside", district_path=("south", "lakeside"))
ABROAD = Place(court_id="thameside", district_path=("north",))
PLACES = {"gateway": None, "court": COURT, "north": NORTH, "below north": BELOW_NORTH, "south": SOUTH, "abroad": ABROAD}


def somebody(scope: Scope, *rights: Right) -> Actor:
    grants = frozenset(Grant(right=right, scope=scope) for right in rights or (Right.ORDERS_READ,))
    return Actor(actor_id="per_1", kind=ActorKind.PERSON, grants=grants)


@pytest.mark.parametrize(
    ("scope", "reached"),
    [
        (Everywhere(), set(PLACES)),
        (InCourt(court_id="lakeside"), {"court", "north", "below north", "south"}),
        (InDistrict(court_id="lakeside", district_id="north"), {"north", "below north"}),
        (InDistrict(court_id="lakeside", district_id="lakeside"), {"north", "below north", "south"}),
        (InDistrict(court_id="thameside", district_id="north"), {"abroad"}),
    ],
    ids=["everywhere", "a court", "a district", "a whole tree of districts", "another court's district of that name"],
)
def test_a_scope_covers_what_lies_in_it_and_nothing_else(scope: Scope, reached: set[str]) -> None:
    actor = somebody(scope)
    assert {name for name, place in PLACES.items() if actor.may(Right.ORDERS_READ, place)} == reached


def test_a_right_in_one_place_is_no_right_in_another_and_no_other_right() -> None:
    actor = Actor(
        actor_id="per_1",
        kind=ActorKind.PERSON,
        grants=frozenset(
            {
                Grant(right=Right.ORDERS_READ, scope=InCourt(court_id="lakeside")),
                Grant(right=Right.ORDERS_DRAFT, scope=InCourt(court_id="thameside")),
            }
        ),
    )
    assert not actor.may(Right.ORDERS_DRAFT, NORTH)
    assert not actor.may(Right.ORDERS_READ, ABROAD)
    with pytest.raises(NotAllowedError, match="orders:draft for order ord_1"):
        actor.demand(Right.ORDERS_DRAFT, NORTH, where="order ord_1")


def test_the_reach_of_a_right_is_the_sum_of_its_grants() -> None:
    actor = Actor(
        actor_id="per_1",
        kind=ActorKind.PERSON,
        grants=grants_of(Role.CLERK, InDistrict(court_id="lakeside", district_id="north"))
        | grants_of(Role.AUDITOR, InCourt(court_id="thameside")),
    )
    reach = actor.reach(Right.ORDERS_READ)
    assert (reach.everywhere, reach.courts, reach.districts) == (False, frozenset({"thameside"}), frozenset({"north"}))
    assert actor.reach(Right.AUDIT_READ).courts == {"thameside"}
    assert actor.reach(Right.PEOPLE_MANAGE).is_empty


def test_nobody_holds_both_halves_of_the_two_officer_rule_by_one_role() -> None:
    assert not any({Right.ORDERS_DRAFT, Right.ORDERS_APPROVE} <= rights for rights in RIGHTS_OF.values())


def test_who_administers_or_operates_reads_no_case() -> None:
    for role in (Role.ADMINISTRATOR, Role.OPERATOR):
        assert not RIGHTS_OF[role] & {Right.ORDERS_READ, Right.DISPUTES_READ, Right.PLAYS_READ, Right.ORDERS_EXPORT}


def test_an_auditor_changes_nothing() -> None:
    assert all(right.value.endswith((":read", ":export")) for right in RIGHTS_OF[Role.AUDITOR])


def test_a_program_never_approves_resolves_or_administers() -> None:
    assert not API_KEY_RIGHTS & {
        Right.ORDERS_APPROVE,
        Right.DISPUTES_RESOLVE,
        Right.COURTS_MANAGE,
        Right.PEOPLE_MANAGE,
        Right.API_KEYS_MANAGE,
        Right.WEBHOOKS_MANAGE,
    }


def test_every_right_is_held_by_a_role_or_by_a_program() -> None:
    assert frozenset().union(*RIGHTS_OF.values(), API_KEY_RIGHTS) == frozenset(Right)


def test_who_sits_at_the_machine_may_do_everything_and_a_callee_nothing() -> None:
    assert all(COMMAND_LINE.may(right, None) for right in Right)
    assert not any(CALLEE.may(right, place) for right in Right for place in PLACES.values())
    assert everything_for([Right.AUDIT_READ]) == {Grant(right=Right.AUDIT_READ, scope=Everywhere())}
