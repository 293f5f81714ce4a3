"""The register and the evidence of plays.

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "courts",
        sa.Column("court_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("warning_days", sa.Integer(), nullable=False),
        sa.Column("openers_per_day", sa.Integer(), nullable=False),
        sa.Column("contents_per_day", sa.Integer(), nullable=False),
        sa.Column("contents_per_30_days", sa.Integer(), nullable=False),
        sa.Column("earliest_minute", sa.Integer(), nullable=False),
        sa.Column("latest_minute", sa.Integer(), nullable=False),
        sa.CheckConstraint("contents_per_30_days BETWEEN 0 AND 3", name=op.f("ck_courts_contents_per_30_days")),
        sa.CheckConstraint("contents_per_day BETWEEN 0 AND 1", name=op.f("ck_courts_contents_per_day")),
        sa.CheckConstraint("earliest_minute >= 480 AND latest_minute <= 1260", name=op.f("ck_courts_permitted_hours")),
        sa.CheckConstraint("openers_per_day BETWEEN 0 AND 3", name=op.f("ck_courts_openers_per_day")),
        sa.CheckConstraint("warning_days BETWEEN 1 AND 60", name=op.f("ck_courts_warning_days")),
        sa.PrimaryKeyConstraint("court_id", name=op.f("pk_courts")),
    )
    op.create_table(
        "installation",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("one = 1", name=op.f("ck_installation_one_row")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_installation")),
    )
    op.create_table(
        "renditions",
        sa.Column("rendition_id", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("mulaw", sa.String(length=64), nullable=False),
        sa.Column("alaw", sa.String(length=64), nullable=False),
        sa.Column("wideband", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("rendition_id", name=op.f("pk_renditions")),
    )
    op.create_table(
        "districts",
        sa.Column("district_id", sa.String(length=64), nullable=False),
        sa.Column("court_id", sa.String(length=64), nullable=False),
        sa.Column("parent_id", sa.String(length=64), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("enabled", sa.Boolean(create_constraint=True, name="enabled"), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("switched_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "parent_id IS NULL OR parent_id <> district_id", name=op.f("ck_districts_not_its_own_parent")
        ),
        sa.ForeignKeyConstraint(["court_id"], ["courts.court_id"], name=op.f("fk_districts_court_id_courts")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["districts.district_id"], name=op.f("fk_districts_parent_id_districts")
        ),
        sa.PrimaryKeyConstraint("district_id", name=op.f("pk_districts")),
    )
    op.create_index(op.f("ix_districts_court_id"), "districts", ["court_id"], unique=False)
    op.create_index(op.f("ix_districts_parent_id"), "districts", ["parent_id"], unique=False)
    op.create_table(
        "replies",
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("rendition_id", sa.String(length=64), nullable=False),
        sa.CheckConstraint("purpose IN ('acknowledged', 'contested', 'wrong_person')", name=op.f("ck_replies_purpose")),
        sa.ForeignKeyConstraint(
            ["rendition_id"], ["renditions.rendition_id"], name=op.f("fk_replies_rendition_id_renditions")
        ),
        sa.PrimaryKeyConstraint("purpose", "language", name=op.f("pk_replies")),
    )
    op.create_table(
        "orders",
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("court_id", sa.String(length=64), nullable=False),
        sa.Column("district_id", sa.String(length=64), nullable=False),
        sa.Column("case_index", sa.LargeBinary(length=16), nullable=False),
        sa.Column("case_number", sa.LargeBinary(), nullable=False),
        sa.Column("subject_kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("legal_basis", sa.LargeBinary(), nullable=False),
        sa.Column("document_sha256", sa.String(length=64), nullable=False),
        sa.Column("drafted_by", sa.String(length=100), nullable=False),
        sa.Column("drafted_at", sa.BigInteger(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=True),
        sa.Column("approved_by", sa.String(length=100), nullable=True),
        sa.Column("approved_at", sa.BigInteger(), nullable=True),
        sa.Column("warned_from", sa.BigInteger(), nullable=True),
        sa.Column("in_force_from", sa.BigInteger(), nullable=True),
        sa.Column("valid_until", sa.BigInteger(), nullable=True),
        sa.Column("suspended_at", sa.BigInteger(), nullable=True),
        sa.Column("lifted_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("subject_kind IN ('organisation', 'natural_person')", name=op.f("ck_orders_subject_kind")),
        sa.CheckConstraint(
            "approved_at IS NULL OR (approved_by IS NOT NULL AND submitted_at IS NOT NULL AND valid_until IS NOT NULL AND warned_from IS NOT NULL AND in_force_from IS NOT NULL AND length(document_sha256) = 64)",
            name=op.f("ck_orders_authority"),
        ),
        sa.CheckConstraint("approved_by IS NULL OR approved_by <> drafted_by", name=op.f("ck_orders_two_officers")),
        sa.CheckConstraint("valid_until IS NULL OR in_force_from < valid_until", name=op.f("ck_orders_window")),
        sa.ForeignKeyConstraint(["court_id"], ["courts.court_id"], name=op.f("fk_orders_court_id_courts")),
        sa.ForeignKeyConstraint(
            ["district_id"], ["districts.district_id"], name=op.f("fk_orders_district_id_districts")
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_orders")),
        sa.UniqueConstraint("court_id", "case_index", name=op.f("uq_orders_court_id_case_index")),
        sa.UniqueConstraint("order_id", "subject_kind", name=op.f("uq_orders_order_id_subject_kind")),
    )
    op.create_index(op.f("ix_orders_district_id"), "orders", ["district_id"], unique=False)
    op.create_table(
        "lines",
        sa.Column("line_id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("line_index", sa.LargeBinary(length=16), nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("suspended_at", sa.BigInteger(), nullable=True),
        sa.Column("ground", sa.String(length=16), nullable=True),
        sa.CheckConstraint(
            "ground IS NULL OR ground IN ('contested', 'wrong_person')", name=op.f("ck_lines_known_ground")
        ),
        sa.CheckConstraint("(suspended_at IS NULL) = (ground IS NULL)", name=op.f("ck_lines_ground")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_lines_order_id_orders")),
        sa.PrimaryKeyConstraint("line_id", name=op.f("pk_lines")),
        sa.UniqueConstraint("order_id", "line_index", name=op.f("uq_lines_order_id_line_index")),
    )
    op.create_index(op.f("ix_lines_line_index"), "lines", ["line_index"], unique=False)
    op.create_table(
        "notices",
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("subject_kind", sa.String(length=16), nullable=False),
        sa.Column("leg", sa.String(length=1), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("rendition_id", sa.String(length=64), nullable=False),
        sa.Column("added_by", sa.String(length=100), nullable=False),
        sa.Column("approved_by", sa.String(length=100), nullable=False),
        sa.CheckConstraint("approved_by <> added_by", name=op.f("ck_notices_two_officers")),
        sa.CheckConstraint("(leg = 'A') = (purpose = 'public')", name=op.f("ck_notices_leg")),
        sa.CheckConstraint(
            "(purpose IN ('public', 'warning') AND subject_kind = 'organisation') OR (purpose IN ('opener', 'private') AND subject_kind = 'natural_person')",
            name=op.f("ck_notices_audience"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id", "subject_kind"],
            ["orders.order_id", "orders.subject_kind"],
            name=op.f("fk_notices_order_id_subject_kind_orders"),
        ),
        sa.ForeignKeyConstraint(
            ["rendition_id"], ["renditions.rendition_id"], name=op.f("fk_notices_rendition_id_renditions")
        ),
        sa.PrimaryKeyConstraint("order_id", "purpose", "position", name=op.f("pk_notices")),
    )
    op.create_table(
        "plays",
        sa.Column("play_id", sa.String(length=40), nullable=False),
        sa.Column("call_index", sa.LargeBinary(length=16), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("subject_kind", sa.String(length=16), nullable=False),
        sa.Column("line_index", sa.LargeBinary(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("leg", sa.String(length=1), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=True),
        sa.Column("files", sa.String(length=1000), nullable=False),
        sa.Column("played_at", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=1), nullable=True),
        sa.Column("keyed_at", sa.BigInteger(), nullable=True),
        sa.Column("disposition", sa.String(length=16), nullable=True),
        sa.CheckConstraint(
            "leg = 'B' OR (leg = 'A' AND subject_kind = 'organisation')", name=op.f("ck_plays_audience")
        ),
        sa.ForeignKeyConstraint(
            ["order_id", "subject_kind"],
            ["orders.order_id", "orders.subject_kind"],
            name=op.f("fk_plays_order_id_subject_kind_orders"),
        ),
        sa.PrimaryKeyConstraint("play_id", name=op.f("pk_plays")),
        sa.UniqueConstraint("call_index", "purpose", name=op.f("uq_plays_call_index_purpose")),
        sa.UniqueConstraint("line_index", "purpose", "ordinal", name=op.f("uq_plays_line_index_purpose_ordinal")),
    )
    op.create_table(
        "disputes",
        sa.Column("dispute_id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("line_id", sa.String(length=40), nullable=False),
        sa.Column("ground", sa.String(length=16), nullable=False),
        sa.Column("call_index", sa.LargeBinary(length=16), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("ground IN ('contested', 'wrong_person')", name=op.f("ck_disputes_ground")),
        sa.ForeignKeyConstraint(["line_id"], ["lines.line_id"], name=op.f("fk_disputes_line_id_lines")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_disputes_order_id_orders")),
        sa.PrimaryKeyConstraint("dispute_id", name=op.f("pk_disputes")),
        sa.UniqueConstraint("line_id", "call_index", name=op.f("uq_disputes_line_id_call_index")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("disputes")
    op.drop_table("plays")
    op.drop_table("notices")
    op.drop_index(op.f("ix_lines_line_index"), "lines")
    op.drop_table("lines")
    op.drop_index(op.f("ix_orders_district_id"), "orders")
    op.drop_table("orders")
    op.drop_table("replies")
    op.drop_index(op.f("ix_districts_parent_id"), "districts")
    op.drop_index(op.f("ix_districts_court_id"), "districts")
    op.drop_table("districts")
    op.drop_table("renditions")
    op.drop_table("installation")
    op.drop_table("courts")
