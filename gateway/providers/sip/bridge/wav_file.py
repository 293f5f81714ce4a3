"""Judging a WAV file before rtpengine plays it, and making a ring tone.

Rtpengine 10.5 hangs on trailing bytes and is silent over anything but 16-bit PCM, saying that all is well.
"""

import math
import struct

from gateway.providers.sip.bridge.errors import SoundMissingError

RATE = 48_000
_PCM, _MONO, _BITS = 1, 1, 16
_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.05, 120.0
_RIFF_HEADER, _CHUNK_HEADER, _FORMAT_BYTES = 12, 8, 16
# The tone of most of the world's exchanges: 425 Hz, a second of sound and four of silence (ITU-T E.180).
_RING_HERTZ, _RING_SOUND_SECONDS, _RING_SECONDS = 425, 1, 5
_RING_LEVEL = 3_000
_FADE_SECONDS = 0.01


def seconds_of(content: bytes) -> float:
    """Return how long a WAV file plays. Raises SoundMissingError where it is not 48 kHz mono 16-bit PCM, and whole."""
    if content[:4] != b"RIFF" or content[8:_RIFF_HEADER] != b"WAVE":
        raise SoundMissingError(why="no WAV")
    if struct.unpack_from("<I", content, 4)[0] + _CHUNK_HEADER != len(content):
        raise SoundMissingError(why="cut off, or longer than it says")
    form, data = _chunks(content)
    if not _is_form(form):
        raise SoundMissingError(why="another format")
    seconds = data / (RATE * _BITS // 8)
    if not _SHORTEST_SECONDS <= seconds <= _LONGEST_SECONDS:
        raise SoundMissingError(why="an unlikely length")
    return seconds


def is_playable_form(header: bytes) -> bool:
    """Tell from the first bytes of a WAV file whether it may be of the form that is played."""
    return header[:4] == b"RIFF" and header[12:16] == b"fmt " and _is_form(header[20:])


def _is_form(form: bytes) -> bool:
    if len(form) < _FORMAT_BYTES:
        return False
    codec, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", form)
    return (codec, channels, rate, block, bits) == (_PCM, _MONO, RATE, _BITS // 8, _BITS)


def _chunks(content: bytes) -> tuple[bytes, int]:
    """Return the format and the length of the sound, which must be the last chunk."""
    at, form = _RIFF_HEADER, b""
    while at + _CHUNK_HEADER <= len(content):
        name, length = content[at : at + 4], struct.unpack_from("<I", content, at + 4)[0]
        start = at + _CHUNK_HEADER
        if name == b"data":
            if length % (_BITS // 8) or start + length != len(content):
                break
            return form, length
        if name == b"fmt ":
            form = content[start : start + length]
        at = start + length + length % 2
    raise SoundMissingError(why="no sound, or something behind it")


def as_wav(samples: bytes) -> bytes:
    """Wrap 16-bit mono samples at 48 kHz."""
    form = struct.pack("<HHIIHH", _PCM, _MONO, RATE, RATE * _BITS // 8, _BITS // 8, _BITS)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def ring_tone() -> bytes:
    """Return one turn of a ring tone as a WAV file: it tells a caller nothing but that there is nobody yet."""
    sounding, fade = RATE * _RING_SOUND_SECONDS, RATE * _FADE_SECONDS
    samples = (
        round(_RING_LEVEL * min(1.0, at / fade, (sounding - at) / fade) * math.sin(math.tau * _RING_HERTZ * at / RATE))
        for at in range(sounding)
    )
    silence = bytes(2 * RATE * (_RING_SECONDS - _RING_SOUND_SECONDS))
    return as_wav(struct.pack(f"<{sounding}h", *samples) + silence)
