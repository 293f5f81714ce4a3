"""Keys that parties press, as rtpengine reports them: one JSON object a UDP packet (`--dtmf-log-dest`)."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

# RFC 4733, 3.2: events 0 to 9 are the digits, 10 is the star, 11 the hash, 12 to 15 are A to D.
_KEYS = "0123456789*#ABCD"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPressed:
    """`key` was pressed on the leg that rtpengine knows as `tag`."""

    call: str
    tag: str
    key: str


def read_key(packet: bytes) -> KeyPressed | None:
    """Return the key in a packet, or None where there is none to be read."""
    try:
        told = json.loads(packet)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or told.get("type") != "DTMF":
        return None
    call, tag, event = told.get("callid"), told.get("source_tag"), told.get("event")
    if not isinstance(call, str) or not isinstance(tag, str) or not tag:
        return None
    if not isinstance(event, int) or isinstance(event, bool) or not 0 <= event < len(_KEYS):
        return None
    return KeyPressed(call=call, tag=tag, key=_KEYS[event])


class KeyListener(asyncio.DatagramProtocol):
    """Hears keys and passes them on; junk is counted."""

    def __init__(self, take: Callable[[KeyPressed], None], junk: Callable[[], None]) -> None:
        """Pass keys to `take`."""
        self._take = take
        self._junk = junk

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002  (it listens on loopback)
        """Take one packet."""
        pressed = read_key(data)
        if pressed is None:
            self._junk()
        else:
            self._take(pressed)
