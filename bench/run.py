"""Measure the gateway against its peers.

`python bench/run.py` writes bench/RESULTS.md; `--short` checks what noise cannot break and prints a table;
`--profile` shows where the time of a call goes.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import console
from bench.api import compare_api
from bench.calls import Scenario
from bench.checks import CheckError, check_documents, check_evidence, check_no_database, plays_in, settled
from bench.contest import FULL, SHORT, Entrant, Rounds, Size, hold
from bench.data import make_data
from bench.import_orders import FULL_ROWS, SHORT_ROWS, race
from bench.import_orders import table as import_table
from bench.load import LoadError
from bench.report import FLASK, OURS, OURS_MIX, OURS_ORDER, WSGI, results, tables
from bench.servers import Server, ServerError, gateway, peer
from gateway.clock import utc_now

_RESULTS = Path(__file__).with_name("RESULTS.md")
_HOT_PATH = Path(__file__).with_name("hot_path.py")
_NOTICE = ("public_notice", "publication_order_in_force")


def main() -> None:
    """Read the arguments and do it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--short", action="store_true", help="two rounds of one second; writes nothing")
    mode.add_argument("--profile", action="store_true", help="profile the hot path in one process")
    parser.add_argument("--rows", type=int, default=0, help="how many orders to import, instead of the usual number")
    chosen = parser.parse_args()
    # A bench that is told to end stops its servers and removes its data on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    with TemporaryDirectory(prefix="notice-gateway-bench-") as scratch:
        if chosen.profile:
            profile(Path(scratch))
        elif shutil.which("wrk") is None:
            sys.exit("wrk is not installed: run scripts/install-test-packages, then this again")
        else:
            try:
                compare(SHORT if chosen.short else FULL, Path(scratch), chosen.rows)
            except (CheckError, LoadError, ServerError) as error:
                sys.exit(f"The bench failed: {error}.")


def compare(size: Size, scratch: Path, rows: int) -> None:
    """Check, measure and report; `rows` orders are imported, 0 for the usual number. Raises CheckError, LoadError."""
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    data = scratch / "data"
    make_data(data, size.orders)
    with ExitStack() as stack:
        ours = stack.enter_context(gateway(data, scratch))
        flask = stack.enter_context(peer("flask_constant", scratch))
        wsgi = stack.enter_context(peer("wsgi_constant", scratch))
        check_documents(ours, (flask, wsgi), size.orders)
        check_evidence(ours, data, size.orders)
        check_no_database(ours, data, size.orders)
        entrants = (
            Entrant(name=OURS, server=ours, scenario=Scenario.WITHOUT_ORDER),
            Entrant(name=FLASK, server=flask, scenario=Scenario.WITHOUT_ORDER),
            Entrant(name=OURS_ORDER, server=ours, scenario=Scenario.WITH_ORDER),
            Entrant(name=WSGI, server=wsgi, scenario=Scenario.WITHOUT_ORDER),
            Entrant(name=OURS_MIX, server=ours, scenario=Scenario.MIX),
        )
        rounds, silent = _held(entrants, size, ours, scratch)
        api = compare_api(ours, data, scratch, rounds=size.rounds // 2, seconds=size.seconds)
    imports = import_table(race(scratch / "imports", rows or (FULL_ROWS if size is FULL else SHORT_ROWS)))
    pages = console.measured(scratch / "pages") if size is FULL else ""
    table = f"{tables(rounds, silent)}\n{api}\n{imports}\n{pages}"
    print(table)
    if size is FULL:
        _RESULTS.write_text(results(table, size, utc_now(), load), encoding="utf-8")


def _held(entrants: tuple[Entrant, ...], size: Size, ours: Server, scratch: Path) -> tuple[Rounds, int]:
    """Run the rounds, then hold plays against answers: as many as notices were given, and no other reason met."""
    data = scratch / "data"
    answers, plays = settled(ours), plays_in(data)
    rounds = hold(entrants, size, scratch)
    given = settled(ours) - answers
    notices, recorded = given[_NOTICE], plays_in(data) - plays
    repeated = sum(each.repeated for each in rounds[OURS_ORDER] + rounds[OURS_MIX])
    if repeated:
        raise CheckError(f"{repeated} calls were sent twice; make more of them in bench/contest.py")
    if notices != recorded:
        raise CheckError(f"{notices} notices were given and {recorded} plays recorded")
    silent = given["connect", "evidence_not_kept"] + given["connect", "register_unavailable"]
    other = sum(given.values()) - notices - silent - given["connect", "no_order"]
    if other:
        raise CheckError(f"{other} calls got an answer that the calls do not explain: {dict(given)}")
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
