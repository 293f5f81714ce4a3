"""Calls counted by the hour, and indexes of what waits for officers.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_UNAPPROVED = sa.text("approved_at IS NULL AND lifted_at IS NULL AND purged_at IS NULL")
_APPROVED = sa.text("approved_at IS NOT NULL AND lifted_at IS NULL")
_OPEN = sa.text("resolved_at IS NULL")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "call_counts",
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("calls > 0", name=op.f("ck_call_counts_calls")),
        sa.CheckConstraint(
            "outcome IN ('public_notice', 'warning', 'private_notice', 'connect', 'end')",
            name=op.f("ck_call_counts_outcome"),
        ),
        sa.PrimaryKeyConstraint("hour", "outcome", name=op.f("pk_call_counts")),
    )
    for name, table, columns, where in (
        (
            "ix_orders_batch_id_submitted_at_drafted_by",
            "orders",
            ["batch_id", "submitted_at", "drafted_by"],
            _UNAPPROVED,
        ),
        ("ix_orders_valid_until", "orders", ["valid_until"], _APPROVED),
        ("ix_disputes_opened_at_dispute_id", "disputes", ["opened_at", "dispute_id"], _OPEN),
    ):
        op.create_index(op.f(name), table, columns, unique=False, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Undo."""
    op.drop_index(op.f("ix_disputes_opened_at_dispute_id"), table_name="disputes")
    op.drop_index(op.f("ix_orders_valid_until"), table_name="orders")
    op.drop_index(op.f("ix_orders_batch_id_submitted_at_drafted_by"), table_name="orders")
    op.drop_table("call_counts")
