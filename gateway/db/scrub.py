"""Removing for good: SQLite leaves what is deleted in its file until the place is used again, unless told not to."""

import sqlite3
from typing import cast

from sqlalchemy import Connection, Engine

_PATIENCE_MILLISECONDS = 100


def overwrite_deleted(connection: Connection) -> None:
    """Let SQLite overwrite with zeros what this connection deletes (https://www.sqlite.org/pragma.html#pragma_secure_delete).

    PostgreSQL gives the room of deleted rows back when it vacuums, which it does by itself.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")


def flush_log(engine: Engine) -> None:
    """Empty SQLite's write-ahead log, which still holds pages as they were; a busy database does it at another time.

    Writers wait meanwhile, and calls wait for a quarter of a second at most: so it is given up after a tenth.
    """
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        driver = cast("sqlite3.Connection", connection.connection.driver_connection)
        before = driver.execute("PRAGMA busy_timeout").fetchone()[0]
        driver.execute(f"PRAGMA busy_timeout={_PATIENCE_MILLISECONDS}")
        try:
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            driver.execute(f"PRAGMA busy_timeout={before}")
