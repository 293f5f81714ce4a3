"""Codes of an authenticator app: TOTP (RFC 6238), six digits, 30 seconds, one step of drift, each step good once."""

import hmac
from datetime import datetime

import pyotp

from gateway.people.errors import WrongCodeError

ISSUER = "Court notice gateway"
_SECONDS = 30
_DIGITS = 6


def new_secret() -> str:
    """Return 160 random bits in base32, as RFC 4226 section 4 recommends."""
    return pyotp.random_base32()


def uri_of(secret: str, login: str) -> str:
    """Return the otpauth URI that an authenticator app reads, as a link or as a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def code_at(secret: str, now: datetime) -> str:
    """Return the code that an authenticator app with this secret shows."""
    return pyotp.TOTP(secret).at(now)


def step_of(secret: str, code: str, now: datetime, *, after: int) -> int:
    """Return the time step whose code this is; the last that was used is `after`. Raises WrongCodeError.

    Section 5.2 of RFC 6238: one step either side for clocks and networks, and never the same step twice.
    """
    given = "".join(code.split())
    if len(given) != _DIGITS or not given.isascii():
        raise WrongCodeError
    present = int(now.timestamp()) // _SECONDS
    totp = pyotp.TOTP(secret)
    right = [
        step
        for step in (present - 1, present, present + 1)
        if hmac.compare_digest(totp.generate_otp(step).encode(), given.encode())
    ]
    fresh = [step for step in right if step > after]
    if not fresh:
        raise WrongCodeError
    return fresh[0]
