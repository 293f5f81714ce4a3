"""Lists of the trail and of plays: filters, pages, and nothing beyond the reader's reach."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select, text

from gateway.assembly import Parts
from gateway.audit.evidence import Play, index_caller, note_key, record
from gateway.audit.play_list import PlayEntry, PlayQuery, plays_of
from gateway.audit.reading import TrailQuery, entries
from gateway.audit.tags import Tag
from gateway.audit.trail import Entry, append
from gateway.domain.notice import Purpose
from gateway.domain.rights import COMMAND_LINE, GATEWAY, Reach
from gateway.privacy.field import FieldCipher
from gateway.register.orders import read_order
from gateway.register.tables import orders
from tests.audit.trails import RING, a_trail
from tests.builders import CALLER, NOW, a_rendition

EVERYWHERE = Reach(everywhere=True, courts=frozenset(), districts=frozenset())
NOWHERE = Reach(everywhere=False, courts=frozenset(), districts=frozenset())


def in_courts(*courts: str) -> Reach:
    return Reach(everywhere=False, courts=frozenset(courts), districts=frozenset())


def in_district(district: str) -> Reach:
    return Reach(everywhere=False, courts=frozenset(), districts=frozenset({district}))


@pytest.fixture
def trail() -> Iterator[Connection]:
    """Entries 1 and 4 of court a, 2 of court b, 3 of none."""
    with a_trail(0) as connection:
        for number, court in enumerate(("a", "b", "", "a"), start=1):
            entry = Entry(
                at=NOW + timedelta(hours=number),
                actor=COMMAND_LINE if number < 4 else GATEWAY,
                tag=Tag.ORDER_LIFTED if number != 2 else Tag.ORDER_SUSPENDED,
                subject_id=f"ord_{number}",
                court_id=court,
                details={"number": number},
            )
            append(connection, RING, entry)
        yield connection


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (TrailQuery(reach=EVERYWHERE), [4, 3, 2, 1]),
        (TrailQuery(reach=in_courts("a")), [4, 1]),
        (TrailQuery(reach=in_courts("a", "b")), [4, 2, 1]),
        (TrailQuery(reach=in_courts("a"), court_id="b"), []),
        (TrailQuery(reach=in_district("a")), []),
        (TrailQuery(reach=NOWHERE), []),
        (TrailQuery(reach=EVERYWHERE, court_id="b"), [2]),
        (TrailQuery(reach=EVERYWHERE, tag=Tag.ORDER_SUSPENDED), [2]),
        (TrailQuery(reach=EVERYWHERE, actor="gateway"), [4]),
        (TrailQuery(reach=EVERYWHERE, subject_id="ord_3"), [3]),
        (TrailQuery(reach=EVERYWHERE, since=NOW + timedelta(hours=3)), [4, 3]),
        (TrailQuery(reach=EVERYWHERE, until=NOW + timedelta(hours=3)), [2, 1]),
        (TrailQuery(reach=EVERYWHERE, limit=2), [4, 3]),
        (TrailQuery(reach=EVERYWHERE, limit=2, after_seq=3), [2, 1]),
    ],
)
def test_the_trail_is_listed_as_asked_for_newest_first(trail: Connection, query: TrailQuery, found: list[int]) -> None:
    listed = entries(trail, query)
    assert [each.seq for each in listed] == found
    assert [each.details["number"] for each in listed] == found


def test_a_row_whose_details_somebody_broke_is_shown_and_breaks_no_list(trail: Connection) -> None:
    trail.execute(text("UPDATE audit_trail SET details = '{' WHERE seq = 2"))
    trail.execute(text("UPDATE audit_trail SET details = '[1]' WHERE seq = 3"))
    assert [dict(each.details) for each in entries(trail, TrailQuery(reach=EVERYWHERE))][1:3] == [
        {"unreadable": "[1]"},
        {"unreadable": "{"},
    ]


@pytest.fixture
def played(parts: Parts) -> Iterator[Connection]:
    """One play under each order of the demo, an hour apart; the second has a key."""
    with parts.studio.engine.connect() as connection:
        rows = connection.execute(select(orders).order_by(orders.c.order_id)).all()
        cipher = FieldCipher(parts.keys)
        for number, row in enumerate(rows):
            order = read_order(row, cipher)
            is_person = row.subject_kind == "natural_person"
            play = Play(
                call_indexes=(bytes([number]) * 16,),
                line_indexes=(bytes([number]) * 16,),
                order_id=order.order_id,
                subject=order.subject,
                purpose=Purpose.OPENER if is_person else Purpose.PUBLIC,
                renditions=(a_rendition(),),
                at=NOW + timedelta(hours=number),
                ordinal=1 if is_person else None,
                provider="twilio",
                provider_call_id=f"CA{number}",
                caller_index=index_caller(CALLER, parts.keys.active),
            )
            assert record(connection, play, parts.keys)
            if number == 1:
                note_key(connection, play.call_indexes, play.purpose, "1", NOW)
        yield connection
        connection.rollback()


def under(connection: Connection, condition: str) -> list[str]:
    """Return the orders that fulfil a condition, last played first."""
    line = f"SELECT order_id FROM orders WHERE {condition} ORDER BY order_id DESC"  # noqa: S608
    return list(connection.execute(text(line)).scalars())


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        (PlayQuery(reach=EVERYWHERE), "1 = 1"),
        (PlayQuery(reach=NOWHERE), "1 = 0"),
        (PlayQuery(reach=in_courts("lakeside")), "court_id = 'lakeside'"),
        (PlayQuery(reach=in_courts("lakeside", "bayside")), "court_id IN ('lakeside', 'bayside')"),
        (PlayQuery(reach=in_district("lakeside-north")), "district_id = 'lakeside-north'"),
        (PlayQuery(reach=in_district("lakeside")), "court_id = 'lakeside'"),
        (PlayQuery(reach=EVERYWHERE, court_id="thameside"), "court_id = 'thameside'"),
        (PlayQuery(reach=in_courts("bayside"), court_id="thameside"), "1 = 0"),
        (PlayQuery(reach=EVERYWHERE, purpose=Purpose.OPENER), "subject_kind = 'natural_person'"),
    ],
)
def test_plays_are_listed_within_reach_newest_first(
    parts: Parts, played: Connection, query: PlayQuery, condition: str
) -> None:
    assert [each.order_id for each in plays_of(played, parts.keys, query)] == under(played, condition)


def test_plays_come_page_by_page_and_by_time(parts: Parts, played: Connection) -> None:
    everything = plays_of(played, parts.keys, PlayQuery(reach=EVERYWHERE))
    assert len(everything) > 5
    pages: list[PlayEntry] = []
    after = ""
    while page := plays_of(played, parts.keys, PlayQuery(reach=EVERYWHERE, limit=2, after=after)):
        pages += page
        after = page[-1].play_id
    assert tuple(pages) == everything
    since = PlayQuery(reach=EVERYWHERE, since=everything[2].played_at)
    until = PlayQuery(reach=EVERYWHERE, until=everything[2].played_at)
    assert plays_of(played, parts.keys, since) == everything[:3]
    assert plays_of(played, parts.keys, until) == everything[3:]


def test_a_listed_play_tells_everything_that_is_kept_of_it(parts: Parts, played: Connection) -> None:
    play = plays_of(played, parts.keys, PlayQuery(reach=EVERYWHERE))[-2]
    assert (play.provider, play.provider_call_id, play.files) == ("twilio", "CA1", (a_rendition().mulaw,))
    assert (play.key, play.keyed_at, play.disposition) == ("1", NOW, None)
    caller = index_caller(CALLER, parts.keys.active)
    assert caller is not None
    assert play.caller_hash == caller.hex()
    assert play.is_sound
    assert plays_of(played, parts.keys, PlayQuery(reach=EVERYWHERE, order_id=play.order_id)) == (play,)


def test_a_listed_play_that_was_changed_or_purged_says_so(parts: Parts, played: Connection) -> None:
    played.execute(text("UPDATE plays SET files = 'other', provider_call_id = NULL, caller_index = NULL"))
    for play in plays_of(played, parts.keys, PlayQuery(reach=EVERYWHERE)):
        assert not play.is_sound
        assert (play.provider_call_id, play.caller_hash) == (None, None)
