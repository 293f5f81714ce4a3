"""Keyed hashes through which rows are found without the register holding what they stand for."""

import hmac
from hashlib import blake2b

from gateway.domain.e164 import E164
from gateway.privacy.keys import Keys

INDEX_BYTES = 16


def index_line(line: E164, keys: Keys) -> bytes:
    """Return the 16-byte blind index of a line; the same line always has the same one under the same key."""
    return blake2b(line.number.encode(), key=keys.line_index, digest_size=INDEX_BYTES).digest()


def index_case(court_id: str, case_number: str, keys: Keys) -> bytes:
    """Return the 16-byte blind index of a court's case number; case and white space do not matter."""
    canonical = "".join(case_number.split()).casefold()
    text = f"{court_id}\x00{canonical}".encode()
    return blake2b(text, key=keys.case_index, digest_size=INDEX_BYTES).digest()


def index_call(provider: str, provider_call_id: str, keys: Keys) -> bytes:
    """Return the 16-byte keyed hash under which evidence of a call is kept."""
    text = f"{provider}\x00{provider_call_id}".encode(errors="surrogateescape")
    return blake2b(text, key=keys.call_index, digest_size=INDEX_BYTES).digest()


def same(one: bytes, other: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one, other)
