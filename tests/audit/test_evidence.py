import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import Connection, func, select, update

from gateway.assembly import Parts
from gateway.audit.canonical import written
from gateway.audit.daybook import Day, condense, evidence_digest
from gateway.audit.evidence import Play, index_caller, note_disposition, note_heard, note_key, past_of, record, withdraw
from gateway.audit.stored import PLAY_COLUMNS
from gateway.audit.tables import plays
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.domain.facts import Opaque
from gateway.domain.notice import Purpose
from gateway.domain.standing import UnderOrders
from gateway.privacy.blind_index import indexes_of_call, indexes_of_line
from gateway.privacy.field import FieldCipher
from gateway.privacy.keys import derive
from gateway.privacy.ring import KeyRing
from gateway.register.lookup import Lookup
from tests.builders import CALLER, a_rendition

LINE = E164("+442079460120")
ONE_CALL, OTHER_CALL = (b"1" * 16,), (b"2" * 16,)
Keep = Callable[[Play], bool]


@pytest.fixture
def now() -> datetime:
    return utc_now()


@pytest.fixture
def connection(parts: Parts) -> Iterator[Connection]:
    """A connection like those of the call path, which has all of a test's time instead of a call's."""
    with parts.screens.connect() as opened:
        yield opened


@pytest.fixture
def opener(parts: Parts, connection: Connection, now: datetime) -> Play:
    """The first play of an opener on a person's line."""
    standing = Lookup(parts.keys).standing_of(connection, LINE)
    assert isinstance(standing, UnderOrders)
    order = standing.orders[0].order
    return Play(
        call_indexes=ONE_CALL,
        line_indexes=indexes_of_line(LINE, parts.keys),
        order_id=order.order_id,
        subject=order.subject,
        purpose=Purpose.OPENER,
        renditions=(),
        at=now,
        ordinal=1,
        provider="twilio",
        provider_call_id="CA1",
        caller_index=index_caller(CALLER, parts.keys.active),
    )


@pytest.fixture
def keep(parts: Parts, connection: Connection) -> Keep:
    """Records a play as the call path does, and tells whether it may go ahead."""
    return lambda play: record(connection, play, parts.keys)


def rows(connection: Connection) -> int | None:
    return connection.scalar(select(func.count()).select_from(plays))


def test_a_repeated_webhook_may_play_again_and_leaves_one_row(connection: Connection, keep: Keep, opener: Play) -> None:
    assert keep(opener)
    assert keep(opener)
    assert keep(replace(opener, ordinal=2))
    assert rows(connection) == 1


def test_two_calls_cannot_take_the_same_play(keep: Keep, opener: Play) -> None:
    assert keep(opener)
    assert not keep(replace(opener, call_indexes=OTHER_CALL))
    assert keep(replace(opener, call_indexes=OTHER_CALL, ordinal=2))


def test_of_many_calls_at_once_exactly_one_takes_the_last_play(parts: Parts, opener: Play) -> None:
    allowed: list[bool] = []
    start = Barrier(8)

    def call(number: int) -> None:
        with parts.calls.connect() as connection:
            start.wait()
            allowed.append(record(connection, replace(opener, call_indexes=(bytes([number]) * 16,)), parts.keys))

    threads = [Thread(target=call, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(allowed) == [False] * 7 + [True]


def test_the_past_of_a_line_leaves_the_call_itself_out(
    connection: Connection, keep: Keep, opener: Play, now: datetime
) -> None:
    keep(opener)
    own = past_of(connection, opener.line_indexes, ONE_CALL, now)
    others = past_of(connection, opener.line_indexes, OTHER_CALL, now)
    assert own.history.openers == ()
    assert others.history.openers == (now,)
    assert own.next_ordinals[Purpose.OPENER] == others.next_ordinals[Purpose.OPENER] == 2


def test_what_was_heard_over_a_month_ago_is_past_but_its_ordinal_stays_taken(
    connection: Connection, keep: Keep, opener: Play, now: datetime
) -> None:
    keep(replace(opener, at=now - timedelta(days=40)))
    past = past_of(connection, opener.line_indexes, OTHER_CALL, now)
    assert past.history.openers == ()
    assert past.next_ordinals[Purpose.OPENER] == 2


def test_key_two_on_the_content_is_an_acknowledgement_and_on_the_opener_is_none(
    connection: Connection, keep: Keep, opener: Play, now: datetime
) -> None:
    keep(opener)
    keep(replace(opener, purpose=Purpose.PRIVATE))
    note_key(connection, ONE_CALL, Purpose.OPENER, "2", now)
    assert past_of(connection, opener.line_indexes, OTHER_CALL, now).history.acknowledged_at is None
    note_key(connection, ONE_CALL, Purpose.PRIVATE, "2", now)
    assert past_of(connection, opener.line_indexes, OTHER_CALL, now).history.acknowledged_at == now


def test_the_first_key_and_the_first_ending_stand(
    connection: Connection, keep: Keep, opener: Play, now: datetime
) -> None:
    keep(opener)
    for key in ("1", "9"):
        note_key(connection, ONE_CALL, Purpose.OPENER, key, now)
    for disposition in ("completed", "failed"):
        note_disposition(connection, ONE_CALL, disposition)
    row = connection.execute(select(plays.c.key, plays.c.disposition)).one()
    assert tuple(row) == ("1", "completed")


def test_evidence_says_what_was_played_on_which_leg_when_and_in_which_call(
    parts: Parts, connection: Connection, keep: Keep, opener: Play
) -> None:
    keep(replace(opener, renditions=(a_rendition("one"), a_rendition("two"))))
    row = connection.execute(select(plays)).one()
    assert (row.order_id, row.leg, row.purpose) == (opener.order_id, "B", "opener")
    assert (row.played_at, row.provider) == (opener.at, "twilio")
    assert row.files == f"{a_rendition('one').mulaw} {a_rendition('two').mulaw}"
    place = f"plays.provider_call_id:{row.play_id}"
    assert FieldCipher(parts.keys).decrypt(row.provider_call_id, place=place) == "CA1"


def test_of_the_caller_only_a_keyed_hash_is_kept_and_of_who_withholds_the_number_nothing(parts: Parts) -> None:
    keys = parts.keys.active
    index = index_caller(CALLER, keys)
    assert index is not None
    assert index == index_caller(CALLER, keys)
    assert index != index_caller(LINE, keys)
    # A caller who is under an order too cannot be found out by comparing columns.
    assert index not in indexes_of_line(CALLER, parts.keys)
    assert index_caller(Opaque("anonymous"), keys) is None


def test_a_call_id_that_is_no_text_does_not_keep_the_play_from_being_recorded(keep: Keep, opener: Play) -> None:
    assert keep(replace(opener, provider_call_id="CA\udcff"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line and one call while keys are being changed: as workers see them that have only the old key, or both."""

    before: KeyRing
    during: KeyRing

    def play(self, opener: Play, ring: KeyRing, call: str) -> Play:
        lines, calls = indexes_of_line(LINE, ring), indexes_of_call("twilio", call, ring)
        return replace(opener, line_indexes=lines, call_indexes=calls, provider_call_id=call)


@pytest.fixture
def change(parts: Parts) -> Change:
    old = parts.keys.active
    return Change(before=parts.keys, during=KeyRing(derive(b"another master key of 32 bytes.."), others=(old,)))


def test_a_call_that_is_repeated_after_its_key_was_changed_finds_its_record(
    connection: Connection, opener: Play, change: Change
) -> None:
    assert record(connection, change.play(opener, change.before, "CA1"), change.before)
    assert record(connection, change.play(opener, change.during, "CA1"), change.during)
    assert rows(connection) == 1


def test_the_same_turn_cannot_be_taken_once_under_each_key(
    connection: Connection, opener: Play, change: Change
) -> None:
    assert record(connection, change.play(opener, change.before, "CA1"), change.before)
    assert not record(connection, change.play(opener, change.during, "CA2"), change.during)
    assert rows(connection) == 1


def test_past_key_and_ending_are_found_under_whichever_key_the_play_was_recorded(
    connection: Connection, opener: Play, now: datetime, change: Change
) -> None:
    record(connection, change.play(opener, change.before, "CA1"), change.before)
    later = change.play(opener, change.during, "CA1")
    note_key(connection, later.call_indexes, Purpose.OPENER, "1", now)
    note_disposition(connection, later.call_indexes, "completed")
    assert tuple(connection.execute(select(plays.c.key, plays.c.disposition)).one()) == ("1", "completed")
    assert past_of(connection, later.line_indexes, later.call_indexes, now).history.openers == ()
    past = past_of(connection, later.line_indexes, OTHER_CALL, now)
    assert past.history.openers == (now,)
    assert past.next_ordinals[Purpose.OPENER] == 2
    withdraw(connection, replace(later, call_indexes=change.play(opener, change.before, "CA1").call_indexes))
    assert rows(connection) == 0


def test_how_long_a_play_was_heard_is_noted_once_and_counts_in_the_days_outcomes(
    parts: Parts, connection: Connection, opener: Play, now: datetime
) -> None:
    def digest() -> Day:
        with parts.reading.connect() as reading:
            return evidence_digest(reading, now.astimezone(UTC).date())

    here = plays.c.call_index == ONE_CALL[0]
    assert record(connection, opener, parts.keys)
    unheard = digest()
    for milliseconds in (2_300, 9_900):
        note_heard(connection, ONE_CALL, Purpose.OPENER, milliseconds)
    assert connection.execute(select(plays.c.heard_ms).where(here)).scalar_one() == 2_300
    heard = digest()
    assert heard.outcomes != unheard.outcomes
    assert heard.seals == unheard.seals
    connection.execute(update(plays).where(here).values(heard_ms=20_000))
    assert digest().outcomes != heard.outcomes


def test_a_play_of_which_nobody_told_how_long_it_was_heard_condenses_as_it_always_did() -> None:
    day = {
        "played_at": 20_000 * 86_400_000_000,
        "play_id": "play_1",
        "key": "2",
        "keyed_at": 5,
        "disposition": "completed",
    }
    row = tuple(day.get(name, "") if name != "heard_ms" else None for name in PLAY_COLUMNS)
    expected = hashlib.sha256(written(("play_1", "2", 5, "completed"))).hexdigest()
    assert [each.outcomes for each in condense([row])] == [expected]
