"""Lift an order for good, or suspend it: one officer is enough, and it holds from the next call on."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine

from gateway.domain.order import Order, lift, suspend
from gateway.privacy.keys import Keys
from gateway.register import orders


def lift_order(engine: Engine, keys: Keys, order_id: str, now: datetime) -> Order:
    """Lift and return the order. Once this has returned, no call plays its notice. Raises UnknownEntryError."""
    return _change(engine, keys, order_id, lambda order: lift(order, now))


def suspend_order(engine: Engine, keys: Keys, order_id: str, now: datetime) -> Order:
    """Suspend and return the order, with the same immediacy. Raises UnknownEntryError, InvalidTransitionError."""
    return _change(engine, keys, order_id, lambda order: suspend(order, now))


def _change(engine: Engine, keys: Keys, order_id: str, change: Callable[[Order], Order]) -> Order:
    with engine.begin() as connection:
        changed = change(orders.get(connection, order_id, keys))
        orders.save(connection, changed)
    return changed
