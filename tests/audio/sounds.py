"""Builders of sound: speech-like samples, encoded in any format, and the reading of what came out."""

import io
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream

from gateway.audio.levels import Samples

RATE = 48_000
FORMATS = (
    ("wav", "pcm_s16le"),
    ("wav", "pcm_mulaw"),
    ("mp3", "libmp3lame"),
    ("ipod", "aac"),
    ("mov", "pcm_s16le"),
    ("ogg", "libopus"),
    ("webm", "libopus"),
    ("flac", "flac"),
)


def speech(seconds: float = 3.0, *, rate: int = RATE, peak: float = 0.5) -> Samples:
    """Return a voice-like hum: 140 Hz and its harmonics, in syllables with short pauses between them."""
    time = np.arange(round(seconds * rate)) / rate
    harmonics = sum(np.sin(2 * np.pi * 140 * n * time + n * n) / n for n in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 3 * time - 0.3) + 0.6, 0, None)
    hum = harmonics * syllables
    return cast("Samples", (hum / np.abs(hum).max() * peak).astype(np.float32))


def tone(hertz: float, seconds: float = 2.0, *, rate: int = RATE, peak: float = 0.3) -> Samples:
    """Return a pure tone."""
    time = np.arange(round(seconds * rate)) / rate
    return (peak * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def silence(seconds: float, *, rate: int = RATE) -> Samples:
    """Return nothing but zeros."""
    return np.zeros(round(seconds * rate), dtype=np.float32)


def encoded(samples: Samples, container: str = "wav", codec: str = "pcm_s16le", *, rate: int = RATE) -> bytes:
    """Return `samples`, mono or one row per channel, as a file of this format."""
    rows = np.atleast_2d(samples)
    layout = {1: "mono", 2: "stereo"}[rows.shape[0]]
    steps = np.rint(np.clip(rows, -1, 1) * 32767).astype(np.int16)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(stream, AudioStream)
        for at in range(0, steps.shape[1], rate):
            packed = np.ascontiguousarray(steps[:, at : at + rate].T).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(packed, "s16", layout)
            frame.sample_rate = rate
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return buffer.getvalue()


def a_file(folder: Path, content: bytes, name: str = "notice.bin") -> Path:
    """Write `content` into `folder`; the name says nothing about what it is."""
    path = folder / name
    path.write_bytes(content)
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A decoded rendition file."""

    codec: str
    rate: int
    channels: int
    samples: Samples

    @property
    def seconds(self) -> float:
        """Return how long it lasts."""
        return self.samples.size / self.rate

    def level(self) -> float:
        """Return the RMS, in 16-bit steps, of the 20 ms frames within 25 dB of the loudest one."""
        size = self.rate // 50
        frames = self.samples[: self.samples.size // size * size].reshape(-1, size)
        levels = np.sqrt(np.mean(np.square(frames, dtype=np.float64), axis=1))
        active = levels[levels > levels.max() / 10 ** (25 / 20)]
        return float(np.sqrt(np.mean(np.square(active))) * 32768)

    def loudest_hertz(self) -> float:
        """Return the strongest frequency."""
        spectrum = np.abs(np.fft.rfft(self.samples))
        return float(np.argmax(spectrum) * self.rate / self.samples.size)

    def strength(self, hertz: float) -> float:
        """Return how strong the surroundings of a frequency are, in decibels below the loudest frequency."""
        spectrum = np.abs(np.fft.rfft(self.samples * np.hanning(self.samples.size)))
        at = round(hertz * self.samples.size / self.rate)
        near = spectrum[max(0, at - 20) : at + 20].max()
        return float(20 * np.log10(near / spectrum.max() + 1e-12))


def played(path: Path | None) -> Played:
    """Decode a file of the library."""
    assert path is not None
    with av.open(str(path), "r") as file:
        stream = file.streams.audio[0]
        to_float = av.AudioResampler(format="flt")
        parts = [part.to_ndarray()[0] for frame in file.decode(stream) for part in to_float.resample(frame)]
        return Played(
            codec=stream.codec_context.name,
            rate=stream.codec_context.sample_rate,
            channels=stream.codec_context.layout.nb_channels,
            samples=cast("Samples", np.concatenate(parts)),
        )


def decibels(level: float, reference: float) -> float:
    """Return how far two levels are apart."""
    return float(20 * np.log10(level / reference))


def wave_seconds(path: Path) -> float:
    """Return the length of a PCM WAV file."""
    with wave.open(str(path)) as file:
        return float(file.getnframes() / file.getframerate())
