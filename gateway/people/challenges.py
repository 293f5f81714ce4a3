"""Challenges that are good once: sealed when given out, written down when used.

A sealed token keeps no row while it waits, so that nobody fills the database by asking for them. The row that its use
leaves behind refuses a second use, which a token alone could not.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, delete
from sqlalchemy.exc import IntegrityError

from gateway.domain.errors import GatewayError
from gateway.people.tables import spent

LIFETIME = timedelta(minutes=10)
_BYTES = 32


class ChallengeSpentError(GatewayError):
    """This sign-in was finished already; start again."""

    code = "challenge_spent"


def new_challenge() -> str:
    """Return 256 random bits as text."""
    return urlsafe_b64encode(secrets.token_bytes(_BYTES)).rstrip(b"=").decode()


def octets(challenge: str) -> bytes:
    """Return the bytes of a challenge."""
    return urlsafe_b64decode(challenge + "=" * (-len(challenge) % 4))


def spend(connection: Connection, challenge: str, now: datetime) -> None:
    """Use a challenge up. Raises ChallengeSpentError where it was used before."""
    row = {"challenge_hash": sha256(challenge.encode()).digest(), "until": now + LIFETIME}
    try:
        with connection.begin_nested():
            connection.execute(spent.insert().values(**row))
    except IntegrityError as error:
        raise ChallengeSpentError from error


def forget(connection: Connection, before: datetime) -> int:
    """Remove what was used and could not be used again anyway; return how many there were."""
    return connection.execute(delete(spent).where(spent.c.until < before)).rowcount
