"""What people sign in with: the password's hash, the secret of the authenticator app, and the code to enrol with.

A person is added without any of it and gets a one-time enrolment code; so whoever administers people never learns what
they sign in with. A reset removes everything and gives a new code.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, delete, select, update

from gateway.people import passkeys
from gateway.people.directory import login_index
from gateway.people.errors import EnrolmentRefusedError, WrongCredentialsError
from gateway.people.tables import oidc_links, people
from gateway.people.tokens import new_enrolment_code
from gateway.privacy.blind_index import index_secret, indexes_of_secret
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing

ENROLMENT = timedelta(hours=72)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a person's password and code are checked against; all of it is empty for a login that does not exist."""

    person_id: str = ""
    is_closed: bool = False
    password: str | None = field(default=None, repr=False)
    totp: str | None = field(default=None, repr=False)
    totp_step: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolling:
    """Whom an enrolment code is for."""

    person_id: str
    login: str = field(repr=False)


def of_login(connection: Connection, ring: KeyRing, login: str) -> Credentials:
    """Return the credentials of a login, empty where it does not exist; `login` as `read_login` returns it."""
    indexes = [login_index(login, keys) for keys in ring.known]
    return _credentials(connection.execute(select(people).where(people.c.login_index.in_(indexes))).one_or_none(), ring)


def offer_enrolment(connection: Connection, ring: KeyRing, person_id: str, now: datetime) -> str:
    """Return a new enrolment code, good once and for 72 hours; one that was given before is void."""
    code = new_enrolment_code()
    connection.execute(
        update(people)
        .where(people.c.person_id == person_id)
        .values(enrolment_hash=index_secret(code, ring), enrolment_until=now + ENROLMENT)
    )
    return code


def find_enrolment(connection: Connection, ring: KeyRing, code: str, now: datetime) -> Enrolling:
    """Return whom a code is for, with the row locked until commit. Raises EnrolmentRefusedError."""
    if not code.isascii():
        raise EnrolmentRefusedError
    statement = select(people).where(people.c.enrolment_hash.in_(indexes_of_secret(code, ring))).with_for_update()
    row = connection.execute(statement).one_or_none()
    if row is None or row.closed_at is not None or now >= row.enrolment_until:
        raise EnrolmentRefusedError
    login = FieldCipher(ring).decrypt(row.login, place=f"people.login:{row.person_id}")
    return Enrolling(person_id=row.person_id, login=login)


def end_enrolment(connection: Connection, person_id: str) -> None:
    """Void the person's enrolment code."""
    statement = update(people).where(people.c.person_id == person_id)
    connection.execute(statement.values(enrolment_hash=None, enrolment_until=None))


def set_password(connection: Connection, ring: KeyRing, person_id: str, hashed: str, totp: str, *, step: int) -> None:
    """Set the password with its second factor; `step` is the last time step whose code was used, 0 for none."""
    cipher = FieldCipher(ring)
    connection.execute(
        update(people)
        .where(people.c.person_id == person_id)
        .values(
            password=cipher.encrypt(hashed, place=f"people.password:{person_id}"),
            totp=cipher.encrypt(totp, place=f"people.totp:{person_id}"),
            totp_step=step,
        )
    )


def renew_hash(connection: Connection, ring: KeyRing, person_id: str, hashed: str) -> None:
    """Keep the same password under a new hash."""
    encrypted = FieldCipher(ring).encrypt(hashed, place=f"people.password:{person_id}")
    connection.execute(update(people).where(people.c.person_id == person_id).values(password=encrypted))


def use_step(connection: Connection, ring: KeyRing, checked: Credentials, step: int) -> None:
    """Mark a code as used. Raises WrongCredentialsError where it was used, or a reset came between."""
    row = connection.execute(
        select(people).where(people.c.person_id == checked.person_id).with_for_update()
    ).one_or_none()
    present = _credentials(row, ring)
    same = (present.password, present.totp) == (checked.password, checked.totp)
    if present.is_closed or not same or present.totp_step >= step:
        raise WrongCredentialsError
    connection.execute(update(people).where(people.c.person_id == checked.person_id).values(totp_step=step))


def remove_all(connection: Connection, person_id: str) -> None:
    """Remove everything that a person signs in with, the link to an identity provider and the enrolment code too."""
    connection.execute(
        update(people)
        .where(people.c.person_id == person_id)
        .values(password=None, totp=None, totp_step=0, enrolment_hash=None, enrolment_until=None)
    )
    passkeys.remove_all(connection, person_id)
    connection.execute(delete(oidc_links).where(oidc_links.c.person_id == person_id))


def _credentials(row: "Row[*tuple[object, ...]] | None", ring: KeyRing) -> Credentials:
    if row is None:
        return Credentials()
    cipher, person_id = FieldCipher(ring), str(row.person_id)
    return Credentials(
        person_id=person_id,
        is_closed=row.closed_at is not None,
        password=row.password and cipher.decrypt(row.password, place=f"people.password:{person_id}"),
        totp=row.totp and cipher.decrypt(row.totp, place=f"people.totp:{person_id}"),
        totp_step=row.totp_step,
    )
