"""The rounds: every entrant in turn, again and again, so that what else the machine does falls on all of them alike."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.calls import Scenario, calls, write
from bench.load import Round, run_round
from bench.servers import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured. Enough calls are made for every CallSid of the gateway's rounds to be new."""

    rounds: int
    seconds: int
    warm_up: bool
    orders: int
    calls: int
    calls_with_order: int
    race_calls: int
    lines: int
    import_rows: int


FULL = Size(
    rounds=10,
    seconds=2,
    warm_up=True,
    orders=10_000,
    calls=24_000,
    calls_with_order=15_000,
    race_calls=200_000,
    lines=10_000_000,
    import_rows=200_000,
)
SHORT = Size(
    rounds=1,
    seconds=1,
    warm_up=False,
    orders=3_000,
    calls=10_000,
    calls_with_order=5_000,
    race_calls=1_500,
    lines=0,
    import_rows=2_000,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A server with the calls that it gets; `program` is how the tables name the server."""

    program: str
    server: Server
    scenario: Scenario

    @property
    def key(self) -> "Key":
        """Return what its rounds are filed under."""
        return self.program, self.scenario


Key = tuple[str, Scenario]
Rounds = dict[Key, list[Round]]


def hold(entrants: Sequence[Entrant], size: Size, scratch: Path, *, seed: int = 0) -> Rounds:
    """Run all rounds and return them by entrant. Raises LoadError."""
    if size.warm_up:
        _hold_round(entrants, size, scratch, number=seed - 1, seconds=1)
    found: Rounds = {entrant.key: [] for entrant in entrants}
    for number in range(size.rounds):
        for key, each in _hold_round(entrants, size, scratch, number=seed + number, seconds=size.seconds):
            found[key].append(each)
    return found


def _hold_round(
    entrants: Sequence[Entrant], size: Size, scratch: Path, *, number: int, seconds: int
) -> list[tuple[Key, Round]]:
    """Run each entrant once; another one begins each time."""
    files = {entrant.scenario: scratch / entrant.scenario.name for entrant in entrants}
    for scenario, file in files.items():
        count = size.calls_with_order if scenario is Scenario.WITH_ORDER else size.calls
        write(calls(scenario, count, seed=number, orders=size.orders), file)
    return [
        (entrant.key, run_round(entrant.server, files[entrant.scenario], seconds))
        for entrant in _turned(entrants, number)
    ]


def _turned(entrants: Sequence[Entrant], number: int) -> Iterator[Entrant]:
    start = number % len(entrants)
    yield from entrants[start:]
    yield from entrants[:start]
