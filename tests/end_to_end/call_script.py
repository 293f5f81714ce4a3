"""What people do in a call, and what came of it: values of the independent program that plays Twilio."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

Party = Literal["caller", "callee"]
_callers = count()


def a_caller() -> str:
    """Return a number that no other call of this process has: a number reserved for fiction (Ofcom, 01632 960)."""
    return f"+441632960{next(_callers) % 1000:03}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A key that `party` presses `after` seconds of the prompt with this number, counted from 0 for each party."""

    party: Party
    prompt: int
    key: str
    after: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What people do in a call; `while_ringing` runs between the dialling and the answer."""

    callee: str
    caller: str = field(default_factory=a_caller)
    presses: tuple[Press, ...] = ()
    callee_is: Literal["answering", "busy", "no-answer", "failed"] = "answering"
    while_ringing: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A prompt as it was heard: `prompt` is the file's name without its extension, `length` what it has in full."""

    prompt: str
    seconds: float
    length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One request that was answered, and the leg it was about; `attempts` counts deliveries of the same request."""

    path: str
    party: Party
    call_sid: str
    parent_sid: str
    status: int
    ms: float
    attempts: int
    body: bytes


@dataclass(slots=True, kw_only=True)
class Record:
    """What came of a call. `connected_to` is empty where the two never spoke; `trouble` says what broke."""

    caller_heard: list[Sound] = field(default_factory=list)
    callee_heard: list[Sound] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)
    connected_to: str = ""
    status: str = "in-progress"
    webhooks: list[Webhook] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)

    def heard_by(self, party: Party) -> list[Sound]:
        return self.caller_heard if party == "caller" else self.callee_heard

    def prompts(self, party: Party) -> list[str]:
        return [sound.prompt for sound in self.heard_by(party)]

    def paths(self) -> list[str]:
        return [webhook.path for webhook in self.webhooks]

    @property
    def is_plain(self) -> bool:
        """Tell whether nobody heard anything and the two were connected."""
        return not self.caller_heard and not self.callee_heard and bool(self.connected_to) and not self.trouble
