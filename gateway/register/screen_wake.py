"""Waiting until something was announced, or for a while.

PostgreSQL tells whoever listens, at the commit. That may fail to arrive (a connection that hangs, a pooler in between),
so that the database is asked every now and then in any case. Behind PgBouncer in transaction mode a LISTEN stays with a
server's connection that others use next, so that nobody listens there: the database is asked more often instead.
"""

import os
import select
import threading
import time
from contextlib import suppress

import psycopg
from psycopg import sql
from sqlalchemy import Engine

from gateway.db.call_connection import OfficeConnection
from gateway.register.installation import CHANNEL

_BEHIND_LISTENING_SECONDS = 1.0
_AGAIN_SECONDS = 5.0
_CONNECT_SECONDS = 2
_ANSWER_SECONDS = 5.0


class Wake:
    """What a keeper waits with. `every` is how often to ask where nobody tells, in seconds."""

    def __init__(self, engine: Engine, every: float) -> None:
        """Wait for announcements in the database of `engine`."""
        self._engine = engine
        self._every = every
        self._stopped = threading.Event()
        self._reader, self._writer = os.pipe()
        self._connection: OfficeConnection | None = None
        self._listen_at = 0.0 if engine.dialect.name == "postgresql" else float("inf")

    @property
    def is_listening(self) -> bool:
        """Tell whether the database tells of announcements."""
        return self._connection is not None

    @property
    def is_stopped(self) -> bool:
        """Tell whether nobody is to wait any more."""
        return self._stopped.is_set()

    def wait(self) -> bool:
        """Return at an announcement or after a while: True to go on, False once stopped."""
        if self._connection is None and time.monotonic() >= self._listen_at and self._listen():
            # Something may have been announced before it listened.
            return not self._stopped.is_set()
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        seconds = self._every
        if self._connection is not None:
            poll.register(self._connection.pgconn.socket, select.POLLIN)
            seconds = max(self._every, _BEHIND_LISTENING_SECONDS)
        if not self._stopped.is_set() and poll.poll(seconds * 1000):
            self._hear()
        return not self._stopped.is_set()

    def stop(self) -> None:
        """Let the one who waits go, for good."""
        self._stopped.set()
        os.write(self._writer, b"\x00")

    def close(self) -> None:
        """Give back what it holds; nobody waits any more."""
        self._hang_up()
        os.close(self._reader)
        os.close(self._writer)

    def _listen(self) -> bool:
        """Open a connection and listen on it, unless a pooler stands before the database.

        Falls open: where listening is not possible, as on a standby, the database is asked more often.
        """
        self._listen_at = time.monotonic() + _AGAIN_SECONDS
        with suppress(OSError, psycopg.Error):
            _, named = self._engine.dialect.create_connect_args(self._engine.url)
            self._connection = OfficeConnection.connect(**{**named, "connect_timeout": _CONNECT_SECONDS})
            self._connection.autocommit = True
            self._connection.longest = _ANSWER_SECONDS
            # PgBouncer makes up the process id that it tells at the connection.
            server = self._connection.execute("SELECT pg_backend_pid()").fetchone()
            if server == (self._connection.info.backend_pid,):
                self._connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
                return True
            self._listen_at = float("inf")
        self._hang_up()
        return False

    def _hear(self) -> None:
        """Take what has arrived; what it says does not matter."""
        if self._connection is None:
            return
        try:
            self._connection.pgconn.consume_input()
            while self._connection.pgconn.notifies() is not None:
                pass
        except psycopg.Error:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
