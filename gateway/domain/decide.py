"""The rules of law: who hears what, when. One pure function, `decide`, total over everything it can be given.

Source of every rule: the audience rule, quoted in `docs/adr/0002-who-hears-what.md`. Whatever is not permitted here is
silence, and silence always connects the call.
"""

from datetime import UTC, datetime, timedelta
from typing import assert_never

from gateway.domain.e164 import E164
from gateway.domain.facts import (
    Arriving,
    CalleeAnswered,
    CalleeListened,
    CallerListened,
    CallFacts,
    Capability,
    DialEnded,
    Looping,
    Outcome,
    Urgency,
)
from gateway.domain.notice import (
    MissingNotices,
    OrganisationNotices,
    PersonNotices,
    PublicNotice,
    Purpose,
    WarningNotice,
)
from gateway.domain.order import OrderState
from gateway.domain.plan import (
    Acknowledge,
    Bridge,
    CallPlan,
    Connect,
    Decision,
    End,
    PlayToCallee,
    PlayToCaller,
    Reason,
    Step,
    SuspendLine,
)
from gateway.domain.standing import Ground, NoOrders, OrderOnLine, Standing, Unavailable, UnderOrders
from gateway.domain.subject import NaturalPerson

ACKNOWLEDGED_SILENCE = timedelta(days=7)
_DAY, _MONTH = timedelta(days=1), timedelta(days=30)

_SILENT_STATES = {
    OrderState.DRAFT: Reason.ORDER_NOT_APPROVED,
    OrderState.SUBMITTED: Reason.ORDER_NOT_APPROVED,
    OrderState.APPROVED: Reason.ORDER_NOT_YET_IN_FORCE,
    OrderState.SUSPENDED: Reason.ORDER_SUSPENDED,
    OrderState.LIFTED: Reason.ORDER_LIFTED,
    OrderState.EXPIRED: Reason.ORDER_EXPIRED,
}
_ENDED = {OrderState.LIFTED, OrderState.EXPIRED}
Verdict = PublicNotice | WarningNotice | PersonNotices | Reason


def decide(facts: CallFacts, standing: Standing, now: datetime) -> CallPlan:
    """Say what happens next in the call. Never raises; `now` is aware."""
    # Between instants of one zone that changes its clocks, Python subtracts wall-clock times: a day would not be 24 h.
    now = now.astimezone(UTC)
    match facts.moment:
        case Arriving():
            return _on_arrival(facts, standing, now)
        case Looping():
            return CallPlan(steps=(End(),), decision=Decision.END, reason=Reason.LOOP)
        case CallerListened(order_id=order_id, key=key):
            reason = Reason.KEY_PRESSED if key else Reason.NOTICE_HEARD
            return _connect(facts, reason, order_id)
        case CalleeAnswered(order_id=order_id):
            return _on_answer(order_id, standing, now)
        case CalleeListened(order_id=order_id, purpose=purpose, key=key):
            return _on_key(order_id, purpose, key, standing, now)
        case DialEnded(outcome=outcome, whispered=whispered):
            return _on_end(facts, outcome, whispered=whispered)
        case _:
            assert_never(facts.moment)


def _on_arrival(facts: CallFacts, standing: Standing, now: datetime) -> CallPlan:
    if facts.urgency is Urgency.NEVER_DELAY:
        return _connect(facts, Reason.NEVER_DELAY)
    if not isinstance(facts.callee, E164):
        return _connect(facts, Reason.CALLEE_NOT_E164)
    match standing:
        case NoOrders():
            return _connect(facts, Reason.NO_ORDER)
        case Unavailable():
            return _connect(facts, Reason.REGISTER_UNAVAILABLE)
        case UnderOrders():
            chosen, verdict = _choose(standing, now)
        case _:
            assert_never(standing)
    order_id = chosen.order.order_id if chosen else ""
    match verdict:
        case PublicNotice():
            if not {Capability.PLAY_TO_CALLER, Capability.KEYS} <= facts.capabilities:
                return _connect(facts, Reason.PROVIDER_CANNOT, order_id)
            return CallPlan(
                steps=(PlayToCaller(order_id=order_id, notice=verdict), Connect(destination=facts.destination)),
                decision=Decision.PUBLIC_NOTICE,
                reason=Reason.PUBLICATION_ORDER_IN_FORCE,
                order_id=order_id,
            )
        case WarningNotice():
            return _whisper(facts, order_id, Decision.WARNING, Reason.WARNING_PERIOD)
        case PersonNotices():
            return _whisper(facts, order_id, Decision.PRIVATE_NOTICE, Reason.SERVICE_ORDER_IN_FORCE)
        case Reason():
            return _connect(facts, verdict, order_id)
        case _:
            assert_never(verdict)


def _on_answer(order_id: str, standing: Standing, now: datetime) -> CallPlan:
    """Ask again at pick-up: an order lifted while the telephone was ringing is already silent."""
    match _verdict_on(order_id, standing, now):
        case WarningNotice() as warning:
            return CallPlan(
                steps=(PlayToCallee(order_id=order_id, notice=warning, listens=True), Bridge()),
                decision=Decision.WARNING,
                reason=Reason.WARNING_PERIOD,
                order_id=order_id,
            )
        case PersonNotices(opener=opener):
            return CallPlan(
                steps=(PlayToCallee(order_id=order_id, notice=opener, listens=True), Bridge()),
                decision=Decision.PRIVATE_NOTICE,
                reason=Reason.SERVICE_ORDER_IN_FORCE,
                order_id=order_id,
            )
        case PublicNotice():
            # The order came into force while the telephone rang: callers hear it from the next call on.
            return _bridge(Reason.PUBLICATION_ORDER_IN_FORCE, order_id)
        case Reason() as reason:
            return _bridge(reason, order_id)


def _on_key(order_id: str, purpose: Purpose, key: str, standing: Standing, now: datetime) -> CallPlan:
    """Take a key on the callee's leg. 3 and 9 are honoured in any state of the order, for they can only silence it."""
    if isinstance(standing, Unavailable):
        return _bridge(Reason.REGISTER_UNAVAILABLE, order_id)
    found = _find(order_id, standing)
    if found is None or not isinstance(found.order.subject, NaturalPerson):
        return _bridge(Reason.KEY_PRESSED if key else Reason.NOTICE_HEARD, order_id)
    match purpose, key:
        case ((Purpose.OPENER | Purpose.PRIVATE), "9"):
            suspension = SuspendLine(order_id=order_id, ground=Ground.WRONG_PERSON)
            return _reply(suspension, Purpose.WRONG_PERSON, Reason.WRONG_PERSON, found)
        case Purpose.PRIVATE, "3":
            suspension = SuspendLine(order_id=order_id, ground=Ground.CONTESTED)
            return _reply(suspension, Purpose.CONTESTED, Reason.CONTESTED, found)
        case Purpose.PRIVATE, "2":
            return _reply(Acknowledge(order_id=order_id), Purpose.ACKNOWLEDGED, Reason.ACKNOWLEDGED, found)
        case Purpose.OPENER, "1":
            return _content(found, standing, now)
        case _:
            return _bridge(Reason.KEY_PRESSED if key else Reason.NOTICE_HEARD, order_id)


def _content(found: OrderOnLine, standing: Standing, now: datetime) -> CallPlan:
    order_id = found.order.order_id
    match _verdict_on(order_id, standing, now, opener_heard=True):
        case PersonNotices(private=private):
            return CallPlan(
                steps=(PlayToCallee(order_id=order_id, notice=private, listens=True), Bridge()),
                decision=Decision.PRIVATE_NOTICE,
                reason=Reason.SERVICE_ORDER_IN_FORCE,
                order_id=order_id,
            )
        case Reason() as reason:
            return _bridge(reason, order_id)
        case _:
            return _bridge(Reason.KEY_PRESSED, order_id)


def _on_end(facts: CallFacts, outcome: Outcome, *, whispered: bool) -> CallPlan:
    """Try once more, without a notice, when a connection that carried one failed: no notice may cost a call."""
    if outcome is Outcome.FAILED and whispered:
        return _connect(facts, Reason.RETRY_WITHOUT_NOTICE)
    return CallPlan(steps=(End(),), decision=Decision.END, reason=Reason.DIAL_ENDED)


def _choose(standing: UnderOrders, now: datetime) -> tuple[OrderOnLine | None, Verdict]:
    """Choose the one order that is heard: at most one notice in a call, the one longest in force first.

    Where none is, an order that still lives tells an operator more than one that has ended.
    """
    ordered = sorted(standing.orders, key=lambda each: (each.order.in_force_from or now, each.order.order_id))
    judged = [(each, _verdict(each, standing, now)) for each in ordered]
    for each, verdict in judged:
        if not isinstance(verdict, Reason):
            return each, verdict
    living = [(each, verdict) for each, verdict in judged if each.order.state_at(now) not in _ENDED]
    return next(iter((*living, *judged)), (None, Reason.NO_ORDER))


def _find(order_id: str, standing: Standing) -> OrderOnLine | None:
    if not isinstance(standing, UnderOrders):
        return None
    return next((each for each in standing.orders if each.order.order_id == order_id), None)


def _verdict_on(order_id: str, standing: Standing, now: datetime, *, opener_heard: bool = False) -> Verdict:
    if isinstance(standing, Unavailable):
        return Reason.REGISTER_UNAVAILABLE
    found = _find(order_id, standing)
    if found is None or not isinstance(standing, UnderOrders):
        return Reason.NO_ORDER
    return _verdict(found, standing, now, opener_heard=opener_heard)


def _verdict(each: OrderOnLine, standing: UnderOrders, now: datetime, *, opener_heard: bool = False) -> Verdict:
    """Judge one order by itself: the notice it allows now, or why it is silent."""
    state = each.order.state_at(now)
    if state in _SILENT_STATES:
        return _SILENT_STATES[state]
    if not each.district_enabled:
        return Reason.DISTRICT_OFF
    if each.line_suspended:
        return Reason.LINE_SUSPENDED
    match each.notices:
        case MissingNotices():
            return Reason.NOTICE_NOT_READY
        case OrganisationNotices(public=public, warning=warning):
            if _is_private(standing, now):
                return Reason.LINE_ALSO_PRIVATE
            return warning if state is OrderState.WARNED else public
        case PersonNotices() as notices:
            if state is OrderState.WARNED:
                return Reason.ORDER_NOT_YET_IN_FORCE
            return _private_limit(each, now, opener_heard=opener_heard) or notices
        case _:
            assert_never(each.notices)


def _is_private(standing: UnderOrders, now: datetime) -> bool:
    """Tell whether a living order names the line as a natural person's: it is then never played to callers."""
    return any(
        isinstance(each.order.subject, NaturalPerson) and each.order.state_at(now) not in _ENDED
        for each in standing.orders
    )


def _private_limit(each: OrderOnLine, now: datetime, *, opener_heard: bool) -> Reason | None:
    """Apply hours and caps. Days are any 24 hours, which is never looser than a calendar day in any zone."""
    caps, history = each.caps, each.history
    local_times = [now.astimezone(zone).time() for zone in each.zones]
    if not local_times or not all(caps.earliest <= local < caps.latest for local in local_times):
        return Reason.OUTSIDE_PERMITTED_HOURS
    if history.acknowledged_at is not None and now - history.acknowledged_at < ACKNOWLEDGED_SILENCE:
        return Reason.ACKNOWLEDGED
    if _since(history.contents, now - _DAY) >= caps.contents_per_day:
        return Reason.CONTENT_CAP
    if _since(history.contents, now - _MONTH) >= caps.contents_per_30_days:
        return Reason.CONTENT_CAP
    if not opener_heard and _since(history.openers, now - _DAY) >= caps.openers_per_day:
        return Reason.OPENER_CAP
    return None


def _since(instants: tuple[datetime, ...], start: datetime) -> int:
    return sum(instant > start for instant in instants)


def _connect(facts: CallFacts, reason: Reason, order_id: str = "") -> CallPlan:
    return CallPlan(
        steps=(Connect(destination=facts.destination),), decision=Decision.CONNECT, reason=reason, order_id=order_id
    )


def _whisper(facts: CallFacts, order_id: str, decision: Decision, reason: Reason) -> CallPlan:
    if not {Capability.WHISPER, Capability.KEYS} <= facts.capabilities:
        return _connect(facts, Reason.PROVIDER_CANNOT, order_id)
    step = Connect(destination=facts.destination, whisper_for=order_id)
    return CallPlan(steps=(step,), decision=decision, reason=reason, order_id=order_id)


def _bridge(reason: Reason, order_id: str) -> CallPlan:
    return CallPlan(steps=(Bridge(),), decision=Decision.CONNECT, reason=reason, order_id=order_id)


def _reply(effect: Step, purpose: Purpose, reason: Reason, found: OrderOnLine) -> CallPlan:
    """Do `effect`, and confirm it where there is a prompt for it."""
    order_id = found.order.order_id
    replies = found.notices.replies if isinstance(found.notices, PersonNotices) else ()
    spoken = tuple(
        PlayToCallee(order_id=order_id, notice=reply, listens=False)
        for reply in replies
        if reply.purpose is purpose and reply.renditions
    )
    return CallPlan(steps=(effect, *spoken, Bridge()), decision=Decision.CONNECT, reason=reason, order_id=order_id)
