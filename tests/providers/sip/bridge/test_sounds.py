"""The folder of sounds holds only what rtpengine can play, and is kept like the gateway's library."""

import asyncio
import hashlib
import os
import stat
import struct
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.providers.sip.bridge.errors import GatewayAwayError, SoundMissingError
from gateway.providers.sip.bridge.keeping import copy_new, tidy
from gateway.providers.sip.bridge.sounds import Sounds
from gateway.providers.sip.bridge.wav_file import is_playable_form, ring_tone, seconds_of
from gateway.settings import SettingsError
from tests.providers.sip.bridge.stand_ins import a_sound

SOUND = a_sound(0.5)
NAME = hashlib.sha256(SOUND).hexdigest() + ".wav"


async def nothing_to_fetch(_name: str) -> bytes:
    raise GatewayAwayError(why="away")


def a_folder(path: Path) -> Sounds:
    return Sounds(path / "sounds", nothing_to_fetch)


def test_a_sound_that_is_there_is_found_with_its_length(tmp_path: Path) -> None:
    sounds = a_folder(tmp_path)
    sounds.keep(NAME, SOUND)
    found = sounds.find([NAME, NAME])
    assert [(each.path.name, each.seconds) for each in found] == [(NAME, 0.5)] * 2
    assert sounds.names() == [NAME]


def test_recordings_are_for_the_bridge_and_its_group_alone(tmp_path: Path) -> None:
    a_folder(tmp_path).keep(NAME, SOUND)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "sounds", tmp_path / "sounds" / NAME)]
    assert [mode & 0o007 for mode in modes] == [0, 0]
    assert modes[1] == 0o640


def test_the_ring_tone_is_a_sound_and_repeats_every_five_seconds(tmp_path: Path) -> None:
    assert a_folder(tmp_path).ring.seconds == 5.0
    assert ring_tone()[44:46] == b"\0\0"


def test_a_file_that_changes_is_judged_again(tmp_path: Path) -> None:
    sounds = a_folder(tmp_path)
    sounds.keep(NAME, SOUND)
    assert sounds.find([NAME])
    (tmp_path / "sounds" / NAME).write_bytes(SOUND + b"xx")

    async def look() -> None:
        with pytest.raises(SoundMissingError):
            sounds.find([NAME])
        await sounds.settle()

    asyncio.run(look())


def test_content_that_its_name_does_not_name_is_refused(tmp_path: Path) -> None:
    sounds = a_folder(tmp_path)
    for name in ("0" * 64 + ".wav", "../" + NAME, "ring.wav", NAME.upper()):
        with pytest.raises(SoundMissingError):
            sounds.keep(name, SOUND)
    assert sounds.names() == []


def test_a_path_that_rtpengine_could_misread_is_refused(tmp_path: Path) -> None:
    for name in ("with a space", "with,comma", "with=sign", "w\u00e9"):
        with pytest.raises(SettingsError):
            Sounds(tmp_path / name, nothing_to_fetch)


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content


def riff(*chunks: bytes) -> bytes:
    inner = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(inner)) + inner


def a_form(*, codec: int = 1, channels: int = 1, rate: int = 48_000, bits: int = 16) -> bytes:
    block = channels * bits // 8
    return chunk(b"fmt ", struct.pack("<HHIIHH", codec, channels, rate, rate * block, block, bits))


TONE = chunk(b"data", b"\x01\x10" * 24_000)


def test_other_chunks_before_the_sound_are_passed_over() -> None:
    assert seconds_of(riff(chunk(b"JUNK", b"abcd"), a_form(), TONE)) == 0.5


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"OggS" + bytes(100),
        b"fLaC" + bytes(100),
        riff(a_form()),
        riff(TONE, a_form()),
        riff(a_form(codec=3, bits=32), TONE),
        riff(a_form(bits=24), TONE),
        riff(a_form(codec=7, rate=8000, bits=8), TONE),
        riff(a_form(channels=2), TONE),
        riff(a_form(rate=8000), TONE),
        riff(a_form(), TONE, chunk(b"LIST", b"abcd")),
        riff(a_form(), TONE) + b"\0",
        riff(a_form(), TONE)[:-2],
        riff(a_form(), chunk(b"data", b"")),
        riff(a_form(), chunk(b"data", bytes(2 * 48_000 * 121))),
        riff(chunk(b"fmt ", b"ab"), TONE),
    ],
)
def test_what_rtpengine_would_choke_on_or_be_silent_over_is_refused(content: bytes) -> None:
    with pytest.raises(SoundMissingError):
        seconds_of(content)


@given(st.binary(max_size=120))
def test_junk_is_refused_and_never_an_error(junk: bytes) -> None:
    for content in (junk, b"RIFF" + junk, riff(junk)):
        with pytest.raises(SoundMissingError):
            seconds_of(content)
        assert not is_playable_form(content)


def a_library(folder: Path, *contents: bytes) -> list[str]:
    """Put files where the gateway's library puts them; return their names."""
    names = []
    for content in contents:
        name = hashlib.sha256(content).hexdigest() + ".wav"
        path = folder / name[:2] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        names.append(name)
    return names


def test_what_comes_into_the_library_is_copied_if_it_can_be_played(tmp_path: Path) -> None:
    sounds, library = a_folder(tmp_path), tmp_path / "renditions"
    narrow = riff(a_form(codec=7, rate=8000, bits=8), TONE)
    first, _ = a_library(library, SOUND, narrow)
    since = copy_new(sounds, library, 0.0)
    assert sounds.names() == [first]
    (second,) = a_library(library, a_sound(0.7))
    copy_new(sounds, library, since)
    assert sounds.names() == sorted([first, second])


def test_a_damaged_recording_in_the_library_costs_no_other(tmp_path: Path) -> None:
    sounds, library = a_folder(tmp_path), tmp_path / "renditions"
    good, bad = a_library(library, SOUND, a_sound(0.9))
    (library / bad[:2] / bad).write_bytes(a_sound(0.8))
    copy_new(sounds, library, 0.0)
    assert sounds.names() == [good]


def test_what_has_been_looked_at_is_not_read_again(tmp_path: Path) -> None:
    sounds, library = a_folder(tmp_path), tmp_path / "renditions"
    (name,) = a_library(library, SOUND)
    os.utime(library / name[:2] / name, (1_000, 1_000))
    copy_new(sounds, library, 2_000.0)
    assert sounds.names() == []


def test_without_a_library_nothing_is_copied(tmp_path: Path) -> None:
    assert copy_new(a_folder(tmp_path), tmp_path / "nowhere", 5.0) == 5.0


def test_what_the_gateway_no_longer_has_is_removed(tmp_path: Path) -> None:
    sounds = a_folder(tmp_path)
    kept, purged, unknown = (hashlib.sha256(each).hexdigest() + ".wav" for each in map(a_sound, (0.1, 0.2, 0.3)))
    for seconds, name in ((0.1, kept), (0.2, purged), (0.3, unknown)):
        sounds.keep(name, a_sound(seconds))

    async def is_gone(name: str) -> bool:
        if name == unknown:
            raise GatewayAwayError(why="away")
        return name == purged

    asyncio.run(tidy(sounds, is_gone))
    assert sounds.names() == sorted([kept, unknown])


def test_a_recording_that_is_missing_is_fetched_once_however_many_calls_want_it(tmp_path: Path) -> None:
    fetched: list[str] = []

    async def fetch(name: str) -> bytes:
        fetched.append(name)
        return SOUND

    async def many() -> None:
        sounds = Sounds(tmp_path / "sounds", fetch)
        for _ in range(5):
            with pytest.raises(SoundMissingError):
                sounds.find([NAME])
        await sounds.settle()
        assert sounds.find([NAME])[0].seconds == 0.5

    asyncio.run(many())
    assert fetched == [NAME]


def test_a_wav_file_of_ours_is_what_the_standard_library_reads(tmp_path: Path) -> None:
    path = tmp_path / "ours.wav"
    path.write_bytes(a_sound(1.0))
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()) == (
            1,
            2,
            48_000,
            48_000,
        )
