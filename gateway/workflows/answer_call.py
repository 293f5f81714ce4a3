"""Answer a call that has just come in, or a callee who has just picked up."""

from dataclasses import replace
from datetime import datetime

from gateway.domain.decide import decide
from gateway.domain.facts import CallFacts, Looping
from gateway.domain.plan import CallPlan
from gateway.domain.standing import NoOrders
from gateway.workflows.call_desk import Asked, CallDesk, ask, keep_evidence


def answer_call(desk: CallDesk, facts: CallFacts, now: datetime) -> CallPlan:
    """Return what happens next; what it plays has been recorded. Connects in silence where the register is away."""
    if desk.loops.is_loop(facts, now):
        facts = replace(facts, moment=Looping())
    with desk.turn() as turn:
        asked = Asked(standing=NoOrders()) if isinstance(facts.moment, Looping) else ask(turn, facts, now)
        plan = decide(facts, asked.standing, now)
        return keep_evidence(turn, facts, plan, asked.past, now)
