"""Which schema a database has, and bringing it to the one that this release needs.

To look is quick and part of every start. Only where a migration is missing is Alembic loaded, which takes a tenth of a
second.
"""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, column, inspect, select, table

from gateway.late import late

if TYPE_CHECKING:
    from gateway.db import migration
else:
    migration = late("gateway.db.migration")

MIGRATIONS = Path(__file__).parent / "migrations"
# Where Alembic writes which migration was the last one
# (https://alembic.sqlalchemy.org/en/latest/api/runtime.html, version_table).
_VERSION = table("alembic_version", column("version_num"))


def migrate(engine: Engine, *, folder: Path = MIGRATIONS, patience: timedelta = timedelta(minutes=5)) -> None:
    """Apply every migration that is missing; two processes that start at once take turns.

    SQLite takes all in one transaction. PostgreSQL takes each in one of its own, which waits for a table no longer than
    calls can bear to wait behind it, and is tried again for `patience`.
    Raises gateway.db.migration's MigrationBlockedError and BrokenReferenceError.

    A schema of a later release is left alone: this release works on it, for each release only adds to what the one
    before it needs (docs/operations.md, rolling upgrade).
    """
    found, known = _revision(engine), revisions(folder)
    if found == known[0] or (found and found not in known):
        return
    migration.apply(engine, folder, patience)


def is_current(engine: Engine) -> bool:
    """Tell whether the database has this release's schema."""
    return _revision(engine) == revisions()[0]


def is_newer(engine: Engine, *, folder: Path = MIGRATIONS) -> bool:
    """Tell whether the database has the schema of a release that this one does not know."""
    found = _revision(engine)
    return bool(found) and found not in revisions(folder)


def revisions(folder: Path = MIGRATIONS) -> tuple[str, ...]:
    """Return every revision that this release knows, the newest first: each file's name begins with its own."""
    return tuple(sorted((each.name.partition("_")[0] for each in folder.glob("versions/[0-9]*.py")), reverse=True))


def revision_of(connection: Connection) -> str:
    """Return the schema's revision; empty where there is none."""
    if not inspect(connection).has_table(_VERSION.name):
        return ""
    return str(connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none() or "")


def _revision(engine: Engine) -> str:
    with engine.connect() as connection:
        return revision_of(connection)
