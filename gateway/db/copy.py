"""Copies of a whole database: taken while it is in use, and put into an empty one.

A copy is one consistent state. Taking it holds up nobody who reads or writes: SQLite in WAL mode and PostgreSQL both
give a reader a state of its own, for as long as it reads.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from enum import Enum
from pathlib import Path
from typing import IO, cast
from urllib.parse import quote

import psycopg
from sqlalchemy import Connection, Engine, create_engine, func, inspect, select, table
from sqlalchemy.pool import NullPool

from gateway.db import postgres_programs
from gateway.db.migration import apply_within
from gateway.db.schema import MIGRATIONS
from gateway.domain.errors import GatewayError

# Four MiB at a time, then a breath: the disk and the processor stay free for calls.
_PAGES = 1024
_PAUSE_SECONDS = 0.001
_LOCK = "SELECT pg_advisory_xact_lock(7201, 1)"
_RELATIONS = """
SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1
"""


class Kind(Enum):
    """A kind of database; copies of one do not fit the other."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class DamagedDatabaseError(GatewayError):
    """The database is damaged ({why}), so no copy of it was kept. Restore the last good backup, and check the disk."""

    code = "damaged_database"


def kind_of(engine: Engine) -> Kind:
    """Return which kind of database `engine` opens."""
    return Kind(engine.dialect.name)


def server_of(connection: Connection) -> int:
    """Return the major version of the PostgreSQL server; 0 on SQLite, whose files every release reads."""
    if connection.dialect.name == "sqlite":
        return 0
    return _psycopg(connection).info.server_version // 10_000


class CopyFailedError(GatewayError):
    """The database could not be copied: {why}. Nothing was kept of it; mend that, then repeat."""

    code = "copy_failed"


@contextmanager
def copied(
    engine: Engine, target: Path, *, find: Callable[[str, int], Path] = postgres_programs.find
) -> Iterator[Connection]:
    """Copy the database into the empty file `target`, and yield a connection that sees exactly what was copied.

    Raises DamagedDatabaseError, CopyFailedError, ProgramMissingError, ProgramFailedError, SQLAlchemyError.
    """
    match kind_of(engine):
        case Kind.SQLITE:
            _copy_sqlite(Path(str(engine.url.database)), target)
            with _looking_at(target) as connection:
                yield connection
        case Kind.POSTGRESQL:
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            with engine.connect().execution_options(**options) as connection, connection.begin():
                _dump(connection, target, find)
                yield connection


def put(
    connection: Connection, dump: Path, *, find: Callable[[str, int], Path] = postgres_programs.find, at_least: int
) -> None:
    """Put a dump of PostgreSQL into the database in the caller's transaction; `at_least` made the dump.

    pg_restore writes the statements, and they are executed here: so the caller can do more before anything is
    committed, and a failure leaves the database as it was.
    Raises ProgramMissingError, ProgramFailedError.
    """
    driver = _psycopg(connection)
    program = find("pg_restore", max(at_least, server_of(connection)))
    arguments: list[str | Path] = [program, "--no-owner", "--no-privileges", "--file=-", dump]
    try:
        with postgres_programs.running(arguments) as script, driver.cursor() as cursor:
            _execute(cursor, script)
    except psycopg.Error as error:
        # The details of an error may quote a row; its first sentence does not.
        why = error.diag.message_primary or type(error).__name__
        raise postgres_programs.ProgramFailedError(name="pg_restore", why=why) from error


def lock_out_others(connection: Connection) -> None:
    """Let whoever wants to migrate this PostgreSQL database wait for the end of the caller's transaction."""
    connection.exec_driver_sql(_LOCK)


def contents_of(connection: Connection) -> tuple[str, ...]:
    """Return the name of every table, view and sequence of a PostgreSQL database, besides those of extensions."""
    return tuple(connection.exec_driver_sql(_RELATIONS.replace("%", "%%")).scalars())


def upgrade(connection: Connection) -> None:
    """Apply every missing migration to a PostgreSQL database in the caller's transaction, and renew its statistics."""
    apply_within(connection, MIGRATIONS)
    connection.exec_driver_sql("ANALYZE")


def rows_of(connection: Connection) -> dict[str, int]:
    """Return how many rows each table has."""
    names = sorted(inspect(connection).get_table_names())
    return {name: connection.execute(select(func.count()).select_from(table(name))).scalar_one() for name in names}


def _copy_sqlite(path: Path, target: Path) -> None:
    """Copy through SQLite's backup interface, inside one read transaction.

    Without the transaction every write of another process would start the copy again from its first page
    (https://www.sqlite.org/backup.html); with it, and in WAL mode, writers and the copy do not see each other.
    """
    try:
        with closing(_open(path, "mode=rw")) as source, closing(_open(target, "mode=rw")) as copy:
            source.execute("PRAGMA query_only=ON")
            copy.execute("PRAGMA synchronous=OFF")
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            source.backup(copy, pages=_PAGES, progress=lambda *_: time.sleep(_PAUSE_SECONDS))
    except sqlite3.Error as error:
        raise CopyFailedError(why=error) from error


@contextmanager
def _looking_at(copy: Path) -> Iterator[Connection]:
    """Open a copy that nobody changes, without leaving SQLite's other files beside it."""
    engine = create_engine("sqlite://", creator=lambda: _open(copy, "mode=ro&immutable=1"), poolclass=NullPool)
    with engine.connect() as connection:
        found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
        if found != "ok":
            raise DamagedDatabaseError(why=found.splitlines()[-1])
        yield connection


def _open(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path.resolve()))}?{how}", uri=True, isolation_level=None)


def _dump(connection: Connection, target: Path, find: Callable[[str, int], Path]) -> None:
    snapshot = str(connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar())
    driver = _psycopg(connection)
    options = {name: each for name, each in connection.engine.url.query.items() if isinstance(each, str)}
    arguments: list[str | Path] = [
        find("pg_dump", server_of(connection)),
        "--format=custom",
        "--compress=1",
        "--no-owner",
        "--no-privileges",
        "--lock-wait-timeout=5s",
        f"--snapshot={snapshot}",
        f"--file={target}",
        f"--dbname={postgres_programs.target_of(driver, options)}",
    ]
    postgres_programs.run(arguments, password=driver.info.password)


def _execute(cursor: psycopg.Cursor, script: IO[bytes]) -> None:
    """Execute a script that pg_restore wrote: statements, and rows after a COPY, up to a line that ends them."""
    waiting: list[bytes] = []
    for line in script:
        if line.startswith(b"COPY ") and line.rstrip().endswith(b" FROM stdin;"):
            cursor.execute(b"".join(waiting))
            waiting = []
            _copy_rows(cursor, line, script)
        elif not line.startswith((b"\\restrict ", b"\\unrestrict ")):  # These two are meant for psql.
            waiting.append(line)
    cursor.execute(b"".join(waiting))
    # The script sets its own search path and time-outs.
    cursor.execute("RESET ALL")


def _copy_rows(cursor: psycopg.Cursor, statement: bytes, script: IO[bytes]) -> None:
    with cursor.copy(statement) as rows:
        for line in script:
            if line == b"\\.\n":
                return
            rows.write(line)


def _psycopg(connection: Connection) -> psycopg.Connection:
    return cast("psycopg.Connection", connection.connection.driver_connection)
