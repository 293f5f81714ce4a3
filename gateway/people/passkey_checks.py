"""Passkeys: WebAuthn credentials that verify their holder, which makes each of them two factors at once.

A passkey with user verification is something one has and something one knows or is (NIST SP 800-63B section 5.1.9), so
who signs in with one types no password. Attestation is not asked for: whose make a key is, is not our business.
"""

import json
from typing import Any

import webauthn
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from gateway.people.errors import PasskeyRefusedError
from gateway.people.passkeys import NewPasskey, RelyingParty, StoredPasskey

# What the library raises on what it cannot read, which is whatever somebody sent.
_MALFORMED = (WebAuthnException, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


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


def _document(response: str) -> dict[str, Any]:
    document = json.loads(response)
    if not isinstance(document, dict):
        raise TypeError("a credential is a JSON object")
    return document
