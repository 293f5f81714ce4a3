"""Engines: one for calls, which must answer in time or not at all; one for the office, which must lose nothing."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from gateway.domain.errors import GatewayError

# A look-up slower than this is a fall-through: the call connects without a notice.
CALL_TIMEOUT_SECONDS = 0.25
OFFICE_TIMEOUT_SECONDS = 5.0
_POOL = 8


class DatabaseUrlError(GatewayError):
    """DATABASE_URL is not usable: {why}. Write sqlite:////path/to/file or postgresql://user:password@host/name."""

    code = "database_url"


def open_for_calls(database: str) -> Engine:
    """Return the engine of the call path: AUTOCOMMIT, short time-outs, and never a new or a replaced SQLite file."""
    url = _parse(database)
    if url.get_backend_name() == "sqlite":
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
    milliseconds = int(CALL_TIMEOUT_SECONDS * 1000)
    options = f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds}"
    return create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_size=_POOL,
        max_overflow=_POOL,
        pool_timeout=CALL_TIMEOUT_SECONDS,
        pool_pre_ping=False,
        pool_reset_on_return=None,
        # libpq counts connection time-outs in whole seconds and treats 1 as 2.
        connect_args={"connect_timeout": 2, "options": options},
    )


def open_for_reading(database: str) -> Engine:
    """Return the engine of lists and pages: one snapshot a transaction, no lock that a writer would wait for."""
    url = _parse(database)
    if url.get_backend_name() == "sqlite":
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
    return create_engine(
        url,
        isolation_level="REPEATABLE READ",
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": int(OFFICE_TIMEOUT_SECONDS),
            "options": "-c default_transaction_read_only=on -c statement_timeout=30000",
        },
    )


def open_for_office(database: str, *, may_create: Callable[[], bool] = lambda: False) -> Engine:
    """Return the engine of the workflows that write: durable at commit, serial on SQLite.

    `may_create` is asked on each connection to an absent SQLite file; the answer no leaves an outage an outage.
    """
    url = _parse(database)
    if url.get_backend_name() == "sqlite":
        path = _path(url)

        def connect() -> sqlite3.Connection:
            mode = "rwc" if not path.exists() and may_create() else "rw"
            return _sqlite(path, mode=mode, timeout=OFFICE_TIMEOUT_SECONDS, synchronous="FULL")()

        engine = create_engine(url, creator=connect, poolclass=QueuePool, pool_size=_POOL)
        _watch_file(engine, path)
        event.listen(engine, "begin", _begin_immediate)
        return engine
    # A key that somebody presses on a call waits here too: not for ever behind a long transaction.
    options = f"-c lock_timeout={int(OFFICE_TIMEOUT_SECONDS * 1000)}"
    return create_engine(
        url, pool_pre_ping=True, connect_args={"connect_timeout": int(OFFICE_TIMEOUT_SECONDS), "options": options}
    )


def _parse(database: str) -> URL:
    try:
        url = make_url(database)
    except ArgumentError as error:
        raise DatabaseUrlError(why="it is not a URL") from error
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
