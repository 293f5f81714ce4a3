from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

import gateway.audit.tables
import gateway.db
import gateway.errands.tables
import gateway.outbox.tables
import gateway.people.tables
import gateway.register.tables
from gateway.db.engine import open_for_office
from gateway.db.metadata import metadata
from gateway.db.schema import is_current, migrate, revisions
from tests.conftest import DATABASES
from tests.postgres import Postgres

TABLES = {gateway.people.tables.people.name, gateway.register.tables.orders.name, gateway.audit.tables.plays.name}


@pytest.fixture(params=DATABASES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        engine = open_for_office(f"sqlite:///{tmp_path / 'new.sqlite3'}", may_create=lambda: True)
        yield engine
        engine.dispose()
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    engine = open_for_office(server.url(name))
    yield engine
    engine.dispose()
    server.drop(name)


def test_the_migrations_make_the_tables_that_the_code_knows(empty: Engine) -> None:
    migrate(empty)
    with empty.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert set(inspect(connection).get_table_names()) >= TABLES


def test_migrating_twice_changes_nothing(empty: Engine) -> None:
    assert not is_current(empty)
    migrate(empty)
    migrate(empty)
    assert is_current(empty)


def test_every_check_of_the_tables_is_in_the_database(empty: Engine) -> None:
    migrate(empty)
    for table in metadata.tables.values():
        wanted = {str(each.name) for each in table.constraints if each.__visit_name__ == "check_constraint"}
        with empty.connect() as connection:
            found = {str(each["name"]) for each in inspect(connection).get_check_constraints(table.name)}
        assert wanted <= found


def test_the_revisions_have_one_head() -> None:
    folder = Path(gateway.db.__file__).parent / "migrations"
    assert len(ScriptDirectory(folder).get_heads()) == 1


def test_the_revisions_that_a_start_goes_by_are_those_that_alembic_finds() -> None:
    folder = Path(gateway.db.__file__).parent / "migrations"
    assert revisions() == tuple(each.revision for each in ScriptDirectory(folder).walk_revisions())
