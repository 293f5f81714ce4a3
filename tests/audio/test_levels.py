import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audio.levels import (
    FULL_SCALE,
    Samples,
    active_level,
    clipped_share,
    crowded_share,
    frame_levels,
    levelled,
    speech_bounds,
)
from tests.audio.sounds import decibels, silence, speech, tone

RATE = 8_000


def level_of(samples: Samples) -> float:
    return active_level(frame_levels(samples, RATE)) * FULL_SCALE


@pytest.mark.parametrize("peak", [0.01, 0.1, 0.5, 0.99])
def test_speech_of_any_loudness_comes_out_at_the_target(peak: float) -> None:
    assert abs(decibels(level_of(levelled(speech(rate=RATE, peak=peak), RATE)), 2600)) < 0.5


def test_pauses_do_not_count_towards_the_level() -> None:
    spoken = speech(rate=RATE)
    with_pauses = np.concatenate([spoken, silence(10, rate=RATE), spoken])
    assert abs(decibels(level_of(with_pauses), level_of(spoken))) < 0.2


def test_an_offset_or_a_rumble_is_silence() -> None:
    assert level_of(np.full(RATE, 0.5, dtype=np.float32)) < 1
    assert level_of(np.zeros(0, dtype=np.float32)) == 0.0


def test_a_peak_is_turned_down_and_not_cut_off() -> None:
    spoken = speech(rate=RATE)
    spoken[4000:4040] += np.hanning(40).astype(np.float32) * 0.45
    quiet_with_a_bang = np.concatenate([spoken * np.float32(0.02), tone(500, 0.02, rate=RATE, peak=0.9)])
    result = levelled(quiet_with_a_bang, RATE)
    assert np.abs(result).max() <= 0.9001
    assert clipped_share(result) == 0.0


@given(st.integers(0, 2**32), st.integers(200, 5_000), st.floats(1e-4, 50))
def test_no_sample_ever_exceeds_the_ceiling(seed: int, size: int, gain: float) -> None:
    # Cubed, so that a few samples stand far out from the rest.
    noise = np.random.default_rng(seed).standard_normal(size).astype(np.float32) ** 3
    result = levelled(noise * np.float32(gain), RATE)
    assert result.size == size
    assert np.abs(result).max() <= 0.9001


def test_silence_around_speech_is_found_to_a_tenth_of_a_second() -> None:
    samples = np.concatenate([silence(2, rate=RATE), tone(500, 3, rate=RATE), silence(4, rate=RATE)])
    start, end = speech_bounds(frame_levels(samples, RATE))
    assert start == pytest.approx(1.9, abs=0.03)
    assert end == pytest.approx(5.1, abs=0.03)


def test_hard_clipping_is_seen_and_loud_speech_is_not_taken_for_it() -> None:
    spoken = speech(peak=1.0)
    assert clipped_share(spoken) < 0.005
    assert clipped_share(np.clip(spoken * 4, -1, 1)) > 0.02
    assert clipped_share(tone(1000, peak=1.0)) == 0.0
    assert crowded_share(spoken) < 0.01
    assert crowded_share(np.clip(spoken * 4, -1, 1)) > 0.03


def test_clipping_stays_visible_after_the_volume_was_turned_down() -> None:
    turned_down = np.clip(speech(peak=4.0), -1, 1) * np.float32(0.4)
    assert clipped_share(turned_down) > 0.02
    assert clipped_share(speech(peak=0.4)) < 0.001
