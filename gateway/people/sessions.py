"""Sessions: opened by a sign-in, over after 30 minutes without use or after 12 hours, closed by whoever may."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import Connection, bindparam, delete, select, update

from gateway.db.rows import all_rows
from gateway.people.errors import NotSignedInError, SessionExpiredError
from gateway.people.roles import RoleHeld, held_as
from gateway.people.tables import people, roles, sessions
from gateway.people.tokens import new_id, new_session_token
from gateway.privacy.blind_index import index_secret, indexes_of_secret
from gateway.privacy.ring import KeyRing

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
# Not every request needs a write: a session's last use is known to the minute.
_COARSE = timedelta(minutes=1)

# A row for each role of the person; each request begins with it, so it is put together once.
_WITH_ROLES = (
    select(
        sessions.c.session_id,
        sessions.c.person_id,
        sessions.c.seen_at,
        sessions.c.expires_at,
        sessions.c.closed_at,
        people.c.closed_at.label("person_closed_at"),
        roles.c.role,
        roles.c.court_id,
        roles.c.district_id,
    )
    .join(people, people.c.person_id == sessions.c.person_id)
    .outerjoin(roles, roles.c.person_id == sessions.c.person_id)
    .where(sessions.c.token_hash.in_(bindparam("hashes", expanding=True)))
)


class Method(Enum):
    """How somebody signed in."""

    PASSWORD = "password"  # noqa: S105  (a word, not a password)
    PASSKEY = "passkey"
    OIDC = "oidc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A session that was just opened; `token` is shown to its person and to nobody else, ever."""

    session_id: str
    person_id: str
    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session in use; `is_due` says that its last use should be written down."""

    session_id: str
    person_id: str
    roles: tuple[RoleHeld, ...]
    is_due: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A session that is not over, as its person sees it; `seen_at` is true to the minute."""

    session_id: str
    method: Method
    opened_at: datetime
    seen_at: datetime
    expires_at: datetime


def open_(connection: Connection, ring: KeyRing, person_id: str, method: Method, now: datetime) -> Opened:
    """Open a session and return it with its token."""
    opened = Opened(session_id=new_id("ses"), person_id=person_id, token=new_session_token(), expires_at=now + LONGEST)
    connection.execute(
        sessions.insert().values(
            session_id=opened.session_id,
            token_hash=index_secret(opened.token, ring),
            person_id=person_id,
            method=method.value,
            opened_at=now,
            seen_at=now,
            expires_at=opened.expires_at,
        )
    )
    return opened


def find(connection: Connection, ring: KeyRing, token: str, now: datetime) -> Session:
    """Return the session of a token with the roles its person has now. Raises NotSignedInError, SessionExpiredError."""
    rows = all_rows(connection.execute(_WITH_ROLES, {"hashes": indexes_of_secret(token, ring)}))
    if not rows or rows[0].closed_at is not None or rows[0].person_closed_at is not None:
        raise NotSignedInError
    first = rows[0]
    if now >= first.expires_at or now >= first.seen_at + IDLE:
        raise SessionExpiredError
    return Session(
        session_id=first.session_id,
        person_id=first.person_id,
        roles=tuple(held_as(row.role, row.court_id, row.district_id) for row in rows if row.role is not None),
        is_due=now >= first.seen_at + _COARSE,
    )


def owner_of(connection: Connection, ring: KeyRing, token: str) -> str:
    """Return whose session a token is or was, expired or not; that opens nothing, and says whose work was cut short.

    Raises NotSignedInError where the token is unknown, was signed out, or its person was closed.
    """
    statement = (
        select(sessions.c.person_id)
        .join(people, people.c.person_id == sessions.c.person_id)
        .where(
            sessions.c.token_hash.in_(indexes_of_secret(token, ring)),
            sessions.c.closed_at.is_(None),
            people.c.closed_at.is_(None),
        )
    )
    found = connection.execute(statement).scalar()
    if found is None:
        raise NotSignedInError
    return str(found)


def of_person(connection: Connection, person_id: str, now: datetime) -> tuple[OpenSession, ...]:
    """Return the sessions of a person that are not over, the one that was used last first."""
    statement = select(sessions).where(
        sessions.c.person_id == person_id,
        sessions.c.closed_at.is_(None),
        sessions.c.expires_at > now,
        sessions.c.seen_at > now - IDLE,
    )
    return tuple(
        OpenSession(
            session_id=row.session_id,
            method=Method(row.method),
            opened_at=row.opened_at,
            seen_at=row.seen_at,
            expires_at=row.expires_at,
        )
        for row in connection.execute(statement.order_by(sessions.c.seen_at.desc(), sessions.c.session_id))
    )


def note_use(connection: Connection, session_id: str, now: datetime) -> None:
    """Write down that a session was used."""
    connection.execute(update(sessions).where(sessions.c.session_id == session_id).values(seen_at=now))


def close(connection: Connection, session_id: str, now: datetime) -> None:
    """Close one session."""
    statement = update(sessions).where(sessions.c.session_id == session_id, sessions.c.closed_at.is_(None))
    connection.execute(statement.values(closed_at=now))


def close_all(connection: Connection, person_id: str, now: datetime) -> int:
    """Close every session of a person and return how many were open."""
    statement = update(sessions).where(
        sessions.c.person_id == person_id, sessions.c.closed_at.is_(None), sessions.c.expires_at > now
    )
    return connection.execute(statement.values(closed_at=now)).rowcount


def close_others(connection: Connection, person_id: str, keep: str, now: datetime) -> int:
    """Close every session of a person but the one with the id `keep`, and return how many were open."""
    statement = update(sessions).where(
        sessions.c.person_id == person_id,
        sessions.c.session_id != keep,
        sessions.c.closed_at.is_(None),
        sessions.c.expires_at > now,
    )
    return connection.execute(statement.values(closed_at=now)).rowcount


def forget(connection: Connection, before: datetime) -> int:
    """Remove sessions that expired before an instant and return how many; the trail goes on telling of them."""
    return connection.execute(delete(sessions).where(sessions.c.expires_at < before)).rowcount
