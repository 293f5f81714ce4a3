"""People, roles, credentials, sessions and API keys.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "people",
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("login_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("login", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("password", sa.LargeBinary(), nullable=True),
        sa.Column("totp", sa.LargeBinary(), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), nullable=False),
        sa.Column("enrolment_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("enrolment_until", sa.BigInteger(), nullable=True),
        sa.Column("oidc_allowed", sa.Boolean(create_constraint=True, name="oidc_allowed"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(enrolment_hash IS NULL) = (enrolment_until IS NULL)", name=op.f("ck_people_enrolment")),
        sa.CheckConstraint("(password IS NULL) = (totp IS NULL)", name=op.f("ck_people_second_factor")),
        sa.CheckConstraint(
            "closed_at IS NULL OR (password IS NULL AND enrolment_hash IS NULL)", name=op.f("ck_people_closed")
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_people")),
        sa.UniqueConstraint("enrolment_hash", name=op.f("uq_people_enrolment_hash")),
        sa.UniqueConstraint("login_index", name=op.f("uq_people_login_index")),
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("who", sa.LargeBinary(length=32), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("blocked_until", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('login', 'address')", name=op.f("ck_sign_in_attempts_kind")),
        sa.PrimaryKeyConstraint("kind", "who", name=op.f("pk_sign_in_attempts")),
    )
    with op.batch_alter_table("sign_in_attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_attempts_last_at"), ["last_at"], unique=False)
    op.create_table(
        "spent_challenges",
        sa.Column("challenge_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("challenge_hash", name=op.f("pk_spent_challenges")),
    )
    with op.batch_alter_table("spent_challenges", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spent_challenges_until"), ["until"], unique=False)
    op.create_table(
        "oidc_links",
        sa.Column("subject_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("linked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"], name=op.f("fk_oidc_links_person_id_people")),
        sa.PrimaryKeyConstraint("subject_index", name=op.f("pk_oidc_links")),
        sa.UniqueConstraint("person_id", name=op.f("uq_oidc_links_person_id")),
    )
    op.create_table(
        "passkeys",
        sa.Column("passkey_id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"], name=op.f("fk_passkeys_person_id_people")),
        sa.PrimaryKeyConstraint("passkey_id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
    )
    with op.batch_alter_table("passkeys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_passkeys_person_id"), ["person_id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.String(length=40), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("method IN ('password', 'passkey', 'oidc')", name=op.f("ck_sessions_method")),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"], name=op.f("fk_sessions_person_id_people")),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sessions_token_hash")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_sessions_person_id"), ["person_id"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("rights", sa.String(length=500), nullable=False),
        sa.Column("place", sa.String(length=130), nullable=False),
        sa.Column("court_id", sa.String(length=64), nullable=True),
        sa.Column("district_id", sa.String(length=64), nullable=True),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_by", sa.String(length=100), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(place = '') = (court_id IS NULL)", name=op.f("ck_api_keys_place")),
        sa.CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name=op.f("ck_api_keys_revoked")),
        sa.CheckConstraint("district_id IS NULL OR court_id IS NOT NULL", name=op.f("ck_api_keys_district")),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_api_keys_window")),
        sa.ForeignKeyConstraint(["court_id"], ["courts.court_id"], name=op.f("fk_api_keys_court_id_courts")),
        sa.ForeignKeyConstraint(
            ["district_id"], ["districts.district_id"], name=op.f("fk_api_keys_district_id_districts")
        ),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_api_keys_secret_hash")),
    )
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_keys_court_id"), ["court_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_api_keys_created_by"), ["created_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_api_keys_district_id"), ["district_id"], unique=False)
    op.create_table(
        "roles",
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("place", sa.String(length=130), nullable=False),
        sa.Column("court_id", sa.String(length=64), nullable=True),
        sa.Column("district_id", sa.String(length=64), nullable=True),
        sa.Column("given_by", sa.String(length=100), nullable=False),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(place = '') = (court_id IS NULL)", name=op.f("ck_roles_place")),
        sa.CheckConstraint(
            "role IN ('clerk', 'approver', 'operator', 'auditor', 'administrator')", name=op.f("ck_roles_role")
        ),
        sa.CheckConstraint("district_id IS NULL OR court_id IS NOT NULL", name=op.f("ck_roles_district")),
        sa.ForeignKeyConstraint(["court_id"], ["courts.court_id"], name=op.f("fk_roles_court_id_courts")),
        sa.ForeignKeyConstraint(
            ["district_id"], ["districts.district_id"], name=op.f("fk_roles_district_id_districts")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.person_id"], name=op.f("fk_roles_person_id_people")),
        sa.PrimaryKeyConstraint("person_id", "role", "place", name=op.f("pk_roles")),
    )
    with op.batch_alter_table("roles", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_roles_court_id"), ["court_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_roles_district_id"), ["district_id"], unique=False)


def downgrade() -> None:
    """Undo."""
    for table in (
        "roles",
        "api_keys",
        "sessions",
        "passkeys",
        "oidc_links",
        "spent_challenges",
        "sign_in_attempts",
        "people",
    ):
        op.drop_table(table)
