"""The tables of the register. What could name somebody is encrypted; what must be found has a blind index."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from gateway.db.metadata import Instant, metadata

installation = Table(
    "installation",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("key_id", String(32), nullable=False),
    Column("generation", BigInteger, nullable=False),
    CheckConstraint("one = 1", name="one_row"),
)

courts = Table(
    "courts",
    metadata,
    Column("court_id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("zone", String(64), nullable=False),
    Column("warning_days", Integer, nullable=False),
    Column("openers_per_day", Integer, nullable=False),
    Column("contents_per_day", Integer, nullable=False),
    Column("contents_per_30_days", Integer, nullable=False),
    Column("earliest_minute", Integer, nullable=False),
    Column("latest_minute", Integer, nullable=False),
    CheckConstraint("warning_days BETWEEN 1 AND 60", name="warning_days"),
    CheckConstraint("openers_per_day BETWEEN 0 AND 3", name="openers_per_day"),
    CheckConstraint("contents_per_day BETWEEN 0 AND 1", name="contents_per_day"),
    CheckConstraint("contents_per_30_days BETWEEN 0 AND 3", name="contents_per_30_days"),
    CheckConstraint("earliest_minute >= 480 AND latest_minute <= 1260", name="permitted_hours"),
)

districts = Table(
    "districts",
    metadata,
    Column("district_id", String(64), primary_key=True),
    Column("court_id", ForeignKey("courts.court_id"), nullable=False, index=True),
    Column("parent_id", ForeignKey("districts.district_id"), nullable=True, index=True),
    Column("name", String(200), nullable=False),
    Column("enabled", Boolean(create_constraint=True, name="enabled"), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("switched_at", Instant, nullable=False),
    CheckConstraint("parent_id IS NULL OR parent_id <> district_id", name="not_its_own_parent"),
)

orders = Table(
    "orders",
    metadata,
    Column("order_id", String(40), primary_key=True),
    Column("court_id", ForeignKey("courts.court_id"), nullable=False),
    Column("district_id", ForeignKey("districts.district_id"), nullable=False, index=True),
    Column("case_index", LargeBinary(16), nullable=False),
    Column("case_number", LargeBinary, nullable=False),
    Column("subject_kind", String(16), nullable=False),
    Column("subject", LargeBinary, nullable=False),
    Column("legal_basis", LargeBinary, nullable=False),
    Column("document_sha256", String(64), nullable=False),
    Column("drafted_by", String(100), nullable=False),
    Column("drafted_at", Instant, nullable=False),
    Column("submitted_at", Instant, nullable=True),
    Column("approved_by", String(100), nullable=True),
    Column("approved_at", Instant, nullable=True),
    Column("warned_from", Instant, nullable=True),
    Column("in_force_from", Instant, nullable=True),
    Column("valid_until", Instant, nullable=True),
    Column("suspended_at", Instant, nullable=True),
    Column("lifted_at", Instant, nullable=True),
    UniqueConstraint("court_id", "case_index"),
    UniqueConstraint("order_id", "subject_kind"),
    CheckConstraint("subject_kind IN ('organisation', 'natural_person')", name="subject_kind"),
    CheckConstraint("approved_by IS NULL OR approved_by <> drafted_by", name="two_officers"),
    CheckConstraint(
        "approved_at IS NULL OR (approved_by IS NOT NULL AND submitted_at IS NOT NULL AND valid_until IS NOT NULL"
        " AND warned_from IS NOT NULL AND in_force_from IS NOT NULL AND length(document_sha256) = 64)",
        name="authority",
    ),
    CheckConstraint("valid_until IS NULL OR in_force_from < valid_until", name="window"),
)

lines = Table(
    "lines",
    metadata,
    Column("line_id", String(40), primary_key=True),
    Column("order_id", ForeignKey("orders.order_id"), nullable=False),
    Column("line_index", LargeBinary(16), nullable=False),
    Column("line", LargeBinary, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("suspended_at", Instant, nullable=True),
    Column("ground", String(16), nullable=True),
    UniqueConstraint("order_id", "line_index"),
    Index(None, "line_index"),
    CheckConstraint("(suspended_at IS NULL) = (ground IS NULL)", name="ground"),
    CheckConstraint("ground IS NULL OR ground IN ('contested', 'wrong_person')", name="known_ground"),
)

renditions = Table(
    "renditions",
    metadata,
    Column("rendition_id", String(64), primary_key=True),
    Column("language", String(16), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("mulaw", String(64), nullable=False),
    Column("alaw", String(64), nullable=False),
    Column("wideband", String(64), nullable=False),
    Column("made_at", Instant, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    Column("order_id", String(40), primary_key=True),
    Column("purpose", String(16), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("subject_kind", String(16), nullable=False),
    Column("leg", String(1), nullable=False),
    Column("text", LargeBinary, nullable=True),
    Column("rendition_id", ForeignKey("renditions.rendition_id"), nullable=False),
    Column("added_by", String(100), nullable=False),
    Column("approved_by", String(100), nullable=False),
    CheckConstraint("approved_by <> added_by", name="two_officers"),
    ForeignKeyConstraint(["order_id", "subject_kind"], ["orders.order_id", "orders.subject_kind"]),
    # The audience rule, once more: the caller's leg is open to organisations' public notices and to nothing else.
    CheckConstraint("(leg = 'A') = (purpose = 'public')", name="leg"),
    CheckConstraint(
        "(purpose IN ('public', 'warning') AND subject_kind = 'organisation')"
        " OR (purpose IN ('opener', 'private') AND subject_kind = 'natural_person')",
        name="audience",
    ),
)

replies = Table(
    "replies",
    metadata,
    Column("purpose", String(16), primary_key=True),
    Column("language", String(16), primary_key=True),
    Column("rendition_id", ForeignKey("renditions.rendition_id"), nullable=False),
    CheckConstraint("purpose IN ('acknowledged', 'contested', 'wrong_person')", name="purpose"),
)

disputes = Table(
    "disputes",
    metadata,
    Column("dispute_id", String(40), primary_key=True),
    Column("order_id", ForeignKey("orders.order_id"), nullable=False),
    Column("line_id", ForeignKey("lines.line_id"), nullable=False),
    Column("ground", String(16), nullable=False),
    Column("call_index", LargeBinary(16), nullable=False),
    Column("opened_at", Instant, nullable=False),
    UniqueConstraint("line_id", "call_index"),
    CheckConstraint("ground IN ('contested', 'wrong_person')", name="ground"),
)
