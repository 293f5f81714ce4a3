"""Expand, then contract: the release before this one works on this schema, and migrating costs no call its notice.

The rule is in docs/operations.md. Here the present code takes the part of the release before, and a copy of the
migrations with two more that of the release after.
"""

import io
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic import op
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Engine, inspect

import gateway.db
from gateway.app import Running, create_app
from gateway.assembly import prepare
from gateway.db.engine import open_for_office
from gateway.db.migration import MigrationBlockedError
from gateway.db.schema import is_current, is_newer, migrate
from gateway.settings import DEMO_TOKEN, Settings
from gateway.workflows.examine import Verdict, examine_database
from tests.conftest import Template
from tests.postgres import Postgres
from tests.telephone import Telephone, prompts_in

FOLDER = Path(gateway.db.__file__).parent / "migrations"
REVISIONS = sorted(ScriptDirectory(FOLDER).walk_revisions(), key=lambda each: each.revision)
# Made before there was a release that anybody could upgrade from.
FIRST_RELEASED = "0009"
UNDER_ORDER = "+12025550110"
_OBJECTIONS = (
    (r"ALTER TABLE (\w+) ADD COLUMN \w+(?!.*DEFAULT).* NOT NULL", "a new column is NOT NULL without a default"),
    (r"ALTER TABLE (\w+) (?:DROP|RENAME)", "something is dropped or renamed"),
    (r"ALTER TABLE (\w+) ALTER COLUMN \w+ (?:TYPE|SET NOT NULL)", "a column is retyped or becomes NOT NULL"),
    (r"ALTER TABLE (\w+) ADD CONSTRAINT", "a new constraint, which the release before may not keep"),
    (r"DROP TABLE (\w+)", "a table is dropped"),
    (r"CREATE UNIQUE INDEX .*ON (\w+)", "a new unique index, which the release before may not keep"),
    (r"CREATE INDEX (?!CONCURRENTLY).*ON (\w+)", "a new index that stops writers while it is built"),
)


def objections(upgrade: Callable[[], None]) -> list[str]:
    """Return what a migration does, on PostgreSQL, to tables that were there before it and that others rely on."""
    written = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written, "render_as_batch": True}
    )
    with Operations.context(context):
        upgrade()
    statements = [" ".join(each.split()) for each in written.getvalue().split(";")]
    made = {found[1] for each in statements if (found := re.match(r"CREATE TABLE (\w+)", each))}
    return [
        f"{found[1]}: {why}"
        for each in statements
        for pattern, why in _OBJECTIONS
        if (found := re.match(pattern, each)) and found[1] not in made
    ]


@pytest.mark.parametrize(
    "revision", [each for each in REVISIONS if each.revision >= FIRST_RELEASED], ids=lambda each: str(each.revision)
)
def test_a_migration_only_adds_unless_it_names_the_release_that_stopped_using_what_goes(revision: Script) -> None:
    contract = getattr(revision.module, "contract", None)
    if contract is None:
        assert objections(revision.module.upgrade) == []
    else:
        # For example: contract = "0.3.0 no longer reads orders.legal_basis".
        assert re.match(r"\d+\.\d+\.\d+ no longer ", contract)


@pytest.mark.parametrize(
    ("upgrade", "why"),
    [
        (lambda: op.drop_column("orders", "case_number"), "dropped"),
        (lambda: op.alter_column("orders", "case_number", new_column_name="docket"), "renamed"),
        (lambda: op.alter_column("orders", "note", nullable=False), "NOT NULL"),
        (lambda: op.alter_column("orders", "note", type_=sa.Text()), "retyped"),
        (lambda: op.add_column("orders", sa.Column("note", sa.Text(), nullable=False)), "without a default"),
        (lambda: op.create_check_constraint("ck_orders_note", "orders", "note <> ''"), "constraint"),
        (lambda: op.rename_table("orders", "judgments"), "renamed"),
        (lambda: op.drop_table("orders"), "dropped"),
        (lambda: op.create_index("ix_orders_note", "orders", ["note"]), "stops writers"),
        (lambda: op.create_index("ix_orders_note", "orders", ["note"], unique=True), "unique"),
    ],
)
def test_what_the_release_before_could_not_work_with_is_found(upgrade: Callable[[], None], why: str) -> None:
    (objection,) = objections(upgrade)
    assert objection.startswith("orders: ")
    assert why in objection


def test_what_only_adds_is_not_objected_to() -> None:
    def upgrade() -> None:
        op.create_table("notes", sa.Column("note_id", sa.Integer(), nullable=False))
        op.create_index("ix_notes_note_id", "notes", ["note_id"], unique=True)
        op.add_column("orders", sa.Column("note", sa.Text(), nullable=True))
        op.add_column("orders", sa.Column("rank", sa.Integer(), server_default="1", nullable=False))
        op.create_index("ix_orders_note", "orders", ["note"], postgresql_concurrently=True)

    assert objections(upgrade) == []


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The migrations of a release after this one: a column and a table more, and an index built beside the work."""
    folder = tmp_path / "migrations"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    head = REVISIONS[-1].revision
    bodies = {
        "8998": (
            head,
            "",
            """op.add_column('orders', sa.Column('note', sa.Text(), nullable=True))
    op.create_table('notes', sa.Column('note_id', sa.Integer(), nullable=False))""",
        ),
        "8999": (
            "8998",
            "outside_transaction = True",
            "op.create_index('ix_orders_note', 'orders', ['note'], postgresql_concurrently=True)",
        ),
    }
    for revision, (down, mark, body) in bodies.items():
        (folder / "versions" / f"{revision}_later.py").write_text(
            f'"""A later release."""\nimport sqlalchemy as sa\nfrom alembic import op\n'
            f'revision = "{revision}"\ndown_revision = "{down}"\nbranch_labels = None\ndepends_on = None\n{mark}\n'
            f"def upgrade():\n    {body}\ndef downgrade():\n    pass\n",
            encoding="utf-8",
        )
    return folder


@pytest.fixture
def settings(postgres_template: Template, postgres: Postgres, tmp_path: Path) -> Iterator[Settings]:
    folder = tmp_path / "data"
    shutil.copytree(postgres_template.folder, folder)
    name = postgres.create(template=postgres_template.database)
    yield Settings(data_dir=folder, database_url=postgres.url(name))
    postgres.drop(name)


@pytest.fixture
def office(settings: Settings) -> Iterator[Engine]:
    engine = open_for_office(settings.database)
    yield engine
    engine.dispose()


@dataclass(slots=True)
class Calls:
    """Calls to a line under an order, one after the other: how long each took, and whether the notice was heard."""

    telephone: Telephone
    seconds: list[float] = field(default_factory=list)
    heard: list[bool] = field(default_factory=list)

    def one(self) -> None:
        begun = time.monotonic()
        answer = self.telephone.call(UNDER_ORDER)
        self.seconds.append(time.monotonic() - begun)
        assert answer.status_code == 200
        self.heard.append(bool(prompts_in(answer)))


@contextmanager
def calling(settings: Settings) -> Iterator[Calls]:
    """Call without a pause for as long as the context lasts, and twenty times more after it."""
    app = create_app(settings)
    calls = Calls(Telephone(app=app, origin=settings.public_origin, token=DEMO_TOKEN))
    over = threading.Event()

    def call() -> None:
        while not over.is_set():
            calls.one()

    calls.one()
    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield calls
    finally:
        over.set()
        thread.join(30)
        for _after in range(20):
            calls.one()
        running: Running = app.extensions["notice_gateway"]
        running.stop()


def test_calls_hear_their_notices_while_a_later_release_migrates_and_a_backup_holds_the_tables(
    settings: Settings, office: Engine, later: Path
) -> None:
    with calling(settings) as calls:
        # pg_dump holds every table in this way for as long as it reads.
        with psycopg.connect(settings.database_url) as reader:
            reader.execute("LOCK TABLE orders IN ACCESS SHARE MODE")
            migrating = threading.Thread(target=migrate, args=(office,), kwargs={"folder": later})
            migrating.start()
            time.sleep(1.5)
            assert not is_newer(office)
        migrating.join(60)
        assert is_newer(office)
    assert len(calls.heard) > 50
    assert all(calls.heard)
    assert max(calls.seconds) < 1
    with office.connect() as connection:
        assert "note" in {each["name"] for each in inspect(connection).get_columns("orders")}
        assert "ix_orders_note" in {each["name"] for each in inspect(connection).get_indexes("orders")}


def test_this_release_starts_and_answers_on_the_schema_of_a_later_one(
    settings: Settings, office: Engine, later: Path
) -> None:
    migrate(office, folder=later)
    prepare(settings).close()
    assert is_newer(office)
    with calling(settings) as calls:
        pass
    assert all(calls.heard)
    opened = prepare(settings)
    (schema,) = (each for each in examine_database(office, opened.keys) if each.subject == "schema")
    assert (schema.verdict, schema.found) == (Verdict.WARNING, "of a later release")
    opened.close()


def test_hosts_that_start_at_once_take_turns(settings: Settings, later: Path) -> None:
    engines = [open_for_office(settings.database) for _host in range(4)]
    hosts = [threading.Thread(target=migrate, args=(engine,), kwargs={"folder": later}) for engine in engines]
    for host in hosts:
        host.start()
    for host in hosts:
        host.join(60)
    assert all(is_newer(engine) for engine in engines)
    for engine in engines:
        engine.dispose()


def test_a_migration_that_never_gets_its_table_gives_up_and_changes_nothing(
    settings: Settings, office: Engine, later: Path
) -> None:
    with psycopg.connect(settings.database_url) as reader:
        reader.execute("LOCK TABLE orders IN ACCESS SHARE MODE")
        with pytest.raises(MigrationBlockedError, match="55P03"):
            migrate(office, folder=later, patience=timedelta(seconds=1))
    assert is_current(office)
