"""The simulated call's one clock, and everything that happens on it: keys, sounds, the timeline.

Nothing here sleeps. `wait` moves the clock, unless a key or the caller's hang-up comes first.
"""

from collections import deque
from dataclasses import dataclass

from gateway.audio.mixdown import TICKS_PER_SECOND, Segment
from gateway.workflows.simulate_call import (
    LONGEST_CALL_SECONDS,
    SPOKEN_NAMES,
    CallScript,
    Heard,
    Party,
    TimelineEntry,
)


class CallerGoneError(Exception):
    """The caller's line is down; whatever was going on ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice or prompt that is about to sound: what it is, and its sound as 16 bit PCM at 8 kHz."""

    kind: str
    order: str = ""
    prompt: str = ""
    pcm: bytes


def ticks_of(seconds: float) -> int:
    """Return `seconds` on the scene's clock, to the nearest tick."""
    return round(seconds * TICKS_PER_SECOND)


class Scene:
    """What has happened so far; `now` is in ticks since the first document."""

    def __init__(self, script: CallScript) -> None:
        """Set the clock to zero and put the script's keys in order."""
        self.now = 0
        self.heard: list[Heard] = []
        self._entries: list[TimelineEntry] = []
        self._segments: dict[Party, list[Segment]] = {Party.CALLER: [], Party.CALLEE: []}
        self._keys = deque(sorted((ticks_of(key.at), key.digit) for key in script.keys))
        self._gives_up = script.hangup_at <= LONGEST_CALL_SECONDS
        # <Dial> has a timeLimit of four hours unless told otherwise, which is also the longest call of an account.
        self._hangup = ticks_of(min(script.hangup_at, LONGEST_CALL_SECONDS))

    @property
    def seconds(self) -> float:
        """Return the time in seconds."""
        return self.now / TICKS_PER_SECOND

    def note(self, party: Party, what: str, *, at: int | None = None, trouble: bool = False) -> None:
        """Write `what` happened at `at`, or now, into the timeline."""
        seconds = (self.now if at is None else at) / TICKS_PER_SECOND
        self._entries.append(TimelineEntry(at=seconds, party=party, what=what, trouble=trouble))

    def trouble(self, what: str) -> None:
        """Write what should not have happened into the timeline."""
        self.note(Party.PROVIDER, what, trouble=True)

    def wait(self, ticks: int, listener: Party | None = None) -> str:
        """Let time pass; return the key that `listener` pressed meanwhile, or an empty string.

        Raises CallerGoneError. A key that falls at the very end belongs to whatever comes next, and a line that goes
        down carries no key.
        """
        end = self.now + ticks
        while self._keys and self._keys[0][0] < min(end, self._hangup):
            at, digit = self._keys.popleft()
            if listener is not None:
                self.now = max(self.now, at)
                self.note(listener, f"presses {digit}")
                return digit
            self.note(Party.PROVIDER, f"key {digit} is not heard: nobody is being listened to", at=at)
        if self._hangup < end:
            self.now = max(self.now, self._hangup)
            self.note(Party.CALLER, "hangs up" if self._gives_up else "is cut off: a call lasts four hours at most")
            raise CallerGoneError
        self.now = end
        return ""

    def play(self, party: Party, notice: Notice, listener: Party | None = None) -> str:
        """Let `party` hear `notice` until it ends or is interrupted; return the key as `wait` does."""
        began = self.now
        try:
            return self.wait(len(notice.pcm) // Segment.BYTES_PER_TICK, listener)
        finally:
            if self.now > began:
                self._hear(party, notice, began)

    def _hear(self, party: Party, notice: Notice, began: int) -> None:
        seconds = (self.now - began) / TICKS_PER_SECOND
        self.keep(party, began, notice.pcm[: (self.now - began) * Segment.BYTES_PER_TICK])
        self.heard.append(
            Heard(party=party, kind=notice.kind, order=notice.order, prompt=notice.prompt, seconds=seconds)
        )
        of_order = f" of order {notice.order}" if notice.order else ""
        self.note(party, f"hears {SPOKEN_NAMES.get(notice.kind, notice.kind)}{of_order} for {seconds:.2f} s", at=began)

    def keep(self, party: Party, at: int, pcm: bytes) -> None:
        """Record that `party` heard `pcm` from `at` on."""
        if pcm:
            self._segments[party].append(Segment(at=at, pcm=pcm))

    def end(self) -> None:
        """Report the keys for which the call was too short."""
        while self._keys:
            at, digit = self._keys.popleft()
            self.note(Party.PROVIDER, f"key {digit} is not heard: the call is over", at=at)

    def timeline(self) -> tuple[TimelineEntry, ...]:
        """Return what happened, in order of time."""
        return tuple(sorted(self._entries, key=lambda entry: entry.at))

    def sounds(self) -> dict[Party, tuple[Segment, ...]]:
        """Return what each party heard."""
        return {party: tuple(segments) for party, segments in self._segments.items()}
