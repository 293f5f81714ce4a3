"""What must hold before a figure means anything: each server answers what it should, and asks what it may.

Nothing here depends on how fast or how busy the machine is.
"""

import re
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

from lxml import etree

from bench.calls import PATH, Call, Scenario, calls
from bench.data import settings_for
from bench.servers import Server
from tests.twiml import assert_valid_twiml

_SAMPLE = 100
_SETTLE_SECONDS = 10
_OK = 200
_COUNTED = re.compile(r'notice_gateway_webhooks_total\{decision="(\w+)",event="call",.*reason="(\w+)"\} ([0-9.e+]+)')


class CheckError(Exception):
    """A server does not answer as it should, so there is nothing to compare."""


def check_documents(gateway: Server, peers: Iterable[Server], orders: int) -> None:
    """Ask each server once: a plain connection, as long from the peers as from us, and a notice under an order."""
    plain = next(calls(Scenario.WITHOUT_ORDER, 1, seed=-1, orders=orders))
    noticed = next(calls(Scenario.WITH_ORDER, 1, seed=-1, orders=orders))
    ours = _answer(gateway, plain)
    _demand(_verbs(ours) == ["Dial"], f"a line without an order got {ours!r}")
    theirs = [_answer(peer, plain) for peer in peers]
    _demand(all(len(each) == len(ours) and _verbs(each) == ["Dial"] for each in theirs), "a peer's document differs")
    notice = _answer(gateway, noticed)
    _demand(_verbs(notice) == ["Gather", "Dial"], f"a line under an order got {notice!r}")
    _demand(etree.fromstring(notice).find("Gather/Play") is not None, "the Gather plays nothing")


def check_evidence(gateway: Server, folder: Path, orders: int) -> None:
    """Send calls to lines under orders, each webhook twice: as many plays are recorded as there are CallSids."""
    before = plays_in(folder)
    for call in calls(Scenario.WITH_ORDER, _SAMPLE, seed=-2, orders=orders):
        for _ in range(2):
            answer = _answer(gateway, call)
            _demand(_verbs(answer)[-1] == "Dial", f"a line under an order got {answer!r}")
    recorded, answered = plays_in(folder) - before, _SAMPLE
    _demand(recorded == answered, f"{answered} calls of two webhooks each left {recorded} plays")


def check_no_database(gateway: Server, folder: Path, orders: int) -> None:
    """Move the database away from the running server: a line without an order is answered as ever, from the screen."""
    before = counted(gateway)
    with _database_away(folder):
        for call in calls(Scenario.WITHOUT_ORDER, _SAMPLE, seed=-3, orders=orders):
            _demand(_verbs(_answer(gateway, call)) == ["Dial"], "a line without an order was not connected")
        without = counted(gateway) - before
        _demand(dict(without) == {("connect", "no_order"): _SAMPLE}, f"with the database away: {dict(without)}")
        ordered = next(calls(Scenario.WITH_ORDER, 1, seed=-3, orders=orders))
        _demand(_verbs(_answer(gateway, ordered)) == ["Dial"], "with the database away, a notice was played")
    reasons = dict(counted(gateway) - before)
    _demand(reasons.get(("connect", "register_unavailable")) == 1, f"the database was not asked at all: {reasons}")


def counted(gateway: Server) -> Counter[tuple[str, str]]:
    """Return how many calls got which decision for which reason, over all workers."""
    connection = HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    with closing(connection):
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    found: Counter[tuple[str, str]] = Counter()
    for decision, reason, number in _COUNTED.findall(text):
        found[decision, reason] += int(float(number))
    return found


def settled(gateway: Server) -> Counter[tuple[str, str]]:
    """Return the counters once nothing changes any more: wrk leaves its last requests under way."""
    before, deadline = counted(gateway), time.monotonic() + _SETTLE_SECONDS
    while time.monotonic() < deadline:
        time.sleep(0.5)
        now = counted(gateway)
        if now == before:
            break
        before = now
    return before


def plays_in(folder: Path) -> int:
    """Return how many plays are recorded."""
    with closing(sqlite3.connect(f"file:{settings_for(folder).sqlite_path}?mode=ro", uri=True)) as connection:
        count: int = connection.execute("SELECT count(*) FROM plays").fetchone()[0]
        return count


@contextmanager
def _database_away(folder: Path) -> Iterator[None]:
    aside = folder / "aside"
    aside.mkdir()
    for file in folder.glob("register.sqlite3*"):
        shutil.move(file, aside / file.name)
    yield
    for file in aside.iterdir():
        shutil.move(file, folder / file.name)
    aside.rmdir()


def _answer(server: Server, call: Call) -> bytes:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    with closing(connection):
        connection.request("POST", PATH, body=call.body, headers=call.headers())
        response = connection.getresponse()
        body = response.read()
    _demand(response.status == _OK, f"{server.name} answered {response.status}")
    _demand(response.headers["Content-Type"] == "text/xml; charset=utf-8", f"{server.name} answered no TwiML")
    assert_valid_twiml(body)
    return body


def _verbs(document: bytes) -> list[str]:
    return [str(verb.tag) for verb in etree.fromstring(document)]


def _demand(holds: bool, otherwise: str) -> None:  # noqa: FBT001  (reads as an assertion)
    if not holds:
        raise CheckError(otherwise)
