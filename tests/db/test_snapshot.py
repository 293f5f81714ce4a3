from collections.abc import Callable
from contextlib import suppress

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from gateway.assembly import Parts
from gateway.db.snapshot import Snapshot
from gateway.register.tables import districts


def switch_all_off(parts: Parts) -> None:
    with parts.studio.engine.begin() as connection:
        connection.execute(districts.update().values(enabled=False))


def heard(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).where(districts.c.enabled)).scalar_one())


def test_what_is_changed_meanwhile_is_not_seen_by_the_snapshot_and_is_by_the_next(parts: Parts) -> None:
    with Snapshot(parts.reading) as moment:
        with moment.connect() as connection:
            before = heard(connection)
        switch_all_off(parts)
        with moment.begin() as connection:
            assert heard(connection) == before > 0
    with Snapshot(parts.reading) as moment, moment.connect() as connection:
        assert heard(connection) == 0


def test_a_snapshot_lends_one_connection_and_gives_it_back(parts: Parts) -> None:
    pool = parts.reading.pool
    lent: Callable[[], int] = pool.checkedout  # type: ignore[attr-defined]  # Of a QueuePool, which it is.
    before = lent()
    with Snapshot(parts.reading) as moment:
        assert lent() == before
        with moment.connect() as first, moment.begin() as second:
            assert first is second
        assert lent() == before + 1
    assert lent() == before


def test_a_snapshot_cannot_write_and_is_given_back_after_a_failure(parts: Parts) -> None:
    with suppress(ZeroDivisionError), Snapshot(parts.reading) as moment, moment.connect() as connection:
        with pytest.raises(SQLAlchemyError):
            connection.execute(districts.update().values(enabled=False))
        raise ZeroDivisionError
    with Snapshot(parts.reading) as moment, moment.connect() as connection:
        assert heard(connection) > 0
