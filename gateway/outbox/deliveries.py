"""Deliveries: one row for each message and endpoint, taken under a lease, so that two workers never send the same one.

Taking a delivery leases its endpoint too: an endpoint has one delivery under way, whichever worker sends it. A worker
that dies leaves its lease behind, and after it the delivery is taken again.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, or_, select, update

from gateway.outbox.tables import deliveries, endpoints, messages

# Longer than any delivery can take (send.LONGEST_SECONDS), with room for a database that is slow to take the record.
LEASE = timedelta(seconds=90)
MOST_ATTEMPTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A delivery that this worker may make until its lease ends; what is secret in it is still encrypted."""

    delivery_id: str
    message_id: str
    endpoint_id: str
    court_id: str
    event: str
    body: str
    attempt: int
    leased_until: datetime
    url: bytes = field(repr=False)
    secret: bytes = field(repr=False)
    previous_secret: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is written down of an attempt: the state it leaves, and when the next is due where there is one."""

    state: str
    status: int | None
    error: str | None
    at: datetime
    due_at: datetime


def fan_out(connection: Connection, now: datetime, *, most: int = 200) -> int:
    """Make the deliveries of messages that have none yet, the oldest first; return how many messages there were."""
    asked = (
        select(messages.c.message_id, messages.c.court_id, messages.c.event, messages.c.at)
        .where(messages.c.fanned_out_at.is_(None))
        .order_by(messages.c.at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    found = connection.execute(asked).all()
    if not found:
        return 0
    wanting = connection.execute(
        select(endpoints.c.endpoint_id, endpoints.c.court_id, endpoints.c.events, endpoints.c.added_at).where(
            endpoints.c.court_id.in_({row.court_id for row in found}), _takes_messages()
        )
    ).all()
    rows = [
        {
            "delivery_id": f"dlv_{secrets.token_hex(12)}",
            "message_id": message.message_id,
            "endpoint_id": endpoint.endpoint_id,
            "state": "waiting",
            "attempts": 0,
            "created_at": now,
            "due_at": now,
        }
        for message in found
        for endpoint in wanting
        if endpoint.court_id == message.court_id
        # What happened before an endpoint was added is not for it, even where no worker has run since.
        and endpoint.added_at <= message.at
        and (not endpoint.events or message.event in endpoint.events.split(","))
    ]
    if rows:
        connection.execute(deliveries.insert(), rows)
    named = [row.message_id for row in found]
    connection.execute(update(messages).where(messages.c.message_id.in_(named)).values(fanned_out_at=now))
    return len(found)


def is_anything_due(connection: Connection, now: datetime) -> bool:
    """Tell whether a message waits to be handed out, or a delivery to be made; takes no lock."""
    fresh = select(messages.c.message_id).where(messages.c.fanned_out_at.is_(None)).limit(1)
    if connection.execute(fresh).first() is not None:
        return True
    return connection.execute(_ready_endpoints(now).limit(1)).first() is not None


def take(connection: Connection, now: datetime, *, most: int) -> tuple[Taken, ...]:
    """Lease up to `most` endpoints that have a delivery due, and of each the delivery that was due first."""
    ready = _ready_endpoints(now).limit(most).with_for_update(of=endpoints, skip_locked=True)
    found = [_take_first(connection, endpoint_id, now) for endpoint_id in connection.scalars(ready).all()]
    return tuple(each for each in found if each is not None)


def record(connection: Connection, taken: Taken, written: Record) -> bool:
    """Write down how an attempt went and free its endpoint; False where the lease ended and another worker has it."""
    # The endpoint first, as everybody locks them: the other way round, a redelivery and this would wait for each other.
    connection.execute(
        update(endpoints)
        .where(endpoints.c.endpoint_id == taken.endpoint_id, endpoints.c.leased_until == taken.leased_until)
        .values(leased_until=None)
    )
    kept = connection.execute(
        update(deliveries)
        .where(
            deliveries.c.delivery_id == taken.delivery_id,
            deliveries.c.state == "waiting",
            deliveries.c.attempts == taken.attempt,
            deliveries.c.leased_until == taken.leased_until,
        )
        .values(
            state=written.state,
            due_at=written.due_at,
            leased_until=None,
            last_status=written.status,
            last_error=written.error,
            last_attempt_at=written.at,
        )
    ).rowcount
    return bool(kept)


def drop_waiting(connection: Connection, endpoint_id: str) -> None:
    """Give up what still waits for an endpoint; an attempt that is under way finds its delivery gone."""
    connection.execute(
        update(deliveries)
        .where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.state == "waiting")
        .values(state="dropped", leased_until=None)
    )


def forget(connection: Connection, before: datetime) -> int:
    """Remove the messages of before an instant, with their deliveries; return how many messages there were."""
    old = select(messages.c.message_id).where(messages.c.at < before)
    connection.execute(delete(deliveries).where(deliveries.c.message_id.in_(old)))
    return connection.execute(delete(messages).where(messages.c.at < before)).rowcount


def _takes_messages() -> ColumnElement[bool]:
    return and_(endpoints.c.enabled, endpoints.c.removed_at.is_(None))


def _is_due(now: datetime) -> ColumnElement[bool]:
    leased = deliveries.c.leased_until
    return and_(deliveries.c.state == "waiting", deliveries.c.due_at <= now, or_(leased.is_(None), leased <= now))


def _ready_endpoints(now: datetime) -> Select[str]:
    """Return the statement for endpoints that are free and have something due, the longest due first."""
    first_due = (
        select(func.min(deliveries.c.due_at))
        .where(deliveries.c.endpoint_id == endpoints.c.endpoint_id, _is_due(now))
        .correlate(endpoints)
        .scalar_subquery()
    )
    leased = endpoints.c.leased_until
    return (
        select(endpoints.c.endpoint_id)
        .where(_takes_messages(), or_(leased.is_(None), leased <= now), first_due.is_not(None))
        .order_by(first_due)
    )


def _take_first(connection: Connection, endpoint_id: str, now: datetime) -> Taken | None:
    asked: Select[Any] = (
        select(deliveries, messages.c.event, messages.c.body, messages.c.court_id)
        .join(messages, messages.c.message_id == deliveries.c.message_id)
        .where(deliveries.c.endpoint_id == endpoint_id, _is_due(now))
        .order_by(deliveries.c.due_at, deliveries.c.created_at, deliveries.c.delivery_id)
        .limit(1)
        .with_for_update(of=deliveries)
    )
    row = connection.execute(asked).one_or_none()
    if row is None:
        return None
    this = deliveries.c.delivery_id == row.delivery_id
    if row.attempts >= MOST_ATTEMPTS:
        # The worker of its last attempt died with it: whoever knows how that went is gone.
        connection.execute(update(deliveries).where(this).values(state="dead", leased_until=None))
        return None
    until = now + LEASE
    connection.execute(update(deliveries).where(this).values(attempts=row.attempts + 1, leased_until=until))
    endpoint = connection.execute(
        update(endpoints)
        .where(endpoints.c.endpoint_id == endpoint_id)
        .values(leased_until=until)
        .returning(endpoints.c.url, endpoints.c.secret, endpoints.c.previous_secret, endpoints.c.previous_until)
    ).one()
    overlaps = endpoint.previous_until is not None and now < endpoint.previous_until
    return Taken(
        delivery_id=row.delivery_id,
        message_id=row.message_id,
        endpoint_id=endpoint_id,
        court_id=row.court_id,
        event=row.event,
        body=row.body,
        attempt=row.attempts + 1,
        leased_until=until,
        url=endpoint.url,
        secret=endpoint.secret,
        previous_secret=endpoint.previous_secret if overlaps else None,
    )
