"""What is done to samples: how loud is it, is it clipped, where does it begin and end, make it loud enough.

Samples are mono float32 with full scale at 1; pure functions, no files.
"""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

FULL_SCALE = 32768.0
# RFC 7874, section 4: "-19 dBm0 [...] which equals an RMS of 2600 for 16-bit samples" of active speech.
TARGET_RMS = 2600.0 / FULL_SCALE
_FRAMES_PER_SECOND = 50
_FAINTEST = 1e-3
# ITU-T P.56 counts as active what lies less than 15.9 dB below the active level itself.
_ACTIVE_MARGIN = 10 ** (-15.9 / 20)
# A soft consonant may open or close the text well below its loud vowels.
_EDGE_MARGIN = 10 ** (-30 / 20)
_MARGIN_SECONDS = 0.1
_FULL = 0.9999
_NEAR_PEAK = 0.98
_CROWDED = 0.9
_LOUD_ENOUGH_TO_CLIP = 0.25
_CEILING = 0.9
_REACH = 8


def frame_levels(samples: Samples, rate: int) -> Samples:
    """Return the RMS of each 20 ms frame about its own mean: an offset or a rumble is silence."""
    size = rate // _FRAMES_PER_SECOND
    whole = samples[: samples.size // size * size]
    levels: Samples = whole.reshape(-1, size).std(axis=1)
    return levels


def active_level(levels: Samples) -> float:
    """Return the RMS over the frames with speech in them, after the manner of ITU-T P.56; 0 for no frames."""
    level, previous = _rms(levels), -1.0
    # Each round leaves out more pauses, so that the level only rises; it settles within a few rounds.
    while level > previous:
        previous = level
        level = _rms(levels[levels >= level * _ACTIVE_MARGIN])
    return level


def _rms(values: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64)))) if values.size else 0.0


def clipped_share(samples: Samples) -> float:
    """Return the share of samples that lie in a run of three or more at full scale, or on a flat top.

    A flat top is made of equal samples within 2 % of the peak: what remains of clipping after the volume was turned
    down. A pure tone touches full scale more briefly.
    """
    if not samples.size:
        return 0.0
    size = np.abs(samples)
    peak = max(float(size.max()), _LOUD_ENOUGH_TO_CLIP)
    equal = (samples[1:] == samples[:-1]) & (size[1:] >= _NEAR_PEAK * peak)
    full = (size[1:] >= _FULL) & (size[:-1] >= _FULL)
    level = equal | full
    three = level[1:] & level[:-1]
    clipped = np.zeros(samples.size, dtype=np.bool_)
    for offset in range(3):
        clipped[offset : offset + three.size] |= three
    return float(np.mean(clipped))


def crowded_share(samples: Samples) -> float:
    """Return the share of samples within 1 dB of full scale: lossy codecs round flat tops off, but leave them there."""
    return float(np.mean(np.abs(samples) >= _CROWDED)) if samples.size else 0.0


def speech_bounds(levels: Samples) -> tuple[float, float]:
    """Return from when until when, in seconds, there is sound, with 0.1 s of air around it."""
    loud = np.flatnonzero(_is_heard(levels))
    if not loud.size:
        return 0.0, 0.0
    start = float(loud[0]) / _FRAMES_PER_SECOND - _MARGIN_SECONDS
    end = float(loud[-1] + 1) / _FRAMES_PER_SECOND + _MARGIN_SECONDS
    return max(0.0, start), min(end, levels.size / _FRAMES_PER_SECOND)


def active_seconds(levels: Samples) -> float:
    """Return how long there is sound, pauses left out."""
    return float(np.count_nonzero(_is_heard(levels))) / _FRAMES_PER_SECOND


def _is_heard(levels: Samples) -> NDArray[np.bool_]:
    return levels >= max(_FAINTEST, active_level(levels) * _EDGE_MARGIN)


def levelled(samples: Samples, rate: int) -> Samples:
    """Bring active speech to the target level with no sample above the ceiling."""
    result = samples
    # Limiting takes a little off the level, which the second round gives back.
    for _ in range(2):
        level = active_level(frame_levels(result, rate))
        if level == 0.0:
            return result
        result = _limited(result * np.float32(TARGET_RMS / level), rate)
    return result


def _limited(samples: Samples, rate: int) -> Samples:
    """Turn the volume down around each peak above the ceiling, gently, instead of cutting the peak off.

    The gain each millisecond needs is spread over its neighbours (minimum), then smoothed over a shorter window and
    interpolated; the smoothed gain can therefore never exceed what any sample needs.
    """
    size = rate // 1000
    padded = np.pad(np.abs(samples), (0, -samples.size % size))
    peaks = padded.reshape(-1, size).max(axis=1)
    needed = np.minimum(1.0, _CEILING / np.maximum(peaks, _FAINTEST))
    if needed.min() >= 1.0:
        return samples
    spread = np.lib.stride_tricks.sliding_window_view(
        np.pad(needed, 2 * _REACH - 1, constant_values=1.0), 2 * _REACH + 1
    ).min(axis=1)
    window = np.hanning(2 * _REACH + 1)[1:-1]
    smooth = np.convolve(spread, window / window.sum(), mode="valid")
    centres = (np.arange(smooth.size) + 0.5) * size
    gain = np.interp(np.arange(samples.size), centres, smooth).astype(np.float32)
    return samples * gain
