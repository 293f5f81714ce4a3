"""The tables of the outbox: where courts want to be told, what they are told, and each delivery of it."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from gateway.db.metadata import Instant, metadata

endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("endpoint_id", String(40), primary_key=True),
    Column("court_id", ForeignKey("courts.court_id"), nullable=False, index=True),
    Column("url", LargeBinary, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    # For a day after a rotation both secrets sign, so that the receiver can change over without losing a message.
    Column("previous_secret", LargeBinary, nullable=True),
    Column("previous_until", Instant, nullable=True),
    # Words of gateway.domain.events with commas between them; empty for all of them, of later releases too.
    Column("events", String(500), nullable=False),
    Column("enabled", Boolean(create_constraint=True, name="enabled"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("added_by", String(100), nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("removed_at", Instant, nullable=True),
    # While it is leased a delivery to it is under way: one at a time, so that a slow receiver holds up itself alone.
    Column("leased_until", Instant, nullable=True),
)

messages = Table(
    "webhook_messages",
    metadata,
    Column("message_id", String(40), primary_key=True),
    Column("court_id", ForeignKey("courts.court_id"), nullable=False),
    Column("event", String(40), nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Instant, nullable=False, index=True),
    # Set once the message was handed to every endpoint that wants it.
    Column("fanned_out_at", Instant, nullable=True),
    Index(None, "fanned_out_at", "at"),
)

deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("delivery_id", String(40), primary_key=True),
    Column("message_id", ForeignKey("webhook_messages.message_id"), nullable=False, index=True),
    Column("endpoint_id", ForeignKey("webhook_endpoints.endpoint_id"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("leased_until", Instant, nullable=True),
    Column("last_status", Integer, nullable=True),
    Column("last_error", String(40), nullable=True),
    Column("last_attempt_at", Instant, nullable=True),
    Index(None, "state", "due_at"),
    Index(None, "endpoint_id", "state", "due_at"),
    Index(None, "endpoint_id", "created_at", "delivery_id"),
    CheckConstraint("state IN ('waiting', 'delivered', 'dead', 'dropped')", name="state"),
)
