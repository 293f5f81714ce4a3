"""The sound of a simulated call: decode renditions, make tones, lay segments on one clock, write a WAV file.

The clock ticks 8000 times a second, once for every sample of narrow-band telephony, so that a position in time and a
position in a recording are the same integer and two parties' recordings are equal in length to the sample.
"""

import io
import struct
import wave
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gateway.domain.errors import GatewayError

TICKS_PER_SECOND = 8000
# What each party hears of the other while the two talk: a low tone each, in Hz.
CALLEE_VOICE, CALLER_VOICE = (300.0,), (350.0,)
_PCM, _ALAW, _MULAW, _EXTENSIBLE = 0x0001, 0x0006, 0x0007, 0xFFFE
_CHUNK_HEADER, _RIFF_HEADER = struct.Struct("<4sI"), struct.Struct("<4sI4s")
_FORMAT = struct.Struct("<HHIIHH")
_SUBFORMAT_AT = 24
_SAMPLE_BITS = 16
_LOWEST, _HIGHEST = -(2**15), 2**15 - 1

Samples = NDArray[np.int16]


class UndecodableSoundError(GatewayError):
    """The sound cannot be decoded: {why}. Serve a RIFF/WAVE file holding mu-law, A-law or 8 or 16 bit PCM."""

    code = "undecodable_sound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of sound that begins `at` (ticks); `pcm` is 16 bit little-endian mono at 8 kHz."""

    BYTES_PER_TICK: ClassVar[int] = 2

    at: int
    pcm: bytes

    @property
    def ticks(self) -> int:
        """Return how long the segment lasts, in ticks."""
        return len(self.pcm) // self.BYTES_PER_TICK


@dataclass(frozen=True, slots=True, kw_only=True)
class _Format:
    """What a WAVE `fmt ` chunk says."""

    tag: int
    channels: int
    rate: int
    bits: int


def decode_wav(body: bytes) -> bytes:
    """Return the sound of a RIFF/WAVE file as 16 bit mono PCM at 8 kHz. Raises UndecodableSoundError."""
    chunks: dict[bytes, bytes] = {}
    for name, content in _chunks_of(body):
        chunks.setdefault(name, content)
    if b"fmt " not in chunks or b"data" not in chunks:
        raise UndecodableSoundError(why="it has no 'fmt ' chunk or no 'data' chunk")
    shape = _read_format(chunks[b"fmt "])
    samples = _expand(shape, chunks[b"data"])
    whole = len(samples) - len(samples) % shape.channels
    mono = samples[:whole].reshape(-1, shape.channels).mean(axis=1)
    return _to_pcm(_at_telephone_rate(mono, shape.rate))


def _chunks_of(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    if len(body) < _RIFF_HEADER.size:
        raise UndecodableSoundError(why=f"it is only {len(body)} bytes long")
    riff, _, kind = _RIFF_HEADER.unpack_from(body)
    if (riff, kind) != (b"RIFF", b"WAVE"):
        raise UndecodableSoundError(why="it does not begin with a RIFF/WAVE header")
    at = _RIFF_HEADER.size
    while at + _CHUNK_HEADER.size <= len(body):
        name, size = _CHUNK_HEADER.unpack_from(body, at)
        at += _CHUNK_HEADER.size
        # A slice stops at the end of the file, so a chunk that lies about its length yields what is really there.
        yield name, body[at : at + size]
        at += size + size % 2


def _read_format(chunk: bytes) -> _Format:
    if len(chunk) < _FORMAT.size:
        raise UndecodableSoundError(why="its 'fmt ' chunk is too short")
    tag, channels, rate, _, _, bits = _FORMAT.unpack_from(chunk)
    if tag == _EXTENSIBLE and len(chunk) >= _SUBFORMAT_AT + 2:
        (tag,) = struct.unpack_from("<H", chunk, _SUBFORMAT_AT)
    if channels < 1 or rate < 1:
        raise UndecodableSoundError(why=f"it claims {channels} channels at {rate} Hz")
    return _Format(tag=tag, channels=channels, rate=rate, bits=bits)


def _expand(shape: _Format, coded: bytes) -> NDArray[np.float64]:
    octets = np.frombuffer(coded, dtype=np.uint8)
    kind = (shape.tag, shape.bits)
    if kind == (_MULAW, 8):
        samples = _MULAW_TABLE[octets]
    elif kind == (_ALAW, 8):
        samples = _ALAW_TABLE[octets]
    elif kind == (_PCM, 8):
        samples = (octets.astype(np.int16) - 128) * 256
    elif kind == (_PCM, 16):
        samples = octets[: len(octets) // 2 * 2].view("<i2")
    else:
        raise UndecodableSoundError(why=f"WAVE format {shape.tag:#06x} with {shape.bits} bits is not known here")
    return samples.astype(np.float64)


def _mulaw_table() -> Samples:
    """Return the 256 values of mu-law (ITU-T G.711 table 2), scaled from 14 to 16 bit."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4 & 7).astype(np.int32), (code & 0x0F).astype(np.int32)
    magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_table() -> Samples:
    """Return the 256 values of A-law (ITU-T G.711 table 1), scaled from 13 to 16 bit."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent, mantissa = (code >> 4 & 7).astype(np.int32), (code & 0x0F).astype(np.int32)
    magnitude = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


_MULAW_TABLE, _ALAW_TABLE = _mulaw_table(), _alaw_table()


def _at_telephone_rate(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Interpolate linearly to 8 kHz: good enough to listen to, and only for files that Twilio would convert too."""
    if rate == TICKS_PER_SECOND or not len(samples):
        return samples
    count = round(len(samples) * TICKS_PER_SECOND / rate)
    places = np.arange(count) * (rate / TICKS_PER_SECOND)
    resampled: NDArray[np.float64] = np.interp(places, np.arange(len(samples)), samples)
    return resampled


def _to_pcm(samples: NDArray[np.float64]) -> bytes:
    return np.clip(np.rint(samples), _LOWEST, _HIGHEST).astype("<i2").tobytes()


def tone(frequencies: tuple[float, ...], ticks: int, level: float = 1200.0) -> bytes:
    """Return `ticks` of sines added up, each `level` high of 32767, as PCM."""
    seconds = np.arange(ticks) / TICKS_PER_SECOND
    return _to_pcm(np.sum([level * np.sin(2 * np.pi * each * seconds) for each in frequencies], axis=0))


def ring_back(ticks: int) -> bytes:
    """Return `ticks` of the North American ring-back tone, as PCM.

    ITU-T E.180 supplement 2, United States: 440 + 480 Hz, two seconds on and four off.
    """
    samples = np.frombuffer(tone((440.0, 480.0), ticks, level=800.0), dtype="<i2")
    audible = np.arange(ticks) % (6 * TICKS_PER_SECOND) < 2 * TICKS_PER_SECOND
    return _to_pcm((samples * audible).astype(np.float64))


def mix(segments: Iterable[Segment], ticks: int) -> bytes:
    """Lay `segments` on a clock of `ticks`: silence where nothing sounds, the sum (limited) where several do."""
    track = np.zeros(ticks, dtype=np.float64)
    for segment in segments:
        samples = np.frombuffer(segment.pcm, dtype="<i2")[: max(0, ticks - segment.at)]
        track[segment.at : segment.at + len(samples)] += samples
    return _to_pcm(track)


def to_wav(pcm: bytes) -> bytes:
    """Wrap 16 bit mono PCM at 8 kHz into a RIFF/WAVE file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(_SAMPLE_BITS // 8)
        out.setframerate(TICKS_PER_SECOND)
        out.writeframes(pcm)
    return file.getvalue()


def write_mixdown(path: Path, segments: Iterable[Segment], ticks: int) -> None:
    """Write what one party heard over a call of `ticks` to `path`, as 8 kHz mono 16 bit WAV. Raises OSError."""
    path.write_bytes(to_wav(mix(segments, ticks)))
