"""One order's life, oldest first: officers, keys, plays and time; and what is not the asker's is left out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.assembly import Parts
from gateway.audit.tags import Tag
from gateway.domain.facts import CalleeAnswered, CalleeListened
from gateway.domain.notice import Purpose
from gateway.domain.rights import InCourt, InDistrict, NotAllowedError, Right, Role
from gateway.register.disputes import Resolution
from gateway.register.errors import UnknownEntryError
from gateway.workflows import read_order_life as life
from gateway.workflows.answer_call import answer_call
from gateway.workflows.draft_order import return_order, submit_order
from gateway.workflows.end_order import lift_order
from gateway.workflows.office import Office
from gateway.workflows.read_dispute import read_dispute_evidence
from gateway.workflows.read_order_life import LifeEvent, LifeKind, read_order_life
from gateway.workflows.resolve_dispute import resolve_dispute
from gateway.workflows.take_key import take_key
from tests.builders_office import (
    COURT,
    DAY,
    HOUR,
    NOON,
    NUMBER,
    OTHER_COURT,
    SISTER,
    a_call_to,
    a_desk,
    a_person,
    a_submitted_order,
    an_approved_order,
    an_errand,
    by_whom,
    heard,
)

READER = an_errand(Role.APPROVER)
# Noon in New York, where the line is.
DAYTIME = NOON + 5 * HOUR


def kinds(events: tuple[LifeEvent, ...]) -> list[str]:
    return [each.tag.value if each.tag else each.kind.value for each in events]


def contest(parts: Parts, order_id: str) -> None:
    """Have somebody pick up, press 1 at the opener and 3 at the content."""
    desk, call = a_desk(parts), a_call_to(NUMBER)
    answer_call(desk, replace(call, moment=CalleeAnswered(order_id=order_id)), DAYTIME)
    for purpose, key in ((Purpose.OPENER, "1"), (Purpose.PRIVATE, "3")):
        take_key(desk, replace(call, moment=CalleeListened(order_id=order_id, purpose=purpose, key=key)), DAYTIME)


def test_what_officers_and_time_do_is_told_in_its_order(office: Office) -> None:
    order = a_submitted_order(office, an_errand(at=NOON - 2 * DAY))
    return_order(office, order.order_id, an_errand(Role.APPROVER, at=NOON - DAY), reason="The date is wrong.")
    submit_order(office, order.order_id, an_errand(at=NOON - HOUR))
    found = read_order_life(office, order.order_id, READER)
    assert found.left_out == 0
    assert kinds(found.events) == [
        "office:order:drafted",
        "office:order:submitted",
        "office:order:returned",
        "office:order:submitted",
    ]
    returned = found.events[2]
    assert (returned.actor, returned.text, returned.tag) == ("per_approver", "The date is wrong.", Tag.ORDER_RETURNED)
    assert [each.version for each in found.events] == [None, 2, 3, 4]


def test_what_is_still_to_come_is_marked_and_ends_with_the_order(office: Office) -> None:
    order = an_approved_order(office)
    events = read_order_life(office, order.order_id, READER).events
    assert [(each.kind, each.is_future) for each in events if each.kind is not LifeKind.DONE] == [
        (LifeKind.WARNING_BEGINS, False),
        (LifeKind.IN_FORCE_FROM, True),
        (LifeKind.EXPIRES, True),
    ]
    assert [each.at for each in events[-2:]] == [order.in_force_from, order.valid_until]
    lift_order(office.engine, office.keys, order.order_id, an_errand(at=NOON + HOUR), reason="Paid.")
    ended = read_order_life(office, order.order_id, an_errand(Role.APPROVER, at=NOON + HOUR)).events
    assert (ended[-1].tag, ended[-1].text) == (Tag.ORDER_LIFTED, "Paid.")
    assert not any(each.is_future for each in ended)


def test_plays_keys_and_the_dispute_of_a_call_are_told(parts: Parts, office: Office) -> None:
    order = an_approved_order(office, at=NOON, subject=a_person())
    contest(parts, order.order_id)
    asker = an_errand(Role.APPROVER, at=DAYTIME + HOUR)
    events = read_order_life(office, order.order_id, asker).events
    played = {(each.purpose, each.count) for each in events if each.kind is LifeKind.PLAYED}
    assert played == {(Purpose.OPENER, 1), (Purpose.PRIVATE, 1)}
    assert {(each.purpose, each.key) for each in events if each.kind is LifeKind.KEY_PRESSED} == {
        (Purpose.OPENER, "1"),
        (Purpose.PRIVATE, "3"),
    }
    opened = next(each for each in events if each.kind is LifeKind.DISPUTE_OPENED)
    assert (opened.word, opened.actor, opened.at) == ("contested", "callee", DAYTIME)
    resolve_dispute(office, opened.subject_id, Resolution.REMOVE_LINE, asker, note="Another person now.")
    after = read_order_life(office, order.order_id, asker).events
    resolved = next(each for each in after if each.kind is LifeKind.DISPUTE_RESOLVED)
    assert (resolved.word, resolved.text) == ("remove_line", "Another person now.")
    assert {Tag.LINE_SUSPENDED, Tag.LINE_REMOVED} <= {each.tag for each in after}


def test_plays_are_summed_up_by_the_courts_days(parts: Parts, office: Office) -> None:
    order = an_approved_order(office, at=NOON - 10 * DAY)
    # Lakeside keeps Chicago's time: 05:30 UTC is still the day before.
    for hours in (0, 1, 2, 17.5, 24):
        assert heard(parts, NUMBER, order.order_id, NOON + timedelta(hours=hours)) == ("A:public",)
    events = read_order_life(office, order.order_id, an_errand(Role.APPROVER, at=NOON + 2 * DAY)).events
    assert sum(each.count for each in events if each.kind is LifeKind.PLAYED) == 5
    assert len([each for each in events if each.kind is LifeKind.PLAYED]) == 2


def test_whoever_may_read_orders_only_is_told_of_no_play_and_no_dispute(parts: Parts, office: Office) -> None:
    order = an_approved_order(office, at=NOON, subject=a_person())
    contest(parts, order.order_id)
    found = read_order_life(office, order.order_id, by_whom(Right.ORDERS_READ)).events
    assert {each.kind for each in found} <= {LifeKind.DONE, LifeKind.IN_FORCE_FROM, LifeKind.EXPIRES}


def test_another_courts_order_has_no_life(office: Office) -> None:
    order = an_approved_order(office)
    for scope in (InCourt(court_id=OTHER_COURT), InDistrict(court_id=COURT, district_id=SISTER)):
        with pytest.raises(UnknownEntryError):
            read_order_life(office, order.order_id, an_errand(Role.APPROVER, scope=scope))


def test_a_long_life_keeps_its_newest_events_and_says_how_many_are_left_out(office: Office) -> None:
    order = a_submitted_order(office)
    turns = life.LONGEST // 2 + 5
    for turn in range(turns):
        return_order(office, order.order_id, an_errand(Role.APPROVER, at=NOON + turn * HOUR))
        submit_order(office, order.order_id, an_errand(at=NOON + turn * HOUR))
    found = read_order_life(office, order.order_id, READER)
    assert len(found.events) == life.LONGEST
    assert found.left_out == 2 + 2 * turns - life.LONGEST
    assert found.events[-1].at == NOON + (turns - 1) * HOUR


def test_a_dispute_comes_with_the_plays_and_keys_of_its_call(parts: Parts, office: Office) -> None:
    order = an_approved_order(office, at=NOON, subject=a_person())
    contest(parts, order.order_id)
    events = read_order_life(office, order.order_id, READER).events
    dispute_id = next(each.subject_id for each in events if each.kind is LifeKind.DISPUTE_OPENED)
    found = read_dispute_evidence(office, dispute_id, READER)
    assert sorted((each.purpose.value, each.key or "", each.is_sound) for each in found.plays) == [
        ("opener", "1", True),
        ("private", "3", True),
    ]
    assert found.line is not None
    assert found.line.suspended_at == DAYTIME
    with pytest.raises(NotAllowedError):
        read_dispute_evidence(office, dispute_id, by_whom(Right.ORDERS_READ, Right.DISPUTES_READ))
    with pytest.raises(UnknownEntryError):
        read_dispute_evidence(office, dispute_id, an_errand(Role.APPROVER, scope=InCourt(court_id=OTHER_COURT)))
