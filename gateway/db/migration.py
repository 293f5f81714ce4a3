"""Applying migrations, with Alembic; `gateway.db.schema` loads this where one is missing."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import cast

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from gateway.domain.errors import GatewayError

# Whoever waits for a table to itself makes everybody wait who comes after: less than the 250 ms of a call.
_LOCK_MILLISECONDS = 100
_PAUSE_SECONDS = 0.5
# lock_not_available and deadlock_detected (https://www.postgresql.org/docs/15/errcodes-appendix.html).
_IN_USE = {"55P03", "40P01"}


class BrokenReferenceError(GatewayError):
    """A row refers to one that a migration did not keep, so nothing was changed. Restore the database and tell us."""

    code = "broken_reference"


class MigrationBlockedError(GatewayError):
    """Tables stayed in use for {minutes:.0f} minutes ({why}), so the schema is not this release's. End that, repeat."""

    code = "migration_blocked"


def apply(engine: Engine, folder: Path, patience: timedelta) -> None:
    """Apply every migration of `folder` that is missing. Raises MigrationBlockedError, BrokenReferenceError."""
    config = _config(folder)
    if engine.dialect.name == "postgresql":
        _migrate_postgres(engine, config, time.monotonic() + patience.total_seconds(), patience)
        return
    with engine.connect() as connection, _without_foreign_keys(connection), connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise BrokenReferenceError


def apply_within(connection: Connection, folder: Path) -> None:
    """Apply every migration of `folder` that is missing, in the caller's transaction."""
    config = _config(folder)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _migrate_postgres(engine: Engine, config: Config, deadline: float, patience: timedelta) -> None:
    script = ScriptDirectory.from_config(config)
    while (revision := _next_of(engine, script)) is not None:
        try:
            # Another process may be at it; whoever waited in the database would stand in the way of its indexes.
            if _apply(engine, config, revision):
                continue
            why = "another process migrates"
        except OperationalError as error:
            why = str(getattr(error.orig, "sqlstate", ""))
            if why not in _IN_USE:
                raise
        if time.monotonic() > deadline:
            raise MigrationBlockedError(minutes=patience.total_seconds() / 60, why=why)
        time.sleep(_PAUSE_SECONDS)


def _next_of(engine: Engine, script: ScriptDirectory) -> Script | None:
    """Return the first migration that is missing; None where the database is at this release's schema."""
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    missing = [each for each in script.iterate_revisions("head", found or "base") if each.revision != found]
    return missing[-1] if missing else None


def _apply(engine: Engine, config: Config, revision: Script) -> bool:
    """Apply a migration; False where another process is at it. What builds an index stands outside a transaction."""
    alone = getattr(revision.module, "outside_transaction", False)
    with engine.connect() as connection:
        if alone:
            connection.execution_options(isolation_level="AUTOCOMMIT")
        with connection.begin():
            lock, scope = ("pg_try_advisory_lock", "") if alone else ("pg_try_advisory_xact_lock", "LOCAL")
            if not connection.exec_driver_sql(f"SELECT {lock}(7201, 1)").scalar_one():
                return False
            try:
                # An index that is built beside the work waits for old transactions, and nobody waits for it.
                connection.exec_driver_sql(f"SET {scope} lock_timeout = {0 if alone else _LOCK_MILLISECONDS}")
                if MigrationContext.configure(connection).get_current_revision() == revision.down_revision:
                    config.attributes["connection"] = connection
                    command.upgrade(config, revision.revision)
            finally:
                if alone:
                    connection.exec_driver_sql("SELECT pg_advisory_unlock(7201, 1)")
                    connection.exec_driver_sql("RESET lock_timeout")
    return True


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    """Let SQLite rebuild tables that others refer to, as https://www.sqlite.org/lang_altertable.html section 7 has it.

    The switch works only outside a transaction, so it is thrown on the driver's connection.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = cast("sqlite3.Connection", connection.connection.driver_connection)
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def _config(folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    return config
