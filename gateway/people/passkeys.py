"""Passkeys as the register keeps them: credentials that `passkey_checks` made sure of."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from gateway.people.errors import PasskeyRefusedError
from gateway.people.tables import passkeys
from gateway.people.tokens import new_id
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing

_LONGEST_LABEL = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """Who passkeys are for; `party_id` is the host name they are bound to. Browsers take none for an IP address."""

    party_id: str
    name: str
    origin: str

    @classmethod
    def at(cls, origin: str, name: str) -> "RelyingParty":
        """Return the party of an origin such as https://gateway.example.org."""
        return cls(party_id=urlsplit(origin).hostname or "", name=name, origin=origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPasskey:
    """A passkey that was just made."""

    credential_id: bytes
    public_key: bytes = field(repr=False)
    sign_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPasskey:
    """A passkey that we know, and whose it is."""

    passkey_id: str
    person_id: str
    public_key: bytes = field(repr=False)
    sign_count: int


def find(connection: Connection, credential_id: bytes) -> StoredPasskey:
    """Return a passkey by its credential id. Raises PasskeyRefusedError where it is not one of ours."""
    row = connection.execute(select(passkeys).where(passkeys.c.credential_id == credential_id)).one_or_none()
    if row is None:
        raise PasskeyRefusedError(why="it is not known here")
    return StoredPasskey(
        passkey_id=row.passkey_id,
        person_id=row.person_id,
        public_key=bytes(row.public_key),
        sign_count=row.sign_count,
    )


def keep(connection: Connection, ring: KeyRing, person_id: str, new: NewPasskey, label: str, now: datetime) -> str:
    """Keep a passkey and return its id. Raises PasskeyRefusedError where somebody has it already."""
    passkey_id = new_id("pky")
    text = "".join(each for each in label if each.isprintable()).strip()[:_LONGEST_LABEL]
    statement = passkeys.insert().values(
        passkey_id=passkey_id,
        person_id=person_id,
        credential_id=new.credential_id,
        public_key=new.public_key,
        sign_count=new.sign_count,
        label=FieldCipher(ring).encrypt(text, place=f"passkeys.label:{passkey_id}"),
        added_at=now,
    )
    try:
        with connection.begin_nested():
            connection.execute(statement)
    except IntegrityError as error:
        raise PasskeyRefusedError(why="it is in use already") from error
    return passkey_id


def count_use(connection: Connection, stored: StoredPasskey, sign_count: int) -> None:
    """Write the new sign count. Raises PasskeyRefusedError where another use came between: one of the two is a copy."""
    changed = connection.execute(
        update(passkeys)
        .where(passkeys.c.passkey_id == stored.passkey_id, passkeys.c.sign_count == stored.sign_count)
        .values(sign_count=sign_count)
    )
    if changed.rowcount == 0:
        raise PasskeyRefusedError(why="it was used elsewhere at the same time")


def remove_all(connection: Connection, person_id: str) -> None:
    """Remove every passkey of a person."""
    connection.execute(delete(passkeys).where(passkeys.c.person_id == person_id))


def count_of(connection: Connection, person_ids: Iterable[str]) -> dict[str, int]:
    """Return how many passkeys each of these people has; who has none is left out."""
    statement = (
        select(passkeys.c.person_id, func.count())
        .where(passkeys.c.person_id.in_(list(person_ids)))
        .group_by(passkeys.c.person_id)
    )
    return {person_id: int(count) for person_id, count in connection.execute(statement).all()}
