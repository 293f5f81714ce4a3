"""Fixtures: the real demo, made once by `notice-gateway demo`, and running gateways over copies of it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, select

from gateway.assembly import Parts, prepare, put_together
from gateway.audit.tables import plays
from gateway.register.tables import renditions
from gateway.settings import load
from tests.conftest import DATABASES
from tests.end_to_end.independent_twilio import Twilio
from tests.end_to_end.server import METRICS_TOKEN, Server, environment, run, serving
from tests.once import made_once
from tests.postgres import Postgres


@pytest.fixture(scope="session")
def real_demo(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder that `notice-gateway demo` makes, with real voices: one for all of xdist's workers, never changed."""

    def load_demo(folder: Path) -> None:
        loaded = run(environment(folder.parent, data_dir=folder), "demo", seconds=300)
        assert loaded.returncode == 0, loaded.stderr

    return made_once(tmp_path_factory, worker_id, "real-demo", load_demo)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresDemo:
    """The folder and the template database of a demo on PostgreSQL."""

    folder: Path
    database: str


@pytest.fixture(scope="session")
def real_postgres_demo(real_demo: Path, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> PostgresDemo:
    """The demo on PostgreSQL, by the same command. It finds the voices' recordings that were made for SQLite."""
    folder = tmp_path_factory.mktemp("postgres") / "data"
    shutil.copytree(real_demo, folder, ignore=shutil.ignore_patterns("*.sqlite3*"))
    database = postgres.create()
    spoken = put_together(load(data_dir=real_demo))
    blank = prepare(load(data_dir=folder, database_url=postgres.url(database)))
    _copy_renditions(spoken.studio.engine, blank.studio.engine)
    spoken.close()
    blank.close()
    loaded = run(environment(folder.parent, data_dir=folder, database_url=postgres.url(database)), "demo", seconds=300)
    assert loaded.returncode == 0, loaded.stderr
    return PostgresDemo(folder=folder, database=database)


def _copy_renditions(source: Engine, target: Engine) -> None:
    with source.connect() as reading, target.begin() as writing:
        rows = [dict(row) for row in reading.execute(select(renditions)).mappings()]
        writing.execute(renditions.insert(), rows)


@pytest.fixture(scope="package", params=DATABASES)
def shared_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A gateway with four workers over the real demo, on each database. Tests leave it as they found it."""
    room = tmp_path_factory.mktemp("shared")
    folder = room / "data"
    if request.param == "sqlite":
        shutil.copytree(request.getfixturevalue("real_demo"), folder)
        with serving(folder, room / "home", workers=4, metrics_token=METRICS_TOKEN) as server:
            yield server
        return
    demo: PostgresDemo = request.getfixturevalue("real_postgres_demo")
    postgres: Postgres = request.getfixturevalue("postgres")
    shutil.copytree(demo.folder, folder)
    name = postgres.create(template=demo.database)
    url = postgres.url(name)
    with serving(folder, room / "home", workers=4, metrics_token=METRICS_TOKEN, database_url=url) as server:
        yield server
    postgres.drop(name)


@pytest.fixture
def office(server: Server) -> Iterator[Parts]:
    """The parts of the running gateway, opened beside it as a command would."""
    opened = put_together(server.settings)
    yield opened
    opened.close()


@pytest.fixture
def server(shared_server: Server) -> Server:
    """The shared gateway, on each database, as if nobody had ever been called: caps count from zero."""
    opened = put_together(shared_server.settings)
    with opened.studio.engine.begin() as connection:
        connection.execute(delete(plays))
    opened.close()
    return shared_server


@pytest.fixture
def twilio(server: Server) -> Iterator[Twilio]:
    """Twilio, with the shared gateway behind its number."""
    account = server.twilio()
    yield account
    account.client.close()


@pytest.fixture
def data(real_demo: Path, tmp_path: Path) -> Path:
    """A copy of the real demo for one test."""
    return Path(shutil.copytree(real_demo, tmp_path / "data"))
