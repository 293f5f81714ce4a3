"""What a provider told us about a call, in words that no provider uses."""

from dataclasses import dataclass
from enum import Enum

from gateway.domain.e164 import E164, mask
from gateway.domain.notice import Purpose


class Capability(Enum):
    """What a provider can do during a call; what it cannot, `decide` leaves out openly."""

    PLAY_TO_CALLER = "play_to_caller"
    WHISPER = "whisper"
    KEYS = "keys"


@dataclass(frozen=True, slots=True, repr=False)
class Opaque:
    """A party as the provider named it when that is no E.164 number: withheld, alphabetic, short, a SIP user."""

    text: str

    def __str__(self) -> str:
        """Return what the provider wrote; only responses to the provider may hold it."""
        return self.text

    def __repr__(self) -> str:
        """Hide the middle, as for a number."""
        return f"Opaque({mask(self.text)})"


Party = E164 | Opaque


@dataclass(frozen=True, slots=True, kw_only=True)
class Telephone:
    """Connect by dialling `number` through the provider, over a BYOC trunk where `trunk_sid` names one."""

    number: str
    trunk_sid: str = ""

    def __repr__(self) -> str:
        """Hide the middle of the number."""
        return f"Telephone({mask(self.number)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class SipUri:
    """Connect by calling `uri` over SIP."""

    uri: str

    def __repr__(self) -> str:
        """Hide the middle of the address."""
        return f"SipUri({mask(self.uri)})"


Destination = Telephone | SipUri


class Urgency(Enum):
    """Whether a call may be held up at all."""

    ORDINARY = "ordinary"
    NEVER_DELAY = "never_delay"


class Outcome(Enum):
    """How the attempt to connect ended."""

    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Arriving:
    """The call has just come in; nobody has heard anything."""


@dataclass(frozen=True, slots=True)
class Looping:
    """The call has just come in, and it is one that we sent out ourselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerListened:
    """The caller heard the public notice of `order_id` to its end, or pressed `key`.

    `heard_ms` is how long it was truly heard, None where the provider does not tell.
    """

    order_id: str
    key: str
    heard_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalleeAnswered:
    """The callee has picked up and hears us alone; `order_id` is the order that asked for it."""

    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalleeListened:
    """The callee heard the `purpose` notice of `order_id` to its end, or pressed `key` (empty for none).

    `heard_ms` is how long it was truly heard, None where the provider does not tell.
    """

    order_id: str
    purpose: Purpose
    key: str
    heard_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DialEnded:
    """The connected call, or the attempt at it, is over; `whispered` tells whether a callee notice was asked for."""

    outcome: Outcome
    whispered: bool


Moment = Arriving | Looping | CallerListened | CalleeAnswered | CalleeListened | DialEnded


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """One webhook of one call, as `decide` sees it. `destination` is where the route table leads the callee's line."""

    provider: str
    provider_call_id: str
    caller: Party
    callee: Party
    destination: Destination
    capabilities: frozenset[Capability]
    urgency: Urgency = Urgency.ORDINARY
    moment: Moment
