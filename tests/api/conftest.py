from collections.abc import Iterator

import pytest

from gateway.assembly import Parts, put_together
from gateway.settings import Settings
from tests.api.builders import Registry, a_registry


@pytest.fixture
def registry(parts: Parts) -> Registry:
    """An API over the demo, on each database."""
    return a_registry(parts)


@pytest.fixture
def sqlite_registry(sqlite_settings: Settings) -> Iterator[Registry]:
    """An API over the demo on SQLite, for what does not depend on the database."""
    opened = put_together(sqlite_settings)
    yield a_registry(opened)
    opened.close()
