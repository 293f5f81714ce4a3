"""Fixtures: a people's desk over the demo on each database."""

import pytest

from gateway.assembly import Parts
from gateway.workflows.people_desk import PeopleDesk
from tests.people.desks import a_desk


@pytest.fixture
def desk(parts: Parts) -> PeopleDesk:
    """A desk with cheap hashing, on each database."""
    return a_desk(parts)
