from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audio.validate import OBJECTION_TO, Limits, Measurements, Unreadable, objections

LIMITS = Limits()
GOOD = Measurements(
    seconds=10.0,
    declared_seconds=10.0,
    kept_seconds=9.0,
    level=2000.0,
    active_seconds=8.0,
    clipped_share=0.0,
    crowded_share=0.0,
    damaged_share=0.0,
)


@pytest.mark.parametrize(
    ("measured", "why"),
    [
        (replace(GOOD, level=0.0), "silent"),
        (replace(GOOD, level=79.0), "silent"),
        (replace(GOOD, active_seconds=0.1), "silent"),
        (replace(GOOD, clipped_share=0.02), "distorted"),
        (replace(GOOD, crowded_share=0.04), "distorted"),
        (replace(GOOD, seconds=60.1), "more than 60 s"),
        (replace(GOOD, kept_seconds=0.9), "too short: 0.9 s"),
        (replace(GOOD, declared_seconds=100.0), "header says 100.0 s but 10.0 s"),
        (replace(GOOD, declared_seconds=1.0), "header says 1.0 s but 10.0 s"),
        (replace(GOOD, damaged_share=0.03), "damaged"),
        (replace(GOOD, seconds=0.0), "damaged"),
    ],
)
def test_each_fault_is_named(measured: Measurements, why: str) -> None:
    assert why in objections(measured, LIMITS)[0].why


@pytest.mark.parametrize(
    "measured",
    [
        GOOD,
        replace(GOOD, declared_seconds=0.0),
        replace(GOOD, declared_seconds=11.4),
        replace(GOOD, seconds=60.0, declared_seconds=60.0),
        replace(GOOD, kept_seconds=1.0),
        replace(GOOD, clipped_share=0.01),
        replace(GOOD, crowded_share=0.03),
        replace(GOOD, level=80.0),
        replace(GOOD, damaged_share=0.02),
    ],
)
def test_a_recording_on_the_right_side_of_each_bound_is_fit_to_play(measured: Measurements) -> None:
    assert objections(measured, LIMITS) == ()


def test_every_reason_to_have_measured_nothing_has_its_objection() -> None:
    assert set(OBJECTION_TO) == set(Unreadable)


@given(
    st.builds(
        Measurements,
        seconds=st.floats(0, 1e4),
        declared_seconds=st.floats(0, 1e9),
        kept_seconds=st.floats(0, 1e4),
        level=st.floats(0, 32768),
        active_seconds=st.floats(0, 1e4),
        clipped_share=st.floats(0, 1),
        crowded_share=st.floats(0, 1),
        damaged_share=st.floats(0, 1),
    )
)
def test_whatever_was_measured_nothing_silent_overlong_or_short_is_let_through(measured: Measurements) -> None:
    if not objections(measured, LIMITS):
        assert measured.level >= 80
        assert measured.seconds <= LIMITS.max_seconds
        assert measured.kept_seconds >= LIMITS.min_seconds
