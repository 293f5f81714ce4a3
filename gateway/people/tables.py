"""The tables of people. Names and logins are encrypted, and so is what their credentials are made of.

A scope is kept twice: as `court_id` and `district_id`, which the register vouches for, and as `place`, one text that
can be part of a key (empty for everywhere, `court`, or `court/district`).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from gateway.db.metadata import Instant, metadata

_ROLES = "'clerk', 'approver', 'operator', 'auditor', 'administrator'"

people = Table(
    "people",
    metadata,
    Column("person_id", String(40), primary_key=True),
    Column("login_index", LargeBinary(32), nullable=False),
    Column("login", LargeBinary, nullable=False),
    Column("name", LargeBinary, nullable=False),
    Column("password", LargeBinary, nullable=True),
    Column("totp", LargeBinary, nullable=True),
    # The last time step whose code was used: a code is good once (RFC 6238 section 5.2).
    Column("totp_step", BigInteger, nullable=False),
    Column("enrolment_hash", LargeBinary(32), nullable=True),
    Column("enrolment_until", Instant, nullable=True),
    Column("oidc_allowed", Boolean(create_constraint=True, name="oidc_allowed"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_by", String(100), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("closed_at", Instant, nullable=True),
    UniqueConstraint("login_index"),
    UniqueConstraint("enrolment_hash"),
    CheckConstraint("(password IS NULL) = (totp IS NULL)", name="second_factor"),
    CheckConstraint("(enrolment_hash IS NULL) = (enrolment_until IS NULL)", name="enrolment"),
    CheckConstraint("closed_at IS NULL OR (password IS NULL AND enrolment_hash IS NULL)", name="closed"),
)

roles = Table(
    "roles",
    metadata,
    Column("person_id", ForeignKey("people.person_id"), primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("place", String(130), primary_key=True),
    Column("court_id", ForeignKey("courts.court_id"), nullable=True, index=True),
    Column("district_id", ForeignKey("districts.district_id"), nullable=True, index=True),
    Column("given_by", String(100), nullable=False),
    Column("given_at", Instant, nullable=False),
    CheckConstraint(f"role IN ({_ROLES})", name="role"),
    CheckConstraint("(place = '') = (court_id IS NULL)", name="place"),
    CheckConstraint("district_id IS NULL OR court_id IS NOT NULL", name="district"),
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("passkey_id", String(40), primary_key=True),
    Column("person_id", ForeignKey("people.person_id"), nullable=False, index=True),
    Column("credential_id", LargeBinary, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("label", LargeBinary, nullable=False),
    Column("added_at", Instant, nullable=False),
    UniqueConstraint("credential_id"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", String(40), primary_key=True),
    Column("token_hash", LargeBinary(32), nullable=False),
    Column("person_id", ForeignKey("people.person_id"), nullable=False, index=True),
    Column("method", String(16), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("closed_at", Instant, nullable=True),
    UniqueConstraint("token_hash"),
    CheckConstraint("method IN ('password', 'passkey', 'oidc')", name="method"),
)

oidc_links = Table(
    "oidc_links",
    metadata,
    Column("subject_index", LargeBinary(32), primary_key=True),
    # One link for each person: who changes the provider's account is enrolled anew.
    Column("person_id", ForeignKey("people.person_id"), nullable=False),
    # Issuer and subject in JSON, so that a rotation of keys can write the index anew.
    Column("subject", LargeBinary, nullable=False),
    Column("linked_at", Instant, nullable=False),
    UniqueConstraint("person_id"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", String(40), primary_key=True),
    Column("secret_hash", LargeBinary(32), nullable=False),
    Column("name", LargeBinary, nullable=False),
    Column("rights", String(500), nullable=False),
    Column("place", String(130), nullable=False),
    Column("court_id", ForeignKey("courts.court_id"), nullable=True, index=True),
    Column("district_id", ForeignKey("districts.district_id"), nullable=True, index=True),
    Column("created_by", String(100), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant, nullable=True),
    Column("revoked_by", String(100), nullable=True),
    Column("used_at", Instant, nullable=True),
    UniqueConstraint("secret_hash"),
    CheckConstraint("(place = '') = (court_id IS NULL)", name="place"),
    CheckConstraint("district_id IS NULL OR court_id IS NOT NULL", name="district"),
    CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name="revoked"),
    CheckConstraint("expires_at > created_at", name="window"),
    Index(None, "created_by"),
)

# One row for each login and each address that somebody lately tried, so that all workers count together.
attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("kind", String(8), primary_key=True),
    Column("who", LargeBinary(32), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("last_at", Instant, nullable=False, index=True),
    Column("blocked_until", Instant, nullable=False),
    CheckConstraint("kind IN ('login', 'address')", name="kind"),
)

# Challenges that were answered: a sealed token needs no row until it is used, and then it must not be used again.
spent = Table(
    "spent_challenges",
    metadata,
    Column("challenge_hash", LargeBinary(32), primary_key=True),
    Column("until", Instant, nullable=False, index=True),
)
