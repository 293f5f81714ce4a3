"""One round of load: wrk replays signed requests over kept-alive connections for a few seconds."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.servers import Server

THREADS, CONNECTIONS = 2, 16
_SCRIPT = Path(__file__).with_name("load.lua")
_GRACE_SECONDS = 30


class LoadError(Exception):
    """A round of load went wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What came of a round: rate in answers a second, latencies in milliseconds, the workers' CPU time an answer.

    `repeated` counts requests that were sent for a second time because a thread had run out of new ones.
    """

    answered: int
    sent: int
    repeated: int
    rate: float
    p50: float
    p99: float
    cpu_microseconds: float


def run_round(server: Server, requests: Path, seconds: int) -> Round:
    """Load `server` with the requests of a file. Raises LoadError for any answer that is no 2xx."""
    command = [
        "wrk",
        f"-t{THREADS}",
        f"-c{CONNECTIONS}",
        f"-d{seconds}s",
        f"--timeout={_GRACE_SECONDS}s",
        "-s",
        str(_SCRIPT),
        server.url,
    ]
    command += ["--", str(requests), str(THREADS)]
    before = server.cpu_seconds()
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 2 * _GRACE_SECONDS)
    used = server.cpu_seconds() - before
    if ran.returncode != 0:
        raise LoadError(f"wrk failed: {ran.stderr.strip() or ran.stdout.strip()}")
    found = json.loads(ran.stdout.strip().splitlines()[-1])
    if found["failed"] or not found["answered"]:
        raise LoadError(f"{server.name}: {found['failed']} of {found['sent']} requests failed")
    return Round(
        answered=found["answered"],
        sent=found["sent"],
        repeated=found["repeated"],
        rate=found["answered"] / (found["microseconds"] / 1e6),
        p50=found["p50"] / 1000,
        p99=found["p99"] / 1000,
        cpu_microseconds=used / found["answered"] * 1e6,
    )
