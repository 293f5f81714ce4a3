"""What the bridge has rtpengine do with a call's sound.

Calls are named by Call-ID, and legs by the tag that rtpengine knows them by: "from-tag" chooses who hears a file.
"""

from gateway.providers.sip.bridge.announcer import announcers_answer
from gateway.providers.sip.bridge.errors import MediaError
from gateway.providers.sip.bridge.ng import NgClient
from gateway.providers.sip.bridge.sounds import Sound


class Media:
    """Commands to rtpengine about calls; each raises MediaError where it was not done."""

    def __init__(self, ng: NgClient) -> None:
        """Send commands through `ng`."""
        self._ng = ng

    async def announce(self, call: str, caller_tag: str, announcer_tag: str, sdp: str) -> str:
        """Answer a caller's offer in the place of an announcer; return the SDP for a 183.

        Both steps ask for "port latching", so that the ports stay when the true callee answers instead.
        """
        usual = {"call-id": call, "from-tag": caller_tag, "replace": ["origin"], "flags": ["port latching"]}
        offer = await self._ng.request("offer", {**usual, "sdp": sdp, "ICE": "remove"})
        try:
            theirs = announcers_answer(_text(offer.get("sdp")))
            answer = await self._ng.request(
                "answer", {**usual, "to-tag": announcer_tag, "sdp": theirs, "ICE": "remove"}
            )
            return _text(answer.get("sdp"))
        except MediaError:
            await self._ng.request("delete", {"call-id": call})
            raise

    async def play(self, call: str, tag: str, sound: Sound, *, times: int = 1) -> float:
        """Play a sound to a leg; return how long it takes, in seconds. Without a length nothing is heard."""
        answer = await self._ng.request(
            "play media", {"call-id": call, "from-tag": tag, "file": str(sound.path), "repeat-times": times}
        )
        duration = answer.get("duration")
        if not isinstance(duration, int) or duration <= 0:
            raise MediaError(why="nothing played")
        return duration / 1000

    async def stop(self, call: str, tag: str) -> None:
        """Stop what plays to a leg."""
        await self._ng.request("stop media", {"call-id": call, "from-tag": tag})

    async def block(self, call: str) -> None:
        """Let nothing pass between the legs; keys (RFC 4733) have a command of their own, or they would pass."""
        await self._ng.request("block media", {"call-id": call})
        await self._ng.request("block DTMF", {"call-id": call})

    async def unblock(self, call: str) -> None:
        """Let the legs hear each other."""
        await self._ng.request("unblock media", {"call-id": call})
        await self._ng.request("unblock DTMF", {"call-id": call})


def _text(value: object) -> str:
    if not isinstance(value, bytes) or not value:
        raise MediaError(why="no SDP")
    return value.decode(errors="replace")
