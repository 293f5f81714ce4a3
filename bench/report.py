"""The tables: ratios first, then what they were made of, the machine, and what the figures do not say."""

import importlib.metadata
import os
import platform
import sqlite3
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import median

from bench.contest import Rounds, Size
from bench.load import CONNECTIONS, THREADS, Round

OURS, OURS_ORDER, OURS_MIX = "ours: line without an order", "ours: line under an order", "ours: 1 % mix"
FLASK, WSGI = "constant Flask view", "bare WSGI limit"
_RATIOS = ((OURS, FLASK), (OURS_ORDER, FLASK), (OURS_MIX, FLASK), (OURS, WSGI), (FLASK, WSGI))
_PACKAGES = ("gunicorn", "flask", "werkzeug", "sqlalchemy", "prometheus-client", "structlog")

_REMARKS = """\
## What the figures mean

- A ratio is the median rate of one program divided by the median rate of another in the same run. The spread beside it
  is the smallest and largest quotient within one round. Rates by themselves belong to the machine and to whatever else
  it did at the time; the load average says how much that was.
- wrk and the servers share the machine's cores, and the five rounds take turns, each beginning with another program.
- The load is a closed loop: as many requests under way as there are connections. So p50 and p99 are those of a server
  at its limit, and p50 follows from the rate. A telephone exchange sends calls at its own pace and sees less.
- CPU time is what the workers used, user and system, divided by the answers. A busy machine inflates it less.
- The constant Flask view parses the form and answers a document of the same length and type; it checks no signature,
  asks nobody and logs nothing. The bare WSGI callable reads the body and answers: nothing behind this gunicorn can do
  less. Both run under `config/gunicorn.conf.py`, which is the gateway's.
- The gateway runs as `notice-gateway serve` starts it, on SQLite, with its default log level: one line of JSON a
  webhook, here to /dev/null.
- Each call has its own CallSid, caller and signature, made before the round. A line under an order costs a look-up
  and a recorded play; the orders take turns. Nothing is synthesized, transcoded or read from a file in a call.
- "Silent" counts calls to lines under an order that were connected without their notice because the register or its
  record did not answer within its time limit.
- Before the rounds the bench checks the documents; that a webhook sent twice leaves one play; and that a line without
  an order is answered as ever while the database is moved away. After them: as many plays as notices.
"""


def tables(rounds: Rounds, silent: int) -> str:
    """Return the ratios and the rounds they are made of, as Markdown."""
    lines = ["| ratio of medians | value | smallest to largest of the rounds |", "|---|---|---|"]
    lines += [_ratio(rounds, *pair) for pair in _RATIOS]
    lines += [
        "",
        "| program | requests/s (smallest to largest) | slowest / median | p50 ms | p99 ms | CPU us/request |",
        "|---|---|---|---|---|---|",
        *(_row(name, each) for name, each in rounds.items()),
    ]
    repeated = sum(each.repeated for name in (FLASK, WSGI) for each in rounds[name])
    lines += ["", f"Silent under load: {silent} calls. Sent again to the peers for want of new calls: {repeated}."]
    return "\n".join(lines) + "\n"


def results(table: str, size: Size, now: datetime, load: str) -> str:
    """Return the text of `bench/RESULTS.md`."""
    return (
        f"# Results\n\nMeasured on {now:%Y-%m-%d}, by `make bench`; `bench/README.md` tells how it works.\n\n"
        f"{table}\n## Machine and commands\n\n{_machine(load)}\n{_commands(size)}\n{_REMARKS}"
    )


def _ratio(rounds: Rounds, one: str, other: str) -> str:
    value = median(each.rate for each in rounds[one]) / median(each.rate for each in rounds[other])
    quotients = [a.rate / b.rate for a, b in zip(rounds[one], rounds[other], strict=True)]
    return f"| {one} / {other} | **{value:.2f}** | {min(quotients):.2f} to {max(quotients):.2f} |"


def _row(name: str, rounds: list[Round]) -> str:
    def middle(read: Callable[[Round], float]) -> float:
        return median(read(each) for each in rounds)

    rates = [each.rate for each in rounds]
    rate = f"{median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"
    latency = f"{middle(lambda each: each.p50):.1f} | {middle(lambda each: each.p99):.1f}"
    cpu = f"{middle(lambda each: each.cpu_microseconds):.0f}"
    return f"| {name} | {rate} | {min(rates) / median(rates):.2f} | {latency} | {cpu} |"


def _machine(load: str) -> str:
    memory = next(line for line in _read("/proc/meminfo") if line.startswith("MemTotal"))
    models = {line.partition(":")[2].strip() for line in _read("/proc/cpuinfo") if line.startswith("model name")}
    wrk = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout.split()[1]
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    return (
        f"- {os.cpu_count()} cores ({', '.join(sorted(models)) or platform.machine()}),"
        f" {int(memory.split()[1]) / 2**20:.0f} GiB of memory; load average before the run {load}\n"
        f"- Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, wrk {wrk}, {versions}\n"
    )


def _commands(size: Size) -> str:
    return (
        "```\nscripts/install-test-packages\n.venv/bin/python bench/run.py\n"
        "  notice-gateway serve --bind 127.0.0.1:PORT\n"
        "  gunicorn --config config/gunicorn.conf.py --bind 127.0.0.1:PORT"
        " bench.peers.flask_constant:application | bench.peers.wsgi_constant:application\n"
        f"  wrk -t{THREADS} -c{CONNECTIONS} -d{size.seconds}s --timeout=30s -s bench/load.lua http://127.0.0.1:PORT --"
        f" REQUESTS {THREADS}\n```\n\n"
        f"{size.rounds} rounds of {size.seconds} s each, {size.orders:,} orders in force.\n"
    )


def _read(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()
