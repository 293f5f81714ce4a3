"""Idempotency-Key: a POST that is sent again is answered again, and not carried out again.

The claim is taken by the workflow, in the transaction of the change. The answer is kept beside it afterwards,
encrypted. A refused request claims nothing: it may be mended and sent again under the same key.
"""

import hmac
import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from time import monotonic, sleep

from sqlalchemy import Engine

from gateway.domain.errors import GatewayError
from gateway.errands.claims import AlreadyDoneError, Claim, answer_to, keep_answer, take
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEY_PATTERN = "^[\\x21-\\x7e]{1,255}$"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
# The twin of a request that arrives together with it waits this long for the other's answer.
_PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.05


class BadKeyError(GatewayError):
    """The Idempotency-Key is not usable; send 1 to 255 printable ASCII characters without blanks, such as a UUID."""

    code = "bad_idempotency_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer as it is kept."""

    status: int
    headers: dict[str, str]
    body: str


def claim_of(key: str, *, actor_id: str, path: str, content: Iterable[bytes], ring: KeyRing) -> Claim:
    """Return the claim of a request. Raises BadKeyError.

    The content is hashed under a key: a body whose one unknown is a telephone number could be guessed from a plain
    hash.
    """
    if _KEY.fullmatch(key) is None:
        raise BadKeyError
    digest = hmac.new(ring.active.secrets, digestmod="sha256")
    for chunk in content:
        digest.update(chunk)
    return Claim.of(actor_id=actor_id, method="POST", path=path, key=key, content=digest.digest())


def anonymous(address: str) -> str:
    """Return whom the claim of somebody who is not signed in belongs to."""
    return "nobody-" + blake2b(address.encode(), digest_size=8).hexdigest()


def answer_before(engine: Engine, claim: Claim, ring: KeyRing) -> Kept | None:
    """Return the answer to an earlier sending, or None. Raises AlreadyDoneError, ClaimMismatchError."""
    with engine.connect() as connection:
        text = answer_to(connection, claim, FieldCipher(ring))
    return None if text is None else Kept(**json.loads(text))


def answer_of_twin(engine: Engine, claim: Claim, ring: KeyRing) -> Kept | None:
    """Return the answer to the same request, also to one that is being carried out just now; None where there is none.

    Raises AlreadyDoneError where the work was done and no answer came, ClaimMismatchError.
    """
    until = monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return answer_before(engine, claim, ring)
        except AlreadyDoneError:
            if monotonic() > until:
                raise
        sleep(_PAUSE_SECONDS)


def keep(engine: Engine, claim: Claim, kept: Kept, ring: KeyRing, now: datetime) -> None:
    """Keep an answer; a workflow that changed nothing has not taken the claim, so it is taken here."""
    text = json.dumps({"status": kept.status, "headers": kept.headers, "body": kept.body})
    with engine.begin() as connection:
        with suppress(AlreadyDoneError):
            take(connection, claim, now)
        keep_answer(connection, claim, text, FieldCipher(ring))
