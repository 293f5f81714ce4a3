import shutil
from collections.abc import Iterator

import pytest

from gateway.assembly import Parts, put_together
from gateway.settings import Settings
from tests.conftest import Template
from tests.console.scene import Console, a_console


@pytest.fixture
def console(parts: Parts) -> Console:
    """A console over the demo, on each database."""
    return a_console(parts)


@pytest.fixture
def sqlite_console(sqlite_settings: Settings) -> Iterator[Console]:
    """A console over the demo on SQLite, for what does not depend on the database."""
    opened = put_together(sqlite_settings)
    yield a_console(opened)
    opened.close()


@pytest.fixture(scope="module")
def console_to_look_at(sqlite_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console over the demo on SQLite that the tests of a module share: they may add people, and nothing else."""
    folder = tmp_path_factory.mktemp("looked-at") / "data"
    shutil.copytree(sqlite_template.folder, folder)
    opened = put_together(Settings(data_dir=folder))
    yield a_console(opened)
    opened.close()
