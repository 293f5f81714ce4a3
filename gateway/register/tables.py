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
    Text,
    UniqueConstraint,
    and_,
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

# A chain by random marks: each announcement names the mark that the installation had before it.
announcements = Table(
    "announcements",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("previous", BigInteger, nullable=False),
    Column("mark", BigInteger, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("order_id", String(40), nullable=True),
    CheckConstraint("kind IN ('added', 'removed', 'all')", name="kind"),
    CheckConstraint("(kind = 'added') = (order_id IS NOT NULL)", name="order"),
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
    Column("version", Integer, nullable=False, server_default="1"),
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
    Column("version", Integer, nullable=False, server_default="1"),
    CheckConstraint("parent_id IS NULL OR parent_id <> district_id", name="not_its_own_parent"),
)

orders = Table(
    "orders",
    metadata,
    Column("order_id", String(40), primary_key=True),
    Column("court_id", ForeignKey("courts.court_id"), nullable=False),
    Column("district_id", ForeignKey("districts.district_id"), nullable=False, index=True),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("batch_id", String(40), nullable=True, index=True),
    Column("case_index", LargeBinary(16), nullable=True),
    Column("case_number", LargeBinary, nullable=True),
    Column("subject_kind", String(16), nullable=False),
    Column("subject", LargeBinary, nullable=True),
    Column("legal_basis", LargeBinary, nullable=True),
    Column("document_sha256", String(64), nullable=False),
    Column("languages", String(200), nullable=False, server_default="en"),
    Column("valid_seconds", Integer, nullable=True),
    Column("drafted_by", String(100), nullable=False),
    # Officers between bars, |one|two|, so that a CHECK can look for one of them; empty for nearly every order.
    Column("earlier_drafters", Text, nullable=False, server_default=""),
    Column("drafted_at", Instant, nullable=False),
    Column("submitted_at", Instant, nullable=True),
    Column("approved_by", String(100), nullable=True),
    Column("approved_at", Instant, nullable=True),
    Column("warned_from", Instant, nullable=True),
    Column("in_force_from", Instant, nullable=True),
    Column("valid_until", Instant, nullable=True),
    Column("suspended_at", Instant, nullable=True),
    Column("lifted_at", Instant, nullable=True),
    Column("purged_at", Instant, nullable=True),
    UniqueConstraint("court_id", "case_index"),
    UniqueConstraint("order_id", "subject_kind"),
    CheckConstraint("subject_kind IN ('organisation', 'natural_person')", name="subject_kind"),
    CheckConstraint(
        "approved_by IS NULL OR (lower(approved_by) <> lower(drafted_by)"
        " AND replace(lower(earlier_drafters), '|' || lower(approved_by) || '|', '') = lower(earlier_drafters))",
        name="two_officers",
    ),
    CheckConstraint(
        "approved_at IS NULL OR (approved_by IS NOT NULL AND submitted_at IS NOT NULL AND valid_until IS NOT NULL"
        " AND warned_from IS NOT NULL AND in_force_from IS NOT NULL AND length(document_sha256) = 64)",
        name="authority",
    ),
    CheckConstraint("valid_until IS NULL OR in_force_from < valid_until", name="window"),
    # Personal data is there until it is purged, and then all of it is gone.
    CheckConstraint(
        "(purged_at IS NULL AND case_index IS NOT NULL AND case_number IS NOT NULL AND subject IS NOT NULL"
        " AND legal_basis IS NOT NULL) OR (purged_at IS NOT NULL AND case_index IS NULL AND case_number IS NULL"
        " AND subject IS NULL AND legal_basis IS NULL)",
        name="purged",
    ),
    Index(None, "court_id", "drafted_at", "order_id"),
)
# What waits for officers is little beside what was approved or is over: each of these holds that little.
_unapproved = and_(orders.c.approved_at.is_(None), orders.c.lifted_at.is_(None), orders.c.purged_at.is_(None))
_approved = and_(orders.c.approved_at.is_not(None), orders.c.lifted_at.is_(None))
Index(
    None,
    orders.c.batch_id,
    orders.c.submitted_at,
    orders.c.drafted_by,
    sqlite_where=_unapproved,
    postgresql_where=_unapproved,
)
Index(None, orders.c.valid_until, sqlite_where=_approved, postgresql_where=_approved)

lines = Table(
    "lines",
    metadata,
    Column("line_id", String(40), primary_key=True),
    Column("order_id", ForeignKey("orders.order_id"), nullable=False),
    Column("line_index", LargeBinary(16), nullable=False),
    Column("line", LargeBinary, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("evidence", LargeBinary, nullable=True),
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

# What a court proposes to have spoken: it plays once a second officer has approved it, and not before.
proposals = Table(
    "proposals",
    metadata,
    Column("order_id", ForeignKey("orders.order_id"), primary_key=True),
    Column("purpose", String(16), primary_key=True),
    Column("language", String(16), primary_key=True),
    Column("text", LargeBinary, nullable=True),
    Column("rendition_id", ForeignKey("renditions.rendition_id"), nullable=False),
    Column("added_by", String(100), nullable=False),
    Column("added_at", Instant, nullable=False),
    CheckConstraint("purpose IN ('public', 'private')", name="purpose"),
)

remarks = Table(
    "remarks",
    metadata,
    Column("remark_id", String(40), primary_key=True),
    Column("order_id", ForeignKey("orders.order_id"), nullable=False, index=True),
    Column("about", String(64), nullable=False),
    Column("text", LargeBinary, nullable=False),
    Column("written_by", String(100), nullable=False),
    Column("at", Instant, nullable=False),
)

# A file of orders: its row makes them appear whole. While it is loading, or once it was withdrawn, its unapproved
# orders are hidden; `loader` and `leased_until` say who is at it, and until when nobody else may go on with it.
batches = Table(
    "batches",
    metadata,
    Column("batch_id", String(40), primary_key=True),
    Column("court_id", ForeignKey("courts.court_id"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("file_sha256", String(64), nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("known", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("approved", Integer, nullable=False),
    Column("loader", String(40), nullable=True),
    Column("leased_until", Instant, nullable=True),
    # SHA-256 over the ids of its orders in their own order, which the trail has too: what was imported can be counted.
    Column("orders_sha256", String(64), nullable=True),
    # The file of refused rows lies encrypted in the vault; its key is here, encrypted once more.
    Column("errors_key", LargeBinary, nullable=True),
    Column("errors_sha256", String(64), nullable=True),
    Column("created_by", String(100), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant, nullable=True),
    Index(None, "court_id", "created_at"),
    CheckConstraint("state IN ('loading', 'ready', 'refused', 'approved', 'withdrawn')", name="state"),
)

# What an imported order is to say in its own words; it is rendered when the order is approved, and then removed.
own_words = Table(
    "own_words",
    metadata,
    Column("order_id", ForeignKey("orders.order_id"), primary_key=True),
    Column("language", String(16), primary_key=True),
    Column("text", LargeBinary, nullable=False),
)

# Authority documents: the file lies encrypted in the vault, and the key of that file here, encrypted once more.
documents = Table(
    "documents",
    metadata,
    Column("document_id", String(40), primary_key=True),
    Column("court_id", ForeignKey("courts.court_id"), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("file_key", LargeBinary, nullable=True),
    Column("uploaded_by", String(100), nullable=False),
    Column("uploaded_at", Instant, nullable=False),
    Column("purged_at", Instant, nullable=True),
    UniqueConstraint("court_id", "sha256"),
    CheckConstraint("(purged_at IS NULL) = (file_key IS NOT NULL)", name="purged"),
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
    Column("order_id", ForeignKey("orders.order_id"), nullable=False, index=True),
    # No foreign key: a dispute outlives the line, whose number is purged.
    Column("line_id", String(40), nullable=False),
    Column("ground", String(16), nullable=False),
    Column("call_index", LargeBinary(16), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("resolved_at", Instant, nullable=True),
    Column("resolved_by", String(100), nullable=True),
    Column("resolution", String(16), nullable=True),
    Column("note", LargeBinary, nullable=True),
    UniqueConstraint("line_id", "call_index"),
    CheckConstraint("ground IN ('contested', 'wrong_person')", name="ground"),
    CheckConstraint("resolution IN ('resume', 'lift', 'remove_line')", name="resolution"),
    CheckConstraint(
        "(resolved_at IS NULL) = (resolution IS NULL) AND (resolved_at IS NULL) = (resolved_by IS NULL)",
        name="resolved",
    ),
)
Index(
    None,
    disputes.c.opened_at,
    disputes.c.dispute_id,
    sqlite_where=disputes.c.resolved_at.is_(None),
    postgresql_where=disputes.c.resolved_at.is_(None),
)
