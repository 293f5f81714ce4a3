"""Promise 1 on PostgreSQL: the server is stopped, killed, paused, full or locked, and every call connects in time.

The traffic never rests: a line under an order whose callers press a key, one whose callee is warned, one under no
order, and pages that ask the database too. Afterwards notices are heard again by themselves.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from threading import Event

import httpx
import psycopg
import pytest
from sqlalchemy import make_url

from gateway.assembly import prepare
from gateway.clock import utc_now
from gateway.settings import DEMO_TOKEN, load
from gateway.workflows.load_demo import load_demo
from tests.conftest import a_studio
from tests.end_to_end.call_script import Press, Record, Script
from tests.end_to_end.independent_twilio import Twilio
from tests.end_to_end.server import Server, serving
from tests.postgres import Postgres, running_postgres

IN_FORCE, WARNED, WITHOUT_ORDER = "+12025550110", "+12025550111", "+12025550199"
PAGE = "/api/v1/orders"
# In seconds: how long each fault lasts beyond what it takes to bring it about, and how long recovery may take.
FAULT_SECONDS, RECOVERY_SECONDS = 3.0, 8.0
MOST_CONNECTIONS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A server of this test's own, and the URL of the demo on it."""

    server: Postgres
    url: str

    @property
    def name(self) -> str:
        return str(make_url(self.url).database)


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with running_postgres(connections=MOST_CONNECTIONS) as server:
        yield Database(server=server, url=server.url(server.create()))


@pytest.fixture(scope="module")
def gateway(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    room = tmp_path_factory.mktemp("outage")
    parts = prepare(load(data_dir=room / "data", database_url=database.url))
    parts.settings.demo_mark.write_text("demo", encoding="utf-8")
    for _ in load_demo(a_studio(parts), utc_now()):
        pass
    parts.close()
    with serving(room / "data", room / "home", workers=2, work=False, database_url=database.url) as server:
        yield server


@contextmanager
def stopped(database: Database) -> Iterator[None]:
    database.server.stop("fast")
    yield
    database.server.start()


@contextmanager
def killed(database: Database) -> Iterator[None]:
    database.server.kill()
    yield
    database.server.start()


@contextmanager
def paused(database: Database) -> Iterator[None]:
    database.server.pause()
    yield
    database.server.resume()


@contextmanager
def full(database: Database) -> Iterator[None]:
    """Take every connection that there is, those of the gateway too."""
    taken = [psycopg.connect(database.server.url("postgres"), autocommit=True)]
    deadline = time.monotonic() + 5
    while others(taken[0], database.name) or not is_full(database, taken):
        assert time.monotonic() < deadline
        taken[0].execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database.name,))
    yield
    for each in taken:
        each.close()


def others(connection: psycopg.Connection[tuple[int]], database: str) -> int:
    found = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", (database,)).fetchone()
    return found[0] if found else 0


def is_full(database: Database, taken: list[psycopg.Connection[tuple[int]]]) -> bool:
    """Take what is free; tell whether nothing is left."""
    with suppress(psycopg.OperationalError):
        while len(taken) < MOST_CONNECTIONS:
            taken.append(psycopg.connect(database.server.url("postgres"), autocommit=True))
    return len(taken) == MOST_CONNECTIONS


@contextmanager
def locked(database: Database) -> Iterator[None]:
    """Let every look-up and every record of a play wait for a lock that somebody holds."""
    with psycopg.connect(database.url) as connection:
        connection.execute("LOCK TABLE orders, plays IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()


Fault = Callable[[Database], AbstractContextManager[None]]
FAULTS: dict[str, Fault] = {"stopped": stopped, "killed": killed, "paused": paused, "full": full, "locked": locked}


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Calls from many lanes until `enough`."""

    gateway: Server
    twilio: Twilio
    enough: Event

    def ring(self, line: str) -> list[Record]:
        found = []
        while not self.enough.is_set():
            skip = (Press(party="caller", prompt=0, key="1", after=0.1),) if line == IN_FORCE else ()
            found.append(self.twilio.call(Script(callee=line, presses=skip)))
        return found

    def read(self) -> None:
        """Ask for a page that asks the database who is asking."""
        with httpx.Client(base_url=self.gateway.origin, trust_env=False, timeout=30) as client:
            while not self.enough.is_set():
                client.get(PAGE, headers={"Authorization": "Bearer nobody"})
                self.enough.wait(0.05)


@contextmanager
def traffic(gateway: Server) -> Iterator[Callable[[], dict[str, list[Record]]]]:
    """Let calls and pages come in for as long as the context lasts; give what stops them and returns the records."""
    lanes = (IN_FORCE, IN_FORCE, WARNED, WITHOUT_ORDER)
    with ThreadPoolExecutor(len(lanes) + 2) as pool:
        flow = Traffic(gateway=gateway, twilio=gateway.twilio(DEMO_TOKEN), enough=Event())
        calling: list[tuple[str, Future[list[Record]]]] = [(line, pool.submit(flow.ring, line)) for line in lanes]
        reading = [pool.submit(flow.read) for _ in range(2)]

        def end() -> dict[str, list[Record]]:
            flow.enough.set()
            found: dict[str, list[Record]] = {}
            for line, lane in calling:
                found.setdefault(line, []).extend(lane.result())
            for lane_of_pages in reading:
                lane_of_pages.result()
            return found

        try:
            yield end
        finally:
            flow.enough.set()
            flow.twilio.client.close()


def slowest(records: list[Record]) -> float:
    return max(webhook.ms for record in records for webhook in record.webhooks)


def seconds_until_heard(gateway: Server) -> float:
    """Wait until calls to a line under an order are answered with a notice by whichever worker; return how long."""
    began = time.monotonic()
    twilio = gateway.twilio(DEMO_TOKEN)
    while any(record.is_plain for record in twilio.ring_at_once([IN_FORCE] * 8, lanes=2)):
        assert time.monotonic() - began < RECOVERY_SECONDS, gateway.log.read_text()
    twilio.client.close()
    return time.monotonic() - began


@pytest.mark.parametrize("fault", FAULTS)
def test_every_call_connects_within_a_second_and_notices_come_back(
    fault: str, gateway: Server, database: Database, record_property: Callable[[str, object], None]
) -> None:
    seconds_until_heard(gateway)
    workers = gateway.workers()
    with traffic(gateway) as end:
        time.sleep(0.5)
        with FAULTS[fault](database):
            time.sleep(FAULT_SECONDS)
        recovered = seconds_until_heard(gateway)
        records = end()
    for line, found in records.items():
        assert [record.trouble for record in found if record.trouble] == []
        assert all(record.connected_to for record in found)
        assert slowest(found) < 1000
        record_property(f"slowest to {line}, ms", round(slowest(found)))
    assert any(record.is_plain for record in records[IN_FORCE])
    assert not all(record.is_plain for record in records[IN_FORCE])
    assert gateway.workers() == workers
    record_property("seconds until notices are back", round(recovered, 2))
