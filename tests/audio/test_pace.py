"""The estimate that follows every keystroke, held to what the real voice takes."""

# Chinese is written with Chinese commas.
# ruff: noqa: RUF001

from pathlib import Path
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audio.library import Library
from gateway.audio.pace import estimate, most_characters, pace_of
from gateway.audio.speech import render_text
from gateway.audio.synthesize import Pyttsx3Synthesizer
from gateway.audio.voices import VOICES

# None of these was among the texts that the estimate was fitted to.
UNSEEN = {
    "en": (
        "Notice from Bayside District Court. Paidup Example Incorporated has not complied with a court order.",
        "The court will hear the matter on 12 May 2026 at 10 o'clock, in room 14.",
        "Whoever owes this company money may pay it to the court instead; the register of the court says how.",
        "Enforcement is suspended. No payment is due until further notice, and no goods will be collected.",
        "To hear this again, press 1. To contest it, press 3. If you are somebody else, press 9.",
    ),
    "zh": (
        "这里是海湾区法院。该公司未履行已经生效的法院判决。",
        "开庭时间为2026年5月12日上午10点，地点在第14法庭。",
        "欠该公司款项的人，可以将款项直接支付给法院，具体办法请查阅法院登记册。",
        "执行程序已经中止。在另行通知以前，无须付款，也不会扣押任何财物。",
        "再听一遍，请按 1。如有异议，请按 3。如果不是给您的，请按 9。",
    ),
}


@pytest.mark.parametrize(("language", "text"), [(each, text) for each, texts in UNSEEN.items() for text in texts])
def test_the_estimate_is_within_a_fifth_of_what_the_voice_takes(library: Library, language: str, text: str) -> None:
    spoken = render_text(text, language=language, library=library, synthesizer=Pyttsx3Synthesizer())
    assert estimate(text, language) == pytest.approx(spoken.seconds, rel=0.2)


@pytest.mark.parametrize(("folder", "language"), [("en", "en-GB"), ("zh", "zh-Hans")])
def test_the_templates_that_courts_start_from_are_estimated_too(library: Library, folder: str, language: str) -> None:
    for file in sorted((Path(__file__).parents[2] / "prompts" / folder).glob("*.txt")):
        text = file.read_text(encoding="utf-8").replace("{", "").replace("}", "")
        if not text.isascii() or language.startswith("en"):
            spoken = render_text(text, language=language, library=library, synthesizer=Pyttsx3Synthesizer())
            assert estimate(text, language) == pytest.approx(spoken.seconds, rel=0.25, abs=0.3), file.name


@pytest.mark.parametrize("language", ["en", "zh", "de"])
def test_nothing_takes_no_time_and_more_words_take_more(language: str) -> None:
    assert estimate("", language) == estimate(" ... ", language) == 0
    words = "案" if language == "zh" else "order "
    lengths = [estimate(words * count, language) for count in (1, 2, 10, 500, 2_000)]
    assert lengths == sorted(set(lengths))


@given(text=st.text(max_size=200), language=st.sampled_from([*VOICES, "xx", ""]))
def test_whatever_is_typed_is_estimated_and_never_refused(text: str, language: str) -> None:
    assert 0 <= estimate(text, language) < 1_000


def test_a_text_far_too_long_costs_no_more_than_the_longest_one() -> None:
    began = perf_counter()
    for text in ("a, 1e. " * 50_000, "&" * 29_000, "<" * 300_000, "ﬃ" * 2_999, "\U0001d160" * 3_000):
        estimate(text, "en")
    assert perf_counter() - began < 5
    assert estimate("an order " * 1_000, "en") > 300


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_limit_in_characters_fits_into_the_public_notice(language: str) -> None:
    sentences = (" " if language == "en" else "").join(UNSEEN[language])
    limit = most_characters(language)
    assert estimate(sentences[:limit], language) == pytest.approx(20, rel=0.2)
    pace = pace_of(UNSEEN[language][0], language)
    assert (pace.most_characters, pace.characters, pace.most_seconds) == (limit, len(UNSEEN[language][0]), 20.0)
    assert not pace.is_too_long
    assert pace_of(sentences * 2, language).is_too_long
