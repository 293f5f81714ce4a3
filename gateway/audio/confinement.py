"""Running untrusted or unreliable work in a subprocess that has bounds on everything it can use."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

_ANSWER_FILE = "answer.json"
_ANSWER_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a subprocess may use; sizes in bytes, times in seconds."""

    wall_seconds: float = 30.0
    cpu_seconds: int = 30
    memory_bytes: int = 1 << 30
    file_bytes: int = 64 << 20
    open_files: int = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The subprocess finished and said this."""

    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The subprocess was killed because it did not finish in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Died:
    """The subprocess ended without an answer; a negative status is the signal that ended it."""

    status: int


Outcome = Answered | TimedOut | Died


def run_confined(
    module: str,
    *,
    request: Mapping[str, Any],
    stdin: BinaryIO,
    workplace: Path,
    bounds: Bounds,
    environment: Mapping[str, str],
) -> Outcome:
    """Run `module` as a program within `bounds`, in `workplace`, and return how it ended.

    The program finds `request` in its argument and untrusted or private input on its standard input: arguments show in
    the process list. It starts its own process group, and the whole group is killed when the time is up.
    """
    # -I keeps the working directory and PYTHON* variables out of the import path; installed packages are still found.
    command = [sys.executable, "-I", "-m", module, json.dumps({"bounds": asdict(bounds), "request": dict(request)})]
    answer_file = workplace / _ANSWER_FILE
    with answer_file.open("wb") as stdout:
        process = subprocess.Popen(  # noqa: S603 - the command is this interpreter and a module of this package.
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
            cwd=workplace,
            env={"LANG": "C.UTF-8", **environment},
            start_new_session=True,
        )
        try:
            process.wait(bounds.wall_seconds)
        except subprocess.TimeoutExpired:
            return TimedOut()
        finally:
            _end(process)
    return _read_answer(answer_file, process.returncode)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        # Not yet reaped, so the group's number cannot have passed to a stranger.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _read_answer(answer_file: Path, status: int) -> Outcome:
    with answer_file.open("rb") as file:
        said = file.read(_ANSWER_BYTES)
    try:
        answer = json.loads(said)
    except ValueError:
        return Died(status=status)
    if status != 0 or not isinstance(answer, dict):
        return Died(status=status)
    return Answered(answer=answer)


def confine(argument: str) -> dict[str, Any]:
    """Apply the bounds in a program's `argument` to this process, for good, and return its request.

    The program does this itself, first thing: `preexec_fn` in the parent is not safe in a process with threads.
    """
    order = json.loads(argument)
    bounds = Bounds(**order["bounds"])
    for kind, most in (
        (resource.RLIMIT_AS, bounds.memory_bytes),
        (resource.RLIMIT_CPU, bounds.cpu_seconds),
        (resource.RLIMIT_FSIZE, bounds.file_bytes),
        (resource.RLIMIT_NOFILE, bounds.open_files),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    request: dict[str, Any] = order["request"]
    return request
