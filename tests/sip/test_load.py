"""Many calls at once, one in twenty with a notice: none fails. `make bench-sip` says how long they take."""

from pathlib import Path

from tests.sip.load import answering, load
from tests.sip.works import the_works

# What the SIP path promises: 40 calls a second for a minute, one in twenty with a notice.
RATE, CALLS = 40, 2400


def test_no_call_fails_under_load(tmp_path: Path, toned_demo: Path) -> None:
    with the_works(tmp_path, toned_demo, calls_per_second=1000, requests_per_second=4000) as works:
        works.wait_until_well()
        with answering(works, tmp_path):
            made = load(works, tmp_path, rate=RATE, calls=CALLS, notice_every=20)
        assert (made.succeeded, made.failed) == (CALLS, 0), made.said[-2000:]
        ways = works.edge.ways()
    assert ways["decided"] >= CALLS * 0.99
