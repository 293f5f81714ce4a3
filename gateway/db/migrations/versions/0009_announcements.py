"""Announcements: what screens have to learn, as a chain that they can follow.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. The release before this one goes on beside it: it neither reads nor writes the table."""
    op.create_table(
        "announcements",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("previous", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=True),
        sa.CheckConstraint("kind IN ('added', 'removed', 'all')", name=op.f("ck_announcements_kind")),
        sa.CheckConstraint("(kind = 'added') = (order_id IS NOT NULL)", name=op.f("ck_announcements_order")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_announcements")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("announcements")
