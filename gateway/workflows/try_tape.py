"""A tried call's one clock and two recordings: keys, sounds and the timeline. Nothing here sleeps."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from gateway.audio.mixdown import TICKS_PER_SECOND, Segment, mix, to_wav
from gateway.workflows.simulate_call import Heard, KeyPress, Party
from gateway.workflows.try_script import TriedEntry, What

# Five minutes of two recordings are 10 MB; the longest recording of a court lasts one.
LONGEST_SECONDS = 300.0


class TapeFullError(Exception):
    """The call goes on for longer than is recorded here."""


def ticks_of(seconds: float) -> int:
    """Return `seconds` on the tape's clock, to the nearest tick."""
    return round(seconds * TICKS_PER_SECOND)


class Tape:
    """What has happened so far; `now` is in ticks since the call came in."""

    def __init__(self, keys: Sequence[KeyPress]) -> None:
        """Set the clock to zero and put the keys in order."""
        self.now = 0
        self.heard: list[Heard] = []
        self._entries: list[TriedEntry] = []
        self._segments: dict[Party, list[Segment]] = {Party.CALLER: [], Party.CALLEE: []}
        self._keys = deque(sorted((ticks_of(key.at), key.digit) for key in keys))
        self._full = ticks_of(LONGEST_SECONDS)

    @property
    def seconds(self) -> float:
        """Return the time in seconds."""
        return self.now / TICKS_PER_SECOND

    def note(self, entry: TriedEntry) -> None:
        """Write `entry` into the timeline."""
        self._entries.append(entry)

    def note_now(self, party: Party, what: What) -> None:
        """Write what happens at this moment and has nothing more to be told of it."""
        self.note(TriedEntry(at=self.seconds, party=party, what=what))

    def wait(self, ticks: int, listener: Party | None = None) -> str:
        """Let time pass; return the key that `listener` pressed meanwhile, or an empty string.

        A key that falls at the very end belongs to whatever comes next. Raises TapeFullError.
        """
        end = self.now + ticks
        while self._keys and self._keys[0][0] < min(end, self._full):
            at, digit = self._keys.popleft()
            if listener is not None:
                self.now = max(self.now, at)
                self._note_key(listener, What.PRESSES, digit, self.now)
                return digit
            self._note_key(Party.PROVIDER, What.KEY_NOT_LISTENED_TO, digit, at)
        if end > self._full:
            self.now = self._full
            raise TapeFullError
        self.now = end
        return ""

    def play(self, pcm: bytes, heard: Heard, entry: TriedEntry, listener: Party | None) -> str:
        """Let a party hear `pcm` until it ends or is interrupted; return the key as `wait` does.

        `heard` and `entry` say what it is, and are completed with how long it was heard.
        """
        began = self.now
        try:
            return self.wait(len(pcm) // Segment.BYTES_PER_TICK, listener)
        finally:
            seconds = (self.now - began) / TICKS_PER_SECOND
            if seconds:
                self.keep(heard.party, began, pcm[: (self.now - began) * Segment.BYTES_PER_TICK])
                self.heard.append(replace(heard, seconds=seconds))
                self.note(replace(entry, at=began / TICKS_PER_SECOND, seconds=seconds))

    def keep(self, party: Party, at: int, pcm: bytes) -> None:
        """Record that `party` hears `pcm` from `at` on."""
        if pcm:
            self._segments[party].append(Segment(at=at, pcm=pcm))

    def end(self) -> None:
        """Note the keys for which the call is too short."""
        while self._keys:
            at, digit = self._keys.popleft()
            self._note_key(Party.PROVIDER, What.KEY_AFTER_THE_END, digit, at)

    def timeline(self) -> tuple[TriedEntry, ...]:
        """Return what happens, in order of time."""
        return tuple(sorted(self._entries, key=lambda entry: entry.at))

    def recording_of(self, party: Party) -> bytes:
        """Return everything that `party` hears, as a WAV file that lasts as long as the call."""
        return to_wav(mix(self._segments[party], self.now))

    def _note_key(self, party: Party, what: What, digit: str, at: int) -> None:
        self.note(TriedEntry(at=at / TICKS_PER_SECOND, party=party, what=what, digit=digit))
