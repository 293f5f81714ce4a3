"""Keyed hashes through which rows are found without the register holding what they stand for.

What is written is indexed under the active key; what is looked for may have been written under any key of the ring.
"""

import hmac
from hashlib import blake2b

from gateway.domain.e164 import E164
from gateway.privacy.keys import Keys
from gateway.privacy.ring import KeyRing

INDEX_BYTES = 16


def index_line(line: E164, ring: KeyRing) -> bytes:
    """Return the 16-byte blind index of a line under the active key."""
    return line_index(line, ring.active)


def indexes_of_line(line: E164, ring: KeyRing) -> tuple[bytes, ...]:
    """Return the blind index of a line under every key of the ring, the active one's first."""
    return tuple(line_index(line, keys) for keys in ring.known)


def line_index(line: E164, keys: Keys) -> bytes:
    """Return the 16-byte blind index of a line; the same line always has the same one under the same key."""
    return blake2b(line.number.encode(), key=keys.line_index, digest_size=INDEX_BYTES).digest()


def index_case(court_id: str, case_number: str, ring: KeyRing) -> bytes:
    """Return the 16-byte blind index of a court's case number under the active key."""
    return case_index(court_id, case_number, ring.active)


def indexes_of_case(court_id: str, case_number: str, ring: KeyRing) -> tuple[bytes, ...]:
    """Return the blind index of a court's case number under every key of the ring, the active one's first."""
    return tuple(case_index(court_id, case_number, keys) for keys in ring.known)


def case_index(court_id: str, case_number: str, keys: Keys) -> bytes:
    """Return the blind index of a court's case number under one key; case and white space do not matter."""
    canonical = "".join(case_number.split()).casefold()
    text = f"{court_id}\x00{canonical}".encode()
    return blake2b(text, key=keys.case_index, digest_size=INDEX_BYTES).digest()


def index_call(provider: str, provider_call_id: str, ring: KeyRing) -> bytes:
    """Return the 16-byte keyed hash under which evidence of a call is written."""
    return _call_index(provider, provider_call_id, ring.active)


def indexes_of_call(provider: str, provider_call_id: str, ring: KeyRing) -> tuple[bytes, ...]:
    """Return the keyed hashes under which evidence of a call may stand: a rotation may fall into the call."""
    return tuple(_call_index(provider, provider_call_id, keys) for keys in ring.known)


def index_secret(text: str, ring: KeyRing) -> bytes:
    """Return the 32-byte keyed hash of a random secret (API key, session) under the active key."""
    return secret_index(text, ring.active)


def indexes_of_secret(text: str, ring: KeyRing) -> tuple[bytes, ...]:
    """Return the keyed hash of a secret under every key it may stand under, retired ones too; the active one's first.

    A secret is not kept, so its hash cannot be made anew when the keys rotate.
    """
    return tuple(_secret_index(text, key) for key in ring.secret_keys)


def secret_index(text: str, keys: Keys) -> bytes:
    """Return the 32-byte keyed hash of a secret under one key."""
    return _secret_index(text, keys.secrets)


def same(one: bytes, other: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one, other)


def _secret_index(text: str, key: bytes) -> bytes:
    return blake2b(text.encode(), key=key, digest_size=32).digest()


def _call_index(provider: str, provider_call_id: str, keys: Keys) -> bytes:
    text = f"{provider}\x00{provider_call_id}".encode(errors="surrogateescape")
    return blake2b(text, key=keys.call_index, digest_size=INDEX_BYTES).digest()
