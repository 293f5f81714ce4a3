"""What the screen of one worker costs: memory, time to load, a look-up, and what calls feel while it is read anew.

`python -m bench.screen 10000000` from the repository's root prints a table for SQLite and PostgreSQL. The lines are
rows of random indexes, made by the database itself: nothing of them is ever decrypted.
"""

import gc
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from gateway.assembly import Parts, prepare, put_together
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.domain.order import Authority, Order, approve, submit
from gateway.domain.subject import NaturalPerson
from gateway.register import courts, districts, installation, orders
from gateway.register.ids import new_id
from gateway.register.screen import Screen
from gateway.register.screen_keeper import ScreenKeeper
from gateway.register.screen_shelf import Shelf
from gateway.settings import Settings, load
from gateway.workflows.load_demo import COURTS, DISTRICTS
from tests.postgres import running_postgres

_LINES_EACH = 1_000
# A table as it is, less keys and checks, each of which would be looked at for every one of ten million lines.
_EMPTY_TABLE = {
    "sqlite": (
        "CREATE TABLE bare AS SELECT * FROM lines WHERE false",
        "DROP TABLE lines",
        "ALTER TABLE bare RENAME TO lines",
        "PRAGMA cache_size = -200000",
    ),
    "postgresql": (
        "CREATE UNLOGGED TABLE bare (LIKE lines)",
        "DROP TABLE lines CASCADE",
        "ALTER TABLE bare RENAME TO lines",
        "SET LOCAL maintenance_work_mem = '512MB'",
    ),
}
_INSERT = {
    "sqlite": """
WITH RECURSIVE up (number) AS MATERIALIZED (VALUES (1) UNION ALL SELECT number + 1 FROM up WHERE number < :each)
INSERT INTO lines (line_id, order_id, line_index, line, zone)
SELECT 'line_' || order_id || number, order_id, randomblob(16), x'00', '' FROM orders CROSS JOIN up LIMIT :lines
""",
    "postgresql": """
INSERT INTO lines (line_id, order_id, line_index, line, zone)
SELECT 'line_' || order_id || number, order_id, decode(md5(order_id || number), 'hex'), '\\x00', ''
FROM orders CROSS JOIN generate_series(1, :each) AS number LIMIT :lines
""",
}
_LOOK_UPS = 20
_EVERY_SECONDS = 0.001
_QUIET_SECONDS = 5.0
_LONGEST_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one worker found; times in seconds, memory in megabytes, a look-up in microseconds."""

    lines: int
    load: float
    memory: float
    peak: float
    look_up: float
    quiet: float
    meanwhile: float
    rebuild: float


def measured(scratch: Path, lines: int) -> str:
    """Measure with so many lines on both databases, in the empty folder `scratch`; return a table in Markdown."""
    rows = []
    for name in ("SQLite", "PostgreSQL"):
        folder = scratch / name
        with _database(name) as url:
            settings = _settings(folder, url)
            _make_register(settings, lines)
            rows.append((f"{name}, from the database", _worker(settings)))
            rows.append((f"{name}, from the saved copy", _worker(settings)))
    return _table(rows)


@contextmanager
def _database(name: str) -> Iterator[str]:
    if name == "SQLite":
        yield ""
        return
    with running_postgres() as server:
        yield server.url(server.create())


def _settings(folder: Path, url: str) -> Settings:
    return load(data_dir=folder, database_url=url, database_screens_url="", master_key=None)


def _make_register(settings: Settings, lines: int) -> None:
    """Put orders in force, a thousand lines to each."""
    parts = prepare(settings)
    now = utc_now()
    with parts.studio.engine.begin() as connection:
        for court in COURTS:
            courts.add(connection, court)
        for district in DISTRICTS:
            districts.add(connection, district, now)
        for number in range(-(-lines // _LINES_EACH)):
            draft = Order(
                order_id=new_id("ord"),
                court_id="lakeside",
                district_id="lakeside-north",
                case_number=f"SCREEN-{number:07d}",
                subject=NaturalPerson(name="Nobody at all"),
                authority=Authority(legal_basis="Bench only: no law, no court, no debt.", document_sha256="0" * 64),
                drafted_by="bench.clerk",
                drafted_at=now,
            )
            order = approve(submit(draft, now), "bench.judge", now + timedelta(days=90), timedelta(days=3), now)
            orders.add(connection, order, (), parts.keys)
        _put_lines(connection, lines)
    parts.close()


def _put_lines(connection: Connection, lines: int) -> None:
    """Put lines in within the database, to a table without keys, and then the two indexes that a screen is read by."""
    dialect = connection.dialect.name
    for statement in _EMPTY_TABLE[dialect]:
        connection.exec_driver_sql(statement)
    made = {"each": _LINES_EACH, "lines": lines}
    connection.execute(text(_INSERT[dialect]), made)
    for columns in ("line_index", "order_id, line_index"):
        connection.exec_driver_sql(f"CREATE INDEX bench_{columns[:5]} ON lines ({columns})")
    connection.exec_driver_sql("ANALYZE lines")


def _worker(settings: Settings) -> Found:
    """Measure in a process of its own, as a worker is one."""
    stated = json.dumps({"folder": str(settings.data_dir), "url": settings.database_url})
    command = [sys.executable, "-m", "bench.screen", "--worker"]
    done = subprocess.run(command, input=stated, stdout=subprocess.PIPE, text=True, check=True)
    return Found(**json.loads(done.stdout))


def _find() -> Found:
    stated = json.load(sys.stdin)
    settings = _settings(Path(stated["folder"]), stated["url"])
    parts = put_together(settings)
    with parts.screens.connect() as connection:
        installation.generation(connection)
    screen, failures = Screen(parts.keys), list[Exception]()
    shelf = Shelf(settings.screen_dir, parts.screens, parts.keys)
    keeper = ScreenKeeper(screen, parts.screens, every=0.2, failed=failures.append, shelf=shelf)
    gc.collect()
    base = _resident()
    began = time.perf_counter()
    keeper.start()
    while not screen.is_loaded:
        time.sleep(0.01)
    load_seconds = time.perf_counter() - began
    memory = _resident() - base
    look_up = _look_up_microseconds(screen)
    quiet, _ = _p99(screen, _QUIET_SECONDS, lambda: False)
    meanwhile, rebuild = _while_it_is_read(parts, screen)
    peak = _peak() - base
    keeper.stop()
    parts.close()
    if failures:
        raise failures[0]
    return Found(
        lines=screen.size,
        load=load_seconds,
        memory=memory,
        peak=peak,
        look_up=look_up,
        quiet=quiet,
        meanwhile=meanwhile,
        rebuild=rebuild,
    )


def _while_it_is_read(parts: Parts, screen: Screen) -> tuple[float, float]:
    """Let all lines be read anew; return the p99 meanwhile, and how long it took."""
    before = screen.build
    announced = threading.Thread(target=_announce, args=(parts,))
    announced.start()
    found = _p99(screen, _LONGEST_SECONDS, lambda: screen.build != before)
    announced.join()
    return found


def _announce(parts: Parts) -> None:
    with parts.studio.engine.begin() as connection:
        installation.announce(connection)


def _p99(screen: Screen, seconds: float, is_over: Any) -> tuple[float, float]:  # noqa: ANN401  (a question)
    """Look a few lines up each millisecond, as long as a call keeps the interpreter; return the p99 and the time."""
    lines, took = _strangers(_LOOK_UPS), []
    began = time.perf_counter()
    while time.perf_counter() - began < seconds and not is_over():
        time.sleep(_EVERY_SECONDS)
        at = time.perf_counter()
        for line in lines:
            screen.may_hold(line)
        took.append(time.perf_counter() - at)
    return statistics.quantiles(took, n=100)[98] * 1e6, time.perf_counter() - began


def _look_up_microseconds(screen: Screen) -> float:
    lines, rounds = _strangers(20_000), []
    for _ in range(5):
        at = time.perf_counter()
        for line in lines:
            screen.may_hold(line)
        rounds.append((time.perf_counter() - at) / len(lines) * 1e6)
    return statistics.median(rounds)


def _strangers(count: int) -> list[E164]:
    return [E164(f"+1202{random.randrange(10**7):07d}") for _ in range(count)]  # noqa: S311  (no secret)


def _resident() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _peak() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(each.split()[1]) * 1024 / 1e6 for each in status if each.startswith("VmHWM"))


def _table(rows: list[tuple[str, Found]]) -> str:
    head = (
        "| a worker's screen | lines | time to load | memory over base (most) | look-up"
        " | read anew in | p99 of 20 look-ups: quiet, meanwhile | ratio |\n"
        "|---|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(
        f"| {name} | {each.lines:,} | {each.load:.2f} s | {each.memory:.0f} MB ({each.peak:.0f} MB)"
        f" | {each.look_up:.2f} us | {each.rebuild:.1f} s | {each.quiet:.0f} us, {each.meanwhile:.0f} us"
        f" | {each.meanwhile / each.quiet:.2f} |\n"
        for name, each in rows
    )


def main() -> None:
    """Measure with as many lines as asked for; as a worker, answer on the standard output."""
    if sys.argv[1:] == ["--worker"]:
        json.dump(asdict(_find()), sys.stdout)
        return
    for lines in map(int, sys.argv[1:] or ["10000", "10000000"]):
        with tempfile.TemporaryDirectory(prefix="notice-gateway-screen-") as scratch:
            sys.stdout.write(measured(Path(scratch), lines) + "\n")


if __name__ == "__main__":
    main()
