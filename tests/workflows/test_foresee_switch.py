"""What a switch is foreseen to do is what it then does."""

import pytest

from gateway.assembly import Parts
from gateway.domain.rights import InDistrict, Role
from gateway.register import districts
from gateway.workflows.foresee_switch import SwitchEffect, foresee_switch
from gateway.workflows.office import Office
from gateway.workflows.read_districts import DistrictNode, read_districts
from gateway.workflows.switch_district import switch_district
from tests.builders import a_district
from tests.builders_office import COURT, DAY, DISTRICT, NOON, SISTER, an_approved_order, an_errand, an_office

OPERATOR = an_errand(Role.OPERATOR)
BELOW = "lakeside-north-harbour"


@pytest.fixture
def office(parts: Parts) -> Office:
    """The office, with a district below the one that the builders' orders lie in, and an order in it."""
    made = an_office(parts)
    with made.engine.begin() as connection:
        harbour = a_district(district_id=BELOW, court_id=COURT, name="Harbour", parent_id=DISTRICT)
        districts.add(connection, harbour, NOON)
    an_approved_order(made, at=NOON - 10 * DAY, district_id=BELOW)
    return made


def _nodes(office: Office) -> dict[str, DistrictNode]:
    return {each.district.district_id: each for each in read_districts(office, OPERATOR)}


def _heard(office: Office) -> dict[str, int]:
    """Return the districts that are heard, with how many orders are in force in each."""
    return {key: node.in_force or 0 for key, node in _nodes(office).items() if node.is_heard}


def _switch(office: Office, district_id: str, *, to_enabled: bool) -> None:
    switch_district(office.engine, office.keys, district_id, OPERATOR, to_enabled=to_enabled, reason="A pause.")


def _foreseen(office: Office, district_id: str, *, to_enabled: bool) -> SwitchEffect:
    return foresee_switch(_nodes(office).values(), district_id, to_enabled=to_enabled)


@pytest.mark.parametrize("off_before", [(), (BELOW,), (DISTRICT,), (COURT,), (COURT, BELOW)], ids="+".join)
@pytest.mark.parametrize("district_id", [COURT, DISTRICT, BELOW, SISTER])
def test_as_many_districts_and_orders_change_as_was_foreseen(
    office: Office, district_id: str, off_before: tuple[str, ...]
) -> None:
    for each in off_before:
        _switch(office, each, to_enabled=False)
    to_enabled = not _nodes(office)[district_id].district.enabled
    foreseen = _foreseen(office, district_id, to_enabled=to_enabled)
    before = _heard(office)
    _switch(office, district_id, to_enabled=to_enabled)
    after = _heard(office)
    changed = {**before, **after}.items() - (before.items() & after.items())
    assert (foreseen.districts, foreseen.in_force) == (len(changed), sum(number for _key, number in changed))


def test_a_district_above_that_is_off_is_named(office: Office) -> None:
    _switch(office, COURT, to_enabled=False)
    for district_id in (DISTRICT, BELOW):
        foreseen = _foreseen(office, district_id, to_enabled=True)
        assert (foreseen.silenced_by, foreseen.districts) == (COURT, 0)


def test_who_may_not_count_every_order_is_told_no_number(office: Office) -> None:
    own = an_errand(Role.OPERATOR, scope=InDistrict(court_id=COURT, district_id=DISTRICT))
    nodes = read_districts(office, own)
    assert foresee_switch(nodes, COURT, to_enabled=False).in_force is None
    assert foresee_switch(nodes, BELOW, to_enabled=False).in_force == 1
