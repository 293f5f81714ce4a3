"""Tones, and which of them is in a stretch of telephone sound."""

import math
import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE = 8000
Samples = npt.NDArray[np.float64]

_MU_BYTES = np.arange(256, dtype=np.int64) ^ 0xFF
_MU_STEPS = (((_MU_BYTES & 0x0F) << 3) + 0x84) << ((_MU_BYTES & 0x70) >> 4)
_MU_LAW: Samples = np.where(_MU_BYTES & 0x80, 0x84 - _MU_STEPS, _MU_STEPS - 0x84).astype(np.float64)

_A_BYTES = np.arange(256, dtype=np.int64) ^ 0x55
_A_SEGMENTS = (_A_BYTES & 0x70) >> 4
_A_PLAIN = ((_A_BYTES & 0x0F) << 4) + 8
_A_STEPS = np.where(_A_SEGMENTS > 0, (_A_PLAIN + 0x100) << np.maximum(_A_SEGMENTS - 1, 0), _A_PLAIN)
_A_LAW: Samples = np.where(_A_BYTES & 0x80, _A_STEPS, -_A_STEPS).astype(np.float64)
_LAWS = {0: _MU_LAW, 8: _A_LAW}


def decode(payload_type: int, payload: bytes) -> Samples:
    """Return the samples of G.711, mu-law (0) or A-law (8), as ITU-T G.711 has them; 16 bits of range."""
    return _LAWS[payload_type][np.frombuffer(payload, dtype=np.uint8)]


def share_of(tone: int, samples: Samples) -> float:
    """Return how much of the power in `samples` is `tone` (Hz), 0 to 1: Goertzel's measure; 0 where it is silent."""
    if is_silent(samples):
        return 0.0
    total = float(np.dot(samples, samples))
    turn = np.exp(-2j * math.pi * tone / RATE * np.arange(len(samples)))
    return float(2 * abs(np.dot(samples, turn)) ** 2 / len(samples) / total)


def is_silent(samples: Samples) -> bool:
    """Tell whether nobody would hear anything: below -50 dB of full range."""
    return len(samples) == 0 or float(np.sqrt(np.mean(samples**2))) < 100


def write_tone(path: Path, tone: int, seconds: float, *, rate: int = RATE) -> Path:
    """Write a WAV of one tone, 16-bit PCM, mono."""
    wave_form = 8000 * np.sin(2 * math.pi * tone / rate * np.arange(int(seconds * rate)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(wave_form.astype("<i2").tobytes())
    return path


def stretches(
    marks: Iterable[tuple[float, bool]], *, gap: float = 0.3, least: float = 0.03
) -> list[tuple[float, float]]:
    """Join moments at which something was heard into stretches from - to.

    A pause shorter than `gap` seconds ends none; what is shorter than `least` is a click where a sound begins or ends.
    """
    found: list[tuple[float, float]] = []
    for at, heard in marks:
        if not heard:
            continue
        if found and at - found[-1][1] < gap:
            found[-1] = (found[-1][0], at)
        else:
            found.append((at, at))
    return [(first, last) for first, last in found if last - first >= least]
