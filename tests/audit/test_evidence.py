from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import Connection, func, select

from gateway.assembly import Parts
from gateway.audit.evidence import Play, note_disposition, note_key, past_of, record
from gateway.audit.tables import plays
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.domain.notice import Purpose
from gateway.domain.standing import UnderOrders
from gateway.privacy.blind_index import index_line
from gateway.register.lookup import Lookup

LINE = E164("+442079460120")
ONE_CALL, OTHER_CALL = b"1" * 16, b"2" * 16


@pytest.fixture
def now() -> datetime:
    return utc_now()


@pytest.fixture
def connection(parts: Parts) -> Iterator[Connection]:
    """A connection of the call path."""
    with parts.calls.connect() as opened:
        yield opened


@pytest.fixture
def opener(parts: Parts, connection: Connection, now: datetime) -> Play:
    """The first play of an opener on a person's line."""
    standing = Lookup(parts.keys).standing_of(connection, LINE)
    assert isinstance(standing, UnderOrders)
    order = standing.orders[0].order
    return Play(
        call_index=ONE_CALL,
        line_index=index_line(LINE, parts.keys),
        order_id=order.order_id,
        subject=order.subject,
        purpose=Purpose.OPENER,
        renditions=(),
        at=now,
        ordinal=1,
    )


def rows(connection: Connection) -> int | None:
    return connection.scalar(select(func.count()).select_from(plays))


def test_a_repeated_webhook_may_play_again_and_leaves_one_row(connection: Connection, opener: Play) -> None:
    assert record(connection, opener)
    assert record(connection, opener)
    assert record(connection, replace(opener, ordinal=2))
    assert rows(connection) == 1


def test_two_calls_cannot_take_the_same_play(connection: Connection, opener: Play) -> None:
    assert record(connection, opener)
    assert not record(connection, replace(opener, call_index=OTHER_CALL))
    assert record(connection, replace(opener, call_index=OTHER_CALL, ordinal=2))


def test_of_many_calls_at_once_exactly_one_takes_the_last_play(parts: Parts, opener: Play) -> None:
    allowed: list[bool] = []
    start = Barrier(8)

    def call(number: int) -> None:
        with parts.calls.connect() as connection:
            start.wait()
            allowed.append(record(connection, replace(opener, call_index=bytes([number]) * 16)))

    threads = [Thread(target=call, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(allowed) == [False] * 7 + [True]


def test_the_past_of_a_line_leaves_the_call_itself_out(connection: Connection, opener: Play, now: datetime) -> None:
    record(connection, opener)
    own = past_of(connection, opener.line_index, ONE_CALL, now)
    others = past_of(connection, opener.line_index, OTHER_CALL, now)
    assert own.history.openers == ()
    assert others.history.openers == (now,)
    assert own.next_ordinals[Purpose.OPENER] == others.next_ordinals[Purpose.OPENER] == 2


def test_what_was_heard_over_a_month_ago_is_past_but_its_ordinal_stays_taken(
    connection: Connection, opener: Play, now: datetime
) -> None:
    record(connection, replace(opener, at=now - timedelta(days=40)))
    past = past_of(connection, opener.line_index, OTHER_CALL, now)
    assert past.history.openers == ()
    assert past.next_ordinals[Purpose.OPENER] == 2


def test_key_two_on_the_content_is_an_acknowledgement_and_on_the_opener_is_none(
    connection: Connection, opener: Play, now: datetime
) -> None:
    record(connection, opener)
    record(connection, replace(opener, purpose=Purpose.PRIVATE))
    note_key(connection, ONE_CALL, Purpose.OPENER, "2", now)
    assert past_of(connection, opener.line_index, OTHER_CALL, now).history.acknowledged_at is None
    note_key(connection, ONE_CALL, Purpose.PRIVATE, "2", now)
    assert past_of(connection, opener.line_index, OTHER_CALL, now).history.acknowledged_at == now


def test_the_first_key_and_the_first_ending_stand(connection: Connection, opener: Play, now: datetime) -> None:
    record(connection, opener)
    for key in ("1", "9"):
        note_key(connection, ONE_CALL, Purpose.OPENER, key, now)
    for disposition in ("completed", "failed"):
        note_disposition(connection, ONE_CALL, disposition)
    row = connection.execute(select(plays.c.key, plays.c.disposition)).one()
    assert tuple(row) == ("1", "completed")
