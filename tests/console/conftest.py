from collections.abc import Iterator

import pytest

from gateway.assembly import Parts, put_together
from gateway.settings import Settings
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
