"""Through PgBouncer in transaction mode, as Debian has it: a connection to it is nobody's connection to the server."""

from collections.abc import Iterator

import httpx
import psycopg
import pytest

from gateway.assembly import Parts, prepare, put_together
from gateway.clock import utc_now
from gateway.settings import DEMO_TOKEN, Settings, load
from gateway.workflows.change import at_the_command_line
from gateway.workflows.end_order import lift_order
from gateway.workflows.load_demo import load_demo, person_in_permitted_hours
from tests.conftest import a_studio
from tests.end_to_end.call_script import Press, Script
from tests.end_to_end.issuing import a_line, an_issued_order, wait_until_known
from tests.end_to_end.server import Server, serving
from tests.pgbouncer import running_pgbouncer
from tests.postgres import Postgres


@pytest.fixture(scope="module")
def gateway(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A gateway that has never seen the server itself: migrations and the demo went through PgBouncer too."""
    room = tmp_path_factory.mktemp("pgbouncer")
    name = postgres.create()
    with running_pgbouncer(postgres) as port:
        url = f"postgresql://postgres@127.0.0.1:{port}/{name}"
        _load(load(data_dir=room / "data", database_url=url, database_prepares=False))
        with serving(
            room / "data", room / "home", workers=2, work=False, database_url=url, database_prepares=False
        ) as server:
            yield server
    postgres.drop(name)


def _load(settings: Settings) -> None:
    parts = prepare(settings)
    settings.demo_mark.write_text("demo", encoding="utf-8")
    for _ in load_demo(a_studio(parts), utc_now()):
        pass
    parts.close()


@pytest.fixture
def office(gateway: Server) -> Iterator[Parts]:
    parts = put_together(gateway.settings)
    yield parts
    parts.close()


def test_an_order_is_issued_heard_and_lifted_through_pgbouncer(gateway: Server, office: Parts) -> None:
    line = a_line()
    order = an_issued_order(office, line)
    twilio = gateway.twilio(DEMO_TOKEN)
    wait_until_known(twilio, line)
    # Many at once, over few connections to the server, and a key on each.
    skip = (Press(party="caller", prompt=0, key="1", after=0.1),)
    for _ in range(10):
        record = twilio.call(Script(callee=line, presses=skip))
        assert len(record.caller_heard) == 1
        assert record.connected_to == line
    assert not any(record.is_plain for record in twilio.ring_at_once([line] * 40, lanes=8))
    lift_order(office.studio.engine, office.keys, order.order_id, at_the_command_line(utc_now()))
    assert all(record.is_plain for record in twilio.ring_at_once([line] * 16, lanes=8))
    twilio.client.close()


def test_a_key_on_a_call_changes_the_register_through_pgbouncer(gateway: Server, office: Parts) -> None:
    with office.reading.connect() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM disputes").scalar_one()
    twilio = gateway.twilio(DEMO_TOKEN)
    presses = (Press(party="callee", prompt=0, key="9"),)
    person, _ = person_in_permitted_hours(utc_now())
    record = twilio.call(Script(callee=person, presses=presses))
    twilio.client.close()
    assert record.trouble == []
    with office.reading.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM disputes").scalar_one() == before + 1


def test_the_api_and_readiness_ask_the_database_through_pgbouncer(gateway: Server) -> None:
    asked = gateway.get("/api/v1/orders", {"Authorization": "Bearer nobody"})
    assert asked.status_code == httpx.codes.UNAUTHORIZED
    assert gateway.get("/readyz").json()["database"] == "reachable"


def test_nothing_of_a_session_is_left_behind_on_the_servers_connections(gateway: Server) -> None:
    """Nobody prepared, set or listened to anything that the next on the same connection would come upon."""
    with psycopg.connect(gateway.settings.database_url, autocommit=True, prepare_threshold=None) as connection:
        for _ in range(20):
            assert connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
            assert connection.execute("SHOW lock_timeout").fetchone() == ("0",)
            assert connection.execute("SHOW default_transaction_read_only").fetchone() == ("off",)
            assert connection.execute("SELECT count(*) FROM pg_listening_channels()").fetchone() == (0,)
