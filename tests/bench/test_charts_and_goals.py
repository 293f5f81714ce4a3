"""Charts can be read by eye and by ear, and the table of goals says what was missed."""

from lxml import etree

from bench.calls import Scenario
from bench.charts import Bar, Chart, Group, draw
from bench.contest import Rounds
from bench.entrants import FLASK, OURS_POSTGRES, OURS_SQLITE, WSGI
from bench.goals import goals, table
from bench.load import Round

_SVG = {"svg": "http://www.w3.org/2000/svg"}
_CHART = Chart(
    title="Calls & answers",
    unit="/s",
    groups=[
        Group(
            heading="line without an order",
            bars=[
                Bar(label="ours", colour=0, value=4000, low=3900, high=4100),
                Bar(label="<theirs>", colour=1, value=2000, low=1000, high=2050),
            ],
        )
    ],
)


def a_round(rate: float) -> Round:
    return Round(answered=100, sent=100, repeated=0, rate=rate, p50=1.0, p99=2.0, cpu_microseconds=100.0)


def some_rounds(ours: float) -> Rounds:
    rounds: Rounds = {(name, Scenario.WITHOUT_ORDER): [a_round(1000.0), a_round(1000.0)] for name in (FLASK, WSGI)}
    for name in (OURS_SQLITE, OURS_POSTGRES):
        rounds[name, Scenario.WITHOUT_ORDER] = [a_round(ours), a_round(ours)]
    return rounds


def test_a_chart_is_an_svg_that_says_in_words_what_it_shows() -> None:
    drawn = etree.fromstring(draw(_CHART).encode())
    words = str(drawn.findtext("svg:desc", namespaces=_SVG))
    assert drawn.get("aria-labelledby") == "title words"
    assert "ours 4,000" in words
    assert "<theirs> 2,000" in words


def test_bars_are_as_long_as_their_figures_and_stay_inside_the_picture() -> None:
    drawn = etree.fromstring(draw(_CHART).encode())
    bars = [float(each.get("width", "0")) for each in drawn.findall("svg:rect", namespaces=_SVG)[1:]]
    assert abs(bars[0] - 2 * bars[1]) < 0.2
    assert max(bars) < float(str(drawn.get("viewBox")).split()[2])


def test_a_chart_has_colours_for_a_dark_page() -> None:
    assert "prefers-color-scheme:dark" in draw(_CHART)


def test_a_goal_is_reached_where_the_ratio_of_medians_is_as_high() -> None:
    found = {each.figure: each.reached for each in goals(some_rounds(1100.0), None, [])}
    assert found == {
        "ours on SQLite / bare WSGI limit, line without an order": True,
        "ours on SQLite / constant Flask view, line without an order": True,
        "slowest of 2 rounds / median, ours on SQLite, line without an order": True,
        "slowest of 2 rounds / median, ours on PostgreSQL, line without an order": True,
    }


def test_what_is_missed_is_said_and_asks_for_a_reason() -> None:
    shown = table(goals(some_rounds(700.0), None, []))
    assert (
        "| ours on SQLite / constant Flask view, line without an order | >= 1.10 | **0.70** (0.70 to 0.70) | **no** |"
        in (shown)
    )
    assert "### What stops the 1 that are not reached" in shown
