"""Decoding what is played, making tones, and laying both on one clock."""

import io
import struct
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gateway.audio.mixdown import (
    TICKS_PER_SECOND,
    Segment,
    UndecodableSoundError,
    decode_wav,
    mix,
    ring_back,
    to_wav,
    tone,
    write_mixdown,
)

PCM, ALAW, MULAW = 1, 6, 7


def a_wav(data: bytes, *, tag: int = PCM, bits: int = 16, rate: int = 8000, channels: int = 1, lie: int = 0) -> bytes:
    block = channels * bits // 8
    fmt = struct.pack("<HHIIHH", tag, channels, rate, rate * block, block, bits)
    chunks = b"LIST" + struct.pack("<I", 3) + b"odd\0" + b"fmt " + struct.pack("<I", len(fmt)) + fmt
    chunks += b"data" + struct.pack("<I", len(data) + lie) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def samples_of(pcm: bytes) -> NDArray[np.int16]:
    return np.frombuffer(pcm, dtype="<i2")


@pytest.mark.parametrize(("tag", "codec"), [(MULAW, "pcm_mulaw"), (ALAW, "pcm_alaw")])
def test_g711_expands_as_ffmpeg_does_it(tag: int, codec: str) -> None:
    every_code = bytes(range(256))
    context = av.CodecContext.create(codec, "r")
    assert isinstance(context, av.AudioCodecContext)
    context.sample_rate, context.layout = 8000, "mono"
    (frame,) = context.decode(av.Packet(every_code))
    expected = frame.to_ndarray().reshape(-1)
    assert samples_of(decode_wav(a_wav(every_code, tag=tag, bits=8))).tolist() == expected.tolist()


def test_pcm_of_8_and_16_bit_is_read() -> None:
    assert samples_of(decode_wav(a_wav(b"\x00\x80\xff", bits=8))).tolist() == [-32768, 0, 32512]
    assert samples_of(decode_wav(a_wav(struct.pack("<3h", -5, 0, 7)))).tolist() == [-5, 0, 7]


def test_two_channels_become_one_and_other_rates_become_8_khz() -> None:
    assert samples_of(decode_wav(a_wav(struct.pack("<4h", 10, 20, -10, -30), channels=2))).tolist() == [15, -20]
    assert len(samples_of(decode_wav(a_wav(bytes(2 * 48000), rate=48000)))) == TICKS_PER_SECOND


def test_an_extensible_header_is_read_through() -> None:
    fmt = struct.pack("<HHIIHHHHIH14s", 0xFFFE, 1, 8000, 8000, 1, 8, 22, 8, 0, MULAW, bytes(14))
    body = b"fmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", 1) + b"\x80"
    wav = b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body
    assert samples_of(decode_wav(wav)).tolist() == [32124]


def test_a_chunk_that_lies_about_its_length_yields_what_is_there() -> None:
    assert len(samples_of(decode_wav(a_wav(bytes(16), lie=10**6)))) == 8


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "only 0 bytes long"),
        (b"ID3" + bytes(40), "does not begin with a RIFF/WAVE header"),
        (b"RIFF" + bytes(4) + b"WAVE", "no 'fmt ' chunk"),
        (a_wav(bytes(4), tag=0x55), "WAVE format 0x0055 with 16 bits"),
        (a_wav(bytes(4), rate=0), "1 channels at 0 Hz"),
        (a_wav(bytes(4), bits=24), "24 bits"),
        (b"RIFF" + bytes(4) + b"WAVEfmt \x02\x00\x00\x00ab" + b"data" + bytes(4), "too short"),
    ],
)
def test_what_is_no_recording_is_refused_with_the_reason(body: bytes, why: str) -> None:
    with pytest.raises(UndecodableSoundError, match=why):
        decode_wav(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(body: bytes) -> None:
    for candidate in (body, b"RIFF\0\0\0\0WAVE" + body, a_wav(body, tag=MULAW, bits=8)):
        try:
            assert len(decode_wav(candidate)) % 2 == 0
        except UndecodableSoundError:
            continue


def test_segments_sound_where_they_belong_and_silence_elsewhere() -> None:
    track = samples_of(mix([Segment(at=2, pcm=struct.pack("<2h", 5, 6)), Segment(at=7, pcm=struct.pack("<h", 9))], 8))
    assert track.tolist() == [0, 0, 5, 6, 0, 0, 0, 9]


def test_what_sounds_together_is_added_up_and_limited() -> None:
    loud = Segment(at=0, pcm=struct.pack("<2h", 30000, -30000))
    assert samples_of(mix([loud, loud], 2)).tolist() == [32767, -32768]


def test_a_segment_stops_where_the_call_ends() -> None:
    assert samples_of(
        mix([Segment(at=1, pcm=struct.pack("<3h", 1, 2, 3)), Segment(at=9, pcm=bytes(2))], 2)
    ).tolist() == [0, 1]


def test_ring_back_sounds_for_two_seconds_in_six() -> None:
    samples = samples_of(ring_back(8 * TICKS_PER_SECOND))
    seconds = [bool(samples[each * TICKS_PER_SECOND : (each + 1) * TICKS_PER_SECOND].any()) for each in range(8)]
    assert seconds == [True, True, False, False, False, False, True, True]
    spectrum = np.abs(np.fft.rfft(samples[:TICKS_PER_SECOND]))
    assert sorted(np.argsort(spectrum)[-2:].tolist()) == [440, 480]


def test_tones_are_soft() -> None:
    assert 1000 < np.abs(samples_of(tone((300.0,), TICKS_PER_SECOND))).max() < 3000


def test_a_mixdown_is_a_wav_file_that_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "caller.wav"
    write_mixdown(path, [Segment(at=0, pcm=struct.pack("<h", 77))], 3)
    with wave.open(io.BytesIO(path.read_bytes())) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()) == (1, 2, 8000, 3)
    assert samples_of(decode_wav(path.read_bytes())).tolist() == [77, 0, 0]
    assert decode_wav(to_wav(b"")) == b""
