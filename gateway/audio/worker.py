"""The confined program that decodes, measures, levels and encodes one recording.

Run as `python -I -m gateway.audio.worker <argument>` by `gateway.audio.transcode`. It reads the recording from standard
input, writes three WAV files named after their codec into its working directory, and prints one JSON object.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np

from gateway.audio.confinement import confine
from gateway.audio.decode import UnreadableError, decode
from gateway.audio.levels import (
    FULL_SCALE,
    Samples,
    active_level,
    active_seconds,
    frame_levels,
    levelled,
    speech_bounds,
)
from gateway.audio.validate import Limits, Measurements, Unreadable, objections

Codec = Literal["pcm_mulaw", "pcm_alaw", "pcm_s16le"]
NARROW_RATE = 8_000
WIDE_RATE = 48_000
# A long, steep filter: 3.3 kHz passes whole, and from 4.3 kHz up nothing folds back into the speech (-90 dB).
_FILTER = {"filter_size": "64", "cutoff": "0.95"}


def main(argument: str) -> None:
    """Confine this process, then work on the recording on standard input and print what came of it."""
    request = confine(argument)
    try:
        answer = _work(sys.stdin.buffer.read(), Limits(**request["limits"]))
    except UnreadableError as error:
        answer = {"unreadable": error.why.value}
    except MemoryError:
        answer = {"unreadable": Unreadable.COSTLY.value}
    sys.stdout.write(json.dumps(answer))


def _work(content: bytes, limits: Limits) -> dict[str, Any]:
    decoded = decode(content, max_seconds=limits.max_seconds)
    samples = decoded.samples - np.float32(decoded.samples.mean(dtype=np.float64))
    narrow = _resampled(samples, decoded.rate, NARROW_RATE)
    levels = frame_levels(narrow, NARROW_RATE)
    start, end = speech_bounds(levels)
    measured = Measurements(
        seconds=decoded.samples.size / decoded.rate,
        declared_seconds=decoded.declared_seconds,
        kept_seconds=end - start,
        level=active_level(levels) * FULL_SCALE,
        active_seconds=active_seconds(levels),
        clipped_share=decoded.clipped_share,
        crowded_share=decoded.crowded_share,
        damaged_share=decoded.damaged_share,
    )
    if not objections(measured, limits):
        narrow = levelled(_cut(narrow, NARROW_RATE, start, end), NARROW_RATE)
        _write("pcm_mulaw", narrow, NARROW_RATE)
        _write("pcm_alaw", narrow, NARROW_RATE)
        wide = _cut(_resampled(samples, decoded.rate, WIDE_RATE), WIDE_RATE, start, end)
        _write("pcm_s16le", levelled(wide, WIDE_RATE), WIDE_RATE)
    return {"measured": asdict(measured)}


def _cut(samples: Samples, rate: int, start: float, end: float) -> Samples:
    return samples[round(start * rate) : round(end * rate)]


def _resampled(samples: Samples, rate: int, wanted: int) -> Samples:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=wanted, options=_FILTER)
    parts = [np.zeros(0, dtype=np.float32)]
    for at in range(0, samples.size, rate):
        frame = av.AudioFrame.from_ndarray(samples[None, at : at + rate], "flt", "mono")
        frame.sample_rate = rate
        parts.extend(_mono(part) for part in resampler.resample(frame))
    parts.extend(_mono(part) for part in resampler.resample(None))
    return np.concatenate(parts)


def _mono(frame: av.AudioFrame) -> Samples:
    samples: Samples = np.asarray(frame.to_ndarray(), dtype=np.float32)[0]
    return samples


def _write(codec: Codec, samples: Samples, rate: int) -> None:
    steps = np.rint(samples * (FULL_SCALE - 1)).astype(np.int16)
    # bitexact leaves the encoder's name and version out, so that the same sound has the same hash.
    with av.open(Path(f"{codec}.wav"), "w", format="wav", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        for at in range(0, steps.size, rate):
            frame = av.AudioFrame.from_ndarray(steps[None, at : at + rate], "s16", "mono")
            frame.sample_rate = rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    main(sys.argv[1])
