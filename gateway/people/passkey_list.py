"""The passkeys that one person has, as that person sees them, and removing one of them."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, select

from gateway.people.tables import passkeys
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPasskey:
    """A passkey; `label` is what its person called it."""

    passkey_id: str
    label: str = field(repr=False)
    added_at: datetime


def of_person(connection: Connection, ring: KeyRing, person_id: str) -> tuple[ListedPasskey, ...]:
    """Return the passkeys of a person, the oldest first."""
    cipher = FieldCipher(ring)
    mine = select(passkeys).where(passkeys.c.person_id == person_id)
    return tuple(
        ListedPasskey(
            passkey_id=row.passkey_id,
            label=cipher.decrypt(row.label, place=f"passkeys.label:{row.passkey_id}"),
            added_at=row.added_at,
        )
        for row in connection.execute(mine.order_by(passkeys.c.added_at, passkeys.c.passkey_id))
    )


def remove(connection: Connection, person_id: str, passkey_id: str) -> bool:
    """Remove a passkey of a person, and tell whether it was there."""
    mine = delete(passkeys).where(passkeys.c.passkey_id == passkey_id, passkeys.c.person_id == person_id)
    return bool(connection.execute(mine).rowcount)
