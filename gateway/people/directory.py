"""People: adding, finding, listing and closing them. Closed people stay, so that the trail goes on naming somebody."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, Select, select, true, update
from sqlalchemy.exc import IntegrityError

from gateway.domain.errors import StaleVersionError
from gateway.people import passkeys, roles
from gateway.people.errors import (
    InvalidLoginError,
    InvalidNameError,
    PersonClosedError,
    TakenLoginError,
    UnknownLoginError,
    UnknownPersonError,
)
from gateway.people.roles import RoleHeld
from gateway.people.tables import people
from gateway.people.tables import roles as role_rows
from gateway.people.tokens import new_id
from gateway.privacy.blind_index import secret_index
from gateway.privacy.field import FieldCipher
from gateway.privacy.keys import Keys
from gateway.privacy.ring import KeyRing

_SHORTEST, _LONGEST = 3, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who works with the gateway; `version` counts changes, for If-Match."""

    person_id: str
    login: str = field(repr=False)
    name: str = field(repr=False)
    version: int
    roles: tuple[RoleHeld, ...]
    has_password: bool
    passkeys: int
    oidc_allowed: bool
    created_by: str
    created_at: datetime
    enrolment_until: datetime | None
    closed_at: datetime | None


def read_login(text: str) -> str:
    """Return a login as it is kept: composed, folded, without spaces around it. Raises InvalidLoginError."""
    login = unicodedata.normalize("NFKC", text).strip().casefold()
    if not _SHORTEST <= len(login) <= _LONGEST or not login.isprintable() or any(each.isspace() for each in login):
        raise InvalidLoginError
    return login


def read_name(text: str) -> str:
    """Return a name as it is kept. Raises InvalidNameError."""
    name = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(name) <= _LONGEST or not name.isprintable():
        raise InvalidNameError
    return name


def login_index(login: str, keys: Keys) -> bytes:
    """Return the blind index of a login under one key; `login` as `read_login` returns it."""
    return secret_index(f"login\x00{login}", keys)


def add(
    connection: Connection, ring: KeyRing, login: str, name: str, *, oidc_allowed: bool, created_by: str, now: datetime
) -> str:
    """Add a person and return the id. Raises InvalidLoginError, InvalidNameError, TakenLoginError."""
    person_id, cipher = new_id("per"), FieldCipher(ring)
    login, name = read_login(login), read_name(name)
    known = [login_index(login, keys) for keys in ring.known]
    if connection.execute(select(people.c.person_id).where(people.c.login_index.in_(known))).first() is not None:
        raise TakenLoginError
    statement = people.insert().values(
        person_id=person_id,
        login_index=login_index(login, ring.active),
        login=cipher.encrypt(login, place=f"people.login:{person_id}"),
        name=cipher.encrypt(name, place=f"people.name:{person_id}"),
        totp_step=0,
        oidc_allowed=oidc_allowed,
        version=1,
        created_by=created_by,
        created_at=now,
    )
    try:
        with connection.begin_nested():
            connection.execute(statement)
    except IntegrityError as error:
        raise TakenLoginError from error
    return person_id


def get(connection: Connection, ring: KeyRing, person_id: str) -> Person:
    """Return one person. Raises UnknownPersonError."""
    row = connection.execute(select(people).where(people.c.person_id == person_id)).one_or_none()
    if row is None:
        raise UnknownPersonError(person_id=person_id)
    return _people(connection, ring, [row])[0]


def locked(connection: Connection, ring: KeyRing, person_id: str, *, expected: int | None) -> Person:
    """Return one person who is to be changed, with the row locked until commit.

    `expected` is the version that the change was decided on. Raises UnknownPersonError, PersonClosedError,
    StaleVersionError.
    """
    connection.execute(select(people.c.person_id).where(people.c.person_id == person_id).with_for_update())
    person = get(connection, ring, person_id)
    if person.closed_at is not None:
        raise PersonClosedError(person_id=person_id)
    if expected is not None and person.version != expected:
        raise StaleVersionError(what=f"Person {person_id}")
    return person


def id_of_login(connection: Connection, ring: KeyRing, login: str) -> str:
    """Return the person_id of a login. Raises UnknownLoginError, InvalidLoginError."""
    indexes = [login_index(read_login(login), keys) for keys in ring.known]
    found = connection.execute(select(people.c.person_id).where(people.c.login_index.in_(indexes))).scalar()
    if found is None:
        raise UnknownLoginError
    return str(found)


def page(
    connection: Connection, ring: KeyRing, *, visible: ColumnElement[bool] | None, after: str, limit: int
) -> tuple[Person, ...]:
    """Return up to `limit` people behind the id `after`, in the order of their ids; `visible` narrows them."""
    statement: Select[*tuple[object, ...]] = select(people).where(people.c.person_id > after)
    statement = statement.where(true() if visible is None else visible)
    rows = connection.execute(statement.order_by(people.c.person_id).limit(limit)).all()
    return tuple(_people(connection, ring, rows))


def rename(connection: Connection, ring: KeyRing, person_id: str, name: str) -> None:
    """Change a person's name. Raises InvalidNameError."""
    encrypted = FieldCipher(ring).encrypt(read_name(name), place=f"people.name:{person_id}")
    connection.execute(update(people).where(people.c.person_id == person_id).values(name=encrypted))


def allow_oidc(connection: Connection, person_id: str, *, allowed: bool) -> None:
    """Say whether an identity provider's verified e-mail address may open this person's account."""
    connection.execute(update(people).where(people.c.person_id == person_id).values(oidc_allowed=allowed))


def touch(connection: Connection, person_id: str) -> int:
    """Count a change and return the new version."""
    statement = update(people).where(people.c.person_id == person_id).values(version=people.c.version + 1)
    return int(connection.execute(statement.returning(people.c.version)).scalar_one())


def close(connection: Connection, person_id: str, now: datetime) -> None:
    """Close a person for good."""
    connection.execute(update(people).where(people.c.person_id == person_id).values(closed_at=now))


def _people(connection: Connection, ring: KeyRing, rows: Sequence[Row[*tuple[object, ...]]]) -> list[Person]:
    ids = [row.person_id for row in rows]
    held = roles.of_people(connection, role_rows.c.person_id.in_(ids))
    keys = passkeys.count_of(connection, ids)
    cipher = FieldCipher(ring)
    return [
        Person(
            person_id=row.person_id,
            login=cipher.decrypt(row.login, place=f"people.login:{row.person_id}"),
            name=cipher.decrypt(row.name, place=f"people.name:{row.person_id}"),
            version=row.version,
            roles=held.get(row.person_id, ()),
            has_password=row.password is not None,
            passkeys=keys.get(row.person_id, 0),
            oidc_allowed=row.oidc_allowed,
            created_by=row.created_by,
            created_at=row.created_at,
            enrolment_until=row.enrolment_until,
            closed_at=row.closed_at,
        )
        for row in rows
    ]
