import os
import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path

import numpy as np
import pytest

from gateway.audio.errors import RecordingRefusedError
from gateway.audio.library import Library
from gateway.audio.transcode import render_recording
from gateway.audio.validate import Limits
from gateway.domain.notice import Rendition
from tests.audio.sounds import FORMATS, Played, a_file, decibels, encoded, played, silence, speech, tone

G711 = {"mulaw": 7, "alaw": 6}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A library, and a folder to upload from."""

    library: Library
    folder: Path

    def render(self, content: bytes, limits: Limits | None = None) -> Rendition:
        source = a_file(self.folder, content)
        return render_recording(
            source, name="notice.mp3", language="en", library=self.library, limits=limits or Limits()
        )

    def played(self, sha256: str) -> Played:
        return played(self.library.path_of(sha256, "wav"))

    def bytes_of(self, sha256: str) -> bytes:
        path = self.library.path_of(sha256, "wav")
        assert path is not None
        return path.read_bytes()


@pytest.fixture
def bench(library: Library, tmp_path: Path) -> Bench:
    return Bench(library=library, folder=tmp_path)


@pytest.mark.parametrize(("container", "codec"), FORMATS)
def test_every_accepted_format_becomes_three_files(bench: Bench, container: str, codec: str) -> None:
    # mu-law exists at 8 kHz in practice; the others are made as a studio would.
    rate = 8_000 if codec == "pcm_mulaw" else 48_000
    rendition = bench.render(encoded(speech(3.0, rate=rate), container, codec, rate=rate))
    assert rendition.language == "en"
    assert rendition.seconds == pytest.approx(3.0, abs=0.3)
    for sha256, codec_out, rate_out in (
        (rendition.mulaw, "pcm_mulaw", 8_000),
        (rendition.alaw, "pcm_alaw", 8_000),
        (rendition.wideband, "pcm_s16le", 48_000),
    ):
        sound = bench.played(sha256)
        assert (sound.codec, sound.rate, sound.channels) == (codec_out, rate_out, 1)
        assert sound.seconds == pytest.approx(rendition.seconds, abs=0.01)
        assert abs(decibels(sound.level(), 2600)) < 1.5


@pytest.mark.parametrize("peak", [0.05, 0.3, 0.95])
def test_quiet_and_loud_recordings_come_out_equally_loud_and_unclipped(bench: Bench, peak: float) -> None:
    rendition = bench.render(encoded(speech(2.0, peak=peak)))
    for sha256 in (rendition.mulaw, rendition.alaw, rendition.wideband):
        assert abs(decibels(bench.played(sha256).level(), 2600)) < 1.5
        assert np.abs(bench.played(sha256).samples).max() < 0.95


def test_g711_files_have_the_header_that_rfc_2361_asks_for(bench: Bench) -> None:
    rendition = bench.render(encoded(tone(1000)))
    for sha256, tag in ((rendition.mulaw, G711["mulaw"]), (rendition.alaw, G711["alaw"])):
        content = bench.bytes_of(sha256)
        riff, size, kind, fmt, fmt_size = struct.unpack_from("<4sI4s4sI", content)
        assert (riff, kind, fmt, fmt_size) == (b"RIFF", b"WAVE", b"fmt ", 18)
        assert size == len(content) - 8
        assert struct.unpack_from("<HHIIHHH", content, 20) == (tag, 1, 8000, 8000, 1, 8, 0)
        fact, fact_size, samples, data, data_size = struct.unpack_from("<4sII4sI", content, 38)
        assert (fact, fact_size, data) == (b"fact", 4, b"data")
        assert samples == data_size == len(content) - 58


def test_the_wideband_file_has_a_plain_pcm_header(bench: Bench) -> None:
    content = bench.bytes_of(bench.render(encoded(tone(1000))).wideband)
    assert struct.unpack_from("<4sIHHIIHH", content, 12) == (b"fmt ", 16, 1, 1, 48_000, 96_000, 2, 16)
    assert struct.unpack_from("<4sI", content, 36) == (b"data", len(content) - 44)


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 96_000])
def test_a_tone_of_1_khz_stays_at_1_khz(bench: Bench, rate: int) -> None:
    rendition = bench.render(encoded(tone(1000, rate=rate), rate=rate))
    for sha256 in (rendition.mulaw, rendition.alaw, rendition.wideband):
        assert bench.played(sha256).loudest_hertz() == pytest.approx(1000, abs=2)


def test_what_a_telephone_cannot_carry_does_not_fold_back_into_the_speech(bench: Bench) -> None:
    rendition = bench.render(encoded(tone(1000) + tone(6000)))
    # 6 kHz sampled at 8 kHz would be heard at 2 kHz. Quantisation to 8 bits sets the floor of what can be told.
    assert bench.played(rendition.mulaw).strength(2000) < -45
    assert bench.played(rendition.wideband).strength(6000) > -3


def test_silence_at_both_ends_is_trimmed_to_a_tenth_of_a_second(bench: Bench) -> None:
    sound = np.concatenate([silence(3), tone(700, 2.0), silence(5)])
    rendition = bench.render(encoded(sound))
    assert rendition.seconds == pytest.approx(2.2, abs=0.06)
    assert bench.played(rendition.wideband).seconds == pytest.approx(2.2, abs=0.06)


def test_both_channels_of_a_stereo_recording_are_heard(bench: Bench) -> None:
    stereo = np.stack([tone(600, peak=0.3), tone(1700, peak=0.3)])
    sound = bench.played(bench.render(encoded(stereo)).wideband)
    assert sound.strength(600) > -3
    assert sound.strength(1700) > -3


def test_the_same_recording_always_gives_the_same_files(bench: Bench) -> None:
    content = encoded(speech(2.0), "flac", "flac")
    assert bench.render(content) == bench.render(content)


def test_a_wav_from_a_pipe_with_unknown_length_is_taken(bench: Bench) -> None:
    rendition = bench.render(with_data_size(encoded(tone(500, 2.0)), 0xFFFFFFFF))
    assert rendition.seconds == pytest.approx(2.0, abs=0.05)


def test_a_wav_with_notes_after_the_sound_is_taken(bench: Bench) -> None:
    assert bench.render(encoded(tone(500, 2.0)) + b"LIST" + struct.pack("<I", 4) + b"INFO").seconds > 1.9


def with_data_size(content: bytes, size: int) -> bytes:
    at = content.index(b"data") + 4
    return content[:at] + struct.pack("<I", size) + content[at + 4 :]


def everything_in(library: Library) -> list[Path]:
    return list(library.root.rglob("*")) if library.root.exists() else []


def a_video() -> bytes:
    # An MP4 whose only track is a picture, in the fewest boxes that FFmpeg takes for a film.
    def box(name: bytes, *parts: bytes) -> bytes:
        body = b"".join(parts)
        return struct.pack(">I", 8 + len(body)) + name + body

    table = bytes(8)
    entry = box(b"mp4v", bytes(6) + b"\0\1" + bytes(16) + struct.pack(">HH", 16, 16) + bytes(50))
    tables = box(b"stbl", box(b"stsd", bytes(4) + struct.pack(">I", 1) + entry), box(b"stts", table))
    header = box(b"mdhd", bytes(12) + struct.pack(">II", 1000, 1000) + bytes(4))
    handler = box(b"hdlr", bytes(8) + b"vide" + bytes(13))
    track = box(b"trak", box(b"tkhd", bytes(84)), box(b"mdia", header, handler, box(b"minf", tables)))
    movie = box(b"moov", box(b"mvhd", bytes(12) + struct.pack(">II", 1000, 1000) + bytes(80)), track)
    return box(b"ftyp", b"isom" + bytes(4) + b"isom") + movie


def many_channels() -> bytes:
    body = encoded(tone(500, 1.2))
    return body[:20] + struct.pack("<HHIIHH", 1, 24, 48_000, 48_000 * 48, 48, 16) + body[36:]


CLIPPED = np.clip(speech(2.0, peak=4.0), -1, 1)
REFUSED = {
    "empty": (b"", "it is empty"),
    "text": (b"This is not a recording. " * 400, "not an audio file"),
    "noise": (np.random.default_rng(1).bytes(50_000), "not an audio file|damaged"),
    "pdf": (b"%PDF-1.7\n" + bytes(3_000), "not an audio file"),
    "zip bomb": (b"PK\3\4" + bytes(5_000), "not an audio file"),
    "video only": (a_video(), "no sound"),
    "too many channels": (many_channels(), "more than 8 channels"),
    "silent": (encoded(silence(3.0)), "it is silent"),
    "very quiet": (encoded(speech(3.0, peak=0.002)), "it is silent, or too quiet"),
    "only an offset": (encoded(silence(3.0) + np.float32(0.5)), "it is silent"),
    "only what no telephone carries": (encoded(tone(9_000, 2.0)), "it is silent"),
    "clipped": (encoded(CLIPPED), "distorted"),
    "clipped, then made quieter": (encoded(CLIPPED * np.float32(0.4)), "distorted"),
    "clipped, then made MP3": (encoded(CLIPPED, "mp3", "libmp3lame"), "distorted"),
    "clipped on one channel": (encoded(np.stack([CLIPPED, CLIPPED * np.float32(0.1)])), "distorted"),
    "too long": (encoded(tone(500, 70, rate=8_000), rate=8_000), "more than 60 s"),
    "too short": (encoded(tone(500, 0.3)), "too short: 0.3 s"),
    "too short between silences": (
        encoded(np.concatenate([silence(2), tone(500, 0.3), silence(2)])),
        "too short: 0.5 s",
    ),
    "promises more than it holds": (with_data_size(encoded(tone(500, 2.0)), 4_000_000), "header says 41.7 s but 2.0 s"),
    "promises less than it holds": (with_data_size(encoded(tone(500, 2.0)), 100), "header says 2.0 s but 0.0 s"),
    "truncated WAV": (encoded(speech(6.0))[:200_000], "header says"),
    "truncated MP3": (encoded(speech(6.0), "mp3", "libmp3lame")[:20_000], "header says"),
    "truncated M4A": (encoded(speech(6.0), "ipod", "aac")[:20_000], "not an audio file|damaged"),
    "truncated WebM": (encoded(speech(6.0), "webm", "libopus")[:20_000], "header says"),
    "truncated FLAC": (encoded(speech(6.0), "flac", "flac")[:60_000], "header says|damaged"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_recording_is_refused_with_its_reason_and_leaves_nothing(bench: Bench, case: str) -> None:
    content, reason = REFUSED[case]
    with pytest.raises(RecordingRefusedError, match=rf"^notice\.mp3: .*({reason}).*; .+\.$"):
        bench.render(content)
    assert everything_in(bench.library) == []


def test_a_file_that_is_too_large_is_refused_without_being_read(bench: Bench) -> None:
    source = bench.folder / "large"
    with source.open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(RecordingRefusedError, match=r"too large, 1000000\.0 MB, where at most 20 MB"):
        render_recording(source, name="large.wav", language="en", library=bench.library)


def test_links_folders_pipes_and_missing_files_are_refused(bench: Bench, tmp_path: Path) -> None:
    good = a_file(tmp_path, encoded(speech()), "good.wav")
    link, pipe = tmp_path / "link.wav", tmp_path / "pipe.wav"
    link.symlink_to(good)
    os.mkfifo(pipe)
    for source, reason in (
        (link, "a link, not a file"),
        (tmp_path, "not a file"),
        (pipe, "not a file"),
        (tmp_path / "absent.wav", "cannot be opened"),
    ):
        with pytest.raises(RecordingRefusedError, match=reason):
            render_recording(source, name="x.wav", language="en", library=bench.library)


def test_a_name_from_outside_is_shown_harmlessly(bench: Bench, tmp_path: Path) -> None:
    source = a_file(tmp_path, b"nothing")
    with pytest.raises(RecordingRefusedError, match=r"^\?\?\{x\}\{why\}%s:") as refused:
        render_recording(source, name="\n\x1b{x}{why}%s", language="en", library=bench.library)
    assert refused.value.code == "recording_refused"


def test_a_decompression_bomb_is_refused_before_it_unfolds(bench: Bench) -> None:
    bomb = encoded(silence(2_400, rate=8_000), "flac", "flac", rate=8_000)
    assert len(bomb) < 500_000
    with pytest.raises(RecordingRefusedError, match="more than 60 s"):
        bench.render(bomb, Limits(wall_seconds=10, cpu_seconds=3))


PLAYLISTS = {
    "concat.mp3": "ffconcat version 1.0\nfile {file}\n",
    "concat.wav": "ffconcat version 1.0\nfile 'file:{file}'\n",
    "segments.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{file}\n#EXT-X-ENDLIST\n",
    "list.mp3": "#EXTM3U\n#EXTINF:9,\nfile://{file}\n",
    "list.ogg": "[playlist]\nFile1={file}\nNumberOfEntries=1\n",
    "manifest.webm": "<MPD><Period><BaseURL>file://{file}</BaseURL></Period></MPD>",
    "session.flac": "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
}


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_playlist_in_disguise_reads_no_other_file(bench: Bench, name: str) -> None:
    # Were the good recording next to it read, a rendition would come out.
    good = a_file(bench.folder, encoded(speech()), "good.wav")
    source = a_file(bench.folder, PLAYLISTS[name].format(file=good).encode(), name)
    with pytest.raises(RecordingRefusedError, match="not an audio file"):
        render_recording(source, name=name, language="en", library=bench.library)


def test_work_that_takes_too_long_is_given_up(bench: Bench) -> None:
    with pytest.raises(RecordingRefusedError, match="more time or memory"):
        bench.render(encoded(speech()), Limits(wall_seconds=0.01))


def test_work_that_takes_too_much_memory_is_given_up(bench: Bench) -> None:
    content = encoded(np.stack([tone(500, 100, rate=48_000)] * 2), "flac", "flac")
    with pytest.raises(RecordingRefusedError, match="more time or memory"):
        bench.render(content, replace(Limits(), max_seconds=1_000, memory_bytes=300 << 20))


def mutations(seed: int) -> bytes:
    chance = np.random.default_rng(seed)
    container, codec = FORMATS[seed % len(FORMATS)]
    content = bytearray(encoded(speech(1.5), container, codec))
    match seed % 4:
        case 0:
            del content[int(chance.integers(1, len(content))) :]
        case 1:
            start = int(chance.integers(0, len(content)))
            content[start : start + 400] = chance.bytes(int(chance.integers(0, 800)))
        case _:
            # Most of the harm is done in headers.
            reach = 200 if seed % 4 == 2 else len(content)
            for at in chance.integers(0, reach, size=20):
                content[int(at)] = int(chance.integers(0, 256))
    return bytes(content)


def how_it_fares(seed: int, folder: Path) -> str:
    bench = Bench(library=Library(folder / f"library-{seed}"), folder=folder / f"uploads-{seed}")
    bench.folder.mkdir()
    try:
        rendition = bench.render(mutations(seed), Limits(wall_seconds=20, cpu_seconds=5))
    except RecordingRefusedError:
        return "refused" if everything_in(bench.library) == [] else "refused, but left something behind"
    fit = 1.0 <= rendition.seconds <= 60.0 and abs(decibels(bench.played(rendition.mulaw).level(), 2600)) < 3
    return "rendered" if fit else "rendered badly"


def test_mutated_recordings_are_rendered_or_refused_and_nothing_else(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(how_it_fares, range(32), repeat(tmp_path)))
    assert set(results) == {"rendered", "refused"}
