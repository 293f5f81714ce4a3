"""Additions that commit at once, late or never, in real transactions on PostgreSQL; and how screens hear of them there.

The trap: a transaction takes a number early and commits late. Who reads between sees a higher number, goes on from it,
and never sees the lower one.
"""

import random
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.assembly import Parts, put_together
from gateway.db.engine import open_for_screens
from gateway.domain.e164 import E164
from gateway.register import installation
from gateway.register.ids import new_id
from gateway.register.screen import Screen
from gateway.register.screen_wake import Wake
from gateway.settings import Settings
from tests.conftest import Template
from tests.postgres import Postgres
from tests.register.screening import (
    BOUND_SECONDS,
    KNOWN,
    NEW,
    STRANGER,
    a_screen,
    add_order,
    an_order_of_lakeside,
    kept,
    put_in_force,
    refresh,
    until,
    write_order,
)

OFFICERS, ORDERS_EACH = 8, 12


@pytest.fixture
def on_postgres(postgres: Postgres, postgres_template: Template, tmp_path: Path) -> Iterator[Parts]:
    """The parts over a fresh copy of the demo on PostgreSQL."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "keys.json").write_bytes((postgres_template.folder / "keys.json").read_bytes())
    (folder / "keys.json").chmod(0o600)
    name = postgres.create(template=postgres_template.database)
    parts = put_together(Settings(data_dir=folder, database_url=postgres.url(name)))
    yield parts
    parts.close()
    postgres.drop(name)


def test_who_began_first_and_committed_last_is_not_missed(on_postgres: Parts) -> None:
    parts, screen = on_postgres, a_screen(on_postgres)
    with parts.studio.engine.begin() as late:
        # Its rows are written before the other's, and its announcement is made after it.
        order = an_order_of_lakeside()
        write_order(late, parts, order, NEW)
        put_in_force(parts, STRANGER)
        refresh(screen, parts)
        assert [screen.may_hold(each) for each in (NEW, STRANGER)] == [False, True]
        installation.announce_added(late, order.order_id)
    refresh(screen, parts)
    assert screen.may_hold(NEW)


def test_who_has_announced_and_not_committed_holds_the_next_one_back(on_postgres: Parts) -> None:
    """So that numbers are committed in their order: who reads between never sees the second one alone."""
    parts, screen = on_postgres, a_screen(on_postgres)
    before = screen.build
    second = threading.Thread(target=put_in_force, args=(parts, STRANGER))
    with parts.studio.engine.begin() as first:
        add_order(first, parts, NEW)
        second.start()
        for _ in range(10):
            refresh(screen, parts)
            assert not screen.may_hold(NEW)
            assert not screen.may_hold(STRANGER)
            time.sleep(0.02)
        assert second.is_alive()
    second.join(5)
    refresh(screen, parts)
    assert [screen.may_hold(each) for each in (NEW, STRANGER)] == [True, True]
    assert screen.build == before


def test_what_was_announced_and_rolled_back_leaves_no_gap(on_postgres: Parts) -> None:
    parts, screen = on_postgres, a_screen(on_postgres)
    before = screen.build
    with parts.studio.engine.connect() as connection, connection.begin() as transaction:
        add_order(connection, parts, NEW)
        transaction.rollback()
    put_in_force(parts, STRANGER)
    refresh(screen, parts)
    assert [screen.may_hold(each) for each in (NEW, STRANGER)] == [False, True]
    assert screen.build == before


def test_officers_who_approve_at_once_are_all_heard_of_within_two_seconds(on_postgres: Parts) -> None:
    """Eight at once, in transactions that dawdle before and after they announce; a reader never stops reading."""
    parts = on_postgres
    late: list[float] = []
    with kept(parts, every=0.05) as screen:
        before = screen.build

        def approve(officer: int) -> None:
            dice = random.Random(officer)
            for number in range(ORDERS_EACH):
                line = E164(f"+1202556{officer:02d}{number:02d}")
                with parts.studio.engine.begin() as connection:
                    order = an_order_of_lakeside()
                    write_order(connection, parts, order, line)
                    time.sleep(dice.random() * 0.02)
                    installation.announce_added(connection, order.order_id)
                    time.sleep(dice.random() * 0.005)
                committed = time.monotonic()
                if not until(lambda line=line: screen.may_hold(line)):  # type: ignore[misc]
                    late.append(time.monotonic() - committed)

        officers = [threading.Thread(target=approve, args=(each,)) for each in range(OFFICERS)]
        began = time.monotonic()
        for each in officers:
            each.start()
        for each in officers:
            each.join(60)
        assert late == []
        assert time.monotonic() - began < 30  # Nobody waits for a lock for long, and nobody for ever.
        assert screen.build == before


def test_workers_are_told_and_need_not_ask(on_postgres: Parts) -> None:
    with kept(on_postgres, every=60) as screen:
        time.sleep(0.3)
        put_in_force(on_postgres, NEW)
        assert until(lambda: screen.may_hold(NEW))


def test_who_is_told_asks_once_a_second_all_the_same(on_postgres: Parts) -> None:
    """A notification may be lost on its way; this one is not even sent."""
    with kept(on_postgres, every=0.2) as screen:
        time.sleep(0.3)
        with on_postgres.studio.engine.begin() as connection:
            connection.exec_driver_sql("CREATE SCHEMA mute")
            connection.exec_driver_sql("CREATE FUNCTION mute.pg_notify(text, text) RETURNS void AS '' LANGUAGE sql")
            connection.exec_driver_sql("SET LOCAL search_path = mute, public, pg_catalog")
            add_order(connection, on_postgres, NEW)
        assert until(lambda: screen.may_hold(NEW))


def test_a_connection_that_is_cut_is_made_again(on_postgres: Parts) -> None:
    with closing(Wake(on_postgres.screens, 0.05)) as wake:
        assert wake.wait()
        assert wake.is_listening
        _cut_listeners(on_postgres)
        assert until(lambda: wake.wait() and not wake.is_listening, seconds=5)
        assert until(lambda: wake.wait() and wake.is_listening, seconds=10)
        wake.stop()
        assert not wake.wait()


def _cut_listeners(parts: Parts) -> None:
    with parts.studio.engine.begin() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE query LIKE 'LISTEN%%' AND datname = current_database()"
        )


@contextmanager
def _pgbouncer(server: Postgres) -> Iterator[int]:
    """Put a PgBouncer in transaction mode before the server, and yield its port."""
    port = _free_port()
    settings = server.folder / f"{new_id('bouncer')}.ini"
    settings.write_text(
        f"[databases]\n* = host=127.0.0.1 port={server.port} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nauth_type = any\npool_mode = transaction\nunix_socket_dir =\ndefault_pool_size = 2\n",
        encoding="utf-8",
    )
    process = subprocess.Popen(
        ["/usr/sbin/pgbouncer", "-q", str(settings)], user=server.owner, stderr=subprocess.DEVNULL, cwd="/"
    )
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


def test_behind_pgbouncer_nobody_listens_and_the_database_is_asked(on_postgres: Parts, postgres: Postgres) -> None:
    """In its transaction mode a LISTEN would stay with a server's connection, which others use next."""
    with _pgbouncer(postgres) as port:
        url = on_postgres.settings.database_url.replace(f":{postgres.port}/", f":{port}/")
        behind = open_for_screens(url, prepares=False)
        assert until(lambda: _answers(behind), seconds=10)
        with closing(Wake(behind, 0.05)) as wake:
            assert wake.wait()
            assert not wake.is_listening
        settings = Settings(data_dir=on_postgres.settings.data_dir, database_url=url, database_prepares=False)
        parts = put_together(settings)
        with kept(parts, every=0.2, screen=Screen(parts.keys)) as screen:
            assert screen.may_hold(KNOWN)
            put_in_force(parts, NEW)
            began = time.monotonic()
            assert until(lambda: screen.may_hold(NEW))
            assert time.monotonic() - began < BOUND_SECONDS
        parts.close()
        behind.dispose()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(engine: Engine) -> bool:
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
    except SQLAlchemyError:
        return False
    return True
