"""Screens are read where their URL points; whatever they find is asked of the primary, and only the primary counts.

Two databases that have gone apart prove which of them was asked, as no replica would that keeps up.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.app import Running, create_app
from gateway.assembly import put_together
from gateway.clock import utc_now
from gateway.register import orders
from gateway.settings import DEMO_TOKEN, Settings
from gateway.workflows.change import at_the_command_line
from gateway.workflows.end_order import lift_order
from tests.conftest import Template
from tests.end_to_end.issuing import a_line, an_issued_order
from tests.postgres import Postgres
from tests.telephone import Telephone, prompts_in

IN_FORCE, LIFTED = "+12025550110", "+442079460110"


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """Settings over a primary on which one order was lifted and one issued since the replica last heard of it."""

    settings: Settings
    issued: str


@pytest.fixture
def apart(postgres: Postgres, postgres_template: Template, tmp_path: Path) -> Iterator[Apart]:
    primary, replica = (postgres.create(template=postgres_template.database) for _ in range(2))
    folder = shutil.copytree(postgres_template.folder, tmp_path / "data")
    settings = Settings(data_dir=folder, database_url=postgres.url(primary), database_screens_url=postgres.url(replica))
    line = a_line()
    parts = put_together(settings)
    an_issued_order(parts, line)
    with parts.studio.engine.connect() as connection:
        found = orders.entries(connection, parts.keys)
    lifted = next(each.order for each in found if [line.number.number for line in each.lines] == [LIFTED])
    lift_order(parts.studio.engine, parts.keys, lifted.order_id, at_the_command_line(utc_now()))
    parts.close()
    yield Apart(settings=settings, issued=line)
    for name in (primary, replica):
        postgres.drop(name)


def test_a_screen_asks_its_replica_and_a_notice_the_primary(apart: Apart) -> None:
    app = create_app(apart.settings)
    telephone = Telephone(app=app, origin=apart.settings.public_origin, token=DEMO_TOKEN)
    try:
        assert prompts_in(telephone.call(IN_FORCE))
        # The replica still has the lifted order, and does not know the new one.
        assert not prompts_in(telephone.call(LIFTED))
        assert not prompts_in(telephone.call(apart.issued))
    finally:
        running: Running = app.extensions["notice_gateway"]
        running.stop()


def test_without_a_replica_the_primary_is_asked_for_both(apart: Apart) -> None:
    settings = apart.settings.model_copy(update={"database_screens_url": ""})
    app = create_app(settings)
    telephone = Telephone(app=app, origin=settings.public_origin, token=DEMO_TOKEN)
    try:
        assert prompts_in(telephone.call(apart.issued))
        assert not prompts_in(telephone.call(LIFTED))
    finally:
        running: Running = app.extensions["notice_gateway"]
        running.stop()
