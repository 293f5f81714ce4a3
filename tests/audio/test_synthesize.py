from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audio.errors import SpeechFailedError, VoiceMissingError
from gateway.audio.synthesize import Pyttsx3Synthesizer, Synthesizer, chunks_of
from gateway.audio.voices import VOICES, voice_for
from tests.audio.sounds import wave_seconds


def test_it_names_its_engine_and_version_and_its_languages() -> None:
    synthesizer: Synthesizer = Pyttsx3Synthesizer()
    assert synthesizer.name.startswith("pyttsx3-2.")
    assert {"en", "en-GB", "zh", "fr", "de", "es", "it", "pt"} <= synthesizer.languages()


def test_every_voice_in_the_table_speaks(tmp_path: Path) -> None:
    def seconds_in(language: str) -> float:
        target = tmp_path / f"{language}.wav"
        Pyttsx3Synthesizer().speak("Information 2026, tribunal", language=language, target=target)
        return wave_seconds(target)

    with ThreadPoolExecutor(4) as pool:
        lengths = dict(zip(VOICES, pool.map(seconds_in, VOICES), strict=True))
    assert {language for language, seconds in lengths.items() if not 1 < seconds < 8} == set()
    assert len(list(tmp_path.iterdir())) == len(VOICES)


@pytest.mark.parametrize(
    ("tag", "voice"),
    [("en", "en"), ("EN-us", "en"), ("en-gb", "en-GB"), ("fr-CA", "fr"), ("zh-Hant-TW", "zh"), ("es-419", "es-419")],
)
def test_a_narrow_tag_finds_the_nearest_voice(tag: str, voice: str) -> None:
    assert voice_for(tag) == VOICES[voice]


@pytest.mark.parametrize("tag", ["", "xx", "e", "english", "-", "en_GB", "../en", "x-en"])
def test_a_language_without_a_voice_is_refused_with_those_there_are(tag: str, tmp_path: Path) -> None:
    with pytest.raises(VoiceMissingError, match=r"voices for cs, .*zh"):
        Pyttsx3Synthesizer().speak("Hello", language=tag, target=tmp_path / "speech.wav")
    assert list(tmp_path.iterdir()) == []


def test_a_text_the_voice_cannot_read_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(SpeechFailedError):
        # Linear B has letters of which no voice knows the sound.
        Pyttsx3Synthesizer().speak("\U00010000\U00010001" * 400, language="it", target=tmp_path / "speech.wav")
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_cannot_be_written_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="absent"):
        Pyttsx3Synthesizer().speak("Hello", language="en", target=tmp_path / "absent" / "speech.wav")
    assert list(tmp_path.iterdir()) == []


def test_a_long_text_is_cut_at_the_ends_of_sentences() -> None:
    sentences = [f"Sentence {number} of the judgment, in full." for number in range(60)]
    chunks = chunks_of(" ".join(sentences))
    assert " ".join(chunks).split() == " ".join(sentences).split()
    assert all(chunk.endswith("full.") for chunk in chunks)
    assert 2 < len(chunks) < 5


def test_full_width_sentences_are_cut_too() -> None:
    chunks = chunks_of("这是法院的一项公告。" * 250)
    assert all(chunk.endswith("。") and len(chunk) <= 1_000 for chunk in chunks)


@given(st.text(st.sampled_from("ab .,。、\u3000"), max_size=4_000))
def test_cutting_loses_no_letter_and_keeps_to_the_limit(text: str) -> None:
    chunks = chunks_of(text)
    assert "".join("".join(chunks).split()) == "".join(text.split())
    assert all(0 < len(chunk) <= 1_000 for chunk in chunks)
