"""Take the news that a connected call, or the attempt at it, is over."""

from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from gateway.audit.evidence import note_disposition
from gateway.domain.decide import decide
from gateway.domain.e164 import E164
from gateway.domain.facts import CallFacts, DialEnded
from gateway.domain.plan import CallPlan
from gateway.domain.standing import NoOrders
from gateway.privacy.blind_index import indexes_of_call
from gateway.workflows.call_desk import CallDesk


def end_call(desk: CallDesk, facts: CallFacts, now: datetime) -> CallPlan:
    """Return what happens after Dial: the end, or one more attempt without a notice."""
    plan = decide(facts, NoOrders(), now)
    if isinstance(facts.moment, DialEnded):
        note_ending(desk, facts, facts.moment.outcome.value)
    return plan


def note_ending(desk: CallDesk, facts: CallFacts, disposition: str) -> None:
    """Complete the evidence of a call that had a notice; a call without one has no row, and none is made."""
    if not isinstance(facts.callee, E164) or not desk.screen.may_hold(facts.callee):
        return
    try:
        call = indexes_of_call(facts.provider, facts.provider_call_id, desk.keys)
        with desk.engine.connect() as connection:
            note_disposition(connection, call, disposition)
    except SQLAlchemyError:
        return  # The play itself is on record; how the call went on afterwards is not worth an error to the provider.
