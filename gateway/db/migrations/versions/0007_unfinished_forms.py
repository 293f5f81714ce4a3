"""Unfinished forms: what somebody began to type and wants back.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "unfinished_forms",
        sa.Column("form_id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("fields", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("expires_at > kept_at", name=op.f("ck_unfinished_forms_window")),
        sa.PrimaryKeyConstraint("form_id", name=op.f("pk_unfinished_forms")),
    )
    with op.batch_alter_table("unfinished_forms", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_unfinished_forms_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_unfinished_forms_person_id_kept_at"), ["person_id", "kept_at"], unique=False
        )


def downgrade() -> None:
    """Undo."""
    op.drop_table("unfinished_forms")
