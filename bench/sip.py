"""Measure the SIP path: what the decision adds to a call's set-up, and whether calls fail under load.

`python bench/sip.py` renews the last section of bench/RESULTS.md; `--seconds` replaces the minute of each measurement,
`--into` the folder. Everything runs on this machine: SIPp on both ends, Kamailio, rtpengine, the bridge and
the gateway.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.sip_section import TITLE, renewed
from gateway.clock import utc_now
from tests.sip.house import FREE, LIFTED
from tests.sip.load import Load, answering, load
from tests.sip.tones import load_toned_demo
from tests.sip.works import Works, the_works

_DELAY_RATE, _LOAD_RATE, _NOTICE_EVERY = 20, 40, 20
_WRITTEN_SECONDS = 3
_MEDIAN_GOAL_MS, _P99_GOAL_MS = 2.5, 5.0
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """From INVITE in to INVITE out, in milliseconds, by the kernel's clock."""

    median: float
    p99: float
    longest: float
    calls: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Delays":
        """Sum up; raises IndexError where there was no call."""
        ordered = sorted(1000 * each for each in seconds)
        return cls(
            median=ordered[len(ordered) // 2],
            p99=ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)],
            longest=ordered[-1],
            calls=len(ordered),
        )


def main() -> None:
    """Read the arguments and do it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="how long each measurement takes")
    parser.add_argument("--into", type=Path, default=_HERE, metavar="FOLDER", help="where RESULTS.md is")
    chosen = parser.parse_args()
    with TemporaryDirectory(prefix="notice-gateway-bench-") as scratch:
        written = measure(Path(scratch), chosen.seconds)
    page = chosen.into / "RESULTS.md"
    earlier = page.read_text(encoding="utf-8") if page.exists() else "# Results\n"
    page.write_text(renewed(earlier, written), encoding="utf-8")
    print(written)


def measure(scratch: Path, seconds: int) -> str:
    """Run everything once, and return the section of results."""
    load_toned_demo(scratch / "demo")
    folder = scratch / "works"
    folder.mkdir()
    loud = {"calls_per_second": 1000, "requests_per_second": 4000, "workers": 4}
    with the_works(folder, scratch / "demo", measured=True, **loud) as works:
        works.wait_until_well()
        with answering(works, folder):
            decided, asked = (_delays(works, folder, seconds, each) for each in (FREE, LIFTED))
            loaded = load(works, folder, rate=_LOAD_RATE, calls=_LOAD_RATE * seconds, notice_every=_NOTICE_EVERY)
            if loaded.failed:
                print(loaded.said[-2000:])
            works.bridge.stop()
            works.edge.wait_for_bridge("absent")
            alone = _delays(works, folder, seconds, FREE)
    return _page(alone, decided, asked, loaded, seconds)


def _delays(works: Works, folder: Path, seconds: int, callee: str) -> Delays:
    before = set(_captured(works))
    made = load(works, folder, rate=_DELAY_RATE, calls=_DELAY_RATE * seconds, callee=callee)
    if made.failed:
        sys.exit(f"The bench failed: {made.failed} calls did.\n{made.said[-2000:]}")
    return Delays.of([took for call, took in _captured(works).items() if call not in before])


def _captured(works: Works) -> dict[str, float]:
    """Return the delays of every call so far, once the capture has been written."""
    time.sleep(_WRITTEN_SECONDS)
    return works.delays()


def _page(alone: Delays, decided: Delays, asked: Delays, loaded: Load, seconds: int) -> str:
    median, p99 = decided.median - alone.median, decided.p99 - alone.p99
    no_failure = loaded.failed == 0 and loaded.succeeded == _LOAD_RATE * seconds
    rows = [
        ("added by the decision, median", f"<= {_MEDIAN_GOAL_MS} ms", f"{median:.2f} ms", median <= _MEDIAN_GOAL_MS),
        ("added by the decision, p99", f"<= {_P99_GOAL_MS:.1f} ms", f"{p99:.2f} ms", p99 <= _P99_GOAL_MS),
        (
            f"calls that failed, {_LOAD_RATE} a second for {seconds} s, one in {_NOTICE_EVERY} with a notice",
            "0",
            f"{loaded.failed} ({loaded.succeeded:,} succeeded)",
            no_failure,
        ),
    ]
    began = f"From INVITE in to INVITE out, {_DELAY_RATE} calls a second for {seconds} s:"
    when = f"Measured on {utc_now():%Y-%m-%d} by `make bench-sip`, by the kernel's clock, with all on one machine:"
    lines = [
        TITLE,
        "",
        f"{when} SIPp as both",
        "telephones, Kamailio, rtpengine in user space, the bridge, and the gateway on SQLite.",
        "",
        "| figure | goal | measured | reached |",
        "|---|---|---|---|",
        *(f"| {name} | {goal} | **{got}** | {'yes' if good else '**no**'} |" for name, goal, got, good in rows),
        "",
        began,
        "",
        "| way | calls | median | p99 | longest |",
        "|---|---|---|---|---|",
        _row("no bridge: Kamailio and rtpengine alone", alone),
        _row("a line without an order: the bridge's own screen decides", decided),
        _row("a line whose order was lifted: the bridge asks the gateway", asked),
        "",
    ]
    return "\n".join(lines)


def _row(way: str, delays: Delays) -> str:
    return f"| {way} | {delays.calls:,} | {delays.median:.2f} ms | {delays.p99:.2f} ms | {delays.longest:.2f} ms |"


if __name__ == "__main__":
    main()
