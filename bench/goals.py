"""The goals of the bench: what was to be reached, what was measured, and whether it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.calls import Scenario
from bench.contest import Key, Rounds
from bench.entrants import FASTAPI, FLASK, NODE, OURS, OURS_POSTGRES, OURS_SQLITE, TUTORIAL, WSGI
from bench.lift_race import Found
from bench.many_lines import Grown

_REMARKS = Path(__file__).with_name("REMARKS.md")
_NO_ORDER, _ORDER, _MIX = Scenario.WITHOUT_ORDER, Scenario.WITH_ORDER, Scenario.MIX
_SLOWEST, _GROWTH = 0.8, 1.15
_YES_NO = {True: "yes", False: "**no**"}
# One entrant, another one, and what the ratio of their medians is to reach.
_RATIOS: tuple[tuple[Key, Key, float], ...] = (
    ((OURS_SQLITE, _NO_ORDER), (WSGI, _NO_ORDER), 0.60),
    ((OURS_SQLITE, _NO_ORDER), (FLASK, _NO_ORDER), 1.1),
    ((OURS_SQLITE, _ORDER), (FLASK, _NO_ORDER), 0.70),
    ((OURS_POSTGRES, _ORDER), (FLASK, _NO_ORDER), 0.50),
    ((OURS_POSTGRES, _MIX), (TUTORIAL, _MIX), 3.0),
    ((OURS_POSTGRES, _MIX), (NODE, _MIX), 1.2),
    ((OURS_POSTGRES, _MIX), (FASTAPI, _MIX), 1.5),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One figure of the table."""

    figure: str
    goal: str
    measured: str
    reached: bool


def goals(rounds: Rounds, grown: Grown | None, races: Sequence[Found]) -> list[Goal]:
    """Return the goals whose figures were measured."""
    found = [_ratio(rounds, *each) for each in _RATIOS if all(key in rounds for key in each[:2])]
    found += [_slowest(rounds, program) for program in OURS]
    if grown is not None:
        low, high = grown.spread()
        found.append(
            Goal(
                figure=f"p99 at {grown.many:,} lines / p99 at {grown.few:,}, line without an order",
                goal=f"<= {_GROWTH}",
                measured=f"**{grown.ratio:.2f}** ({low:.2f} to {high:.2f})",
                reached=grown.ratio <= _GROWTH,
            )
        )
    found += [
        Goal(
            figure=f"stale notices in {each.calls:,} calls during {each.lifts:,} lifts, 4 workers, {each.database}",
            goal="0",
            measured=f"**{each.stale}**",
            reached=each.stale == 0,
        )
        for each in races
    ]
    return found


def table(found: Iterable[Goal]) -> str:
    """Return the goals as a table in Markdown, and what bench/REMARKS.md says of those that are out of reach."""
    found = tuple(found)
    lines = ["| figure (smallest to largest of the rounds) | goal | measured | reached |", "|---|---|---|---|"]
    lines += [f"| {each.figure} | {each.goal} | {each.measured} | {_YES_NO[each.reached]} |" for each in found]
    missed = [each for each in found if not each.reached]
    if missed:
        said = _REMARKS.read_text(encoding="utf-8").strip() if _REMARKS.exists() else "Nobody has said so yet."
        lines += ["", f"### What stops the {len(missed)} that are not reached", "", said]
    return "\n".join(lines) + "\n"


def quotients(rounds: Rounds, one: Key, other: Key) -> tuple[float, float, float]:
    """Return the ratio of the medians, and the smallest and largest quotient within one round."""
    value = median(each.rate for each in rounds[one]) / median(each.rate for each in rounds[other])
    each_round = [a.rate / b.rate for a, b in zip(rounds[one], rounds[other], strict=True)]
    return value, min(each_round), max(each_round)


def shown(one: Key, other: Key) -> str:
    """Return how a ratio of two entrants is called."""
    (first, calls), (second, others) = one, other
    if calls is others:
        return f"{first} / {second}, {calls.value}"
    return f"{first}, {calls.value} / {second}"


def _ratio(rounds: Rounds, one: Key, other: Key, goal: float) -> Goal:
    value, low, high = quotients(rounds, one, other)
    measured = f"**{value:.2f}** ({low:.2f} to {high:.2f})"
    return Goal(figure=shown(one, other), goal=f">= {goal:.2f}", measured=measured, reached=value >= goal)


def _slowest(rounds: Rounds, program: str) -> Goal:
    rates = [each.rate for each in rounds[program, _NO_ORDER]]
    share = min(rates) / median(rates)
    figure = f"slowest of {len(rates)} rounds / median, {program}, {_NO_ORDER.value}"
    return Goal(figure=figure, goal=f">= {_SLOWEST}", measured=f"**{share:.2f}**", reached=share >= _SLOWEST)
