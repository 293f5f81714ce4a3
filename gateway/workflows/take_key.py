"""Take the key that a party pressed while a notice was played, or the news that it was heard to its end."""

from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from gateway.audit.evidence import note_key
from gateway.domain.decide import decide
from gateway.domain.e164 import E164
from gateway.domain.facts import CalleeListened, CallerListened, CallFacts
from gateway.domain.notice import Purpose
from gateway.domain.plan import Bridge, CallPlan, Decision, Reason, SuspendLine
from gateway.privacy.blind_index import index_call, index_line
from gateway.register.orders import suspend_line
from gateway.workflows.call_desk import CallDesk, ask, keep_evidence


def take_key(desk: CallDesk, facts: CallFacts, now: datetime) -> CallPlan:
    """Note the key, do what it asks for, and return what happens next.

    Where the register cannot be written, the legs are bridged in silence: nothing is confirmed that was not done.
    """
    asked = ask(desk, facts, now)
    plan = decide(facts, asked.standing, now)
    try:
        _write_down(desk, facts, plan, now)
    except SQLAlchemyError:
        if isinstance(facts.moment, CalleeListened):
            return CallPlan(
                steps=(Bridge(),), decision=Decision.CONNECT, reason=Reason.EVIDENCE_NOT_KEPT, order_id=plan.order_id
            )
    return keep_evidence(desk, facts, plan, asked.past, now)


def _write_down(desk: CallDesk, facts: CallFacts, plan: CallPlan, now: datetime) -> None:
    call = index_call(facts.provider, facts.provider_call_id, desk.keys)
    match facts.moment:
        case CallerListened(key=key):
            purpose = Purpose.PUBLIC
        case CalleeListened(purpose=purpose, key=key):
            pass
        case _:
            return
    suspensions = [step for step in plan.steps if isinstance(step, SuspendLine)]
    if not key and not suspensions:
        return
    with desk.office.begin() as connection:
        note_key(connection, call, purpose, key, now)
        for step in suspensions:
            if isinstance(facts.callee, E164):
                line = index_line(facts.callee, desk.keys)
                suspend_line(connection, step.order_id, line, step.ground, call, now)
