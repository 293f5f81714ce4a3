"""A tried call as values: the script, what is heard under it, and a timeline in stable words that consoles translate.

Times are seconds on the call's own virtual clock, which starts when the call comes in.
"""

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from gateway.domain.errors import GatewayError, NaiveTimeError
from gateway.domain.notice import Purpose
from gateway.domain.plan import Decision, Reason
from gateway.domain.standing import Ground
from gateway.workflows.simulate_call import DEFAULT_CALLER, DEFAULT_RING_SECONDS, KEYS, Heard, KeyPress, Party

MOST_KEYS = 20
LATEST_KEY_SECONDS = 120.0
LONGEST_RING_SECONDS = 60.0
FARTHEST = timedelta(days=366)


class UnusableScriptError(GatewayError):
    """This call cannot be tried: {why}."""

    code = "call_script"


@dataclass(frozen=True, slots=True, kw_only=True)
class TryScript:
    """Who calls whom at which instant, and the keys pressed by whoever is listened to at that moment.

    An empty `caller` withholds the number. `at` is the instant at which the call comes in.
    """

    callee: str = field(repr=False)
    at: datetime
    caller: str = field(default=DEFAULT_CALLER, repr=False)
    keys: tuple[KeyPress, ...] = ()
    ring_seconds: float = DEFAULT_RING_SECONDS


class What(Enum):
    """What happens in a tried call; each word says which further fields of its entry are filled."""

    CALLS = "calls"
    DECIDES = "decides"  # decision, reason, order_id
    HEARS = "hears"  # seconds, purpose, language, order_id
    SOUND_MISSING = "sound_missing"  # purpose, language, order_id
    PRESSES = "presses"  # digit
    KEY_NOT_LISTENED_TO = "key_not_listened_to"  # digit
    KEY_AFTER_THE_END = "key_after_the_end"  # digit
    HEARS_RINGING = "hears_ringing"  # seconds
    RINGS = "rings"
    ANSWERS = "answers"
    WOULD_SUSPEND_LINE = "would_suspend_line"  # ground, order_id
    WOULD_ACKNOWLEDGE = "would_acknowledge"  # order_id
    BRIDGES = "bridges"
    TALKS = "talks"  # seconds
    IS_NOT_CONNECTED = "is_not_connected"
    ENDS = "ends"
    IS_CUT_OFF = "is_cut_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedEntry:
    """Something that happens `at` seconds, at whose telephone; `seconds` is how long it lasts, 0 for an instant."""

    at: float
    party: Party
    what: What
    seconds: float = 0.0
    digit: str = ""
    purpose: Purpose | None = None
    language: str = ""
    order_id: str = ""
    decision: Decision | None = None
    reason: Reason | None = None
    ground: Ground | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedCall:
    """What would be heard. `decision`, `reason` and `order_id` are those of the first answer to the provider.

    Both recordings are 8 kHz, 16 bit, mono WAV files, equal in length to the sample: `seconds`.
    """

    decision: Decision
    reason: Reason
    order_id: str
    timeline: tuple[TriedEntry, ...]
    heard: tuple[Heard, ...]
    caller_wav: bytes = field(repr=False)
    callee_wav: bytes = field(repr=False)
    seconds: float

    def heard_by(self, party: Party) -> tuple[Heard, ...]:
        """Return what `party` hears, in order."""
        return tuple(each for each in self.heard if each.party is party)


def demand_usable(script: TryScript, now: datetime) -> None:
    """Refuse what would be endless or senseless to try. Raises UnusableScriptError, NaiveTimeError."""
    if script.at.tzinfo is None:
        raise NaiveTimeError(field="at")
    if abs(script.at - now) > FARTHEST:
        raise UnusableScriptError(why="its instant is more than a year away; choose one within a year of now")
    if len(script.keys) > MOST_KEYS:
        raise UnusableScriptError(why=f"it has {len(script.keys)} keys; leave at most {MOST_KEYS}")
    for key in script.keys:
        if len(key.digit) != 1 or key.digit not in KEYS:
            raise UnusableScriptError(why=f"a key is none of {' '.join(KEYS)}; name one of these")
        _demand_within(key.at, LATEST_KEY_SECONDS, "a key is pressed")
    _demand_within(script.ring_seconds, LONGEST_RING_SECONDS, "the telephone is answered")


def _demand_within(seconds: float, most: float, what: str) -> None:
    if not (math.isfinite(seconds) and 0 <= seconds <= most):
        raise UnusableScriptError(why=f"{what} after {seconds:g} s; give 0 to {most:g} s")
