"""X-Notice-Gateway-Signature: `t=<unix seconds>,v1=<hex>`, an HMAC-SHA256 keyed with the secret of gateway and bridge.

What is signed is `<t>.<request target>.<body>`: a signature holds for one body at one address, and for a minute. Within
that minute a repetition is a repeated webhook, which the register absorbs.
"""

import hmac
import re
from collections.abc import Callable, Iterable
from datetime import datetime

from gateway.providers.dialect import Delivery, SignatureRefusedError

HEADER = "X-Notice-Gateway-Signature"
TOLERANCE_SECONDS = 60
_FORM = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


def sign(secret: str, target: str, body: bytes, now: datetime) -> str:
    """Return the value of the header for a request to `target` (path and query) at `now`."""
    seconds = int(now.timestamp())
    return f"t={seconds},v1={_digest(secret.encode(), seconds, target, body)}"


class SignatureCheck:
    """Checks requests against one or more secrets, the primary first."""

    def __init__(self, secrets: Iterable[str], clock: Callable[[], datetime]) -> None:
        """Accept what any of `secrets` signed within a minute of `clock`."""
        self._secrets = tuple(secret.encode() for secret in secrets)
        self._clock = clock

    def demand(self, delivery: Delivery) -> None:
        """Let an authentic request pass. Raises SignatureRefusedError."""
        if not delivery.signature:
            raise SignatureRefusedError(why="missing")
        form = _FORM.fullmatch(delivery.signature)
        if form is None:
            raise SignatureRefusedError(why="wrong")
        seconds, given = int(form[1]), form[2]
        if not self._is_signed(delivery, seconds, given):
            raise SignatureRefusedError(why="wrong")
        if abs(self._clock().timestamp() - seconds) > TOLERANCE_SECONDS:
            raise SignatureRefusedError(why="too old or too new")

    def _is_signed(self, delivery: Delivery, seconds: int, given: str) -> bool:
        return any(
            hmac.compare_digest(_digest(secret, seconds, delivery.target, delivery.body), given)
            for secret in self._secrets
        )


def _digest(secret: bytes, seconds: int, target: str, body: bytes) -> str:
    signed = f"{seconds}.{target}.".encode(errors="replace") + body
    return hmac.digest(secret, signed, "sha256").hex()
