"""The tables: goals and ratios first, then what they were made of, the machine, and what the figures do not say."""

import importlib.metadata
import os
import platform
import sqlite3
import subprocess
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from statistics import median

from bench.calls import Scenario
from bench.charts import Bar, Chart, Group, draw
from bench.contest import Key, Rounds, Size
from bench.entrants import ASKING, CONSTANT, FASTAPI, FLASK, NODE, OURS, OURS_POSTGRES, OURS_SQLITE, TUTORIAL, WSGI
from bench.goals import quotients, shown
from bench.load import CONNECTIONS, THREADS, Round

_NO_ORDER, _ORDER, _MIX = Scenario.WITHOUT_ORDER, Scenario.WITH_ORDER, Scenario.MIX
_RATIOS: tuple[tuple[Key, Key], ...] = (
    *(
        (ours, (constant, _NO_ORDER))
        for ours in ((program, scenario) for scenario in Scenario for program in OURS)
        for constant in CONSTANT
    ),
    *(
        ((OURS_POSTGRES, scenario), (peer, scenario))
        for scenario in (_MIX, _NO_ORDER, _ORDER)
        for peer in (TUTORIAL, NODE, FASTAPI)
    ),
    ((FLASK, _NO_ORDER), (WSGI, _NO_ORDER)),
)
_PACKAGES = ("gunicorn", "flask", "werkzeug", "sqlalchemy", "psycopg", "prometheus-client", "structlog")
_PEER_PACKAGES = ("twilio", "fastapi", "uvicorn", "uvloop", "httptools", "asyncpg")

_REMARKS = """\
## What the figures mean

- A ratio is the median rate of one program divided by the median rate of another in the same run. The spread beside it
  is the smallest and largest quotient within one round. Rates by themselves belong to the machine and to whatever else
  it did at the time; the load average says how much that was.
- wrk, PostgreSQL and the servers share the machine's cores. All take turns within a round, each round beginning with
  another one.
- The load is a closed loop: as many requests under way as there are connections. So p50 and p99 are those of a server
  at its limit, and p50 follows from the rate. A telephone exchange sends calls at its own pace and sees less.
- CPU time is what the workers used, user and system, divided by the answers. A busy machine inflates it less. What
  PostgreSQL itself used is not in it.
- The gateway runs as `notice-gateway serve` starts it, with its default log level: one line of JSON a webhook, here to
  /dev/null. It checks, decides, counts and records; what each peer leaves out is in `bench/README.md`.
- Each call has its own CallSid, caller and signature, made before the round. A line under an order costs the gateway a
  look-up and a recorded play; the orders take turns. Nothing is synthesized, transcoded or read from a file in a call.
- "Silent" counts calls to lines under an order that were connected without their notice because the register or its
  record did not answer within its time limit.
- Before the rounds the bench checks the documents, that the peers refuse a wrong signature, that a webhook sent twice
  leaves one play, and that a line without an order is answered as ever while the database is taken away. After them: a
  recorded play for every notice.
"""


def tables(rounds: Rounds, silent: int) -> str:
    """Return the ratios and the rounds they are made of, as Markdown."""
    lines = ["| ratio of medians | value | smallest to largest of the rounds |", "|---|---|---|"]
    lines += [_ratio(rounds, *pair) for pair in _RATIOS if all(key in rounds for key in pair)]
    lines += [
        "",
        "| program | calls | requests/s (smallest to largest) | slowest / median | p50 ms | p99 ms | CPU us/request |",
        "|---|---|---|---|---|---|---|",
        *(_row(key, each) for key, each in rounds.items()),
    ]
    repeated = sum(each.repeated for (name, _), found in rounds.items() if name not in OURS for each in found)
    lines += ["", f"Silent under load: {silent} calls. Sent again to the peers for want of new calls: {repeated}."]
    return "\n".join(lines) + "\n"


def write_charts(rounds: Rounds, folder: Path) -> str:
    """Write the charts into a folder beside the results, and return the Markdown that shows them."""
    folder.mkdir(exist_ok=True)
    asked = (OURS_POSTGRES, *ASKING)
    limits = (OURS_SQLITE, OURS_POSTGRES, *CONSTANT)
    charts = {
        "peers": _chart("Webhooks a second on PostgreSQL", "/s", rounds, asked, (_MIX, _NO_ORDER, _ORDER), _rate),
        "p99": _chart("99th percentile at full load, on PostgreSQL", "ms", rounds, asked, (_MIX, _NO_ORDER), _p99),
        "limits": _chart("Against constant answers", "/s", rounds, limits, (_NO_ORDER, _ORDER), _rate),
    }
    shown_here = []
    for name, chart in charts.items():
        (folder / f"{name}.svg").write_text(draw(chart), encoding="utf-8")
        shown_here.append(f"![{chart.in_words()}]({folder.name}/{name}.svg)")
    return "\n\n".join(shown_here) + "\n"


def results(content: str, size: Size, now: datetime, load: str, command: str) -> str:
    """Return the text of `bench/RESULTS.md`."""
    return (
        f"# Results\n\nMeasured on {now:%Y-%m-%d}, by `make bench`; `bench/README.md` tells how it works.\n\n"
        f"{content}\n## Machine and commands\n\n{_machine(load)}\n{_commands(size, command)}\n{_REMARKS}"
    )


def _ratio(rounds: Rounds, one: Key, other: Key) -> str:
    value, low, high = quotients(rounds, one, other)
    return f"| {shown(one, other)} | **{value:.2f}** | {low:.2f} to {high:.2f} |"


def _row(key: Key, rounds: list[Round]) -> str:
    def middle(read: Callable[[Round], float]) -> float:
        return median(read(each) for each in rounds)

    rates = [each.rate for each in rounds]
    rate = f"{median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"
    latency = f"{middle(lambda each: each.p50):.1f} | {middle(_p99):.1f}"
    cpu = f"{middle(lambda each: each.cpu_microseconds):.0f}"
    program, scenario = key
    return f"| {program} | {scenario.value} | {rate} | {min(rates) / median(rates):.2f} | {latency} | {cpu} |"


def _rate(each: Round) -> float:
    return each.rate


def _p99(each: Round) -> float:
    return each.p99


def _chart(
    title: str,
    unit: str,
    rounds: Rounds,
    programs: Iterable[str],
    scenarios: Iterable[Scenario],
    read: Callable[[Round], float],
) -> Chart:
    programs = tuple(programs)
    groups = []
    for scenario in scenarios:
        bars = []
        for colour, program in enumerate(programs):
            # A constant answer was measured with one kind of calls, and stands beside all of them.
            found = rounds.get((program, _NO_ORDER if program in CONSTANT else scenario), [])
            values = [read(each) for each in found]
            if values:
                low, high = min(values), max(values)
                bars.append(Bar(label=program, colour=colour, value=median(values), low=low, high=high))
        groups.append(Group(heading=scenario.value, bars=bars))
    return Chart(title=title, unit=unit, groups=groups)


def _machine(load: str) -> str:
    memory = next(line for line in _read("/proc/meminfo") if line.startswith("MemTotal"))
    models = {line.partition(":")[2].strip() for line in _read("/proc/cpuinfo") if line.startswith("model name")}
    wrk = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout.split()[1]
    return (
        f"- {os.cpu_count()} cores ({', '.join(sorted(models)) or platform.machine()}),"
        f" {int(memory.split()[1]) / 2**20:.0f} GiB of memory; load average before the run {load}\n"
        f"- Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, wrk {wrk}, {_versions(_PACKAGES)}\n"
        f"- Peers: Node.js {_node()}, {_versions(_PEER_PACKAGES)}; `bench/peers/node/package-lock.json`\n"
    )


def _versions(names: Iterable[str]) -> str:
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)


def _node() -> str:
    return subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()


def _commands(size: Size, command: str) -> str:
    return (
        f"```\nmake bench\n  {command}\n"
        "  notice-gateway serve --bind 127.0.0.1:PORT\n"
        "  gunicorn --config config/gunicorn.conf.py --bind 127.0.0.1:PORT bench.peers.MODULE:application\n"
        "  uvicorn --workers 2 --loop uvloop --http httptools --no-access-log bench.peers.fastapi_asyncpg:application\n"
        "  node bench/peers/node/server.js\n"
        f"  wrk -t{THREADS} -c{CONNECTIONS} -d{size.seconds}s --timeout=30s -s bench/load.lua http://127.0.0.1:PORT --"
        f" REQUESTS {THREADS}\n```\n\n"
        f"{size.rounds} rounds of {size.seconds} s each, {size.orders:,} orders in force.\n"
    )


def _read(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()
