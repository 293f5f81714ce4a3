import os
import time
from pathlib import Path

import pytest

from gateway.audio.confinement import Answered, Bounds, Died, Outcome, TimedOut, run_confined


def run(wanted: str, workplace: Path, bounds: Bounds) -> Outcome:
    with Path(os.devnull).open("rb") as nothing:
        return run_confined(
            "tests.audio.greedy",
            request={"wanted": wanted},
            stdin=nothing,
            workplace=workplace,
            bounds=bounds,
            environment={},
        )


def test_a_modest_program_answers(tmp_path: Path) -> None:
    assert run("nothing", tmp_path, Bounds()) == Answered(answer={"wanted": "nothing"})


@pytest.mark.parametrize(
    ("wanted", "bounds"),
    [
        ("memory", Bounds(memory_bytes=1 << 30)),
        ("files", Bounds(open_files=32)),
        ("disk", Bounds(file_bytes=1 << 20)),
        ("processor", Bounds(cpu_seconds=1)),
    ],
)
def test_a_program_that_takes_too_much_dies_alone(wanted: str, bounds: Bounds, tmp_path: Path) -> None:
    outcome = run(wanted, tmp_path, bounds)
    assert isinstance(outcome, Died)
    assert outcome.status != 0


def is_alive(process: int) -> bool:
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


def test_a_program_that_takes_too_long_is_killed_with_everything_it_started(tmp_path: Path) -> None:
    started = time.monotonic()
    assert run("time", tmp_path, Bounds(wall_seconds=2.0)) == TimedOut()
    assert time.monotonic() - started < 10
    grandchild = int((tmp_path / "grandchild").read_text(encoding="utf-8"))
    deadline = time.monotonic() + 5
    while is_alive(grandchild) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(grandchild)
