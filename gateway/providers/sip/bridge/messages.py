"""What Kamailio tells of a call, read into frozen values."""

from dataclasses import dataclass, field

from gateway.domain.facts import Outcome
from gateway.providers.sip.bridge.errors import JunkError
from gateway.providers.sip.bridge.link import Message

_LONGEST_NAME = 256
_LONGEST_SDP = 65_536
# How a call was over, in Kamailio's word; what came to an end after it was up is completed, whoever hung up.
_OUTCOMES = {
    "cancel": Outcome.CANCELED,
    "bye": Outcome.COMPLETED,
    "completed": Outcome.COMPLETED,
    "failed": Outcome.FAILED,
    "busy": Outcome.BUSY,
    "no-answer": Outcome.NO_ANSWER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """A call has come in and waits; `caller` and `callee` are the user parts of their addresses."""

    call: str = field(repr=False)
    caller_tag: str
    caller: str = field(repr=False)
    callee: str = field(repr=False)
    mark: str
    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The callee has picked up; the call is up, and its sound is kept from passing."""

    call: str = field(repr=False)
    callee_tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """The call is over, or came to nothing."""

    call: str = field(repr=False)
    outcome: Outcome


def read_message(told: Message) -> Invite | Answered | Gone:
    """Return what a message says. Raises JunkError."""
    call = _text(told, "call", _LONGEST_NAME)
    if not call:
        raise _junk("no call")
    match told.get("event"):
        case "invite":
            return Invite(
                call=call,
                caller_tag=_text(told, "from_tag", _LONGEST_NAME),
                caller=_text(told, "caller", _LONGEST_NAME),
                callee=_text(told, "callee", _LONGEST_NAME),
                mark=_text(told, "mark", _LONGEST_NAME),
                sdp=_text(told, "sdp", _LONGEST_SDP),
            )
        case "answered":
            return Answered(call=call, callee_tag=_text(told, "to_tag", _LONGEST_NAME))
        case "gone":
            how = _text(told, "how", _LONGEST_NAME)
            return Gone(call=call, outcome=_OUTCOMES.get(how, Outcome.COMPLETED))
        case _:
            raise _junk("an unknown event")


def _text(told: Message, name: str, longest: int) -> str:
    value = told.get(name)
    value = "" if value is None else value
    if not isinstance(value, str) or len(value) > longest:
        raise _junk(f"an unlikely {name}")
    return value


def _junk(why: str) -> JunkError:
    return JunkError(neighbour="kamailio", why=why)
