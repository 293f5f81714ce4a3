"""Endpoints: the addresses of a court's own systems, each with its secret."""

import base64
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from gateway.domain.events import Event
from gateway.outbox.deliveries import drop_waiting
from gateway.outbox.errors import UnknownWebhookError
from gateway.outbox.tables import endpoints
from gateway.privacy.field import FieldCipher

OVERLAP = timedelta(hours=24)
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a court wants to be told, and of what; no `events` are all of them. The URL may hold a secret of theirs."""

    endpoint_id: str
    court_id: str
    url: str = field(repr=False)
    events: frozenset[Event]
    enabled: bool
    version: int
    added_by: str
    added_at: datetime
    previous_until: datetime | None


def new_secret() -> str:
    """Return a new secret in the form of Standard Webhooks: `whsec_` and 32 random bytes in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def add(connection: Connection, endpoint: Endpoint, secret: str, cipher: FieldCipher) -> None:
    """Add an endpoint with its secret; both are stored encrypted."""
    connection.execute(
        endpoints.insert().values(
            endpoint_id=endpoint.endpoint_id,
            court_id=endpoint.court_id,
            url=cipher.encrypt(endpoint.url, place=url_place(endpoint.endpoint_id)),
            secret=cipher.encrypt(secret, place=secret_place(endpoint.endpoint_id)),
            events=_written(endpoint.events),
            enabled=endpoint.enabled,
            version=endpoint.version,
            added_by=endpoint.added_by,
            added_at=endpoint.added_at,
        )
    )


def get(connection: Connection, endpoint_id: str, cipher: FieldCipher) -> Endpoint:
    """Return one endpoint that is not removed. Raises UnknownWebhookError."""
    row = connection.execute(_SELECT.where(endpoints.c.endpoint_id == endpoint_id)).one_or_none()
    if row is None:
        raise UnknownWebhookError(shown=endpoint_id)
    return _read(row, cipher)


def hold(connection: Connection, endpoint_id: str) -> None:
    """Let others who want to change an endpoint wait until the transaction is over."""
    connection.execute(select(endpoints.c.endpoint_id).where(endpoints.c.endpoint_id == endpoint_id).with_for_update())


def of_court(connection: Connection, court_id: str, cipher: FieldCipher) -> tuple[Endpoint, ...]:
    """Return the endpoints of a court, the oldest first."""
    asked = _SELECT.where(endpoints.c.court_id == court_id).order_by(endpoints.c.added_at, endpoints.c.endpoint_id)
    return tuple(_read(row, cipher) for row in connection.execute(asked))


def save(connection: Connection, endpoint: Endpoint, cipher: FieldCipher) -> None:
    """Write what can change of an endpoint: URL, events, whether it is enabled, and its version."""
    connection.execute(
        update(endpoints)
        .where(endpoints.c.endpoint_id == endpoint.endpoint_id)
        .values(
            url=cipher.encrypt(endpoint.url, place=url_place(endpoint.endpoint_id)),
            events=_written(endpoint.events),
            enabled=endpoint.enabled,
            version=endpoint.version,
        )
    )


def disable(connection: Connection, endpoint_id: str) -> None:
    """Send nothing more to an endpoint."""
    changed = {"enabled": False, "version": endpoints.c.version + 1}
    connection.execute(update(endpoints).where(endpoints.c.endpoint_id == endpoint_id).values(**changed))


def rotate(connection: Connection, endpoint: Endpoint, secret: str, cipher: FieldCipher, now: datetime) -> None:
    """Give an endpoint another secret; the one before it signs too until OVERLAP has passed."""
    asked = select(endpoints.c.secret).where(endpoints.c.endpoint_id == endpoint.endpoint_id)
    present = cipher.decrypt(connection.execute(asked).scalar_one(), place=secret_place(endpoint.endpoint_id))
    connection.execute(
        update(endpoints)
        .where(endpoints.c.endpoint_id == endpoint.endpoint_id)
        .values(
            secret=cipher.encrypt(secret, place=secret_place(endpoint.endpoint_id)),
            previous_secret=cipher.encrypt(present, place=previous_place(endpoint.endpoint_id)),
            previous_until=now + OVERLAP,
            version=endpoint.version + 1,
        )
    )


def remove(connection: Connection, endpoint_id: str, cipher: FieldCipher, now: datetime) -> None:
    """Remove an endpoint: its address and its secrets are overwritten, what waited for it is dropped."""
    connection.execute(
        update(endpoints)
        .where(endpoints.c.endpoint_id == endpoint_id)
        .values(
            url=cipher.encrypt("", place=url_place(endpoint_id)),
            secret=cipher.encrypt("", place=secret_place(endpoint_id)),
            previous_secret=None,
            previous_until=None,
            enabled=False,
            removed_at=now,
        )
    )
    drop_waiting(connection, endpoint_id)


def url_place(endpoint_id: str) -> str:
    """Return the place that an encrypted URL is bound to."""
    return f"webhook_endpoints.url:{endpoint_id}"


def secret_place(endpoint_id: str) -> str:
    """Return the place that an encrypted secret is bound to."""
    return f"webhook_endpoints.secret:{endpoint_id}"


def previous_place(endpoint_id: str) -> str:
    """Return the place that the encrypted secret of before a rotation is bound to."""
    return f"webhook_endpoints.previous_secret:{endpoint_id}"


_SELECT = select(
    endpoints.c.endpoint_id,
    endpoints.c.court_id,
    endpoints.c.url,
    endpoints.c.events,
    endpoints.c.enabled,
    endpoints.c.version,
    endpoints.c.added_by,
    endpoints.c.added_at,
    endpoints.c.previous_until,
).where(endpoints.c.removed_at.is_(None))


def _read(row: Row[*tuple[Any, ...]], cipher: FieldCipher) -> Endpoint:
    return Endpoint(
        endpoint_id=row.endpoint_id,
        court_id=row.court_id,
        url=cipher.decrypt(row.url, place=url_place(row.endpoint_id)),
        events=frozenset(Event(word) for word in row.events.split(",") if word),
        enabled=row.enabled,
        version=row.version,
        added_by=row.added_by,
        added_at=row.added_at,
        previous_until=row.previous_until,
    )


def _written(events: frozenset[Event]) -> str:
    return ",".join(sorted(each.value for each in events))
