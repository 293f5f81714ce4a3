"""Keys given as words in the environment, for installations that keep none in a file."""

import re

from gateway.privacy.errors import WeakKeyError
from gateway.privacy.keys import Keys, from_text
from gateway.privacy.ring import KeyRing

# What is left of a retired key: its id, its audit key and its key of secrets. No base64 has a colon.
_RETIRED = re.compile(r"([0-9a-f]{12}):([0-9a-f]{64}):([0-9a-f]{64})")
_OTHERS = "NOTICE_GATEWAY_MASTER_KEYS_PREVIOUS"


def ring_of(active: str, others: str) -> KeyRing:
    """Return the ring of a master key and of `others`, which still read: separated by commas. Raises WeakKeyError."""
    writes = from_text(active, source="NOTICE_GATEWAY_MASTER_KEY")
    reads: dict[str, Keys] = {}
    audits: dict[str, bytes] = {}
    secrets: dict[str, bytes] = {}
    for word in filter(None, (each.strip() for each in others.split(","))):
        if ":" in word:
            found = _RETIRED.fullmatch(word)
            if found is None:
                raise WeakKeyError(source=_OTHERS, why="a word with a colon is not what `keys retire` printed")
            audits[found[1]], secrets[found[1]] = bytes.fromhex(found[2]), bytes.fromhex(found[3])
        else:
            keys = from_text(word, source=_OTHERS)
            reads[keys.key_id] = keys
    reads.pop(writes.key_id, None)
    return KeyRing(writes, others=tuple(reads.values()), retired=audits, retired_secrets=secrets)


def retired_word(keys: Keys) -> str:
    """Return what takes the place of a master key in the environment once it is retired."""
    return f"{keys.key_id}:{keys.audit.hex()}:{keys.secrets.hex()}"
