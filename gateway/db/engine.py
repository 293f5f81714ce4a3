"""Engines: one for calls, which must answer in time or not at all; one for the office, which must lose nothing."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from gateway.domain.errors import GatewayError
from gateway.late import late

if TYPE_CHECKING:
    from gateway.db import postgres
else:
    # A register on SQLite does without psycopg, which takes a tenth of a command's time.
    postgres = late("gateway.db.postgres")

# A look-up slower than this is a fall-through: the call connects without a notice.
CALL_TIMEOUT_SECONDS = 0.25
OFFICE_TIMEOUT_SECONDS = 5.0
_POOL = 8
_CALL_POOL = 12


class DatabaseUrlError(GatewayError):
    """DATABASE_URL is not usable: {why}. Write sqlite:////path/to/file or postgresql://user:password@host/name."""

    code = "database_url"


def never() -> bool:
    """Tell that the server is not known to be gone: a command has no calls that would have found out."""
    return False


def gone_for(calls: Engine) -> Callable[[], bool]:
    """Return what tells whether calls found the server of PostgreSQL to be gone; a file is asked itself."""
    return never if calls.dialect.name == "sqlite" else postgres.gone_for(calls)


def open_for_calls(database: str, *, most: int = _CALL_POOL, prepares: bool = True) -> Engine:
    """Return the engine of the call path: AUTOCOMMIT, short time-outs, and never a new or a replaced SQLite file.

    On PostgreSQL it has at most `most` connections, which are ready or not there; `prepares` false prepares no
    statements, for a pooler that cannot keep them apart.
    """
    url = _parse(database)
    if url.get_backend_name() != "sqlite":
        return postgres.calls_on_postgres(url, budget=CALL_TIMEOUT_SECONDS, most=most, prepares=prepares)
    path = _path(url)
    engine = create_engine(
        url,
        creator=_sqlite(path, mode="rw", timeout=CALL_TIMEOUT_SECONDS, synchronous="NORMAL"),
        isolation_level="AUTOCOMMIT",
        poolclass=QueuePool,
        pool_size=_POOL,
        max_overflow=_POOL,
        pool_timeout=CALL_TIMEOUT_SECONDS,
        pool_reset_on_return=None,
    )
    _watch_file(engine, path)
    return engine


def open_for_wishes(calls: Engine, office: Engine) -> Engine:
    """Return the engine for what a key on a call changes in the register: durable, and in time for the call."""
    return office if calls.dialect.name == "sqlite" else postgres.wishes_on_postgres(calls)


def open_for_reading(database: str, *, prepares: bool = True, is_gone: Callable[[], bool] = never) -> Engine:
    """Return the engine of lists and pages: one snapshot a transaction, no lock that a writer would wait for.

    Nobody waits for PostgreSQL while `is_gone` tells that it is: see `gone_for`.
    """
    url = _parse(database)
    if url.get_backend_name() != "sqlite":
        return postgres.reading_on_postgres(url, prepares=prepares, is_gone=is_gone)
    path = _path(url)
    engine = create_engine(
        url,
        creator=_sqlite(path, mode="rw", timeout=OFFICE_TIMEOUT_SECONDS, synchronous="NORMAL"),
        poolclass=QueuePool,
        pool_size=_POOL,
    )
    _watch_file(engine, path)
    event.listen(engine, "begin", _begin_deferred)
    event.listen(engine, "connect", _refuse_writes)
    return engine


def open_for_screens(database: str, *, prepares: bool = True) -> Engine:
    """Return the engine that screens are read with: AUTOCOMMIT, time for many lines; it may be a replica's."""
    url = _parse(database)
    if url.get_backend_name() != "sqlite":
        return postgres.screens_on_postgres(url, prepares=prepares)
    return open_for_calls(database)


def open_for_office(
    database: str,
    *,
    may_create: Callable[[], bool] = lambda: False,
    prepares: bool = True,
    is_gone: Callable[[], bool] = never,
) -> Engine:
    """Return the engine of the workflows that write: durable at commit, serial on SQLite.

    `may_create` is asked on each connection to an absent SQLite file; the answer no leaves an outage an outage.
    Nobody waits for PostgreSQL while `is_gone` tells that it is: see `gone_for`.
    """
    url = _parse(database)
    if url.get_backend_name() != "sqlite":
        return postgres.office_on_postgres(url, lock_seconds=OFFICE_TIMEOUT_SECONDS, prepares=prepares, is_gone=is_gone)
    path = _path(url)

    def connect() -> sqlite3.Connection:
        mode = "rwc" if not path.exists() and may_create() else "rw"
        return _sqlite(path, mode=mode, timeout=OFFICE_TIMEOUT_SECONDS, synchronous="FULL")()

    engine = create_engine(url, creator=connect, poolclass=QueuePool, pool_size=_POOL)
    _watch_file(engine, path)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _parse(database: str) -> URL:
    try:
        url = make_url(database)
    except ArgumentError as error:
        raise DatabaseUrlError(why="it is not a URL") from error
    except ValueError as error:
        several = (
            "the port is no number; for several hosts write postgresql://user:password@/name?host=a:5432&host=b:5432"
        )
        raise DatabaseUrlError(why=several) from error
    match url.get_backend_name():
        case "sqlite":
            if not url.database or url.database == ":memory:":
                raise DatabaseUrlError(why="the database must be a file, which several workers share")
            return url
        case "postgresql":
            return url.set(drivername="postgresql+psycopg")
        case other:
            raise DatabaseUrlError(why=f"{other} is not supported")


def _path(url: URL) -> Path:
    return Path(str(url.database)).resolve()


def _sqlite(path: Path, *, mode: str, timeout: float, synchronous: str) -> Callable[[], sqlite3.Connection]:
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode={mode}",
            uri=True,
            timeout=timeout,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA foreign_keys=ON")
        return connection

    return connect


def _begin_immediate(connection: Any) -> None:  # noqa: ANN401  (SQLAlchemy's event signature)
    """Take SQLite's write lock at the start: a lock taken half-way cannot be waited for, it fails at once."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_deferred(connection: Any) -> None:  # noqa: ANN401  (SQLAlchemy's event signature)
    """Begin without a lock: in WAL mode a reader has its snapshot, and writers go on."""
    connection.exec_driver_sql("BEGIN")


def _refuse_writes(connection: Any, _entry: Any) -> None:  # noqa: ANN401  (SQLAlchemy's event signature)
    """Refuse to write by mistake what was opened for reading."""
    connection.execute("PRAGMA query_only=ON")


def _watch_file(engine: Engine, path: Path) -> None:
    """Drop a pooled connection whose file was moved away or replaced.

    SQLite goes on reading the old file through its open descriptor: orders lifted in the new one would play on.
    """

    def identity() -> tuple[int, int]:
        status = os.stat(path)  # noqa: PTH116  (a third of Path.stat's time, on every look-up)
        return status.st_dev, status.st_ino

    def remember(_connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        entry.info["file"] = identity()

    def check(_connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: Any) -> None:  # noqa: ANN401
        try:
            present = identity()
        except OSError as error:
            raise DisconnectionError("the database file is gone") from error
        if entry.info["file"] != present:
            raise DisconnectionError("the database file was replaced")

    event.listen(engine, "connect", remember)
    event.listen(engine, "checkout", check)
