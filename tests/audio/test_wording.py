import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audio.errors import TextEmptyError, TextTooLongError, WordingFieldsError, WordingMissingError
from gateway.audio.library import Library
from gateway.audio.speech import clean, render_text
from gateway.audio.synthesize import Pyttsx3Synthesizer
from gateway.audio.wording import FIELDS, Wording, spelled
from gateway.domain.notice import PUBLIC_NOTICE_MAX_SECONDS, Purpose

PROMPTS = Path(__file__).parents[2] / "prompts"
VALUES = {
    "en": {
        "court": "Lakeside County Court",
        "organisation": "Harbour Freight Lines Limited",
        "date": "12 March 2026",
        "case_number": "2026-CV-0417",
    },
    "zh": {
        "court": "湖滨县法院",
        "organisation": "港湾货运有限公司",
        "date": "2026年3月12日",
        "case_number": "2026-CV-0417",
    },
}
# Seconds, as spoken: what an edited prompt may not outgrow.
LONGEST = {
    Purpose.PUBLIC: 10,
    Purpose.WARNING: 27,
    Purpose.OPENER: 12,
    Purpose.PRIVATE: 23,
    Purpose.ACKNOWLEDGED: 5,
    Purpose.CONTESTED: 5,
    Purpose.WRONG_PERSON: 5,
}


def fields_of(purpose: Purpose, language: str) -> dict[str, str]:
    return {name: VALUES[language][name] for name in FIELDS[purpose]}


def seconds(purpose: Purpose, language: str, library: Library, **other: str) -> float:
    text = Wording(PROMPTS).text(purpose, language, **(fields_of(purpose, language) | other))
    return render_text(text, language=language, library=library, synthesizer=Pyttsx3Synthesizer()).seconds


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("purpose", list(Purpose))
def test_every_prompt_is_spoken_within_its_time(purpose: Purpose, language: str, library: Library) -> None:
    assert 2 < seconds(purpose, language, library) < LONGEST[purpose]


def test_the_public_notice_in_two_languages_fits_into_what_callers_wait(library: Library) -> None:
    english = seconds(Purpose.PUBLIC, "en", library)
    assert english + seconds(Purpose.PUBLIC, "zh", library) < PUBLIC_NOTICE_MAX_SECONDS - 2
    # The same with names that were never translated.
    names = {name: VALUES["en"][name] for name in ("court", "organisation")}
    assert english + seconds(Purpose.PUBLIC, "zh", library, **names) < PUBLIC_NOTICE_MAX_SECONDS - 2


def test_both_languages_are_complete() -> None:
    assert Wording(PROMPTS).languages() == {"en", "zh"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_opener_names_the_court_and_hints_at_nothing(language: str) -> None:
    text = Wording(PROMPTS).text(Purpose.OPENER, language, court=VALUES[language]["court"])
    assert VALUES[language]["court"] in text
    assert not re.search(
        r"debt|owe|pay|case|order|judg|claim|contest|notice|law|案|债|欠|款|判|裁|诉|执行|令|文书|异议",
        text,
        re.IGNORECASE,
    )
    with pytest.raises(WordingFieldsError, match=r"takes no \{organisation\}"):
        Wording(PROMPTS).text(Purpose.OPENER, language, court="Court", organisation="Somebody")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_key_is_offered_where_it_works(language: str) -> None:
    wording = Wording(PROMPTS)
    opener = wording.text(Purpose.OPENER, language, **fields_of(Purpose.OPENER, language))
    private = wording.text(Purpose.PRIVATE, language, court=VALUES[language]["court"], case_number="X")
    assert re.findall(r"\d", opener) == ["1", "9"]
    assert re.findall(r"\d", private) == ["2", "3", "9"]


@pytest.mark.parametrize("value", ["{case_number}", "{court} $court ${x} {0} {", "100% \\1 \\g<0>"])
def test_values_come_through_literally(value: str) -> None:
    text = Wording(PROMPTS).text(Purpose.PUBLIC, "en", court="C", organisation=value, case_number="7")
    assert clean(value) in text
    assert "case 7." in text


def test_values_are_cleaned() -> None:
    text = Wording(PROMPTS).text(Purpose.OPENER, "en", court="North\u202e\n<break time='9s'/> Court\x01")
    assert "This is North Court, with" in text


@pytest.mark.parametrize(
    ("case_number", "dictated"),
    [
        ("2026-CV-0417", "2 0 2 6, C V, 0 4 1 7"),
        ("[2026] EWHC 12 (Ch)", "2 0 2 6, E W H C, 1 2, Ch"),
        ("HC/12b", "H C, 1 2, b"),
        ("\uff082026\uff09京0105民初123号", "2 0 2 6, 京, 0 1 0 5, 民初, 1 2 3, 号"),
        ("Lakeside 7", "Lakeside, 7"),
    ],
)
def test_a_case_number_is_dictated(case_number: str, dictated: str) -> None:
    assert spelled(case_number) == dictated


def test_fields_missing_unknown_or_empty_are_named() -> None:
    wording = Wording(PROMPTS)
    with pytest.raises(WordingFieldsError, match=r"public wording .* needs \{case_number\}, \{court\}"):
        wording.text(Purpose.PUBLIC, "en", organisation="X")
    with pytest.raises(WordingFieldsError, match=r"takes no \{date\}"):
        wording.text(Purpose.OPENER, "en", court="X", date="today")
    with pytest.raises(WordingFieldsError, match=r"\{court\} holds no word"):
        wording.text(Purpose.OPENER, "en", court="\u200b...")


def test_a_file_that_uses_a_field_its_purpose_may_not_say_is_refused(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "opener.txt").write_text("{court} calls {person}", encoding="utf-8")
    with pytest.raises(WordingFieldsError, match=r"file may not use \{person\}"):
        Wording(tmp_path).text(Purpose.OPENER, "en", court="The court")
    assert Wording(tmp_path).languages() == frozenset()
    assert Wording(tmp_path / "absent").languages() == frozenset()


@pytest.mark.parametrize("language", ["fr", "", "..", "../prompts/en", "en/../en", "/en", "EN\n", "en\0"])
def test_a_language_without_wording_is_refused(language: str) -> None:
    with pytest.raises(WordingMissingError, match=r"no opener wording"):
        Wording(PROMPTS).text(Purpose.OPENER, language, court="The court")


def test_a_narrow_tag_uses_the_broader_wording() -> None:
    wording = Wording(PROMPTS)
    assert wording.text(Purpose.OPENER, "en-GB", court="X") == wording.text(Purpose.OPENER, "en", court="X")


@given(st.text(max_size=60))
def test_any_organisation_name_is_spoken_safely(name: str) -> None:
    try:
        text = Wording(PROMPTS).text(Purpose.PUBLIC, "en", court="C", organisation=name, case_number="7")
    except (WordingFieldsError, TextEmptyError, TextTooLongError):
        return
    assert clean(text) == text
    assert text.startswith("Notice from C. ")
    assert text.endswith("case 7.")
