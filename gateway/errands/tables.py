"""The tables of errands: claims, jobs, rounds (what is done again and again), and unfinished forms."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, String, Table

from gateway.db.metadata import Instant, metadata

claims = Table(
    "claims",
    metadata,
    Column("claim", LargeBinary(32), primary_key=True),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("taken_at", Instant, nullable=False, index=True),
    Column("answer", LargeBinary, nullable=True),
)

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String(40), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("court_id", String(64), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("leased_until", Instant, nullable=True),
    # What the job's maker may read: the result, or in what words it was refused. Encrypted, as the payload is.
    Column("result", LargeBinary, nullable=True),
    Column("error", String(64), nullable=True),
    Column("created_by", String(100), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant, nullable=True),
    Index(None, "state", "due_at"),
    Index(None, "court_id", "created_at", "job_id"),
    CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name="state"),
)

rounds = Table(
    "rounds",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("due_at", Instant, nullable=False),
    Column("leased_until", Instant, nullable=True),
    Column("finished_at", Instant, nullable=True),
)

# What somebody began to type: path and fields as JSON, encrypted. It is nobody's act yet, so the trail has none of it.
unfinished_forms = Table(
    "unfinished_forms",
    metadata,
    Column("form_id", String(40), primary_key=True),
    Column("person_id", String(40), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("fields", LargeBinary, nullable=False),
    Column("kept_at", Instant, nullable=False),
    Column("version", Integer, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Index(None, "person_id", "kept_at"),
    CheckConstraint("expires_at > kept_at", name="window"),
)
