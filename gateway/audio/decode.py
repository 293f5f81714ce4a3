"""Decoding an untrusted recording: only in the confined worker, from memory, by formats and codecs on a list."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer

from gateway.audio.levels import Samples, clipped_share, crowded_share
from gateway.audio.validate import Unreadable

# The list is a must: without it a text file named "notice.mp3" that holds an ffconcat or m3u8 playlist makes FFmpeg
# open whatever local files the playlist names.
_FORMATS = "wav,mp3,mov,mp4,m4a,ogg,matroska,webm,flac"
_CODECS = frozenset(
    {
        *("aac", "alac", "flac", "mp3", "mp3float", "opus", "libopus", "vorbis", "libvorbis"),
        *("pcm_alaw", "pcm_mulaw", "pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le"),
    }
)
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "file", "codec_whitelist": ",".join(sorted(_CODECS))}
_MAX_CHANNELS = 8
_RATES = range(4_000, 192_001)
_MP3_LENGTH_TAGS = (b"Xing", b"Info", b"VBRI")
_RIFF_HEADER_BYTES = 12
# Programs that write to a pipe cannot know the size and leave 0, or a figure from here up.
_UNKNOWN_SIZE = 0x7FFF0000
_CHUNK = struct.Struct("<4sI")


class UnreadableError(Exception):
    """The recording cannot be read."""

    def __init__(self, why: Unreadable) -> None:
        """Say `why`."""
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A recording mixed down to mono at its own rate; see `Measurements` for the figures."""

    samples: Samples
    rate: int
    declared_seconds: float
    clipped_share: float
    crowded_share: float
    damaged_share: float


def decode(content: bytes, *, max_seconds: float) -> Decoded:
    """Decode the first sound track of `content`, stopping soon after `max_seconds`. Raises UnreadableError.

    The content comes from memory: there is no name to guess a format from, and no folder to read neighbours in.
    """
    try:
        container = av.open(io.BytesIO(content), "r", options=_OPTIONS)
    except (av.FFmpegError, ValueError, OSError) as error:
        raise UnreadableError(Unreadable.NOT_AUDIO) from error
    with container:
        stream = _sound_track(container)
        rate = stream.codec_context.sample_rate
        channels, damaged = _read(container, stream, most=int(max_seconds * rate) + rate)
        return Decoded(
            samples=channels.mean(axis=0, dtype=np.float32),
            rate=rate,
            declared_seconds=_declared_seconds(container, stream, content),
            clipped_share=max(clipped_share(channel) for channel in channels),
            crowded_share=max(crowded_share(channel) for channel in channels),
            damaged_share=damaged,
        )


def _sound_track(container: InputContainer) -> AudioStream:
    if not container.streams.audio:
        raise UnreadableError(Unreadable.NO_SOUND)
    stream = container.streams.audio[0]
    context = stream.codec_context
    if context.name not in _CODECS:
        raise UnreadableError(Unreadable.CODEC)
    if context.sample_rate not in _RATES or context.layout.nb_channels > _MAX_CHANNELS:
        raise UnreadableError(Unreadable.SHAPE)
    context.thread_count = 1
    return stream


def _read(container: InputContainer, stream: AudioStream, *, most: int) -> tuple[Samples, float]:
    """Return at least 1 and about `most` samples of each channel, and the share of packets that were damaged."""
    to_float = av.AudioResampler(format="fltp")
    parts: list[Samples] = []
    heard = packets = damaged = 0
    for packet in _packets(container, stream):
        packets += 1
        try:
            frames = [part for frame in packet.decode() for part in to_float.resample(frame)]
        except (av.FFmpegError, ValueError):
            # ValueError: the shape of the sound changed midway.
            damaged += 1
            continue
        parts.extend(np.asarray(frame.to_ndarray(), dtype=np.float32) for frame in frames)
        heard += sum(frame.samples for frame in frames)
        if heard > most:
            break
    if not heard or len({part.shape[0] for part in parts}) != 1:
        raise UnreadableError(Unreadable.DAMAGED)
    channels = np.concatenate(parts, axis=1)
    # A NaN or an infinity in a float file would spread into everything computed from it.
    return np.nan_to_num(channels, copy=False, nan=0.0, posinf=1.0, neginf=-1.0), damaged / packets


def _packets(container: InputContainer, stream: AudioStream) -> Iterator["av.Packet[AudioStream]"]:
    """Yield packets until the end of the file, or until the container itself cannot be followed any further."""
    try:
        yield from container.demux(stream)
    except av.FFmpegError:
        return


def _declared_seconds(container: InputContainer, stream: AudioStream, content: bytes) -> float:
    """Return the length the header promises, 0 where it promises none."""
    if container.format.name == "wav":
        return _declared_in_wav(content, stream)
    if container.format.name == "mp3" and not any(tag in content for tag in _MP3_LENGTH_TAGS):
        # FFmpeg's figure is then a guess from the first bit rate, which is wrong for honest files too.
        return 0.0
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration is not None else 0.0


def _declared_in_wav(content: bytes, stream: AudioStream) -> float:
    """Read the length of the `data` chunk itself: FFmpeg corrects a wrong one in silence."""
    bytes_per_second = (stream.codec_context.bit_rate or 0) / 8
    at = _RIFF_HEADER_BYTES
    while at + _CHUNK.size <= len(content):
        name, size = _CHUNK.unpack_from(content, at)
        at += _CHUNK.size
        if name == b"data":
            unknown = size == 0 or size >= _UNKNOWN_SIZE or not bytes_per_second
            return 0.0 if unknown else (size + _hidden_bytes(content[at + size + size % 2 :])) / bytes_per_second
        at += size + size % 2
    return 0.0


def _hidden_bytes(rest: bytes) -> int:
    """Return how many bytes after the declared end are no chunk and so, probably, sound."""
    return 0 if rest[:4].isascii() and rest[:4].strip().isalnum() else len(rest)
