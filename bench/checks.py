"""What must hold before a figure means anything: each server answers what it should, and asks what it may.

Nothing here depends on how fast or how busy the machine is.
"""

import re
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from itertools import count

import psycopg
from lxml import etree
from psycopg import sql

from bench.calls import PATH, Call, Scenario, calls
from bench.data import Register, end_connections
from bench.servers import Server
from tests.postgres import Postgres
from tests.twiml import assert_valid_twiml

_SAMPLE, _IN_A_ROW = 100, 20
_NOTICE = ["Gather", "Dial"]
_SETTLE_SECONDS = 10
_RECOVERY_SECONDS = 30
_OK, _FORBIDDEN = 200, 403
# A Gather of ours carries a sealed token in its address, which a tutorial's has no need of.
_AS_LONG = 0.6
_COUNTED = re.compile(r'notice_gateway_webhooks_total\{decision="(\w+)",event="call",.*reason="(\w+)"\} ([0-9.e+]+)')


class CheckError(Exception):
    """A server does not answer as it should, so there is nothing to compare."""


def check_documents(gateway: Server, constant: Iterable[Server], asking: Iterable[Server], orders: int) -> None:
    """Ask each server: a plain connection, as long from the others as from us, and a notice under an order."""
    plain = next(calls(Scenario.WITHOUT_ORDER, 1, seed=-1, orders=orders))
    noticed = next(calls(Scenario.WITH_ORDER, 1, seed=-1, orders=orders))
    ours, notice = answer_of(gateway, plain), _notice_of(gateway, orders)
    demand(verbs(ours) == ["Dial"], f"a line without an order got {ours!r}")
    _demand_notice(notice)
    asking = tuple(asking)
    for peer in (*constant, *asking):
        theirs = answer_of(peer, plain)
        demand(len(theirs) == len(ours) and verbs(theirs) == ["Dial"], f"{peer.name} answered {theirs!r}")
        unsigned = Call(sid=plain.sid, body=plain.body, signature=noticed.signature)
        demand(peer not in asking or _status(peer, unsigned) == _FORBIDDEN, f"{peer.name} checks no signature")
    for peer in asking:
        theirs = answer_of(peer, noticed)
        _demand_notice(theirs)
        demand(len(theirs) > len(notice) * _AS_LONG, f"{peer.name} answered {theirs!r}")


def check_evidence(gateway: Server, register: Register) -> None:
    """Send calls to lines under orders, each webhook twice: as many plays are recorded as there are CallSids."""
    before, heard = register.plays(), 0
    for call in calls(Scenario.WITH_ORDER, _SAMPLE, seed=-2, orders=register.orders):
        answers = [verbs(answer_of(gateway, call)) for _ in range(2)]
        demand(all(each[-1] == "Dial" for each in answers), f"a line under an order got {answers}")
        heard += _NOTICE in answers
    recorded = register.plays() - before
    # On a busy machine a call may be silent, for the register answered too late.
    demand(heard <= recorded <= _SAMPLE, f"{heard} calls of two webhooks each left {recorded} plays")
    demand(heard > _SAMPLE // 2, f"only {heard} of {_SAMPLE} calls heard a notice")


def check_no_database(gateway: Server, register: Register, server: Postgres) -> None:
    """Take the database from the running gateway: a line without an order is answered as ever, from the screen."""
    orders = register.orders
    before = counted(gateway)
    with _database_away(register, server):
        for call in calls(Scenario.WITHOUT_ORDER, _SAMPLE, seed=-3, orders=orders):
            demand(verbs(answer_of(gateway, call)) == ["Dial"], "a line without an order was not connected")
        without = counted(gateway) - before
        demand(dict(without) == {("connect", "no_order"): _SAMPLE}, f"with the database away: {dict(without)}")
        ordered = next(calls(Scenario.WITH_ORDER, 1, seed=-3, orders=orders))
        demand(verbs(answer_of(gateway, ordered)) == ["Dial"], "with the database away, a notice was played")
    reasons = dict(counted(gateway) - before)
    demand(reasons.get(("connect", "register_unavailable")) == 1, f"the database was not asked at all: {reasons}")
    await_notices(gateway, orders)


def await_notices(gateway: Server, orders: int) -> None:
    """Wait until no worker holds a connection any more that had been cut: so many calls in a row hear their notice."""
    deadline, heard = time.monotonic() + _RECOVERY_SECONDS, 0
    for seed in count(-1_000, -1):
        for call in calls(Scenario.WITH_ORDER, 10, seed=seed, orders=orders):
            heard = heard + 1 if verbs(answer_of(gateway, call)) == _NOTICE else 0
        if heard >= _IN_A_ROW:
            return
        demand(time.monotonic() < deadline, "the gateway did not find its database again")


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


@contextmanager
def _database_away(register: Register, server: Postgres) -> Iterator[None]:
    if register.database_url:
        with _no_connections(register.database_url, server):
            yield
        return
    aside = register.folder / "aside"
    aside.mkdir()
    for file in register.folder.glob("register.sqlite3*"):
        shutil.move(file, aside / file.name)
    yield
    for file in aside.iterdir():
        shutil.move(file, register.folder / file.name)
    aside.rmdir()


@contextmanager
def _no_connections(database_url: str, server: Postgres) -> Iterator[None]:
    """End every connection to the database, and let nobody in: superusers are refused as well."""
    allow, name = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}"), sql.Identifier(database_url.rpartition("/")[2])
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(allow.format(name, sql.SQL("false")))
        try:
            end_connections(server, database_url)
            yield
        finally:
            connection.execute(allow.format(name, sql.SQL("true")))


def answer_of(server: Server, call: Call) -> bytes:
    """Send a webhook and return the document, which is valid TwiML. Raises CheckError."""
    response, body = _ask(server, call)
    demand(response.status == _OK, f"{server.name} answered {response.status}")
    demand(response.headers["Content-Type"] == "text/xml; charset=utf-8", f"{server.name} answered no TwiML")
    assert_valid_twiml(body)
    return body


def _status(server: Server, call: Call) -> int:
    return _ask(server, call)[0].status


def _ask(server: Server, call: Call) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    with closing(connection):
        connection.request("POST", PATH, body=call.body, headers=call.headers())
        response = connection.getresponse()
        return response, response.read()


def _notice_of(gateway: Server, orders: int) -> bytes:
    """Return the first notice of a few calls: on a busy machine one may be silent."""
    document = b""
    for call in calls(Scenario.WITH_ORDER, 10, seed=-4, orders=orders):
        document = answer_of(gateway, call)
        if verbs(document) == _NOTICE:
            break
    return document


def _demand_notice(document: bytes) -> None:
    demand(verbs(document) == _NOTICE, f"a line under an order got {document!r}")
    demand(etree.fromstring(document).find("Gather/Play") is not None, "the Gather plays nothing")


def verbs(document: bytes) -> list[str]:
    """Return the names of the verbs of a TwiML document."""
    return [str(verb.tag) for verb in etree.fromstring(document)]


def demand(holds: bool, otherwise: str) -> None:  # noqa: FBT001  (reads as an assertion)
    """Raise CheckError with what is otherwise, unless it holds."""
    if not holds:
        raise CheckError(otherwise)
