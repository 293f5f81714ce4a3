"""Drafts, documents, proposals, resolved disputes, purged orders, and the evidence of calls.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for name in ("courts", "districts"):
        with op.batch_alter_table(name) as batch_op:
            batch_op.add_column(sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.create_table(
        "documents",
        sa.Column("document_id", sa.String(length=40), nullable=False),
        sa.Column("court_id", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("file_key", sa.LargeBinary(), nullable=True),
        sa.Column("uploaded_by", sa.String(length=100), nullable=False),
        sa.Column("uploaded_at", sa.BigInteger(), nullable=False),
        sa.Column("purged_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(purged_at IS NULL) = (file_key IS NOT NULL)", name=op.f("ck_documents_purged")),
        sa.ForeignKeyConstraint(["court_id"], ["courts.court_id"], name=op.f("fk_documents_court_id_courts")),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_documents")),
        sa.UniqueConstraint("court_id", "sha256", name=op.f("uq_documents_court_id_sha256")),
    )
    op.create_table(
        "remarks",
        sa.Column("remark_id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("about", sa.String(length=64), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("written_by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_remarks_order_id_orders")),
        sa.PrimaryKeyConstraint("remark_id", name=op.f("pk_remarks")),
    )
    op.create_index(op.f("ix_remarks_order_id"), "remarks", ["order_id"], unique=False)
    op.create_table(
        "proposals",
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("rendition_id", sa.String(length=64), nullable=False),
        sa.Column("added_by", sa.String(length=100), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("purpose IN ('public', 'private')", name=op.f("ck_proposals_purpose")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_proposals_order_id_orders")),
        sa.ForeignKeyConstraint(
            ["rendition_id"], ["renditions.rendition_id"], name=op.f("fk_proposals_rendition_id_renditions")
        ),
        sa.PrimaryKeyConstraint("order_id", "purpose", "language", name=op.f("pk_proposals")),
    )
    with op.batch_alter_table("disputes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("resolved_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("resolved_by", sa.String(length=100), nullable=True))
        batch_op.add_column(sa.Column("resolution", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("note", sa.LargeBinary(), nullable=True))
        batch_op.create_index(batch_op.f("ix_disputes_order_id"), ["order_id"], unique=False)
        batch_op.drop_constraint(batch_op.f("fk_disputes_line_id_lines"), type_="foreignkey")
        batch_op.create_check_constraint(
            batch_op.f("ck_disputes_resolution"), "resolution IN ('resume', 'lift', 'remove_line')"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_disputes_resolved"),
            "(resolved_at IS NULL) = (resolution IS NULL) AND (resolved_at IS NULL) = (resolved_by IS NULL)",
        )
    with op.batch_alter_table("lines", schema=None) as batch_op:
        batch_op.add_column(sa.Column("evidence", sa.LargeBinary(), nullable=True))
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("version", sa.Integer(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("batch_id", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("languages", sa.String(length=200), server_default="en", nullable=False))
        batch_op.add_column(sa.Column("valid_seconds", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("purged_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("earlier_drafters", sa.Text(), server_default="", nullable=False))
        batch_op.drop_constraint(batch_op.f("ck_orders_two_officers"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_orders_two_officers"),
            "approved_by IS NULL OR (lower(approved_by) <> lower(drafted_by)"
            " AND replace(lower(earlier_drafters), '|' || lower(approved_by) || '|', '') = lower(earlier_drafters))",
        )
        batch_op.alter_column("case_index", existing_type=sa.LargeBinary(), nullable=True)
        batch_op.alter_column("case_number", existing_type=sa.LargeBinary(), nullable=True)
        batch_op.alter_column("subject", existing_type=sa.LargeBinary(), nullable=True)
        batch_op.alter_column("legal_basis", existing_type=sa.LargeBinary(), nullable=True)
        batch_op.create_check_constraint(
            batch_op.f("ck_orders_purged"),
            "(purged_at IS NULL AND case_index IS NOT NULL AND case_number IS NOT NULL AND subject IS NOT NULL AND legal_basis IS NOT NULL) OR (purged_at IS NOT NULL AND case_index IS NULL AND case_number IS NULL AND subject IS NULL AND legal_basis IS NULL)",
        )
        batch_op.create_index(batch_op.f("ix_orders_batch_id"), ["batch_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_orders_court_id_drafted_at_order_id"), ["court_id", "drafted_at", "order_id"], unique=False
        )
    with op.batch_alter_table("plays", schema=None) as batch_op:
        batch_op.add_column(sa.Column("provider", sa.String(length=32), server_default="twilio", nullable=False))
        batch_op.add_column(sa.Column("provider_call_id", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("caller_index", sa.LargeBinary(length=16), nullable=True))
        batch_op.add_column(sa.Column("seal", sa.LargeBinary(length=32), nullable=True))
        batch_op.create_index(batch_op.f("ix_plays_order_id_played_at"), ["order_id", "played_at"], unique=False)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("plays") as batch_op:
        batch_op.drop_index("ix_plays_order_id_played_at")
        for name in ("provider", "provider_call_id", "caller_index", "seal"):
            batch_op.drop_column(name)
    with op.batch_alter_table("orders") as batch_op:
        batch_op.drop_constraint(op.f("ck_orders_purged"), type_="check")
        batch_op.drop_constraint(op.f("ck_orders_two_officers"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_orders_two_officers"), "approved_by IS NULL OR approved_by <> drafted_by"
        )
        batch_op.drop_index("ix_orders_court_id_drafted_at_order_id")
        batch_op.drop_index("ix_orders_batch_id")
        for name in ("version", "batch_id", "languages", "valid_seconds", "purged_at", "earlier_drafters"):
            batch_op.drop_column(name)
        for name in ("case_index", "case_number", "subject", "legal_basis"):
            batch_op.alter_column(name, existing_type=sa.LargeBinary(), nullable=False)
    with op.batch_alter_table("lines") as batch_op:
        batch_op.drop_column("evidence")
    with op.batch_alter_table("disputes") as batch_op:
        batch_op.drop_index(op.f("ix_disputes_order_id"))
        batch_op.drop_constraint(op.f("ck_disputes_resolution"), type_="check")
        batch_op.drop_constraint(op.f("ck_disputes_resolved"), type_="check")
        for name in ("resolved_at", "resolved_by", "resolution", "note"):
            batch_op.drop_column(name)
        batch_op.create_foreign_key(op.f("fk_disputes_line_id_lines"), "lines", ["line_id"], ["line_id"])
    op.drop_table("proposals")
    op.drop_index(op.f("ix_remarks_order_id"), "remarks")
    op.drop_table("remarks")
    op.drop_table("documents")
    for name in ("courts", "districts"):
        with op.batch_alter_table(name) as batch_op:
            batch_op.drop_column("version")
