"""How the properties read a plan: who would hear what, and for which order."""

from gateway.domain.notice import CalleeNotice, PublicNotice, Reply
from gateway.domain.plan import Bridge, CallPlan, Connect, End, PlayToCallee, PlayToCaller, Step
from gateway.domain.standing import OrderOnLine, Standing, UnderOrders


def heard_by_the_caller(plan: CallPlan) -> list[PublicNotice]:
    return [step.notice for step in plan.steps if isinstance(step, PlayToCaller)]


def heard_by_the_callee(plan: CallPlan) -> list[CalleeNotice]:
    """Return warnings, openers and contents; a reply to a key says nothing of any case and does not count."""
    spoken = [step.notice for step in plan.steps if isinstance(step, PlayToCallee)]
    return [notice for notice in spoken if not isinstance(notice, Reply)]


def whispers_for(plan: CallPlan) -> list[str]:
    """Return the order on which the callee is to be spoken to at pick-up, if any."""
    return [step.whisper_for for step in plan.steps if isinstance(step, Connect) and step.whisper_for]


def orders_heard(plan: CallPlan) -> list[str]:
    """Return the identifier of the order behind each notice in `plan`, asked for or played."""
    callers = [step.order_id for step in plan.steps if isinstance(step, PlayToCaller)]
    callees = [
        step.order_id for step in plan.steps if isinstance(step, PlayToCallee) and not isinstance(step.notice, Reply)
    ]
    return [*callers, *callees, *whispers_for(plan)]


def is_silent(plan: CallPlan) -> bool:
    return not orders_heard(plan)


def endings(plan: CallPlan) -> list[Step]:
    return [step for step in plan.steps if isinstance(step, Connect | Bridge | End)]


def orders_of(standing: Standing) -> tuple[OrderOnLine, ...]:
    return standing.orders if isinstance(standing, UnderOrders) else ()


def on_line(standing: Standing, order_id: str) -> OrderOnLine:
    """Return the order that `order_id` names; a plan that plays one the line is not under fails here."""
    (found,) = [each for each in orders_of(standing) if each.order.order_id == order_id]
    return found
