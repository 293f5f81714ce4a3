"""Take the key that a party pressed while a notice was played, or the news that it was heard to its end."""

from contextlib import suppress
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from gateway.audit.evidence import note_heard, note_key
from gateway.audit.tags import Tag
from gateway.domain.decide import decide
from gateway.domain.e164 import E164
from gateway.domain.events import Event
from gateway.domain.facts import CalleeListened, CallerListened, CallFacts
from gateway.domain.notice import Purpose
from gateway.domain.plan import Bridge, CallPlan, Decision, Reason, SuspendLine
from gateway.domain.rights import CALLEE
from gateway.domain.standing import Ground, NoOrders
from gateway.privacy.blind_index import indexes_of_call, indexes_of_line
from gateway.register.lines import OpenedDispute, suspend_line
from gateway.workflows.call_desk import CallDesk, ask, keep_evidence
from gateway.workflows.change import Change, Errand, change


def take_key(desk: CallDesk, facts: CallFacts, now: datetime) -> CallPlan:
    """Note the key, do what it asks for, and return what happens next."""
    match facts.moment:
        case CallerListened() as listened:
            return _take_skip(desk, facts, listened, now)
        case CalleeListened() as listened:
            return _take_wish(desk, facts, listened, now)
        case _:
            return decide(facts, NoOrders(), now)


def _take_skip(desk: CallDesk, facts: CallFacts, listened: CallerListened, now: datetime) -> CallPlan:
    """Connect the caller, whose notice is over; key and length only complete the evidence."""
    if listened.key or listened.heard_ms is not None:
        # The play itself is on record, and the caller is waiting.
        with suppress(SQLAlchemyError), desk.engine.connect() as connection:
            call = _call(desk, facts)
            if listened.key:
                note_key(connection, call, Purpose.PUBLIC, listened.key, now)
            if listened.heard_ms is not None:
                note_heard(connection, call, Purpose.PUBLIC, listened.heard_ms)
    return decide(facts, NoOrders(), now)


def _take_wish(desk: CallDesk, facts: CallFacts, listened: CalleeListened, now: datetime) -> CallPlan:
    """Do what the callee wants. Where the register cannot be written, bridge: only what was done is confirmed."""
    with desk.turn() as turn:
        asked = ask(turn, facts, now)
    plan = decide(facts, asked.standing, now)
    try:
        _write_down(desk, facts, plan, listened, now)
    except SQLAlchemyError:
        return CallPlan(
            steps=(Bridge(),), decision=Decision.CONNECT, reason=Reason.EVIDENCE_NOT_KEPT, order_id=plan.order_id
        )
    _note_heard(desk, facts, listened)
    # A turn of its own: what was borrowed went back before the wish was written, which takes time and connections too.
    with desk.turn() as turn:
        return keep_evidence(turn, facts, plan, asked.past, now)


def _note_heard(desk: CallDesk, facts: CallFacts, listened: CalleeListened) -> None:
    """Complete the evidence, after the wish is written: nobody's wish is lost for want of a length."""
    if listened.heard_ms is not None:
        with suppress(SQLAlchemyError), desk.engine.connect() as connection:
            note_heard(connection, _call(desk, facts), listened.purpose, listened.heard_ms)


def _write_down(desk: CallDesk, facts: CallFacts, plan: CallPlan, listened: CalleeListened, now: datetime) -> None:
    if not listened.key or not isinstance(facts.callee, E164):
        return
    call, line = _call(desk, facts), indexes_of_line(facts.callee, desk.keys)
    with change(desk.office, desk.keys, Errand(actor=CALLEE, at=now)) as under_way:
        note_key(under_way.connection, call, listened.purpose, listened.key, now)
        for step in plan.steps:
            if isinstance(step, SuspendLine):
                for opened in suspend_line(under_way.connection, step.order_id, line, step.ground, call, now):
                    _announce(under_way, opened, step.ground)


def _announce(under_way: Change, opened: OpenedDispute, ground: Ground) -> None:
    """Write the trail and tell the court; a provider's repeated webhook opens nothing and comes not here."""
    order, court = opened.order_id, opened.court_id
    if opened.suspended:
        under_way.note(Tag.LINE_SUSPENDED, opened.line_id, court_id=court, order=order, ground=ground.value)
    under_way.note(
        Tag.DISPUTE_OPENED, opened.dispute_id, court_id=court, order=order, line=opened.line_id, ground=ground.value
    )
    under_way.tell(Event.DISPUTE_OPENED, court_id=court, order=order, dispute=opened.dispute_id, ground=ground.value)


def _call(desk: CallDesk, facts: CallFacts) -> tuple[bytes, ...]:
    return indexes_of_call(facts.provider, facts.provider_call_id, desk.keys)
