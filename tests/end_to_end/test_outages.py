"""Promise 1: the database is taken away, replaced, or a worker is killed, and every call is connected."""

import os
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import psycopg

from gateway.assembly import Parts, put_together
from gateway.clock import utc_now
from gateway.register import orders
from gateway.settings import load
from gateway.workflows.change import at_the_command_line
from gateway.workflows.end_order import lift_order
from tests.end_to_end.call_script import Record, Script
from tests.end_to_end.conftest import PostgresDemo
from tests.end_to_end.independent_twilio import Twilio
from tests.end_to_end.issuing import a_line, an_issued_order, wait_until_known
from tests.end_to_end.server import Server, serving
from tests.postgres import Postgres

UNDER_ORDERS = (
    "+12025550110",
    "+442079460110",
    "+12025550111",
    "+12025550120",
    "+442079460120",
    "+61255500120",
    "+12025550130",
    "+12025550140",
    "+12025550150",
)
LINES = (*UNDER_ORDERS, "+12025550199")


def move(source: Path, target: Path) -> None:
    """Move the database with the files that SQLite keeps beside it."""
    for end in ("", "-wal", "-shm"):
        part = source / f"register.sqlite3{end}"
        if part.exists():
            part.rename(target / part.name)


def hundred_calls_in_silence(server: Server, twilio: Twilio) -> None:
    counted = server.metric("notice_gateway_webhooks_total", event="call", reason="register_unavailable")
    records = twilio.ring_at_once(LINES * 10, lanes=4)
    assert [record for record in records if not record.is_plain] == []
    assert max(record.webhooks[0].ms for record in records) < 1000
    ready = server.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    now_counted = server.metric("notice_gateway_webhooks_total", event="call", reason="register_unavailable")
    assert now_counted - counted == len(UNDER_ORDERS) * 10


def wait_until(server: Server, status: str) -> None:
    deadline = time.monotonic() + 10
    while server.get("/readyz").json()["status"] != status:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_every_call_connects_while_the_database_file_is_away_and_notices_come_back_with_it(
    data: Path, tmp_path: Path
) -> None:
    away = tmp_path / "away"
    away.mkdir()
    with serving(data, tmp_path / "home", workers=4, work=False) as server:
        twilio = server.twilio()
        assert not any(record.is_plain for record in twilio.ring_at_once(["+12025550110"] * 12))
        # The telephone of a warned organisation rings, and nobody can tell any more what is to be said.
        begun = twilio.call(Script(callee="+12025550111", while_ringing=lambda: move(data, away)))
        assert "/twilio/whisper" in begun.paths()
        assert begun.is_plain
        hundred_calls_in_silence(server, twilio)
        assert not list(data.glob("register*"))
        move(away, data)
        assert not any(record.is_plain for record in twilio.ring_at_once(["+12025550110"] * 12))
        wait_until(server, "ok")
        twilio.client.close()


def test_a_replaced_database_is_the_only_one_that_counts(data: Path, tmp_path: Path) -> None:
    """The other database comes from the same backup and has grown by one line too, so both changed equally often."""
    other, away = tmp_path / "other", tmp_path / "away"
    away.mkdir()
    only_here, only_there = a_line(), a_line()
    shutil.copytree(data, other)
    grow(other, only_there)
    lift_on(other, "+12025550110")
    grow(data, only_here)
    with serving(data, tmp_path / "home", workers=2, work=False) as server:
        twilio = server.twilio()
        assert not any(record.is_plain for record in twilio.ring_at_once(["+12025550110", only_here] * 4))
        assert twilio.ring(only_there).is_plain
        move(data, away)
        move(other, data)
        records = twilio.ring_at_once(["+12025550110", only_here] * 12)
        assert [record for record in records if not record.is_plain] == []
        assert not twilio.ring("+442079460110").is_plain
        time.sleep(2)
        assert not any(record.is_plain for record in twilio.ring_at_once([only_there] * 20))
        twilio.client.close()


def grow(folder: Path, line: str) -> None:
    office = put_together(load(data_dir=folder))
    an_issued_order(office, line)
    office.close()


def lift_on(folder: Path, line: str) -> None:
    office = put_together(load(data_dir=folder))
    with office.studio.engine.connect() as connection:
        found = orders.entries(connection, office.keys)
    order = next(entry.order for entry in found if [each.number.number for each in entry.lines] == [line])
    lift_order(office.studio.engine, office.keys, order.order_id, at_the_command_line(utc_now()))
    office.close()


def test_every_call_connects_while_postgresql_refuses_connections(
    real_postgres_demo: PostgresDemo, postgres: Postgres, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(real_postgres_demo.folder, folder)
    name = postgres.create(template=real_postgres_demo.database)
    with serving(folder, tmp_path / "home", workers=2, work=False, database_url=postgres.url(name)) as server:
        twilio = server.twilio()
        assert not any(record.is_plain for record in twilio.ring_at_once(["+12025550110"] * 12))
        shut(postgres, name, closed=True)
        hundred_calls_in_silence(server, twilio)
        shut(postgres, name, closed=False)
        wait_until(server, "ok")
        # One worker answered that it is; another one may try the database again two seconds later.
        deadline = time.monotonic() + 5
        while any(record.is_plain for record in twilio.ring_at_once(["+12025550110"] * 12)):
            assert time.monotonic() < deadline
        twilio.client.close()
    postgres.drop(name)


def shut(postgres: Postgres, database: str, *, closed: bool) -> None:
    """Close a database to new connections and end those that it has, or open it again."""
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("UPDATE pg_database SET datallowconn = %s WHERE datname = %s", (not closed, database))
        if closed:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database,))


def test_killing_a_worker_costs_no_call_and_another_takes_its_place(
    server: Server, twilio: Twilio, office: Parts
) -> None:
    line = a_line()
    an_issued_order(office, line)
    wait_until_known(twilio, line)
    enough = Event()

    def keep_calling(_lane: int) -> list[Record]:
        found = []
        while not enough.is_set():
            found.append(twilio.ring(line))
        return found

    workers = server.workers()
    with ThreadPoolExecutor(4) as pool:
        lanes = [pool.submit(keep_calling, lane) for lane in range(4)]
        time.sleep(0.3)
        os.kill(workers[0], signal.SIGKILL)
        time.sleep(1.5)
        enough.set()
        records = [record for lane in lanes for record in lane.result()]
    assert len(records) >= 8
    assert [record.trouble for record in records if record.trouble] == []
    assert all(record.connected_to == line and len(record.caller_heard) == 1 for record in records)
    deadline = time.monotonic() + 15
    while len(set(server.workers()) - {workers[0]}) < len(workers):
        assert time.monotonic() < deadline, server.log.read_text()
        time.sleep(0.1)
