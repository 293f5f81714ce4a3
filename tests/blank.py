"""A gateway with two courts and nothing else, on each database: what needs no orders is faster without the demo."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.assembly import Parts, prepare, put_together
from gateway.register import courts
from gateway.settings import Settings
from tests.builders import a_court
from tests.conftest import DATABASES
from tests.postgres import Postgres

COURT, OTHER_COURT = "lakeside", "thameside"


def fill(parts: Parts) -> None:
    with parts.studio.engine.begin() as connection:
        for court_id in (COURT, OTHER_COURT):
            courts.add(connection, a_court(court_id=court_id))
    parts.close()


@pytest.fixture(scope="session")
def blank_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blank-sqlite")
    fill(prepare(Settings(data_dir=folder)))
    return folder


@pytest.fixture(scope="session")
def blank_database(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> tuple[Path, str]:
    """The folder with the key, and the database to copy."""
    folder = tmp_path_factory.mktemp("blank-postgresql")
    name = postgres.create()
    fill(prepare(Settings(data_dir=folder, database_url=postgres.url(name))))
    return folder, name


@pytest.fixture(params=DATABASES)
def blank_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings over a fresh copy."""
    folder = tmp_path / "data"
    if request.param == "sqlite":
        shutil.copytree(request.getfixturevalue("blank_folder"), folder)
        yield Settings(data_dir=folder)
        return
    source, template = request.getfixturevalue("blank_database")
    server: Postgres = request.getfixturevalue("postgres")
    shutil.copytree(source, folder)
    name = server.create(template=template)
    yield Settings(data_dir=folder, database_url=server.url(name))
    server.drop(name)


@pytest.fixture
def blank(blank_settings: Settings) -> Iterator[Parts]:
    """The parts over a fresh copy."""
    opened = put_together(blank_settings)
    yield opened
    opened.close()
