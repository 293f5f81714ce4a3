"""Fixtures: the demo on both databases, loaded once and copied for each test."""

import gc
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.app import Running, create_app
from gateway.assembly import Parts, prepare, put_together
from gateway.audio.wording import Wording
from gateway.clock import utc_now
from gateway.settings import DEMO_TOKEN, Settings
from gateway.workflows.load_demo import load_demo
from gateway.workflows.load_demo_people import load_demo_people
from gateway.workflows.publish_notice import Studio
from tests.fakes import HummingSynthesizer, RememberingEncoder, remember_rules
from tests.once import made_once
from tests.postgres import Postgres, running_postgres
from tests.telephone import Telephone

DATABASES = ("sqlite", "postgresql")

remember_rules()


def pytest_collection_finish() -> None:
    """Leave what is loaded by now out of the search for garbage, and search less often: that took a sixth of the time.

    What nobody closed is still found, later: pytest looks for it once more at its end.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for this test process."""
    with running_postgres() as server:
        yield server


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A data folder to copy, and the database that belongs to it."""

    folder: Path
    database: str


def a_studio(parts: Parts, *, seconds: float = 1.5) -> Studio:
    """Return the studio of `parts` with a voice that hums."""
    return Studio(
        engine=parts.studio.engine,
        keys=parts.keys,
        library=parts.studio.library,
        synthesizer=HummingSynthesizer(seconds),
        wording=Wording(parts.settings.prompts_dir),
        encode=RememberingEncoder(_encodings(parts.settings.data_dir)),
    )


def _encodings(folder: Path) -> Path:
    """Return the folder of what was encoded before: pytest's own of this run, which all its processes share."""
    run = next((each for each in folder.parents if each.name.startswith("pytest-")), folder)
    kept = run / "encodings"
    kept.mkdir(parents=True, exist_ok=True)
    return kept


def _load(settings: Settings) -> None:
    now = utc_now()
    parts = prepare(settings)
    settings.demo_mark.write_text("demo", encoding="utf-8")
    for _ in load_demo(a_studio(parts), now):
        pass
    load_demo_people(parts.office, now)
    parts.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Template:
    folder = made_once(tmp_path_factory, worker_id, "demo-sqlite", lambda draft: _load(Settings(data_dir=draft)))
    return Template(folder=folder, database="")


@pytest.fixture(scope="session")
def postgres_template(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Template:
    folder = tmp_path_factory.mktemp("demo-postgresql")
    name = postgres.create()
    _load(Settings(data_dir=folder, database_url=postgres.url(name)))
    return Template(folder=folder, database=name)


@pytest.fixture(params=DATABASES)
def demo_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings over a fresh copy of the demo, on each database."""
    folder = tmp_path / "data"
    if request.param == "sqlite":
        template: Template = request.getfixturevalue("sqlite_template")
        shutil.copytree(template.folder, folder)
        yield Settings(data_dir=folder)
        return
    template = request.getfixturevalue("postgres_template")
    server: Postgres = request.getfixturevalue("postgres")
    shutil.copytree(template.folder, folder)
    name = server.create(template=template.database)
    yield Settings(data_dir=folder, database_url=server.url(name))
    server.drop(name)


@pytest.fixture
def sqlite_settings(sqlite_template: Template, tmp_path: Path) -> Settings:
    """Settings over a fresh copy of the demo on SQLite, for what does not depend on the database."""
    folder = tmp_path / "data"
    shutil.copytree(sqlite_template.folder, folder)
    return Settings(data_dir=folder)


@pytest.fixture
def parts(demo_settings: Settings) -> Iterator[Parts]:
    """The parts over the demo, on each database."""
    opened = put_together(demo_settings)
    yield opened
    opened.close()


@pytest.fixture
def telephone(demo_settings: Settings) -> Iterator[Telephone]:
    """A telephone to an app over the demo, on each database."""
    yield from _telephone(demo_settings)


@pytest.fixture
def sqlite_telephone(sqlite_settings: Settings) -> Iterator[Telephone]:
    """A telephone to an app over the demo on SQLite."""
    yield from _telephone(sqlite_settings)


def _telephone(settings: Settings) -> Iterator[Telephone]:
    app = create_app(settings)
    yield Telephone(app=app, origin=settings.public_origin, token=DEMO_TOKEN)
    running: Running = app.extensions["notice_gateway"]
    running.stop()
