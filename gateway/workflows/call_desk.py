"""What answering a call needs at hand, and asking the register about its line."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.audit.evidence import Past, Play, past_of, record
from gateway.domain.e164 import E164
from gateway.domain.errors import GatewayError
from gateway.domain.facts import CallFacts, Urgency
from gateway.domain.notice import CalleeNotice, PublicNotice, Reply
from gateway.domain.plan import Bridge, CallPlan, Connect, Decision, PlayToCallee, PlayToCaller, Reason
from gateway.domain.standing import NoOrders, Standing, Unavailable, UnderOrders
from gateway.domain.subject import NaturalPerson
from gateway.privacy.blind_index import index_call, index_line
from gateway.privacy.keys import Keys
from gateway.register.lookup import Lookup
from gateway.register.screen import Screen
from gateway.workflows.loop_guard import LoopGuard


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDesk:
    """The collaborators of every workflow that answers a webhook.

    `engine` is the one opened for calls; `office` is durable, for what a key on a call changes in the register.
    """

    engine: Engine
    office: Engine
    screen: Screen
    lookup: Lookup
    keys: Keys
    loops: LoopGuard


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The register's answer, with what the line heard before."""

    standing: Standing
    past: Past = field(default_factory=Past)


def ask(desk: CallDesk, facts: CallFacts, now: datetime) -> Asked:
    """Ask the screen, then the register. Never raises for a register that is away: that is an answer too."""
    if not isinstance(facts.callee, E164) or facts.urgency is Urgency.NEVER_DELAY:
        return Asked(standing=NoOrders())
    if not desk.screen.is_loaded:
        return Asked(standing=Unavailable("screen_not_loaded"))
    if not desk.screen.may_hold(facts.callee):
        return Asked(standing=NoOrders())
    try:
        return _confirm(desk, facts, facts.callee, now)
    except SQLAlchemyError:
        return Asked(standing=Unavailable("database"))
    except GatewayError as error:
        # A row that these keys do not open, or that breaks a rule of the domain, is silent: it has no authority.
        return Asked(standing=Unavailable(error.code))


def _confirm(desk: CallDesk, facts: CallFacts, line: E164, now: datetime) -> Asked:
    with desk.engine.connect() as connection:
        standing = desk.lookup.standing_of(connection, line)
        if not isinstance(standing, UnderOrders):
            return Asked(standing=standing)
        if not any(isinstance(each.order.subject, NaturalPerson) for each in standing.orders):
            return Asked(standing=standing)
        call = index_call(facts.provider, facts.provider_call_id, desk.keys)
        past = past_of(connection, index_line(line, desk.keys), call, now)
    orders = tuple(replace(each, history=past.history) for each in standing.orders)
    return Asked(standing=UnderOrders(orders), past=past)


def keep_evidence(desk: CallDesk, facts: CallFacts, plan: CallPlan, past: Past, now: datetime) -> CallPlan:
    """Record the plays in `plan` and return it, or return a plan without them where they could not be recorded."""
    for step in plan.steps:
        match step:
            case PlayToCaller(order_id=order_id, notice=notice) | PlayToCallee(order_id=order_id, notice=notice):
                if isinstance(notice, Reply) or _recorded(desk, facts, order_id, notice, past, now):
                    continue
                return _without_plays(plan)
            case _:
                continue
    return plan


def _recorded(
    desk: CallDesk, facts: CallFacts, order_id: str, notice: PublicNotice | CalleeNotice, past: Past, now: datetime
) -> bool:
    if isinstance(notice, Reply) or not isinstance(facts.callee, E164):
        return False
    play = Play(
        call_index=index_call(facts.provider, facts.provider_call_id, desk.keys),
        line_index=index_line(facts.callee, desk.keys),
        order_id=order_id,
        subject=notice.subject,
        purpose=notice.purpose,
        renditions=notice.renditions,
        at=now,
        ordinal=past.next_ordinals.get(notice.purpose),
    )
    try:
        with desk.engine.connect() as connection:
            return record(connection, play)
    except SQLAlchemyError:
        return False


def _without_plays(plan: CallPlan) -> CallPlan:
    """Connect or bridge as planned, in silence: a notice that leaves no evidence is not played."""
    kept = tuple(step for step in plan.steps if isinstance(step, Connect | Bridge))
    return CallPlan(steps=kept, decision=Decision.CONNECT, reason=Reason.EVIDENCE_NOT_KEPT, order_id=plan.order_id)
