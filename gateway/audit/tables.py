"""The tables of proof: plays, and the trail of what officers, keys and the gateway did."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from gateway.db.metadata import Instant, metadata

plays = Table(
    "plays",
    metadata,
    Column("play_id", String(40), primary_key=True),
    Column("call_index", LargeBinary(16), nullable=False),
    Column("order_id", String(40), nullable=False),
    Column("subject_kind", String(16), nullable=False),
    Column("line_index", LargeBinary(16), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("leg", String(1), nullable=False),
    Column("ordinal", Integer, nullable=True),
    Column("files", String(1000), nullable=False),
    Column("played_at", Instant, nullable=False),
    Column("key", String(1), nullable=True),
    Column("keyed_at", Instant, nullable=True),
    Column("disposition", String(16), nullable=True),
    # How long it was truly heard, in milliseconds, where the provider tells.
    Column("heard_ms", Integer, nullable=True),
    Column("provider", String(32), nullable=False, server_default="twilio"),
    Column("provider_call_id", LargeBinary, nullable=True),
    Column("caller_index", LargeBinary(16), nullable=True),
    Column("seal", LargeBinary(32), nullable=True),
    ForeignKeyConstraint(["order_id", "subject_kind"], ["orders.order_id", "orders.subject_kind"]),
    # A provider that repeats a webhook does not make a second play of it.
    UniqueConstraint("call_index", "purpose"),
    # Two calls at once cannot both take the last play that a cap allows: each must be the n-th of its line.
    UniqueConstraint("line_index", "purpose", "ordinal"),
    CheckConstraint("leg = 'B' OR (leg = 'A' AND subject_kind = 'organisation')", name="audience"),
    Index(None, "order_id", "played_at"),
    Index(None, "played_at", "play_id"),
)

# Append-only: triggers of the database refuse to change or remove a row.
trail = Table(
    "audit_trail",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("tag", String(64), nullable=False),
    Column("court_id", String(64), nullable=False),
    Column("subject_id", String(64), nullable=False),
    Column("details", Text, nullable=False),
    Column("key_id", String(32), nullable=False),
    Column("previous", LargeBinary(32), nullable=False),
    Column("seal", LargeBinary(32), nullable=False),
    Index(None, "court_id", "seq"),
    Index(None, "subject_id", "seq"),
)

# The one row that every append locks, so that the chain has no forks.
trail_head = Table(
    "audit_head",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("seal", LargeBinary(32), nullable=False),
    CheckConstraint("one = 1", name="one_row"),
)

# How many calls came in which hour (its beginning), and what they were answered with. No number, no line, no order:
# a call to a line without an order is counted here, and recorded nowhere.
call_counts = Table(
    "call_counts",
    metadata,
    Column("hour", Instant, primary_key=True, autoincrement=False),
    Column("outcome", String(16), primary_key=True),
    Column("calls", BigInteger, nullable=False),
    CheckConstraint("outcome IN ('public_notice', 'warning', 'private_notice', 'connect', 'end')", name="outcome"),
    CheckConstraint("calls > 0", name="calls"),
)
