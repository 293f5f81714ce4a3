"""How long a play was truly heard, where the provider tells.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. The release before this one goes on beside it: it neither reads nor writes the column."""
    op.add_column("plays", sa.Column("heard_ms", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("plays") as batch_op:
        batch_op.drop_column("heard_ms")
