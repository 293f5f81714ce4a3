import re
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audio.errors import SpeechFailedError, TextEmptyError, TextTooLongError, VoiceMissingError
from gateway.audio.library import Library
from gateway.audio.speech import MAX_CHARACTERS, clean, render_text, speech_key
from gateway.audio.synthesize import Pyttsx3Synthesizer
from gateway.domain.notice import Rendition
from tests.audio.sounds import a_file, decibels, encoded, played, silence, speech

ENGLISH = "This is Lakeside County Court, with an official message for the holder of this line."
MANDARIN = "这里是湖滨县法院。有一则正式信息给本号码的使用人。"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A synthesizer that says the same whatever it is given."""

    content: bytes
    name: str = "recorded-1"

    def languages(self) -> frozenset[str]:
        return frozenset({"en"})

    def speak(self, text: str, *, language: str, target: Path) -> None:
        assert text == clean(text)
        if language not in self.languages():
            raise VoiceMissingError(language=language, available="en")
        target.write_bytes(self.content)


def spoken(text: str, language: str, library: Library) -> Rendition:
    return render_text(text, language=language, library=library, synthesizer=Pyttsx3Synthesizer())


@pytest.mark.parametrize(
    ("text", "language", "least", "most"),
    [(ENGLISH, "en", 4, 7), (ENGLISH, "en-GB", 4, 7), (MANDARIN, "zh-Hans-CN", 4, 8)],
)
def test_a_text_becomes_speech_of_plausible_length_at_the_level_of_a_telephone(
    library: Library, text: str, language: str, least: float, most: float
) -> None:
    rendition = spoken(text, language, library)
    assert rendition.language == language
    assert least < rendition.seconds < most
    for sha256 in (rendition.mulaw, rendition.alaw, rendition.wideband):
        sound = played(library.path_of(sha256, "wav"))
        assert sound.seconds == pytest.approx(rendition.seconds, abs=0.01)
        assert abs(decibels(sound.level(), 2600)) < 1.5


def test_han_characters_are_read_and_not_skipped(library: Library) -> None:
    half, whole = spoken(MANDARIN[:9], "zh", library), spoken(MANDARIN, "zh", library)
    assert whole.seconds > 2 * half.seconds


def test_four_threads_speak_at_once_and_none_disturbs_another(library: Library) -> None:
    texts = [ENGLISH, ENGLISH + " " + ENGLISH, MANDARIN, MANDARIN + MANDARIN]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda text: spoken(text, "zh" if text[0] == "这" else "en", library), texts))
    assert results[1].seconds > 1.6 * results[0].seconds
    assert results[3].seconds > 1.6 * results[2].seconds


def test_the_longest_text_is_spoken_to_its_end(library: Library) -> None:
    sentence = "The court sends notice. "
    text = (sentence * 125)[:MAX_CHARACTERS]
    assert len(text) == MAX_CHARACTERS
    assert spoken(text, "en", library).seconds > 100


def test_markup_is_neither_obeyed_nor_spoken(library: Library) -> None:
    plain = spoken("The court sends notice.", "en", library).seconds
    for marked in (
        '<speak>The court <break time="9s"/>sends notice.</speak>',
        "&lt;prosody rate='10%'&gt;The court sends notice.&lt;/prosody&gt;",
        "[[The]] court \x01250Ssends\u202e notice.",
    ):
        assert spoken(marked, "en", library).seconds < plain + 2


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  Two\n\n words\t", "Two words"),
        ("a\u202eb\u200bc\ufeffd\u00ade", "abcde"),
        ("a\x00b\x01c\x1b[0m", "a b c 0m"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ('Wait <break time="10s"/> here', "Wait here"),
        ("<SPEAK><p>Hello</p></SPEAK>", "Hello"),
        ("[[h@l'oU]] there", "h@l'oU there"),
        ("<John Smith> v <Jones>", "John Smith v Jones"),
        ("Smith &amp; Sons", "Smith & Sons"),
        ("&amp;lt;break/&amp;gt; x", "x"),
        ("&am\u200bp;lt;audio src='/x'/&gt; x", "x"),
        ("&#1;&#x202e;x", "x"),
        ("[2026] EWHC 12", "2026 EWHC 12"),
        ("e\u0301te\u0301", "\u00e9t\u00e9"),
        ("{court} $5", "{court} $5"),
        ("法院公告。", "法院公告。"),
    ],
)
def test_clean_leaves_the_words_and_nothing_that_steers(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize("text", ["", " \n", "...", "<break/>", "\u200b\u202e", "[[]]", "&#0;", "\ud800"])
def test_a_text_without_a_word_is_refused(text: str) -> None:
    with pytest.raises(TextEmptyError):
        clean(text)


def test_a_text_that_is_too_long_is_refused_with_its_length() -> None:
    assert len(clean("x" * MAX_CHARACTERS)) == MAX_CHARACTERS
    with pytest.raises(TextTooLongError, match="3001"):
        clean("x" * (MAX_CHARACTERS + 1))
    with pytest.raises(TextTooLongError):
        clean("&amp;" * 10**7)


def test_deeply_nested_entities_cost_little() -> None:
    assert clean("x &" + "amp;" * 600 + "lt;break/").startswith("x")


AWKWARD = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("<>[]&;#{}/\\'\"\x00\x01\x1b\u200b\u202e\u2066\ufeff\ud800\u00ad\u2028 abc1"),
    ),
    max_size=80,
)
PIECES = st.lists(
    st.one_of(
        AWKWARD, st.sampled_from(["<break/>", "&lt;", "&amp;", "amp;", "[[", "]]", "<speak>", "&#91;", "&#x3c;"])
    ),
    max_size=12,
).map("".join)


@given(PIECES)
def test_whatever_is_cleaned_is_plain_speakable_text(text: str) -> None:
    try:
        cleaned = clean(text)
    except (TextEmptyError, TextTooLongError):
        return
    assert clean(cleaned) == cleaned
    assert not re.search(r"[<>\[\]]", cleaned)
    assert cleaned == unicodedata.normalize("NFC", " ".join(cleaned.split()))
    assert not {unicodedata.category(letter) for letter in cleaned} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert cleaned.encode()
    assert 1 <= len(cleaned) <= MAX_CHARACTERS


def test_a_speech_key_depends_on_what_is_heard_and_on_nothing_else() -> None:
    engine = Recorded(b"")
    key = speech_key("The court", "en", engine)
    assert re.fullmatch(r"[0-9a-f]{64}", key)
    assert speech_key("  The\u200b  court ", "EN", engine) == key
    others = {
        speech_key("The courts", "en", engine),
        speech_key("The court", "zh", engine),
        speech_key("The court", "en", Recorded(b"", "recorded-2")),
    }
    assert len(others | {key}) == 4


def test_another_synthesizer_goes_through_the_same_checks(library: Library) -> None:
    good = Recorded(encoded(speech(2.0)))
    assert render_text("x", language="en", library=library, synthesizer=good).seconds > 1.5
    silent = Recorded(encoded(silence(2.0)))
    with pytest.raises(SpeechFailedError, match=r"'en': it is silent.*; change the text"):
        render_text("x", language="en", library=library, synthesizer=silent)
    with pytest.raises(VoiceMissingError, match="'xx'"):
        render_text("x", language="xx", library=library, synthesizer=good)


def test_a_refused_text_leaves_nothing_in_the_library(library: Library, tmp_path: Path) -> None:
    with pytest.raises(VoiceMissingError):
        spoken("Hello", "xx", library)
    with pytest.raises(SpeechFailedError):
        render_text("x", language="en", library=library, synthesizer=Recorded(b"not a sound"))
    assert not library.root.exists()
    assert a_file(tmp_path, b"").exists()
