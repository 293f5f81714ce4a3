"""Take the key that a party pressed while a notice was played, or the news that it was heard to its end."""

from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from gateway.audit.evidence import note_key
from gateway.domain.decide import decide
from gateway.domain.e164 import E164
from gateway.domain.facts import CalleeListened, CallerListened, CallFacts
from gateway.domain.notice import Purpose
from gateway.domain.plan import Bridge, CallPlan, Decision, Reason, SuspendLine
from gateway.domain.standing import NoOrders
from gateway.privacy.blind_index import index_call, index_line
from gateway.register.orders import suspend_line
from gateway.workflows.call_desk import CallDesk, ask, keep_evidence


def take_key(desk: CallDesk, facts: CallFacts, now: datetime) -> CallPlan:
    """Note the key, do what it asks for, and return what happens next."""
    match facts.moment:
        case CallerListened(key=key):
            return _take_skip(desk, facts, key, now)
        case CalleeListened() as listened:
            return _take_wish(desk, facts, listened, now)
        case _:
            return decide(facts, NoOrders(), now)


def _take_skip(desk: CallDesk, facts: CallFacts, key: str, now: datetime) -> CallPlan:
    """Connect the caller, whose notice is over; the key only completes the evidence."""
    if key:
        try:
            with desk.engine.connect() as connection:
                note_key(connection, _call(desk, facts), Purpose.PUBLIC, key, now)
        except SQLAlchemyError:
            pass  # The play itself is on record, and the caller is waiting.
    return decide(facts, NoOrders(), now)


def _take_wish(desk: CallDesk, facts: CallFacts, listened: CalleeListened, now: datetime) -> CallPlan:
    """Do what the callee wants. Where the register cannot be written, bridge: only what was done is confirmed."""
    asked = ask(desk, facts, now)
    plan = decide(facts, asked.standing, now)
    try:
        _write_down(desk, facts, plan, listened, now)
    except SQLAlchemyError:
        return CallPlan(
            steps=(Bridge(),), decision=Decision.CONNECT, reason=Reason.EVIDENCE_NOT_KEPT, order_id=plan.order_id
        )
    return keep_evidence(desk, facts, plan, asked.past, now)


def _write_down(desk: CallDesk, facts: CallFacts, plan: CallPlan, listened: CalleeListened, now: datetime) -> None:
    if not listened.key or not isinstance(facts.callee, E164):
        return
    call, line = _call(desk, facts), index_line(facts.callee, desk.keys)
    with desk.office.begin() as connection:
        note_key(connection, call, listened.purpose, listened.key, now)
        for step in plan.steps:
            if isinstance(step, SuspendLine):
                suspend_line(connection, step.order_id, line, step.ground, call, now)


def _call(desk: CallDesk, facts: CallFacts) -> bytes:
    return index_call(facts.provider, facts.provider_call_id, desk.keys)
