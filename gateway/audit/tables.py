"""The table of plays."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    String,
    Table,
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
    ForeignKeyConstraint(["order_id", "subject_kind"], ["orders.order_id", "orders.subject_kind"]),
    # A provider that repeats a webhook does not make a second play of it.
    UniqueConstraint("call_index", "purpose"),
    # Two calls at once cannot both take the last play that a cap allows: each must be the n-th of its line.
    UniqueConstraint("line_index", "purpose", "ordinal"),
    CheckConstraint("leg = 'B' OR (leg = 'A' AND subject_kind = 'organisation')", name="audience"),
)
