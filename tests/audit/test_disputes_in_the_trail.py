"""A key that takes a line out of an order is in the trail and told to the court: once, however often it comes in."""

import json
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from gateway.assembly import Parts
from gateway.audit.reading import TrailEntry, TrailQuery, entries
from gateway.audit.tags import Tag
from gateway.audit.verification import verify
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.domain.facts import CalleeListened
from gateway.domain.notice import Purpose
from gateway.domain.plan import CallPlan
from gateway.domain.rights import COMMAND_LINE, Right
from gateway.domain.standing import Ground
from gateway.outbox.tables import messages
from gateway.privacy.blind_index import indexes_of_line
from gateway.privacy.keys import derive
from gateway.privacy.ring import KeyRing
from gateway.register.lines import suspend_line
from gateway.register.screen import Screen
from gateway.register.tables import disputes, lines, orders
from gateway.workflows.call_desk import CallDesk, make_call_desk
from gateway.workflows.take_key import take_key
from tests.builders import a_call

LINE = E164("+442079460120")


def a_desk(parts: Parts, ring: KeyRing) -> CallDesk:
    screen = Screen(ring)
    with parts.calls.connect() as connection:
        screen.refresh(connection)
    return make_call_desk(engine=parts.calls, office=parts.studio.engine, screen=screen, keys=ring)


def order_on_line(parts: Parts) -> str:
    with parts.reading.connect() as connection:
        index = indexes_of_line(LINE, parts.keys)[0]
        return str(connection.execute(select(lines.c.order_id).where(lines.c.line_index == index)).scalar_one())


@dataclass(frozen=True, slots=True, kw_only=True)
class Callee:
    """Whoever presses keys on the content of the order on the line."""

    parts: Parts
    order_id: str

    def press(self, key: str, call: str, ring: KeyRing | None = None) -> CallPlan:
        moment = CalleeListened(order_id=self.order_id, purpose=Purpose.PRIVATE, key=key)
        facts = a_call(moment, callee=LINE, provider_call_id=call)
        return take_key(a_desk(self.parts, ring or self.parts.keys), facts, utc_now())


@pytest.fixture
def callee(parts: Parts) -> Callee:
    return Callee(parts=parts, order_id=order_on_line(parts))


def trail_of(parts: Parts) -> list[TrailEntry]:
    with parts.reading.connect() as connection:
        query = TrailQuery(reach=COMMAND_LINE.reach(Right.AUDIT_READ), actor="callee")
        assert verify(connection, parts.keys).is_sound
        return list(reversed(entries(connection, query)))


def told(parts: Parts) -> list[dict[str, object]]:
    with parts.reading.connect() as connection:
        bodies = connection.execute(select(messages.c.body).where(messages.c.event == "dispute.opened")).scalars()
        return [json.loads(body)["data"] for body in bodies]


@pytest.mark.parametrize(("key", "ground"), [("3", "contested"), ("9", "wrong_person")])
def test_a_line_taken_out_by_a_key_is_in_the_trail_and_the_court_is_told(
    parts: Parts, callee: Callee, key: str, ground: str
) -> None:
    callee.press(key, "CA1")
    order_id = order_on_line(parts)
    with parts.reading.connect() as connection:
        dispute = connection.execute(select(disputes)).one()
        court = connection.execute(select(orders.c.court_id).where(orders.c.order_id == order_id)).scalar_one()
    suspended, opened = trail_of(parts)
    assert (suspended.tag, suspended.subject_id) == (Tag.LINE_SUSPENDED.value, dispute.line_id)
    assert (opened.tag, opened.subject_id) == (Tag.DISPUTE_OPENED.value, dispute.dispute_id)
    assert {suspended.court_id, opened.court_id} == {court}
    assert suspended.details == {"order": order_id, "ground": ground}
    assert opened.details == {"order": order_id, "line": dispute.line_id, "ground": ground}
    assert told(parts) == [{"court": court, "order": order_id, "dispute": dispute.dispute_id, "ground": ground}]


def test_a_repeated_webhook_opens_no_second_dispute_even_while_keys_are_changed(parts: Parts, callee: Callee) -> None:
    callee.press("9", "CA1")
    callee.press("9", "CA1")
    both = KeyRing(derive(b"another master key of 32 bytes.."), others=(parts.keys.active,))
    callee.press("9", "CA1", both)
    assert len(trail_of(parts)) == 2
    assert len(told(parts)) == 1


def test_a_line_that_was_out_of_its_order_before_is_not_suspended_once_more(parts: Parts, callee: Callee) -> None:
    callee.press("3", "CA1")
    with parts.studio.engine.begin() as connection:
        index = indexes_of_line(LINE, parts.keys)
        opened = suspend_line(connection, callee.order_id, index, Ground.CONTESTED, (b"2" * 16,), utc_now())
    assert [each.suspended for each in opened] == [False]


@pytest.mark.parametrize("key", ["", "1", "2", "5"])
def test_other_keys_leave_no_trace_in_the_trail(parts: Parts, callee: Callee, key: str) -> None:
    callee.press(key, "CA1")
    assert trail_of(parts) == []
    assert told(parts) == []
