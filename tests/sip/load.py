"""Load by SIPp: calls at a steady rate, some of them to a line with a notice."""

import csv
import itertools
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.sip.edge import Program
from tests.sip.house import FREE, PUBLIC
from tests.sip.works import Works

_SCENARIOS = Path(__file__).parent / "scenarios"
# A caller who rings one line again and again would be taken for a circle.
_CALLERS = 9000
# SIPp binds ports for pictures behind those for sound, whether or not there are any.
_MEDIA_PORTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What became of a load: SIPp's own count of calls that succeeded and failed, and what it printed."""

    succeeded: int
    failed: int
    said: str


@contextmanager
def answering(works: Works, folder: Path) -> Iterator[None]:
    """Let SIPp answer in the place of the endpoint that is called."""
    works.callee.close()
    command = ["sipp", "-sf", str(_SCENARIOS / "callee.xml"), "-i", "127.0.0.1", "-p", str(works.edge.callee)]
    callee = Program(
        command=[*command, "-mp", str(works.ports.several(_MEDIA_PORTS)[0]), "-nostdin"],
        log=folder / "callee.log",
        env={"PATH": os.defpath, "TERM": "dumb", "HOME": str(folder)},
    )
    callee.start()
    try:
        yield
    finally:
        callee.kill()


def load(works: Works, folder: Path, *, rate: int, calls: int, notice_every: int = 0, callee: str = FREE) -> Load:
    """Make `calls` calls, `rate` a second, to `callee`; each `notice_every`-th to a line with a notice, none for 0."""
    table = folder / f"calls-{works.ports.one()}.csv"
    with table.open("w", newline="") as file:
        file.write("SEQUENTIAL\n")
        rows = csv.writer(file, delimiter=";", lineterminator="\n")
        for turn, caller in zip(range(calls), itertools.cycle(range(_CALLERS)), strict=False):
            noticed = notice_every and turn % notice_every == 0
            rows.writerow((f"+1303555{caller:04}", PUBLIC if noticed else callee))
    statistics = table.with_suffix(".statistics")
    command = ["sipp", "-sf", str(_SCENARIOS / "caller.xml"), "-inf", str(table), "-i", "127.0.0.1"]
    command += [
        "-p",
        str(works.ports.one()),
        "-mp",
        str(works.ports.several(_MEDIA_PORTS)[0]),
        "-r",
        str(rate),
        "-m",
        str(calls),
    ]
    command += ["-l", "4000", "-nostdin", "-trace_stat", "-stf", str(statistics), "-fd", "1"]
    command += ["-recv_timeout", "10000", "-timeout", str(calls // rate + 40), f"127.0.0.1:{works.edge.sip}"]
    done = subprocess.run(
        command,
        env={"PATH": os.defpath, "TERM": "dumb", "HOME": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=calls / rate + 60,
    )
    with statistics.open(newline="") as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    return Load(
        succeeded=int(last["SuccessfulCall(C)"]), failed=int(last["FailedCall(C)"]), said=done.stdout + done.stderr
    )
