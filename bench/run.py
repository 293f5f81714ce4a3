"""Measure the gateway against its peers.

`python bench/run.py` writes bench/RESULTS.md and bench/charts; `--short` checks what noise cannot break and prints
tables; `--profile` shows where the time of a call goes.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import console, goals, lift_race, many_lines, screen, statements
from bench.api import compare_api
from bench.checks import CheckError, await_notices, settled
from bench.contest import FULL, SHORT, Rounds, Size, hold
from bench.data import Register, make_data
from bench.entrants import OURS, OURS_POSTGRES, OURS_SQLITE, Field, lined_up
from bench.import_orders import race as race_imports
from bench.import_orders import table as import_table
from bench.load import LoadError
from bench.report import results, tables, write_charts
from bench.servers import WORKERS, Server, ServerError, gateway
from bench.sip_section import kept
from gateway.clock import utc_now
from tests.postgres import Postgres, running_postgres

_HERE = Path(__file__).resolve().parent
_HOT_PATH = _HERE / "hot_path.py"
_FEW_ORDERS = 100
_NOTICE = ("public_notice", "publication_order_in_force")
_PARTS = ("lines", "api", "imports", "console", "screen")
_ONLY_FULL = {"lines", "api", "console", "screen"}
# Four gateways and three peers hold their pools at one time.
_CONNECTIONS = 300


def main() -> None:
    """Read the arguments and do it."""
    chosen = _arguments()
    # A bench that is told to end stops its servers and removes its data on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    with TemporaryDirectory(prefix="notice-gateway-bench-") as scratch:
        if chosen.profile:
            profile(Path(scratch))
        elif shutil.which("wrk") is None:
            sys.exit("wrk is not installed: run scripts/install-test-packages, then this again")
        else:
            try:
                Bench(_size(chosen), Path(scratch), short=chosen.short, leave_out=chosen.leave_out).run(chosen.into)
            except (CheckError, LoadError, ServerError) as error:
                sys.exit(f"The bench failed: {error}.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--short", action="store_true", help="only what noise cannot break; writes nothing")
    mode.add_argument("--profile", action="store_true", help="profile the hot path in one process")
    for name, what in (
        ("rounds", "how many rounds"),
        ("seconds", "how long a round of one program takes"),
        ("race-calls", "how many calls are raced against lifts, on each database"),
        ("lines", "how many lines the large register has"),
        ("import-rows", "how many orders are imported"),
    ):
        parser.add_argument(f"--{name}", type=int, help=f"{what}, instead of the usual number")
    parser.add_argument("--leave-out", action="append", default=[], choices=_PARTS, help="may be given several times")
    parser.add_argument("--into", type=Path, default=_HERE, metavar="FOLDER", help="where RESULTS.md and charts/ go")
    return parser.parse_args()


def _size(chosen: argparse.Namespace) -> Size:
    usual = SHORT if chosen.short else FULL
    names = ("rounds", "seconds", "race_calls", "lines", "import_rows")
    return replace(usual, **{name: each for name in names if (each := getattr(chosen, name)) is not None})


class Bench:
    """One run, from empty registers to tables."""

    def __init__(self, size: Size, scratch: Path, *, short: bool, leave_out: list[str]) -> None:
        """Work in the folder `scratch`, which is removed by whoever made it."""
        self._size = size
        self._scratch = scratch
        self._short = short
        self._parts = set(_PARTS) - set(leave_out) - (_ONLY_FULL if short else set())
        self._rounds: Rounds = {}

    def run(self, into: Path) -> None:
        """Check, measure, print, and write unless it is the short form. Raises CheckError, LoadError, ServerError."""
        load = " ".join(f"{each:.1f}" for each in os.getloadavg())
        found = list(self._measured())
        if not self._short:
            into.mkdir(exist_ok=True)
            found.insert(1, write_charts(self._rounds, into / "charts"))
            command = " ".join((".venv/bin/python bench/run.py", *sys.argv[1:]))
            text = results("\n".join(found), self._size, utc_now(), load, command)
            page = into / "RESULTS.md"
            over_sip = kept(page.read_text(encoding="utf-8")) if page.exists() else ""
            page.write_text(text + over_sip, encoding="utf-8")
        print("\n".join(found))

    def _measured(self) -> Iterator[str]:
        """Yield the tables, the goals first."""
        with running_postgres(connections=_CONNECTIONS) as server:
            (sqlite_few, sqlite), (few, postgres) = (self._registers(name, server) for name in ("sqlite", "postgresql"))
            # Lifts use a register up: the long race has copies of its own, made while these are at rest.
            copies = [] if self._short else [self._copy(each, server) for each in (sqlite, postgres)]
            counted = [
                statements.judge(
                    (sqlite_few, statements.count_in_driver(sqlite_few)), (sqlite, statements.count_in_driver(sqlite))
                )
            ]
            asked_few = self._asked_few(few, server)
            statements.start_logging(postgres, server)
            with self._lined_up(sqlite, postgres, server) as field:
                field.check(server)
                asked = statements.count_in_log(postgres, field.servers[OURS_POSTGRES], server)
                counted.append(statements.judge((few, asked_few), (postgres, asked)))
                statements.stop_logging(postgres, server)
                await_notices(field.servers[OURS_POSTGRES], postgres.orders)
                self._rounds, silent = self._held(field)
                api = self._api(field)
                races = [self._race(each, field.servers[name]) for name, each in field.registers.items() if self._short]
            for each in copies:
                url = each.database_url
                with gateway(each.folder, self._scratch, database_url=url, workers=lift_race.WORKERS) as ours:
                    races.append(self._race(each, ours))
            grown = None
            if "lines" in self._parts:
                grown = many_lines.compare_sizes(postgres, self._scratch, server, self._size)
        if not self._short:
            yield goals.table(goals.goals(self._rounds, grown, races))
        yield tables(self._rounds, silent)
        yield statements.table(counted)
        if races:
            yield lift_race.table(races)
        if grown is not None:
            yield many_lines.table(grown)
        if api:
            yield api
        if "imports" in self._parts:
            yield import_table(race_imports(self._scratch / "imports", self._size.import_rows))
        if "console" in self._parts:
            yield console.measured(self._scratch / "pages")
        if "screen" in self._parts:
            yield screen.measured(self._scratch / "screen", self._size.lines)

    def _lined_up(self, sqlite: Register, postgres: Register, server: Postgres) -> AbstractContextManager[Field]:
        """Start the servers; the short form has no other peers than constant ones, and races on these very workers."""
        workers = lift_race.WORKERS if self._short else WORKERS
        return lined_up(sqlite, postgres, self._scratch, server, with_asking_peers=not self._short, workers=workers)

    def _copy(self, register: Register, server: Postgres) -> Register:
        return register.copied(self._scratch / f"race-{register.name}", server)

    def _asked_few(self, few: Register, server: Postgres) -> statements.Asked:
        """Count the statements of a call in the small register on PostgreSQL."""
        statements.start_logging(few, server)
        with gateway(few.folder, self._scratch, database_url=few.database_url, workers=1) as ours:
            return statements.count_in_log(few, ours, server)

    def _race(self, register: Register, ours: Server) -> lift_race.Found:
        found = lift_race.race(register, ours, self._size.race_calls)
        if found.stale:
            raise CheckError(
                f"{found.database}: {found.stale} notices were played after their order's lift had returned"
            )
        return found

    def _registers(self, name: str, server: Postgres) -> tuple[Register, Register]:
        """Make a register of a few orders and one of many."""

        def made(orders: int) -> Register:
            url = server.url(server.create()) if name == "postgresql" else ""
            return make_data(self._scratch / f"{name}-{orders}", orders, url)

        return made(_FEW_ORDERS), made(self._size.orders)

    def _api(self, field: Field) -> str:
        if "api" not in self._parts:
            return ""
        ours, folder = field.servers[OURS_SQLITE], field.registers[OURS_SQLITE].folder
        rounds = max(self._size.rounds // 2, 1)
        return compare_api(ours, folder, self._scratch, rounds=rounds, seconds=self._size.seconds)

    def _held(self, field: Field) -> tuple[Rounds, int]:
        """Run the rounds, then hold plays against answers: a record of every notice, and no other reason met."""
        before = {name: (settled(field.servers[name]), each.plays()) for name, each in field.registers.items()}
        rounds = hold(field.entrants(), self._size, self._scratch)
        repeated = sum(each.repeated for (name, _), found in rounds.items() if name in OURS for each in found)
        if repeated:
            raise CheckError(f"{repeated} calls were sent twice; make more of them in bench/contest.py")
        silent = 0
        for name, register in field.registers.items():
            answers, plays = before[name]
            given, recorded = settled(field.servers[name]) - answers, register.plays() - plays
            unheard = given["connect", "evidence_not_kept"] + given["connect", "register_unavailable"]
            # A record may have been written that was answered too late: its call was connected without the notice.
            if not given[_NOTICE] <= recorded <= given[_NOTICE] + unheard:
                raise CheckError(f"{name}: {given[_NOTICE]} notices were given and {recorded} plays recorded")
            other = sum(given.values()) - given[_NOTICE] - unheard - given["connect", "no_order"]
            if other:
                raise CheckError(f"{name}: {other} calls got an answer that the calls do not explain: {dict(given)}")
            silent += unheard
        return rounds, silent


def profile(scratch: Path) -> None:
    """Profile calls over a data folder, with metrics shared through files as several workers share them."""
    data, shared = scratch / "data", scratch / "metrics"
    shared.mkdir()
    make_data(data, SHORT.orders)
    environment = {"PATH": os.defpath, "HOME": str(scratch), "PROMETHEUS_MULTIPROC_DIR": str(shared)}
    ran = subprocess.run([sys.executable, str(_HOT_PATH), str(data), str(SHORT.orders)], env=environment, check=False)
    sys.exit(ran.returncode)


if __name__ == "__main__":
    main()
