"""Reading the gateway's answer into frozen steps. What cannot be read is an error, and an error connects."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from gateway.providers.sip.bridge.errors import JunkError
from gateway.providers.sip.facts import VERSION

MOST_STEPS = 8
_LONGEST_WAIT = 15
_FILE = re.compile(r"[0-9a-f]{64}\.wav")
_ADDRESS = re.compile(r"/sip/[a-z]+\?t=[A-Za-z0-9_-]+")
_MARK = re.compile(r"[A-Za-z0-9_-]{0,64}")
# What ends up in a request line of SIP: neither space nor quote nor angle bracket, and no control character.
_URI = re.compile(r"(?:tel:\+[0-9]{7,15}|sips?:[^\x00-\x20\x7f<>\"]{1,256})?", re.IGNORECASE)


class Leg(Enum):
    """Who hears a sound."""

    CALLER = "caller"
    CALLEE = "callee"


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """Play recordings to a leg, wait some seconds for a key, and tell `following` (a path, empty for nobody)."""

    leg: Leg
    files: tuple[str, ...] = field(repr=False)
    wait_seconds: float
    following: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """Connect the call; `whisper` is where the news goes that the callee has picked up, empty for nowhere."""

    to: str = field(default="", repr=False)
    mark: str = ""
    whisper: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class BridgeLegs:
    """Let the legs hear each other."""


@dataclass(frozen=True, slots=True)
class EndCall:
    """End the call."""


Step = Play | Connect | BridgeLegs | EndCall


def read_steps(body: bytes) -> tuple[Step, ...]:
    """Return the steps in an answer. Raises JunkError."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _junk("no JSON") from error
    if not isinstance(told, dict) or told.get("version") != VERSION:
        raise _junk("another version")
    steps = told.get("steps")
    if not isinstance(steps, list) or not 0 < len(steps) <= MOST_STEPS:
        raise _junk("no steps")
    return tuple(_step(each) for each in steps)


def _step(told: object) -> Step:
    match told:
        case {"play": dict(play)}:
            return _play(play)
        case {"connect": dict(connect)}:
            return Connect(
                to=_matching(_URI, connect.get("to")),
                mark=_matching(_MARK, connect.get("mark", "")),
                whisper=_address(connect.get("whisper", "")),
            )
        case {"bridge": {}}:
            return BridgeLegs()
        case {"end": {}}:
            return EndCall()
        case _:
            raise _junk("an unknown step")


def _play(told: Mapping[str, Any]) -> Play:
    files, wait = told.get("files"), told.get("wait_seconds")
    if not isinstance(files, list) or not 0 < len(files) <= MOST_STEPS:
        raise _junk("no files")
    if isinstance(wait, bool) or not isinstance(wait, int | float) or not 0 <= wait <= _LONGEST_WAIT:
        raise _junk("no time to wait")
    try:
        leg = Leg(told.get("to"))
    except ValueError as error:
        raise _junk("nobody to play to") from error
    following = _address(told.get("next", ""))
    return Play(
        leg=leg,
        files=tuple(_matching(_FILE, each) for each in files),
        wait_seconds=float(wait),
        following=following,
    )


def _address(text: object) -> str:
    return "" if text == "" else _matching(_ADDRESS, text)


def _matching(pattern: re.Pattern[str], text: object) -> str:
    if not isinstance(text, str) or pattern.fullmatch(text) is None:
        raise _junk("an unlikely value")
    return text


def _junk(why: str) -> JunkError:
    return JunkError(neighbour="the gateway", why=why)
