"""Putting a message in the outbox, in the transaction of the change that it tells of."""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from gateway.domain.events import Event
from gateway.outbox.tables import messages


def post(
    connection: Connection, event: Event, *, court_id: str, data: Mapping[str, str | int | None], now: datetime
) -> str:
    """Put a message for a court in the outbox and return its id; `data` holds ids, states and times only."""
    message_id = f"msg_{secrets.token_hex(12)}"
    body = {"type": event.value, "timestamp": now.isoformat(), "data": {"court": court_id, **data}}
    connection.execute(
        messages.insert().values(
            message_id=message_id,
            court_id=court_id,
            event=event.value,
            body=json.dumps(body, separators=(",", ":")),
            at=now,
        )
    )
    return message_id
