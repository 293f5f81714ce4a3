"""A rendition as a picture and in figures: its peaks, how loud and how long it is, and a verdict on both."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from gateway.audio.levels import FULL_SCALE, TARGET_RMS, Samples, active_level, active_seconds, frame_levels
from gateway.audio.mixdown import TICKS_PER_SECOND, decode_wav
from gateway.audio.validate import ACTIVE_AT_LEAST, CLIPPED_ABOVE

MOST_COLUMNS = 2_000
SHORTEST_SECONDS = 1.0
# What is levelled here lies within 1.5 dB of the target; a caller notices 6 dB.
TOLERANCE_DB = 6.0
SILENT_DBFS = -96.0
# Speech with its pauses is heard for 70 % of the time and more.
_MOSTLY = 0.35
# The loudest code of mu-law decodes to 0.980 of full scale: what touches that three times running is cut off.
_FULL = 0.975


class Verdict(Enum):
    """What is to be thought of a sound's level or length."""

    GOOD = "good"
    TOO_QUIET = "too_quiet"
    TOO_LOUD = "too_loud"
    CLIPPED = "clipped"
    MOSTLY_SILENT = "mostly_silent"
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """The figures of a sound, with a verdict on its level and one on its length.

    Levels are in dB below full scale: `peak_dbfs` of the loudest sample, `level_dbfs` of active speech after the manner
    of ITU-T P.56, `target_dbfs` what that should be. `limit` is the longest it may last in seconds, None for none;
    `active_seconds` is how long there is something to be heard.
    """

    seconds: float
    limit: float | None
    active_seconds: float
    peak_dbfs: float
    level_dbfs: float
    target_dbfs: float
    level: Verdict
    length: Verdict

    @property
    def is_good(self) -> bool:
        """Tell whether there is nothing to say against it."""
        return self.level is Verdict.GOOD and self.length is Verdict.GOOD


def peaks(wav: bytes, columns: int) -> tuple[float, ...]:
    """Return the highest sample of each of `columns` equal stretches, 0 to 1 of full scale, for a picture.

    At most 2,000 columns, and all 0 for a file without sound. Raises UndecodableSoundError.
    """
    columns = max(1, min(columns, MOST_COLUMNS))
    sizes = np.abs(_samples(wav))
    if not sizes.size:
        return (0.0,) * columns
    starts = np.arange(columns) * sizes.size // columns
    return tuple(float(peak) for peak in np.minimum(np.maximum.reduceat(sizes, starts), 1.0))


def describe(wav: bytes, limit: float | None = None) -> Sound:
    """Measure a WAV file as the library keeps it, and judge it. Raises UndecodableSoundError."""
    samples = _samples(wav)
    seconds = samples.size / TICKS_PER_SECOND
    levels = frame_levels(samples, TICKS_PER_SECOND)
    active = active_seconds(levels)
    level = _decibels(active_level(levels))
    return Sound(
        seconds=seconds,
        limit=limit,
        active_seconds=active,
        peak_dbfs=_decibels(float(np.abs(samples).max(initial=0.0))),
        level_dbfs=level,
        target_dbfs=_decibels(TARGET_RMS),
        level=_level_verdict(samples, level, active / seconds if seconds else 0.0, active),
        length=_length_verdict(seconds, limit),
    )


def _samples(wav: bytes) -> Samples:
    return np.frombuffer(decode_wav(wav), dtype="<i2").astype(np.float32) / np.float32(FULL_SCALE)


def _decibels(ratio: float) -> float:
    return max(SILENT_DBFS, 20 * float(np.log10(ratio))) if ratio > 0 else SILENT_DBFS


def _level_verdict(samples: Samples, level: float, active_share: float, active: float) -> Verdict:
    if active < ACTIVE_AT_LEAST or active_share < _MOSTLY:
        return Verdict.MOSTLY_SILENT
    if _cut_off_share(samples) > CLIPPED_ABOVE:
        return Verdict.CLIPPED
    target = _decibels(TARGET_RMS)
    if level < target - TOLERANCE_DB:
        return Verdict.TOO_QUIET
    return Verdict.TOO_LOUD if level > target + TOLERANCE_DB else Verdict.GOOD


def _cut_off_share(samples: Samples) -> float:
    """Return the share of samples in runs of three at full scale, also as mu-law can write it."""
    full = np.abs(samples) >= _FULL
    three = full[2:] & full[1:-1] & full[:-2]
    inside = np.zeros(samples.size, dtype=np.bool_)
    for offset in range(3):
        inside[offset : offset + three.size] |= three
    return float(inside.mean()) if samples.size else 0.0


def _length_verdict(seconds: float, limit: float | None) -> Verdict:
    if limit is not None and seconds > limit:
        return Verdict.TOO_LONG
    return Verdict.TOO_SHORT if seconds < SHORTEST_SECONDS else Verdict.GOOD
