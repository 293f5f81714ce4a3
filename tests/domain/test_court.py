"""Caps: a court may be stricter than the law's analogue and never looser."""

from datetime import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.court import Caps
from gateway.domain.errors import CapsTooLooseError
from tests.builders import a_court, a_district

TOO_LOOSE: list[tuple[str, dict[str, Any]]] = [
    ("a fourth opener a day", {"openers_per_day": 4}),
    ("a second content a day", {"contents_per_day": 2}),
    ("a fourth content in 30 days", {"contents_per_30_days": 4}),
    ("before eight", {"earliest": time(7, 59, 59, 999999)}),
    ("at midnight", {"earliest": time(0)}),
    ("after nine at night", {"latest": time(21, 0, 0, 1)}),
    ("a negative number, which would mean nothing", {"openers_per_day": -1}),
]


@pytest.mark.parametrize("fields", [fields for _, fields in TOO_LOOSE], ids=[says for says, _ in TOO_LOOSE])
def test_no_court_may_be_looser(fields: dict[str, Any]) -> None:
    with pytest.raises(CapsTooLooseError, match=next(iter(fields))):
        Caps(**fields)


def test_the_loosest_caps_are_those_a_court_starts_with() -> None:
    assert a_court().caps == Caps()
    assert Caps() == Caps(
        openers_per_day=3, contents_per_day=1, contents_per_30_days=3, earliest=time(8), latest=time(21)
    )


@given(st.integers(), st.integers(), st.integers())
def test_numbers_that_can_be_set_are_within_the_law(openers: int, contents: int, monthly: int) -> None:
    try:
        caps = Caps(openers_per_day=openers, contents_per_day=contents, contents_per_30_days=monthly)
    except CapsTooLooseError:
        return
    assert 0 <= caps.openers_per_day <= 3
    assert 0 <= caps.contents_per_day <= 1
    assert 0 <= caps.contents_per_30_days <= 3


@given(st.times(), st.times())
def test_hours_that_can_be_set_are_within_the_law(earliest: time, latest: time) -> None:
    try:
        caps = Caps(earliest=earliest, latest=latest)
    except CapsTooLooseError:
        assert earliest < time(8) or latest > time(21)
        return
    assert caps.earliest >= time(8)
    assert caps.latest <= time(21)


def test_a_court_warns_for_three_days_unless_it_says_otherwise() -> None:
    assert a_court().warning_days == 3
    assert a_court(warning_days=7).warning_days == 7


def test_a_district_may_stand_at_the_root_or_under_another() -> None:
    assert a_district().parent_id is None
    assert a_district(parent_id="district-0", enabled=False, reason="flood").parent_id == "district-0"
