"""The chart is sound XML, says nothing of colour in styles, and its bars are as high as its counts."""

import itertools
from xml.etree import ElementTree as ET

import pytest

from gateway.console.chart import Chart, Series, bars

SVG = "{http://www.w3.org/2000/svg}"
HOURS = tuple(f"{hour:02}" for hour in range(24))


def a_chart(
    *series: Series, labels: tuple[str, ...] = HOURS, title: str = "Calls", description: str = "By hour"
) -> Chart:
    return bars(series, labels, key="today", title=title, description=description)


def calls(*first: int) -> Series:
    return Series(name="Calls", counts=(*first, *(0,) * (24 - len(first))))


def elements(chart: Chart) -> ET.Element:
    return ET.fromstring(str(chart.svg))  # noqa: S314  (our own text)


def bar_heights(chart: Chart, number: int) -> list[float]:
    """Return the heights of one series' blocks, the legend's left out."""
    blocks = elements(chart).iter(f"{SVG}rect")
    found = [
        float(each.get("height", "")) for each in blocks if each.get("class") == f"chart__bar chart__bar--{number}"
    ]
    return found[:-1]


def test_a_bar_is_as_high_as_its_count_and_what_is_not_counted_has_none() -> None:
    heights = bar_heights(a_chart(calls(100, 50, 0, 25)), 1)
    assert [round((height + 1) / 1.5) for height in heights] == [50, 25, 12]
    assert bar_heights(a_chart(calls()), 1) == []


def test_one_call_beside_a_hundred_thousand_is_still_seen() -> None:
    assert min(bar_heights(a_chart(calls(100_000, 1)), 1)) > 0.5


def test_a_screen_reader_is_told_what_the_picture_is() -> None:
    root = elements(a_chart(calls(1)))
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert root.get("role") == "img"
    assert title is not None
    assert description is not None
    assert root.get("aria-labelledby", "").split() == [title.get("id"), description.get("id")]
    assert (title.text, description.text) == ("Calls", "By hour")


def test_series_are_told_apart_without_colour() -> None:
    chart = a_chart(calls(3, 3), Series(name="Notices", counts=(2, *(0,) * 23)))
    fills = [each.get("fill") for each in elements(chart).iter(f"{SVG}rect")]
    assert fills.count("url(#today-p1)") == 2
    patterns = {each.get("id") for each in elements(chart).iter(f"{SVG}pattern")}
    assert patterns == {"today-p1"}


def test_the_content_security_policy_finds_nothing_to_refuse() -> None:
    text = str(a_chart(calls(3), Series(name="Notices", counts=(2,) * 24)).svg)
    assert "style" not in text
    assert "<script" not in text
    assert " on" not in text.replace("once", "")


def test_texts_are_escaped_wherever_they_stand() -> None:
    nasty = '"><script>alert(1)</script>'
    chart = bars((Series(name=nasty, counts=(1,)),), (nasty,), key="k", title=nasty, description=nasty)
    assert "<script" not in chart.svg
    assert [each.text for each in elements(chart).iter(f"{SVG}title")] == [nasty]


def test_labels_leave_room_for_each_other_at_360_pixels() -> None:
    for labels in (HOURS, tuple(f"{hour:02}:30" for hour in range(24))):
        found = list(elements(a_chart(calls(1), labels=labels)).iter(f"{SVG}text"))
        shown = [each for each in found if each.get("class") == "chart__label"]
        places = [float(each.get("x", "")) for each in shown]
        assert shown[0].text == labels[0]
        assert len(shown) > 4
        assert min(after - before for before, after in itertools.pairwise(places)) > len(labels[0]) * 7


def test_the_table_beside_it_has_the_same_numbers() -> None:
    chart = a_chart(calls(3, 4), Series(name="Notices", counts=(2, *(0,) * 23)))
    assert chart.names == ("Calls", "Notices")
    assert [(row.label, row.counts, row.total) for row in chart.rows[:2]] == [("00", (3, 2), 5), ("01", (4, 0), 4)]
    assert len(chart.rows) == 24


def test_a_series_that_lacks_an_hour_is_refused() -> None:
    with pytest.raises(ValueError, match="each label"):
        bars((Series(name="Calls", counts=(1,)),), HOURS, key="k", title="t", description="d")
