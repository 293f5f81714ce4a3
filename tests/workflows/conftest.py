"""Fixtures: the office; a backup of the demo, its key file kept in another place, and empty places to restore into."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.assembly import Parts
from gateway.clock import utc_now
from gateway.workflows.office import Office
from tests.builders_office import an_office
from tests.workflows.backups import Places, backed_up, places, put_keys


@pytest.fixture
def office(parts: Parts) -> Office:
    """The office of the builders' orders, on each database."""
    return an_office(parts)


@pytest.fixture
def at(request: pytest.FixtureRequest, parts: Parts, tmp_path: Path) -> Iterator[Places]:
    """Empty places of the same kind as the demo's database."""
    with places(request, tmp_path, like=parts.settings) as made:
        yield made


@pytest.fixture
def archive(parts: Parts, tmp_path: Path) -> Path:
    """A backup of the demo."""
    target = tmp_path / "backup.tar"
    backed_up(parts, target, utc_now())
    return target


@pytest.fixture
def keys(parts: Parts, tmp_path: Path) -> Path:
    """The demo's key file, kept in another place."""
    return put_keys(parts.settings, tmp_path / "kept-keys.json")
