"""Looking at deliveries, dead ones above all, and asking for them again."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Connection, Row, select, update

from gateway.outbox.errors import UnderWayError, UnknownDeliveryError
from gateway.outbox.tables import deliveries, endpoints, messages

_PAGE = 100


class DeliveryState(Enum):
    """How far a delivery is. Dead is given up after the last attempt; dropped, that its endpoint was removed."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one endpoint; `last_error` is a word of gateway.outbox.send, `last_status` the receiver's."""

    delivery_id: str
    message_id: str
    endpoint_id: str
    court_id: str
    event: str
    state: DeliveryState
    attempts: int
    created_at: datetime
    due_at: datetime
    last_status: int | None
    last_error: str | None
    last_attempt_at: datetime | None
    leased_until: datetime | None

    @property
    def cursor(self) -> tuple[datetime, str]:
        """Return where a list goes on after this one."""
        return self.created_at, self.delivery_id


def of_endpoint(
    connection: Connection,
    endpoint_id: str,
    *,
    state: DeliveryState | None = None,
    after: tuple[datetime, str] | None = None,
    most: int = _PAGE,
) -> tuple[Delivery, ...]:
    """Return an endpoint's deliveries, the newest first; `state` limits to one, `after` is the last one's cursor."""
    asked = _SELECT.where(deliveries.c.endpoint_id == endpoint_id)
    if state is not None:
        asked = asked.where(deliveries.c.state == state.value)
    if after is not None:
        at, delivery_id = after
        same_instant = (deliveries.c.created_at == at) & (deliveries.c.delivery_id < delivery_id)
        asked = asked.where((deliveries.c.created_at < at) | same_instant)
    newest = (deliveries.c.created_at.desc(), deliveries.c.delivery_id.desc())
    return tuple(_read(row) for row in connection.execute(asked.order_by(*newest).limit(most)))


def get(connection: Connection, delivery_id: str) -> Delivery:
    """Return one delivery. Raises UnknownDeliveryError."""
    row = connection.execute(_SELECT.where(deliveries.c.delivery_id == delivery_id)).one_or_none()
    if row is None:
        raise UnknownDeliveryError(shown=delivery_id)
    return _read(row)


def send_again(connection: Connection, delivery_id: str, now: datetime) -> None:
    """Make a delivery due now, with all its attempts before it and the same message id. Raises UnderWayError."""
    free = (deliveries.c.leased_until.is_(None)) | (deliveries.c.leased_until <= now)
    again = update(deliveries).where(deliveries.c.delivery_id == delivery_id, free)
    if not connection.execute(again.values(**_afresh(now))).rowcount:
        raise UnderWayError(delivery=delivery_id)


def send_dead_again(connection: Connection, endpoint_id: str, now: datetime) -> int:
    """Make every dead delivery of an endpoint due now, and return how many there were."""
    dead = (deliveries.c.endpoint_id == endpoint_id) & (deliveries.c.state == DeliveryState.DEAD.value)
    return connection.execute(update(deliveries).where(dead).values(**_afresh(now))).rowcount


def _afresh(now: datetime) -> dict[str, object]:
    return {"state": DeliveryState.WAITING.value, "attempts": 0, "due_at": now, "leased_until": None}


_SELECT = (
    select(deliveries, messages.c.event, endpoints.c.court_id)
    .join(messages, messages.c.message_id == deliveries.c.message_id)
    .join(endpoints, endpoints.c.endpoint_id == deliveries.c.endpoint_id)
)


def _read(row: Row[*tuple[Any, ...]]) -> Delivery:
    return Delivery(
        delivery_id=row.delivery_id,
        message_id=row.message_id,
        endpoint_id=row.endpoint_id,
        court_id=row.court_id,
        event=row.event,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        created_at=row.created_at,
        due_at=row.due_at,
        last_status=row.last_status,
        last_error=row.last_error,
        last_attempt_at=row.last_attempt_at,
        leased_until=row.leased_until,
    )
