"""Passkeys: WebAuthn credentials that verify their holder, which makes each of them two factors at once.

A passkey with user verification is something one has and something one knows or is (NIST SP 800-63B section 5.1.9), so
who signs in with one types no password. Attestation is not asked for: whose make a key is, is not our business.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from gateway.people.errors import PasskeyRefusedError
from gateway.people.tables import passkeys
from gateway.people.tokens import new_id
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing

_LONGEST_LABEL = 100
# What the library raises on what it cannot read, which is whatever somebody sent.
_MALFORMED = (WebAuthnException, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


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


def creation_options(party: RelyingParty, person_id: str, login: str, challenge: bytes) -> str:
    """Return what `navigator.credentials.create()` takes, as JSON."""
    selection = AuthenticatorSelectionCriteria(
        resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
    )
    options = webauthn.generate_registration_options(
        rp_id=party.party_id,
        rp_name=party.name,
        user_name=login,
        user_id=person_id.encode(),
        challenge=challenge,
        authenticator_selection=selection,
    )
    return webauthn.options_to_json(options)


def request_options(party: RelyingParty, challenge: bytes) -> str:
    """Return what `navigator.credentials.get()` takes, as JSON; it names no credential, and so tells of nobody."""
    options = webauthn.generate_authentication_options(
        rp_id=party.party_id, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
    )
    return webauthn.options_to_json(options)


def check_creation(party: RelyingParty, response: str, challenge: bytes) -> NewPasskey:
    """Check what a browser made of `creation_options`. Raises PasskeyRefusedError."""
    try:
        made = webauthn.verify_registration_response(
            credential=_document(response),
            expected_challenge=challenge,
            expected_rp_id=party.party_id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except _MALFORMED as error:
        # The library's own text may quote what was sent; its kind says enough.
        raise PasskeyRefusedError(why=type(error).__name__) from error
    return NewPasskey(
        credential_id=made.credential_id, public_key=made.credential_public_key, sign_count=made.sign_count
    )


def check_use(party: RelyingParty, response: str, challenge: bytes, stored: StoredPasskey) -> int:
    """Check what a browser made of `request_options` and return the new sign count. Raises PasskeyRefusedError."""
    try:
        used = webauthn.verify_authentication_response(
            credential=_document(response),
            expected_challenge=challenge,
            expected_rp_id=party.party_id,
            expected_origin=party.origin,
            credential_public_key=stored.public_key,
            credential_current_sign_count=stored.sign_count,
            require_user_verification=True,
        )
    except _MALFORMED as error:
        raise PasskeyRefusedError(why=type(error).__name__) from error
    return used.new_sign_count


def credential_of(response: str) -> bytes:
    """Return the credential id that a response names. Raises PasskeyRefusedError."""
    try:
        return base64url_to_bytes(str(_document(response)["rawId"]))
    except _MALFORMED as error:
        raise PasskeyRefusedError(why="it names no credential") from error


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


def _document(response: str) -> dict[str, Any]:
    document = json.loads(response)
    if not isinstance(document, dict):
        raise TypeError("a credential is a JSON object")
    return document
