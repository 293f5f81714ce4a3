"""Claims: a request that carries an Idempotency-Key is carried out once, however often it is sent.

The claim is taken in the transaction of the change, so that either both are there or neither is. The answer is added
afterwards; where a crash comes between, the repeated request is told that its work was done and its answer lost.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import IntegrityError

from gateway.domain.errors import GatewayError
from gateway.errands.tables import claims
from gateway.privacy.field import FieldCipher


class AlreadyDoneError(GatewayError):
    """A request with this Idempotency-Key was carried out before, and its answer is not kept; read the resource."""

    code = "already_done"


class ClaimMismatchError(GatewayError):
    """This Idempotency-Key was used for another request; use a new key for each new request."""

    code = "idempotency_mismatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Whose request it is (actor, method, path and Idempotency-Key, hashed), and a hash of all that it asks for."""

    name: bytes
    fingerprint: bytes

    @classmethod
    def of(cls, *, actor_id: str, method: str, path: str, key: str, content: bytes) -> "Claim":
        """Return the claim of a request; `content` is its body, or the hash of it."""
        name = hashlib.sha256(f"{actor_id}\x00{method}\x00{path}\x00{key}".encode()).digest()
        return cls(name=name, fingerprint=hashlib.sha256(content).digest())


def take(connection: Connection, claim: Claim, now: datetime) -> None:
    """Take a claim in the caller's transaction. Raises AlreadyDoneError, ClaimMismatchError."""
    insert = claims.insert().values(claim=claim.name, fingerprint=claim.fingerprint, taken_at=now)
    try:
        with connection.begin_nested():
            connection.execute(insert)
    except IntegrityError as error:
        found = connection.execute(select(claims.c.fingerprint).where(claims.c.claim == claim.name)).scalar()
        if found != claim.fingerprint:
            raise ClaimMismatchError from error
        raise AlreadyDoneError from error


def demand_free(connection: Connection, claim: Claim) -> None:
    """Refuse what `take` would refuse, before work that takes long. Raises AlreadyDoneError, ClaimMismatchError."""
    found = connection.execute(select(claims.c.fingerprint).where(claims.c.claim == claim.name)).scalar()
    if found is None:
        return
    if found != claim.fingerprint:
        raise ClaimMismatchError
    raise AlreadyDoneError


def answer_to(connection: Connection, claim: Claim, cipher: FieldCipher) -> str | None:
    """Return the kept answer, or None where the claim is free. Raises AlreadyDoneError, ClaimMismatchError."""
    row = connection.execute(
        select(claims.c.fingerprint, claims.c.answer).where(claims.c.claim == claim.name)
    ).one_or_none()
    if row is None:
        return None
    if row.fingerprint != claim.fingerprint:
        raise ClaimMismatchError
    if row.answer is None:
        raise AlreadyDoneError
    return cipher.decrypt(row.answer, place=_place(claim))


def keep_answer(connection: Connection, claim: Claim, answer: str, cipher: FieldCipher) -> None:
    """Keep the answer to a request beside its claim, encrypted: it may hold what is shown once."""
    connection.execute(
        update(claims).where(claims.c.claim == claim.name).values(answer=cipher.encrypt(answer, place=_place(claim)))
    )


def forget(connection: Connection, before: datetime) -> int:
    """Remove claims taken before an instant and return how many there were."""
    return connection.execute(delete(claims).where(claims.c.taken_at < before)).rowcount


def _place(claim: Claim) -> str:
    return f"claims.answer:{claim.name.hex()}"
