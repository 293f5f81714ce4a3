"""What a call waits for on PostgreSQL, in real time: a server that is paused, away, locked or no longer the primary."""

import time
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from gateway.db.engine import (
    CALL_TIMEOUT_SECONDS,
    DatabaseUrlError,
    open_for_calls,
    open_for_office,
    open_for_reading,
    open_for_screens,
    open_for_wishes,
)
from gateway.db.postgres import gone_for
from tests.postgres import Postgres, running_postgres

# What scheduling on a busy machine may add to a budget.
SLACK_SECONDS = 0.25
ONE = text("SELECT 1")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server of this module's own: it is paused and stopped."""
    with running_postgres() as running:
        yield running


@pytest.fixture
def url(server: Postgres) -> Iterator[str]:
    url = server.url(server.create())
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE words (word text)")
    yield url
    # A test that failed may have left it paused.
    server.resume()


@pytest.fixture
def calls(url: str) -> Iterator[Engine]:
    engine = open_for_calls(url)
    ask(engine)
    yield engine
    engine.dispose()


def ask(engine: Engine) -> float:
    """Ask for an answer, and return how long it took in seconds."""
    began = time.monotonic()
    with engine.connect() as connection:
        assert connection.scalar(ONE) == 1
    return time.monotonic() - began


def seconds_in_vain(engine: Engine) -> float:
    """Ask a server that does not answer, and return how long it took to be told so."""
    began = time.monotonic()
    with pytest.raises(OperationalError):
        ask(engine)
    return time.monotonic() - began


def look_up_slowly(engine: Engine) -> None:
    """Ask ten times in one look-up; no single answer is late."""
    with engine.connect() as connection:
        for _ in range(10):
            connection.execute(text("SELECT pg_sleep(0.1)"))


def write_and_fail(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO words VALUES ('taken back')"))
        raise ZeroDivisionError


def wait_until_back(engine: Engine, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            ask(engine)
        except SQLAlchemyError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return


def wait_until_copied(url: str) -> None:
    """Wait until the replica has the table; before that, to ask the next host is right."""
    deadline = time.monotonic() + 10
    while True:
        try:
            with psycopg.connect(url) as connection:
                connection.execute("SELECT word FROM words")
        except psycopg.Error:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def test_a_paused_server_costs_the_first_calls_their_budget_and_the_others_nothing(
    server: Postgres, calls: Engine
) -> None:
    server.pause()
    first = [seconds_in_vain(calls) for _ in range(2)]
    others = [seconds_in_vain(calls) for _ in range(20)]
    server.resume()
    assert max(first) < CALL_TIMEOUT_SECONDS + SLACK_SECONDS
    assert sum(others) < SLACK_SECONDS
    wait_until_back(calls)


def test_a_server_that_was_started_again_is_asked_again_without_a_failure(server: Postgres, calls: Engine) -> None:
    server.stop("fast")
    server.start()
    # The connections that there were are known to be dead before anybody asks on them.
    assert ask(calls) < CALL_TIMEOUT_SECONDS + SLACK_SECONDS


def test_nobody_waits_for_a_server_that_is_away(server: Postgres, calls: Engine) -> None:
    server.stop("immediate")
    waits = [seconds_in_vain(calls) for _ in range(20)]
    server.start()
    assert max(waits) < CALL_TIMEOUT_SECONDS + SLACK_SECONDS
    assert sum(waits[5:]) < SLACK_SECONDS
    wait_until_back(calls)


def test_all_statements_of_a_look_up_share_one_budget(calls: Engine) -> None:
    began = time.monotonic()
    with pytest.raises(OperationalError):
        look_up_slowly(calls)
    assert time.monotonic() - began < CALL_TIMEOUT_SECONDS + SLACK_SECONDS
    ask(calls)


def test_what_came_too_late_is_cancelled_on_the_server_and_its_connection_is_used_by_nobody(
    url: str, calls: Engine
) -> None:
    with pytest.raises(OperationalError), calls.connect() as connection:
        connection.execute(text("SELECT pg_sleep(30)"))
    with psycopg.connect(url, autocommit=True) as other:
        deadline = time.monotonic() + 5
        busy = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(30%' AND state = 'active'"
        while other.execute(busy).fetchone() != (0,):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert ask(calls) < CALL_TIMEOUT_SECONDS + SLACK_SECONDS


def test_a_server_that_became_a_replica_is_left_when_it_refuses_a_record(calls: Engine) -> None:
    with calls.connect() as connection:
        before = connection.scalar(text("SELECT pg_backend_pid()"))
        connection.execute(text("SET default_transaction_read_only = on"))
    with pytest.raises(SQLAlchemyError, match="read-only"), calls.connect() as connection:
        connection.execute(text("INSERT INTO words VALUES ('play')"))
    with calls.connect() as connection:
        connection.execute(text("INSERT INTO words VALUES ('play')"))
        assert connection.scalar(text("SELECT pg_backend_pid()")) != before


def test_a_wish_is_a_transaction_on_a_connection_of_calls(calls: Engine) -> None:
    wishes = open_for_wishes(calls, calls)
    with pytest.raises(ZeroDivisionError):
        write_and_fail(wishes)
    with wishes.begin() as connection:
        connection.execute(text("INSERT INTO words VALUES ('kept')"))
    with calls.connect() as connection:
        assert connection.scalars(text("SELECT word FROM words")).all() == ["kept"]


def test_a_wish_that_waits_for_a_lock_ends_in_time_for_the_call(url: str, calls: Engine) -> None:
    wishes = open_for_wishes(calls, calls)
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE words")
        began = time.monotonic()
        with pytest.raises(OperationalError), wishes.begin() as connection:
            connection.execute(text("INSERT INTO words VALUES ('late')"))
        assert CALL_TIMEOUT_SECONDS < time.monotonic() - began < CALL_TIMEOUT_SECONDS + 0.2 + SLACK_SECONDS


def test_pages_stop_waiting_when_calls_have_found_the_server_gone(server: Postgres, url: str, calls: Engine) -> None:
    office, reading = (each(url, is_gone=gone_for(calls)) for each in (open_for_office, open_for_reading))
    for engine in (office, reading):
        ask(engine)
    server.pause()
    for _ in range(3):
        seconds_in_vain(calls)
    waits = [seconds_in_vain(engine) for engine in (office, reading, office, reading)]
    server.resume()
    wait_until_back(calls)
    for engine in (office, reading):
        ask(engine)
        engine.dispose()
    assert max(waits) < 1
    assert sum(waits[2:]) < SLACK_SECONDS


def test_a_change_waits_five_seconds_for_a_lock_and_a_list_cannot_write(url: str) -> None:
    office, reading = open_for_office(url), open_for_reading(url)
    with office.begin() as connection:
        assert connection.scalar(text("SHOW lock_timeout")) == "5s"
    with pytest.raises(SQLAlchemyError, match="read-only"), reading.begin() as connection:
        connection.execute(text("INSERT INTO words VALUES ('by mistake')"))
    office.dispose()
    reading.dispose()


def test_screens_are_read_from_a_replica_and_calls_go_to_whichever_server_is_the_primary() -> None:
    with running_postgres() as first, running_postgres(copy_of=first) as second:
        name = first.create()
        hosts = f"host=127.0.0.1:{second.port}&host=127.0.0.1:{first.port}"
        calls = open_for_calls(f"postgresql://postgres@/{name}?{hosts}&target_session_attrs=read-write")
        screens = open_for_screens(f"postgresql://postgres@/{name}?{hosts}")
        with calls.connect() as connection:
            connection.execute(text("CREATE TABLE words (word text)"))
            assert not connection.scalar(text("SELECT pg_is_in_recovery()"))
        wait_until_copied(second.url(name))
        with screens.connect() as connection:
            assert connection.scalar(text("SELECT pg_is_in_recovery()"))
        first.stop("immediate")
        seconds_in_vain(calls)
        second.promote()
        wait_until_back(calls, 10)
        with calls.connect() as connection:
            connection.execute(text("CREATE TABLE more_words (word text)"))
            assert connection.scalar(text("SELECT inet_server_port()")) == second.port
        calls.dispose()
        screens.dispose()


def test_hosts_in_a_form_that_cannot_be_read_are_refused_with_the_form_that_can() -> None:
    with pytest.raises(DatabaseUrlError, match="host=a:5432&host=b:5432"):
        open_for_calls("postgresql://gateway@one:5432,two:5432/gateway")
