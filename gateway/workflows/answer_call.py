"""Answer a call that has just come in, or a callee who has just picked up."""

from dataclasses import replace
from datetime import datetime

from gateway.domain.decide import decide
from gateway.domain.e164 import E164
from gateway.domain.facts import Arriving, CallFacts, Looping, SipUri
from gateway.domain.plan import CallPlan
from gateway.domain.standing import NoOrders
from gateway.register.screen import Screen
from gateway.workflows.call_desk import Asked, CallDesk, ask, keep_evidence


def answer_call(desk: CallDesk, facts: CallFacts, now: datetime) -> CallPlan:
    """Return what happens next; what it plays has been recorded. Connects in silence where the register is away."""
    if desk.loops.is_loop(facts, now):
        facts = replace(facts, moment=Looping())
    with desk.turn() as turn:
        asked = Asked(standing=NoOrders()) if isinstance(facts.moment, Looping) else ask(turn, facts, now)
        plan = decide(facts, asked.standing, now)
        return keep_evidence(turn, facts, plan, asked.past, now)


def answer_stranger(screen: Screen, facts: CallFacts, now: datetime) -> CallPlan | None:
    """Return what happens with a call to a line that `screen` knows to be under no order; None where a desk is to say.

    It is for who stands before the gateway and has no desk. A call that might come back unmarked is the desk's as well:
    the rhythm of a circle is known there alone.
    """
    knows = (
        isinstance(facts.moment, Arriving)
        and isinstance(facts.callee, E164)
        and isinstance(facts.destination, SipUri)
        and not screen.may_hold(facts.callee)
    )
    return decide(facts, NoOrders(), now) if knows else None
