"""Links between people and their accounts at an identity provider."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from gateway.people.directory import login_index, read_login
from gateway.people.errors import InvalidLoginError, OidcRefusedError
from gateway.people.oidc import Identity
from gateway.people.tables import oidc_links, people
from gateway.privacy.blind_index import secret_index
from gateway.privacy.field import FieldCipher
from gateway.privacy.keys import Keys
from gateway.privacy.ring import KeyRing


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose account it is; `is_linked` is false for who may be linked to it now."""

    person_id: str
    is_linked: bool


def subject_index(issuer: str, subject: str, keys: Keys) -> bytes:
    """Return the blind index of a provider's account under one key."""
    return secret_index(f"oidc\x00{issuer}\x00{subject}", keys)


def owner_of(connection: Connection, ring: KeyRing, identity: Identity) -> Owner:
    """Return who is linked to an account, or whose login is its verified e-mail where an administrator allowed that.

    The person's row stays locked until commit. Raises OidcRefusedError where there is nobody.
    """
    indexes = [subject_index(identity.issuer, identity.subject, keys) for keys in ring.known]
    row = connection.execute(
        select(people.c.person_id, people.c.closed_at)
        .join(oidc_links, oidc_links.c.person_id == people.c.person_id)
        .where(oidc_links.c.subject_index.in_(indexes))
        .with_for_update()
    ).one_or_none()
    if row is None:
        return Owner(person_id=_allowed(connection, ring, identity), is_linked=False)
    if row.closed_at is not None:
        raise OidcRefusedError(why="nobody here has this account")
    return Owner(person_id=str(row.person_id), is_linked=True)


def link(connection: Connection, ring: KeyRing, person_id: str, identity: Identity, now: datetime) -> None:
    """Link a person to an account. Raises OidcRefusedError where the person is linked to another one."""
    subject = json.dumps([identity.issuer, identity.subject])
    statement = oidc_links.insert().values(
        subject_index=subject_index(identity.issuer, identity.subject, ring.active),
        person_id=person_id,
        subject=FieldCipher(ring).encrypt(subject, place=f"oidc_links.subject:{person_id}"),
        linked_at=now,
    )
    try:
        with connection.begin_nested():
            connection.execute(statement)
    except IntegrityError as error:
        raise OidcRefusedError(why="this person has another account there") from error


def _allowed(connection: Connection, ring: KeyRing, identity: Identity) -> str:
    try:
        login = read_login(identity.email)
    except InvalidLoginError as error:
        raise OidcRefusedError(why="nobody here has this account, and the provider verified no e-mail") from error
    indexes = [login_index(login, keys) for keys in ring.known]
    statement = select(people.c.person_id).where(
        people.c.login_index.in_(indexes), people.c.oidc_allowed, people.c.closed_at.is_(None)
    )
    person_id = connection.execute(statement.with_for_update()).scalar()
    if person_id is None:
        raise OidcRefusedError(why="nobody here has this account")
    return str(person_id)
