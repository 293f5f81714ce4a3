"""The words in which the decision table is written: a row, and one word for each kind of plan."""

from dataclasses import dataclass
from datetime import datetime

from gateway.domain.facts import CallFacts
from gateway.domain.notice import Reply
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
    SuspendLine,
)
from gateway.domain.standing import Standing
from tests.builders import DESTINATION, NOW, a_call, a_private_notice, a_public_notice, a_warning, an_opener


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`says` in words what the rest says in values: on `call`, given `standing`, `at` this instant, `plan` follows."""

    says: str
    call: CallFacts
    standing: Standing
    plan: CallPlan
    at: datetime


def row(says: str, standing: Standing, plan: CallPlan, *, call: CallFacts | None = None, at: datetime = NOW) -> Row:
    return Row(says=says, call=call or a_call(), standing=standing, plan=plan, at=at)


def connects(reason: Reason, order_id: str = "") -> CallPlan:
    """Nobody hears anything, and the caller is put through."""
    return CallPlan(
        steps=(Connect(destination=DESTINATION),), decision=Decision.CONNECT, reason=reason, order_id=order_id
    )


def bridges(reason: Reason, order_id: str = "order-1") -> CallPlan:
    """The callee has picked up, and hears the caller without another word from us."""
    return CallPlan(steps=(Bridge(),), decision=Decision.CONNECT, reason=reason, order_id=order_id)


def ends(reason: Reason) -> CallPlan:
    return CallPlan(steps=(End(),), decision=Decision.END, reason=reason)


def caller_hears_the_public_notice(order_id: str = "order-1") -> CallPlan:
    notice = PlayToCaller(order_id=order_id, notice=a_public_notice())
    return CallPlan(
        steps=(notice, Connect(destination=DESTINATION)),
        decision=Decision.PUBLIC_NOTICE,
        reason=Reason.PUBLICATION_ORDER_IN_FORCE,
        order_id=order_id,
    )


def callee_will_be_warned(order_id: str = "order-1") -> CallPlan:
    """The caller is put through at once; whoever picks up is warned first."""
    return CallPlan(
        steps=(Connect(destination=DESTINATION, whisper_for=order_id),),
        decision=Decision.WARNING,
        reason=Reason.WARNING_PERIOD,
        order_id=order_id,
    )


def callee_will_hear_the_opener(order_id: str = "order-1") -> CallPlan:
    """The caller is put through at once and hears nothing; whoever picks up hears the opener first."""
    return CallPlan(
        steps=(Connect(destination=DESTINATION, whisper_for=order_id),),
        decision=Decision.PRIVATE_NOTICE,
        reason=Reason.SERVICE_ORDER_IN_FORCE,
        order_id=order_id,
    )


def callee_hears_the_warning(order_id: str = "order-1") -> CallPlan:
    return CallPlan(
        steps=(PlayToCallee(order_id=order_id, notice=a_warning(), listens=True), Bridge()),
        decision=Decision.WARNING,
        reason=Reason.WARNING_PERIOD,
        order_id=order_id,
    )


def callee_hears_the_opener(order_id: str = "order-1") -> CallPlan:
    return CallPlan(
        steps=(PlayToCallee(order_id=order_id, notice=an_opener(), listens=True), Bridge()),
        decision=Decision.PRIVATE_NOTICE,
        reason=Reason.SERVICE_ORDER_IN_FORCE,
        order_id=order_id,
    )


def callee_hears_the_content(order_id: str = "order-1") -> CallPlan:
    return CallPlan(
        steps=(PlayToCallee(order_id=order_id, notice=a_private_notice(), listens=True), Bridge()),
        decision=Decision.PRIVATE_NOTICE,
        reason=Reason.SERVICE_ORDER_IN_FORCE,
        order_id=order_id,
    )


def key_does(effect: SuspendLine | Acknowledge, reason: Reason, reply: Reply | None) -> CallPlan:
    """The key takes effect, is confirmed where the court has recorded a confirmation, and the parties talk."""
    spoken = () if reply is None else (PlayToCallee(order_id=effect.order_id, notice=reply, listens=False),)
    return CallPlan(
        steps=(effect, *spoken, Bridge()), decision=Decision.CONNECT, reason=reason, order_id=effect.order_id
    )
