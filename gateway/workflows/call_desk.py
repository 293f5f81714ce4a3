"""What answering a call needs at hand, and asking the register about its line."""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.audit.evidence import Past, Play, Recorder, index_caller, is_recorded, past_of, record, withdraw
from gateway.domain.e164 import E164
from gateway.domain.errors import GatewayError
from gateway.domain.facts import CallFacts, Urgency
from gateway.domain.notice import CalleeNotice, PublicNotice, Reply
from gateway.domain.plan import Bridge, CallPlan, Connect, Decision, PlayToCallee, PlayToCaller, Reason
from gateway.domain.standing import NoOrders, Standing, Unavailable, UnderOrders
from gateway.domain.subject import NaturalPerson
from gateway.privacy.blind_index import indexes_of_call, indexes_of_line
from gateway.privacy.ring import KeyRing
from gateway.register.lookup import Lookup, stands
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
    recorder: Recorder
    keys: KeyRing
    loops: LoopGuard

    def turn(self) -> "Turn":
        """Return what one webhook needs of the desk, for as long as the context lasts."""
        return Turn(self)


class Turn:
    """One webhook's turn at the desk: one connection, with one budget of time for all that it asks and records.

    It is borrowed where it is first needed; for a line that the screen knows to be under no order it never is.
    """

    def __init__(self, desk: CallDesk) -> None:
        """Borrow nothing yet."""
        self.desk = desk
        self._lent: Connection | None = None

    def connection(self) -> Connection:
        """Return the connection. Raises SQLAlchemyError."""
        if self._lent is None:
            self._lent = self.desk.engine.connect()
        return self._lent

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Give back what was borrowed. What the call found and wrote stands, whatever becomes of the connection."""
        if self._lent is not None:
            with suppress(SQLAlchemyError):
                self._lent.close()


def make_call_desk(*, engine: Engine, office: Engine, screen: Screen, keys: KeyRing) -> CallDesk:
    """Return a desk over these engines and this screen."""
    return CallDesk(
        engine=engine,
        office=office,
        screen=screen,
        lookup=Lookup(keys),
        recorder=Recorder(keys, provided=stands),
        keys=keys,
        loops=LoopGuard(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The register's answer, with what the line heard before."""

    standing: Standing
    past: Past = field(default_factory=Past)


def ask(turn: Turn, facts: CallFacts, now: datetime) -> Asked:
    """Ask the screen, then the register. Never raises for a register that is away: that is an answer too."""
    if not isinstance(facts.callee, E164) or facts.urgency is Urgency.NEVER_DELAY:
        return Asked(standing=NoOrders())
    if not turn.desk.screen.is_loaded:
        return Asked(standing=Unavailable("screen_not_loaded"))
    if not turn.desk.screen.may_hold(facts.callee):
        return Asked(standing=NoOrders())
    try:
        return _confirm(turn.desk, turn.connection(), facts, facts.callee, now)
    except SQLAlchemyError:
        return Asked(standing=Unavailable("database"))
    except GatewayError as error:
        # A row that these keys do not open, or that breaks a rule of the domain, is silent: it has no authority.
        return Asked(standing=Unavailable(error.code))


def _confirm(desk: CallDesk, connection: Connection, facts: CallFacts, line: E164, now: datetime) -> Asked:
    standing = desk.lookup.standing_of(connection, line)
    if not isinstance(standing, UnderOrders):
        return Asked(standing=standing)
    if not any(isinstance(each.order.subject, NaturalPerson) for each in standing.orders):
        return Asked(standing=standing)
    call = indexes_of_call(facts.provider, facts.provider_call_id, desk.keys)
    past = past_of(connection, indexes_of_line(line, desk.keys), call, now)
    orders = tuple(replace(each, history=past.history) for each in standing.orders)
    return Asked(standing=UnderOrders(orders), past=past)


def keep_evidence(turn: Turn, facts: CallFacts, plan: CallPlan, past: Past, now: datetime) -> CallPlan:
    """Record the plays in `plan` and return it, or return a plan without them where they may not go ahead."""
    for step in plan.steps:
        match step:
            case PlayToCaller(order_id=order_id, notice=notice) | PlayToCallee(order_id=order_id, notice=notice):
                objection = _record(turn, facts, order_id, notice, past, now)
                if objection is not None:
                    return _without_plays(plan, objection)
            case _:
                continue
    return plan


def _record(
    turn: Turn, facts: CallFacts, order_id: str, notice: PublicNotice | CalleeNotice, past: Past, now: datetime
) -> Reason | None:
    """Record one play; return why it may not go ahead, or None.

    The order is looked at once more as the play is recorded: on SQLite with the write lock held, and so behind any lift
    that was being written; on PostgreSQL as the statement begins, within its time limit. So no call plays that came,
    was decided or began to be recorded after a lift had returned.
    """
    if isinstance(notice, Reply):
        return None
    if not isinstance(facts.callee, E164):
        return Reason.EVIDENCE_NOT_KEPT
    keys = turn.desk.keys
    play = Play(
        call_indexes=indexes_of_call(facts.provider, facts.provider_call_id, keys),
        line_indexes=indexes_of_line(facts.callee, keys),
        order_id=order_id,
        subject=notice.subject,
        purpose=notice.purpose,
        renditions=notice.renditions,
        at=now,
        ordinal=past.next_ordinals.get(notice.purpose),
        provider=facts.provider,
        provider_call_id=facts.provider_call_id,
        caller_index=index_caller(facts.caller, keys.active),
    )
    try:
        return _objection(turn.desk, turn.connection(), play)
    except SQLAlchemyError:
        return Reason.EVIDENCE_NOT_KEPT


def _objection(desk: CallDesk, connection: Connection, play: Play) -> Reason | None:
    if len(play.line_indexes) == 1:
        if desk.recorder.record(connection, play):
            return None
        kept = is_recorded(connection, play)
        stands_still = desk.lookup.still_stands(connection, play.order_id, play.line_indexes)
    else:
        # While keys change, a play may stand under another key: it is looked for, and the order is asked afterwards.
        kept = record(connection, play, desk.keys)
        stands_still = desk.lookup.still_stands(connection, play.order_id, play.line_indexes)
        if kept and not stands_still:
            withdraw(connection, play)
    if not stands_still:
        return Reason.ENDED_MEANWHILE
    return None if kept else Reason.EVIDENCE_NOT_KEPT


def _without_plays(plan: CallPlan, reason: Reason) -> CallPlan:
    """Connect or bridge as planned, in silence."""
    kept = tuple(step for step in plan.steps if isinstance(step, Connect | Bridge))
    return CallPlan(steps=kept, decision=Decision.CONNECT, reason=reason, order_id=plan.order_id)
