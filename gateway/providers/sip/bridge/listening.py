"""Playing to one leg while its keys are listened to."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from gateway.providers.sip.bridge.errors import MediaError
from gateway.providers.sip.bridge.keys import KeyPressed
from gateway.providers.sip.bridge.media import Media
from gateway.providers.sip.bridge.sounds import Sound
from gateway.providers.sip.bridge.steps import Play

# What rtpengine says of a file's length is believed within this.
_SLACK_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came of a play: the key that ended it (empty for none), and how long it was heard."""

    key: str
    milliseconds: int

    @property
    def why(self) -> str:
        """Return the word for log and metrics."""
        return "key" if self.key else "heard"


class Listening:
    """The ear of one call: at most one leg is listened to at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Listen to nobody."""
        self._loop = loop
        self._tag = ""
        self._key: asyncio.Future[str] | None = None
        self._last_key = float("-inf")
        self._began: float | None = None
        self._milliseconds = 0.0

    @property
    def so_far(self) -> Heard:
        """Return how long the last play was heard, if it was cut short: nothing where it never began."""
        return Heard(key="", milliseconds=round(self._milliseconds))

    def press(self, pressed: KeyPressed) -> None:
        """Take a key of any leg: only the one that hears the notice may end it."""
        self._last_key = self._loop.time()
        if self._key is not None and not self._key.done() and pressed.tag == self._tag:
            self._key.set_result(pressed.key)

    def seconds_to_settle(self, quiet: float) -> float:
        """Return how long to wait until no key has been pressed for `quiet` seconds."""
        return max(0.0, self._last_key + quiet - self._loop.time())

    async def play(self, media: Media, call: str, tag: str, sounds: tuple[Sound, ...], play: Play) -> Heard:
        """Play `sounds` to the leg `tag`, one after the other; where somebody follows, a key ends them."""
        self._tag = tag if play.following else ""
        self._key = key = self._loop.create_future()
        self._milliseconds = 0.0
        try:
            for sound in sounds:
                seconds = min(await media.play(call, tag, sound), sound.seconds + _SLACK_SECONDS)
                self._began = self._loop.time()
                await asyncio.wait({key}, timeout=seconds)
                self._pause()
                if key.done():
                    with suppress(MediaError):
                        await media.stop(call, tag)
                    return Heard(key=key.result(), milliseconds=round(self._milliseconds))
            if play.wait_seconds and play.following:
                await asyncio.wait({key}, timeout=play.wait_seconds)
            return Heard(key=key.result() if key.done() else "", milliseconds=round(self._milliseconds))
        finally:
            self._key = None
            key.cancel()
            self._pause()

    def _pause(self) -> None:
        """Add what has been heard since the last file began."""
        if self._began is not None:
            self._milliseconds += 1000 * (self._loop.time() - self._began)
            self._began = None
