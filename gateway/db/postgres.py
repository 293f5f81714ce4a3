"""Engines on PostgreSQL. Nothing of them is a state of the session, so that a pooler may stand between.

Time-outs are the client's own, or `SET LOCAL`: PgBouncer refuses `options` at the start of a connection, and in its
transaction mode a plain `SET` would hit whoever has the server's connection next.
"""

from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import Any

from psycopg import errors
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import SQLAlchemyError

from gateway.db.call_connection import AnswerTooLateError, CallConnection, OfficeConnection, ServerGoneError
from gateway.db.ready_pool import ReadyPool

# libpq counts connection time-outs in whole seconds and treats 1 as 2. No call waits for it, only the keeper does.
_CONNECT_SECONDS = 2
# Hot statements are prepared when they come a second time on a connection.
_PREPARE_AFTER = 1
_OFFICE_POOL = 5
_READING_SECONDS = 30.0
_SCREEN_SECONDS = 60.0
# What a key on a call may wait for the register beyond a call's budget: somebody else's change may just commit.
_MORE_FOR_A_WISH = 0.2


def calls_on_postgres(url: URL, *, budget: float, most: int, prepares: bool) -> Engine:
    """Return the engine of the call path: AUTOCOMMIT, ready connections only, `budget` seconds of waiting each time."""
    engine = create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        poolclass=ReadyPool,
        pool_size=most,
        pool_timeout=budget,
        pool_reset_on_return=None,
        skip_autocommit_rollback=True,
        connect_args=_connect_arguments(prepares=prepares),
    )

    def connect(_dialect: object, _entry: object, arguments: Any, named: Any) -> Any:  # noqa: ANN401  (SQLAlchemy's own)
        connection = CallConnection.connect(*arguments, **named)
        connection.left = _CONNECT_SECONDS
        connection.bury = _pool(engine).bury
        return connection

    def judge(context: ExceptionContext) -> None:
        # The pool sees by itself which of the others are lost too.
        context.invalidate_pool_on_disconnect = False
        match context.original_exception:
            case AnswerTooLateError():
                context.is_disconnect = True
                _pool(engine).strike()
            case errors.ReadOnlySqlTransaction():
                # The server was a primary when the connection was made, and is none now: another one is.
                context.is_disconnect = True
                _pool(engine).renew()
            case _:
                pass

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "handle_error", judge)
    return engine


def wishes_on_postgres(calls: Engine) -> Engine:
    """Return an engine of transactions on the connections of `calls`, with a little more time for each of them."""

    def allow_more(connection: Connection) -> None:
        lent = connection.connection.dbapi_connection
        if isinstance(lent, CallConnection):
            lent.left += _MORE_FOR_A_WISH

    engine = calls.execution_options(isolation_level="READ COMMITTED")
    event.listen(engine, "begin", allow_more)
    return engine


def reading_on_postgres(url: URL, *, prepares: bool, is_gone: Callable[[], bool]) -> Engine:
    """Return the engine of lists and pages: one snapshot a transaction, which cannot write."""
    engine = create_engine(
        url,
        isolation_level="REPEATABLE READ",
        pool_pre_ping=True,
        pool_size=_OFFICE_POOL,
        max_overflow=_OFFICE_POOL,
        connect_args=_connect_arguments(prepares=prepares),
    )
    _watch(engine, longest=_READING_SECONDS, is_gone=is_gone)
    event.listen(engine, "connect", _refuse_writes)
    return engine


def screens_on_postgres(url: URL, *, prepares: bool) -> Engine:
    """Return the engine that screens are read with, from a replica perhaps: few connections, and much time."""
    engine = create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_size=1,
        max_overflow=2,
        pool_reset_on_return=None,
        skip_autocommit_rollback=True,
        connect_args=_connect_arguments(prepares=prepares),
    )
    _watch(engine, longest=_SCREEN_SECONDS, is_gone=lambda: False)
    return engine


def office_on_postgres(url: URL, *, lock_seconds: float, prepares: bool, is_gone: Callable[[], bool]) -> Engine:
    """Return the engine of the workflows that write; a lock is waited for `lock_seconds` at most."""
    statement = f"SET LOCAL lock_timeout = {int(lock_seconds * 1000)}"
    engine = create_engine(
        url,
        pool_pre_ping=True,
        pool_size=_OFFICE_POOL,
        max_overflow=_OFFICE_POOL,
        connect_args=_connect_arguments(prepares=prepares),
    )
    _watch(engine, longest=inf, is_gone=is_gone)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(statement))
    return engine


def make_ready(calls: Engine) -> None:
    """Connect once before there are calls, for at the start a borrower waits until it is known how the server is.

    Falls open: with the server away, calls connect plainly from the first one on.
    """
    with suppress(SQLAlchemyError):
        calls.connect().close()


def gone_for(calls: Engine) -> Callable[[], bool]:
    """Return what tells whether calls found the server to be gone."""
    return lambda: isinstance(calls.pool, ReadyPool) and calls.pool.is_gone


def _connect_arguments(*, prepares: bool) -> dict[str, Any]:
    return {"connect_timeout": _CONNECT_SECONDS, "prepare_threshold": _PREPARE_AFTER if prepares else None}


def _pool(engine: Engine) -> ReadyPool:
    if not isinstance(engine.pool, ReadyPool):
        raise TypeError("an engine for calls has a pool for calls")
    return engine.pool


def _watch(engine: Engine, *, longest: float, is_gone: Callable[[], bool]) -> None:
    """Let nobody on this engine wait for a server that is gone."""

    def connect(_dialect: object, _entry: object, arguments: Any, named: Any) -> Any:  # noqa: ANN401  (SQLAlchemy's own)
        if is_gone():
            raise ServerGoneError("the database has stopped answering")
        connection = OfficeConnection.connect(*arguments, **named)
        connection.longest, connection.is_gone = longest, is_gone
        return connection

    def judge(context: ExceptionContext) -> None:
        if isinstance(context.original_exception, ServerGoneError | errors.ReadOnlySqlTransaction):
            context.is_disconnect = True

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "handle_error", judge)


def _refuse_writes(connection: Any, _entry: Any) -> None:  # noqa: ANN401  (SQLAlchemy's event signature)
    """Refuse to write by mistake what was opened for reading: psycopg says it as it begins."""
    connection.read_only = True
