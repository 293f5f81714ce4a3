"""What a dialect is: how one provider's webhooks are verified, read and answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from gateway.domain.errors import GatewayError
from gateway.domain.facts import CallFacts, Outcome
from gateway.domain.plan import CallPlan


class Event(Enum):
    """What a webhook tells; the value is the last part of its path."""

    CALL = "call"
    HEARD = "heard"
    WHISPER = "whisper"
    KEY = "key"
    DIALLED = "dialled"
    STATUS = "status"


class SignatureRefusedError(GatewayError):
    """The signature is {why}. Check the auth token and that the public origin is what the provider was given."""

    code = "signature_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One webhook as it came: `target` is the raw request target."""

    event: Event
    target: str
    content_type: str
    signature: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the provider gets back."""

    body: bytes
    content_type: str
    status: int = 200


Params = Mapping[str, tuple[str, ...]]


def first(params: Params, name: str) -> str:
    """Return the first value of a parameter, empty where it was not sent."""
    values = params.get(name)
    return values[0] if values else ""


class Dialect(Protocol):
    """One provider's wire format. A dialect reads and renders; it never decides."""

    name: str
    signature_header: str

    def verify(self, delivery: Delivery) -> Params:
        """Return the parameters of an authentic webhook. Raises SignatureRefusedError before anything is used."""
        ...

    def read(self, event: Event, params: Params, token: str, now: datetime) -> CallFacts:
        """Return what the webhook says. Raises TokenRefusedError; what cannot be read connects as the call came."""
        ...

    def ending_of(self, params: Params) -> Outcome | None:
        """Return how the caller's leg ended, or None where a status webhook tells of something else."""
        ...

    def render(self, plan: CallPlan, facts: CallFacts, now: datetime) -> Answer:
        """Write the plan down in the provider's words."""
        ...

    def fall_through(self, event: Event, params: Params) -> Answer:
        """Connect, bridge or end as the event wants it, from the bare parameters: the answer when all else failed."""
        ...
