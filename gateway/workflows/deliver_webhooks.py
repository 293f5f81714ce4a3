"""Deliver what lies in the outbox: hand messages to the endpoints that want them, send, and try again."""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine

from gateway.audit.tags import Tag
from gateway.domain.rights import GATEWAY
from gateway.outbox import deliveries, endpoints
from gateway.outbox.deliveries import MOST_ATTEMPTS, Record, Taken
from gateway.outbox.errors import UnknownWebhookError
from gateway.outbox.ledger import DeliveryState
from gateway.outbox.send import Answer, Trouble, headers_of, send
from gateway.privacy.errors import WrongKeyError
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.workflows.change import Errand, change

# The delays that Standard Webhooks recommends: ten attempts within some 75 hours and a half.
_SECOND, _MINUTE, _HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DELAYS = (
    5 * _SECOND,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
# "It's recommended to also add some level of random jitter": up to a fifth more, and never less.
_JITTER = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Courier:
    """Who delivers: the office's engine, the keys, whom to trust, a clock, and a source of numbers from 0 to 1."""

    engine: Engine
    keys: KeyRing
    trusted: ssl.SSLContext
    clock: Callable[[], datetime]
    chance: Callable[[], float]


def hand_out(courier: Courier) -> int:
    """Make the deliveries of new messages and return how many messages there were."""
    with courier.engine.begin() as connection:
        return deliveries.fan_out(connection, courier.clock())


def take_due(courier: Courier, most: int) -> tuple[Taken, ...]:
    """Take up to `most` deliveries that are due, each to another endpoint."""
    with courier.engine.begin() as connection:
        return deliveries.take(connection, courier.clock(), most=most)


def deliver_due(courier: Courier) -> int:
    """Hand out, then make every delivery that is due now, one after the other; return how many were made."""
    hand_out(courier)
    made = 0
    while found := take_due(courier, 8):
        for taken in found:
            deliver(courier, taken)
        made += len(found)
    return made


def deliver(courier: Courier, taken: Taken) -> None:
    """Make one attempt and write down how it went. Raises SQLAlchemyError; once the lease ends, it is made again."""
    begun = time.monotonic()
    answer = _attempt(courier, taken)
    milliseconds = int((time.monotonic() - begun) * 1000)
    written = _record_of(courier, taken, answer)
    with courier.engine.begin() as connection:
        kept = deliveries.record(connection, taken, written)
    if answer.trouble is Trouble.GONE:
        _disable(courier, taken.endpoint_id)
    structlog.get_logger().info(
        "webhook_delivery",
        delivery=taken.delivery_id,
        message=taken.message_id,
        endpoint=taken.endpoint_id,
        court=taken.court_id,
        webhook=taken.event,
        attempt=taken.attempt,
        status=answer.status,
        trouble=written.error,
        state=written.state if kept else "overtaken",
        ms=milliseconds,
    )


def delay_after(attempt: int, chance: float) -> timedelta:
    """Return how long to wait after the attempt of this number, the first being 1; `chance` is from 0 to 1."""
    return DELAYS[attempt - 1] * (1 + _JITTER * chance)


def _attempt(courier: Courier, taken: Taken) -> Answer:
    cipher = FieldCipher(courier.keys)
    try:
        url = cipher.decrypt(taken.url, place=endpoints.url_place(taken.endpoint_id))
        signing = [cipher.decrypt(taken.secret, place=endpoints.secret_place(taken.endpoint_id))]
        if taken.previous_secret is not None:
            place = endpoints.previous_place(taken.endpoint_id)
            signing.append(cipher.decrypt(taken.previous_secret, place=place))
    except WrongKeyError:
        return Answer(status=None, trouble=Trouble.UNREADABLE)
    return send(url, taken.body, headers_of(taken.message_id, taken.body, signing, courier.clock()), courier.trusted)


def _record_of(courier: Courier, taken: Taken, answer: Answer) -> Record:
    now = courier.clock()
    state, due_at = DeliveryState.DELIVERED, now
    if answer.trouble is Trouble.GONE or (answer.trouble is not None and taken.attempt >= MOST_ATTEMPTS):
        state = DeliveryState.DEAD
    elif answer.trouble is not None:
        state = DeliveryState.WAITING
        due_at = now + max(delay_after(taken.attempt, courier.chance()), timedelta(seconds=answer.wait_seconds))
    error = None if answer.trouble is None else answer.trouble.value
    return Record(state=state.value, status=answer.status, error=error, at=now, due_at=due_at)


def _disable(courier: Courier, endpoint_id: str) -> None:
    """Send nothing more to a receiver that answered 410: "Sender should disable the webhook endpoint"."""
    cipher = FieldCipher(courier.keys)
    with change(courier.engine, courier.keys, Errand(actor=GATEWAY, at=courier.clock())) as under_way:
        endpoints.hold(under_way.connection, endpoint_id)
        try:
            present = endpoints.get(under_way.connection, endpoint_id, cipher)
        except UnknownWebhookError:
            return
        if not present.enabled:
            return
        endpoints.disable(under_way.connection, endpoint_id)
        under_way.note(Tag.WEBHOOK_CHANGED, endpoint_id, court_id=present.court_id, enabled=False, why="gone")
