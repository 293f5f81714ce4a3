"""The tree of districts: what a switch above silences, what is in force where, and who switched what."""

import pytest

from gateway.assembly import Parts
from gateway.domain.rights import InCourt, InDistrict, NotAllowedError, Right, Role
from gateway.register import districts
from gateway.register.errors import UnknownEntryError
from gateway.workflows.change import Errand
from gateway.workflows.office import Office
from gateway.workflows.read_districts import DistrictNode, district_history, read_branches, read_districts
from gateway.workflows.switch_district import switch_district
from tests.builders import a_district
from tests.builders_office import (
    COURT,
    DAY,
    DISTRICT,
    HOUR,
    NOON,
    OTHER_COURT,
    SISTER,
    an_approved_order,
    an_errand,
    an_office,
    by_whom,
)

OPERATOR = an_errand(Role.OPERATOR)
BELOW = "lakeside-north-harbour"


@pytest.fixture
def office(parts: Parts) -> Office:
    """The office, with a district below the one that the builders' orders lie in."""
    made = an_office(parts)
    with made.engine.begin() as connection:
        harbour = a_district(district_id=BELOW, court_id=COURT, name="Harbour", parent_id=DISTRICT)
        districts.add(connection, harbour, NOON)
    return made


def nodes(office: Office, errand: Errand = OPERATOR) -> dict[str, DistrictNode]:
    return {each.district.district_id: each for each in read_districts(office, errand)}


def switch(office: Office, district_id: str, *, to_enabled: bool, hours: int = 0, reason: str = "A pause.") -> None:
    errand = an_errand(Role.OPERATOR, at=NOON + hours * HOUR)
    switch_district(office.engine, office.keys, district_id, errand, to_enabled=to_enabled, reason=reason)


def test_a_switch_above_silences_what_lies_below_and_nothing_beside_it(office: Office) -> None:
    switch(office, DISTRICT, to_enabled=False)
    found = nodes(office)
    assert [found[each].silenced_by for each in (COURT, DISTRICT, BELOW)] == ["", DISTRICT, DISTRICT]
    # The demo's own switch is another one.
    assert found[SISTER].silenced_by == SISTER
    assert found[BELOW].district.enabled
    assert found[BELOW].depth == found[DISTRICT].depth + 1
    assert found[DISTRICT].switched_by == "per_operator"


def test_the_branches_are_the_same_districts_in_the_same_order(office: Office) -> None:
    found = read_branches(office, OPERATOR)
    assert [(each.district, each.depth) for each in found] == [
        (each.district, each.depth) for each in read_districts(office, OPERATOR)
    ]
    assert {each.district.court_id for each in found} == {COURT}
    assert not read_branches(office, by_whom(Right.ORDERS_READ))


def test_orders_in_force_are_counted_where_they_lie_and_in_all_above(office: Office) -> None:
    before = nodes(office)
    an_approved_order(office, at=NOON - 10 * DAY, district_id=BELOW)
    after = nodes(office)
    for district_id, more in ((BELOW, (1, 1)), (DISTRICT, (0, 1)), (SISTER, (0, 0))):
        old, new = before[district_id], after[district_id]
        assert old.in_force is not None
        assert old.in_force_below is not None
        assert (new.in_force, new.in_force_below) == (old.in_force + more[0], old.in_force_below + more[1])


def test_who_may_not_count_is_told_no_number_and_who_may_not_switch_is_told_so(office: Office) -> None:
    found = nodes(office, by_whom(Right.COURTS_READ))
    assert {(each.in_force, each.may_switch) for each in found.values()} == {(None, False)}
    own = nodes(office, an_errand(Role.OPERATOR, scope=InDistrict(court_id=COURT, district_id=DISTRICT)))
    assert {key for key, each in own.items() if each.may_switch} == {DISTRICT, BELOW}
    assert own[SISTER].in_force is None


def test_who_reads_and_counts_in_one_district_alone_is_told_its_number(office: Office) -> None:
    """The district stands in the question twice: by the right to read orders, and by that to count them."""
    own = nodes(office, an_errand(Role.APPROVER, scope=InDistrict(court_id=COURT, district_id=DISTRICT)))
    assert own[DISTRICT].in_force is not None
    assert own[BELOW].in_force is not None
    assert own[SISTER].in_force is None


def test_another_courts_districts_are_not_there(office: Office) -> None:
    assert {each.district.court_id for each in nodes(office).values()} == {COURT}
    with pytest.raises(UnknownEntryError):
        district_history(office, DISTRICT, an_errand(Role.OPERATOR, scope=InCourt(court_id=OTHER_COURT)))
    with pytest.raises(NotAllowedError):
        district_history(office, DISTRICT, by_whom(Right.ORDERS_READ))


def test_the_history_says_who_switched_when_and_why_the_latest_first(office: Office) -> None:
    switch(office, DISTRICT, to_enabled=False, hours=1, reason="The registry asked for it.")
    switch(office, DISTRICT, to_enabled=True, hours=2, reason="It is over.")
    switch(office, BELOW, to_enabled=False, hours=3)
    found = district_history(office, DISTRICT, OPERATOR)
    assert [(each.at, each.to_enabled, each.reason, each.actor) for each in found] == [
        (NOON + 2 * HOUR, True, "It is over.", "per_operator"),
        (NOON + HOUR, False, "The registry asked for it.", "per_operator"),
    ]
