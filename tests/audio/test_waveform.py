"""Pictures and verdicts of what the telephone plays."""

import numpy as np
import pytest

from gateway.audio.levels import Samples
from gateway.audio.library import Library
from gateway.audio.mixdown import UndecodableSoundError, to_wav
from gateway.audio.speech import render_text
from gateway.audio.synthesize import Pyttsx3Synthesizer
from gateway.audio.waveform import MOST_COLUMNS, SILENT_DBFS, Verdict, describe, peaks
from tests.audio.sounds import encoded, silence, speech, tone

RATE = 8_000


def a_wav(samples: Samples, codec: str = "pcm_s16le") -> bytes:
    return encoded(samples, "wav", codec, rate=RATE)


def at_level(dbfs: float, seconds: float = 3.0) -> Samples:
    """Return a hum whose level is so many dB below full scale."""
    samples = tone(440, seconds, rate=RATE, peak=1.0)
    return np.asarray(samples * np.sqrt(2) * 10 ** (dbfs / 20), dtype=np.float32)


def judged(samples: Samples, limit: float | None = None) -> tuple[Verdict, Verdict]:
    sound = describe(a_wav(samples), limit)
    return sound.level, sound.length


def test_a_picture_shows_where_it_is_loud() -> None:
    samples = np.concatenate([silence(1, rate=RATE), tone(440, 1, rate=RATE, peak=0.5), silence(2, rate=RATE)])
    picture = peaks(a_wav(samples), 8)
    assert picture == pytest.approx((0, 0, 0.5, 0.5, 0, 0, 0, 0), abs=0.01)


@pytest.mark.parametrize("columns", [-1, 0, 1, 7, 240, 2_000, 10**9])
def test_a_picture_has_as_many_columns_as_asked_for_within_bounds(columns: int) -> None:
    for body in (a_wav(speech(0.01, rate=RATE)), a_wav(speech(3, rate=RATE)), to_wav(b"")):
        picture = peaks(body, columns)
        assert len(picture) == max(1, min(columns, MOST_COLUMNS))
        assert all(0 <= peak <= 1 for peak in picture)


def test_the_loudest_sample_of_all_is_in_the_picture() -> None:
    samples = np.zeros(RATE, dtype=np.float32)
    samples[-1] = -1.0
    assert peaks(a_wav(samples), 99)[-1] == pytest.approx(1, abs=1e-3)


def test_what_the_telephone_plays_is_good(library: Library) -> None:
    spoken = render_text(
        "This is Lakeside County Court.", language="en", library=library, synthesizer=Pyttsx3Synthesizer()
    )
    path = library.path_of(spoken.mulaw, "wav")
    assert path is not None
    sound = describe(path.read_bytes(), 20.0)
    assert sound.is_good
    assert sound.seconds == pytest.approx(spoken.seconds, abs=0.001)
    assert sound.level_dbfs == pytest.approx(sound.target_dbfs, abs=1.5)
    assert sound.target_dbfs == pytest.approx(-22.0, abs=0.05)
    assert sound.level_dbfs < sound.peak_dbfs <= 0
    assert sound.seconds / 2 < sound.active_seconds <= sound.seconds


@pytest.mark.parametrize(
    ("samples", "level"),
    [
        (at_level(-22), Verdict.GOOD),
        (at_level(-27.5), Verdict.GOOD),
        (at_level(-29), Verdict.TOO_QUIET),
        (at_level(-16.5), Verdict.GOOD),
        (at_level(-15), Verdict.TOO_LOUD),
        (np.clip(at_level(0), -0.98, 0.98), Verdict.CLIPPED),
        (np.clip(8 * speech(3, rate=RATE), -1, 1), Verdict.CLIPPED),
        (silence(3, rate=RATE), Verdict.MOSTLY_SILENT),
        (np.concatenate([at_level(-22, 1), silence(4, rate=RATE)]), Verdict.MOSTLY_SILENT),
    ],
)
@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_mulaw", "pcm_alaw"])
def test_a_level_is_judged_the_same_in_every_coding(samples: Samples, level: Verdict, codec: str) -> None:
    assert describe(a_wav(samples, codec)).level is level


def test_a_length_is_judged_by_its_limit() -> None:
    assert judged(speech(0.9, rate=RATE))[1] is Verdict.TOO_SHORT
    assert judged(speech(20, rate=RATE), 20.0)[1] is Verdict.GOOD
    assert judged(speech(20.1, rate=RATE), 20.0)[1] is Verdict.TOO_LONG
    assert judged(speech(20.1, rate=RATE))[1] is Verdict.GOOD


def test_a_file_without_sound_is_described_all_the_same() -> None:
    sound = describe(to_wav(b""), 20.0)
    assert (sound.seconds, sound.active_seconds, sound.limit) == (0, 0, 20.0)
    assert sound.peak_dbfs == sound.level_dbfs == SILENT_DBFS
    assert (sound.level, sound.length) == (Verdict.MOSTLY_SILENT, Verdict.TOO_SHORT)


def test_what_is_no_wav_is_refused() -> None:
    for body in (b"", b"RIFF....WAVE", b"ID3 something else"):
        with pytest.raises(UndecodableSoundError):
            describe(body)
        with pytest.raises(UndecodableSoundError):
            peaks(body, 10)
