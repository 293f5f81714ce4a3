"""The verbs of a TwiML document as values, with every default filled in and every URL resolved."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """Play the file at `url`, `loop` times over."""

    url: str
    loop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Speak `text`."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Be silent for `seconds`."""

    seconds: int


Prompt = Play | Say | Pause


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather:
    """Listen for keys during `prompts` and `timeout` seconds longer. `num_digits` 0 is unlimited."""

    prompts: tuple[Prompt, ...]
    action: str
    method: str
    timeout: int
    num_digits: int
    finish_on_key: str
    action_on_empty_result: bool
    listens: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Noun:
    """One party to dial: `kind` is Number, Sip or Client; `url` is the whisper's, empty for none."""

    kind: str
    text: str
    url: str
    method: str
    status_callback: str
    status_method: str
    status_events: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """Connect to the first of `nouns` that answers within `timeout` seconds; `action` is empty for none."""

    nouns: tuple[Noun, ...]
    action: str
    method: str
    timeout: int
    answer_on_bridge: bool
    caller_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """Go on with the document at `url`."""

    url: str
    method: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """End this leg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Refuse the call without answering it; `reason` is rejected or busy."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A verb that this reader does not know; it is passed over."""

    name: str


Verb = Play | Say | Pause | Gather | Dial | Redirect | Hangup | Reject | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The verbs in order; `remarks` are what Twilio would pass over and log as warning 12200."""

    url: str
    verbs: tuple[Verb, ...]
    remarks: tuple[str, ...]
