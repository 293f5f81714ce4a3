"""The picture of a sound: sound XML, told in words, its outline as high as the sound, and its seconds in order."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from gateway.console.waveform_picture import place, ticks_of, waveform

SVG = "{http://www.w3.org/2000/svg}"


def a_picture(peaks: tuple[float, ...] = (0.5, 1.0, 0.0), seconds: float = 3.0, title: str = "A sound") -> Markup:
    return waveform(peaks, seconds, key="k", title=title, description="Three seconds")


def elements(picture: Markup) -> ET.Element:
    return ET.fromstring(str(picture))  # noqa: S314  (our own text)


def test_the_outline_is_as_high_as_the_sound_and_silence_is_a_thin_line() -> None:
    path = next(elements(a_picture()).iter(f"{SVG}path")).get("d", "")
    heights = [abs(float(each)) for each in re.findall(r"L\d+ (-[\d.]+)", path)]
    assert heights[:2] == [0.5, 1.0]
    assert 0 < heights[2] < 0.05


def test_a_screen_reader_is_told_what_the_picture_is_and_texts_are_escaped() -> None:
    root = elements(a_picture(title='"><script>alert(1)</script>'))
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "k-title k-description"
    assert [each.text for each in root.iter(f"{SVG}title")] == ['"><script>alert(1)</script>']
    assert [each.text for each in root.iter(f"{SVG}desc")] == ["Three seconds"]


def test_the_content_security_policy_finds_nothing_to_refuse() -> None:
    assert "style" not in a_picture()
    assert "<script" not in a_picture()


@given(st.floats(0, 300))
def test_seconds_are_few_and_in_order_and_lie_within_the_sound(seconds: float) -> None:
    ticks = ticks_of(seconds)
    assert ticks[0] == 0
    assert len(ticks) <= 7
    assert list(ticks) == sorted(set(ticks))
    assert ticks[-1] <= seconds


@pytest.mark.parametrize(("at", "seconds", "where"), [(0, 4, "0.000%"), (1, 4, "25.000%"), (4, 4, "100.000%")])
def test_an_instant_has_its_place_on_the_clock(at: float, seconds: float, where: str) -> None:
    assert place(at, seconds) == where


def test_a_sound_of_no_length_at_all_is_drawn_too() -> None:
    assert elements(a_picture(peaks=(), seconds=0.0)) is not None
