"""A simulated call as values: the script that is played against a running gateway, and what came of it.

The provider's part is played by `gateway.providers.twilio.player`, and the command shows the result; neither knows the
other, and both know these types. Times are seconds on the call's own virtual clock, which starts when the first
document has been fetched.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from gateway.audio.mixdown import Segment
from gateway.domain.errors import GatewayError

DEFAULT_CALLER = "+12025550199"
DEFAULT_RING_SECONDS = 1.0
LONGEST_CALL_SECONDS = 14400.0
KEYS = "0123456789*#"
# What a sound is called in a timeline that people read; a kind that is not listed is called by its own name.
SPOKEN_NAMES = {
    "public": "the public notice",
    "warning": "the warning",
    "opener": "the private opener",
    "private": "the private notice",
    "acknowledged": "the reply to key 2",
    "contested": "the reply to key 3",
    "wrong_person": "the reply to key 9",
}
NOT_EXPLAINED = "not_explained"
UNKNOWN_KIND = "unknown"


class GatewayUnreachableError(GatewayError):
    """Nothing answered at {url} ({why}). Start the gateway with `notice-gateway serve`, or correct PUBLIC_ORIGIN."""

    code = "gateway_unreachable"


class CallRefusedError(GatewayError):
    """{url} answered 403: it does not accept our signature. Give this command the gateway's origin and auth token."""

    code = "call_refused"


class Party(Enum):
    """Whose telephone it happened at; the provider is neither caller nor callee."""

    CALLER = "caller"
    CALLEE = "callee"
    PROVIDER = "provider"


class CalleeBehaviour(Enum):
    """What the called party does."""

    ANSWERS = "answers"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    REJECTS = "rejects"


class Disposition(Enum):
    """How the call ended."""

    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    CANCELED = "canceled"
    FAILED = "failed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPress:
    """A key pressed `at` seconds by whoever is being listened to at that moment."""

    digit: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallScript:
    """What the two parties do; `hangup_at` is when the caller hangs up, infinite for never."""

    callee: str
    caller: str = DEFAULT_CALLER
    keys: tuple[KeyPress, ...] = ()
    hangup_at: float = float("inf")
    behaviour: CalleeBehaviour = CalleeBehaviour.ANSWERS
    ring_seconds: float = DEFAULT_RING_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What the gateway says about one answer of its own; `prompts` maps a rendition's SHA-256 to its purpose."""

    decision: str
    reason: str
    order: str
    prompts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One notice or prompt as it was audible: `prompt` is the rendition's SHA-256 (hex), `seconds` how long."""

    party: Party
    kind: str
    order: str
    prompt: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """Something that happened `at` seconds; `trouble` marks what should not have happened."""

    at: float
    party: Party
    what: str
    trouble: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSeen:
    """One request of the provider to the gateway: `path` has no query, `status` is 0 where no answer came."""

    path: str
    status: int
    ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedCall:
    """What came of a script. `ticks` is the call's length in 1/8000 s, `sounds` what each party heard."""

    decision: str
    reason: str
    heard: tuple[Heard, ...]
    timeline: tuple[TimelineEntry, ...]
    webhooks: tuple[WebhookSeen, ...]
    connected_to: str | None
    disposition: Disposition
    ticks: int
    sounds: Mapping[Party, tuple[Segment, ...]] = field(default_factory=dict)

    def heard_by(self, party: Party) -> tuple[Heard, ...]:
        """Return what `party` heard, in order."""
        return tuple(each for each in self.heard if each.party is party)


def to_json(played: PlayedCall) -> dict[str, object]:
    """Return the one object that `notice-gateway call --json` prints; its names are fixed."""
    return {
        "decision": played.decision,
        "reason": played.reason,
        "caller_heard": [_heard_to_json(each) for each in played.heard_by(Party.CALLER)],
        "callee_heard": [_heard_to_json(each) for each in played.heard_by(Party.CALLEE)],
        "connected_to": played.connected_to,
        "disposition": played.disposition.value,
        "webhooks": [{"path": each.path, "status": each.status, "ms": each.ms} for each in played.webhooks],
    }


def _heard_to_json(heard: Heard) -> dict[str, object]:
    return {"kind": heard.kind, "order": heard.order, "prompt": heard.prompt, "seconds": round(heard.seconds, 2)}
