"""Lift an order for good, or suspend it: one officer is enough, and it holds from the next call on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from gateway.audit.tags import Tag
from gateway.audit.trail import Detail
from gateway.domain.events import Event
from gateway.domain.order import Order, lift, suspend
from gateway.domain.rights import Right
from gateway.privacy.blind_index import index_secret
from gateway.privacy.ring import KeyRing
from gateway.register import orders, remarks
from gateway.register.remarks import Remark
from gateway.workflows.access import order_for
from gateway.workflows.change import Errand, change


def lift_order(engine: Engine, keys: KeyRing, order_id: str, errand: Errand, *, reason: str = "") -> Order:
    """Lift and return the order. Once this has returned, no call plays its notice. Lifting twice changes nothing.

    Raises UnknownEntryError, NotAllowedError.
    """
    ending = _Ending(right=Right.ORDERS_END, act=lift, tag=Tag.ORDER_LIFTED, event=Event.ORDER_LIFTED, reason=reason)
    return _end(engine, keys, order_id, errand, ending)


def suspend_order(engine: Engine, keys: KeyRing, order_id: str, errand: Errand, *, reason: str = "") -> Order:
    """Suspend and return the order, with the same immediacy. Suspending twice changes nothing.

    Raises UnknownEntryError, NotAllowedError, InvalidTransitionError.
    """
    ending = _Ending(
        right=Right.ORDERS_END, act=suspend, tag=Tag.ORDER_SUSPENDED, event=Event.ORDER_SUSPENDED, reason=reason
    )
    return _end(engine, keys, order_id, errand, ending)


def satisfy_order(engine: Engine, keys: KeyRing, order_id: str, errand: Errand, *, reference: str) -> Order:
    """Lift an order because its debt is paid, as a court's payment system reports it.

    The payment's reference is kept as a keyed hash: it can be checked against the payment, and names nobody.
    Raises UnknownEntryError, NotAllowedError.
    """
    ending = _Ending(
        right=Right.SATISFACTION_REPORT,
        act=lift,
        tag=Tag.ORDER_SATISFIED,
        event=Event.ORDER_LIFTED,
        details={"payment": index_secret(reference, keys).hex()[:32]},
    )
    return _end(engine, keys, order_id, errand, ending)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    right: Right
    act: Callable[[Order, datetime], Order]
    tag: Tag
    event: Event
    reason: str = ""
    details: Mapping[str, Detail] = field(default_factory=dict)


def _end(engine: Engine, keys: KeyRing, order_id: str, errand: Errand, ending: _Ending) -> Order:
    with change(engine, keys, errand) as under_way:
        order = order_for(under_way.connection, keys, errand.actor, order_id, ending.right)
        changed = ending.act(order, errand.at)
        if changed == order:
            return order
        saved = orders.save(under_way.connection, changed)
        remark = Remark(about=ending.tag.value, text=ending.reason, written_by=errand.actor.actor_id, at=errand.at)
        remarks.add(under_way.connection, order_id, remark, keys)
        was = order.state_at(errand.at).value
        under_way.note(ending.tag, order_id, court_id=order.court_id, was=was, version=saved.version, **ending.details)
        under_way.tell(ending.event, court_id=order.court_id, order=order_id, was=was)
    return saved
