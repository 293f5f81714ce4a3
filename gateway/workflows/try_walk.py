"""Walk through the plans of one call as a provider that can do everything would; the rules are those of `decide`.

The callee's telephone is spoken to while the caller hears ringing, and nothing that is played to the one is laid on the
recording of the other: `_play_to_caller` takes a public notice and nothing else.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from gateway.audio.library import Library
from gateway.audio.mixdown import (
    CALLEE_VOICE,
    CALLER_VOICE,
    TICKS_PER_SECOND,
    UndecodableSoundError,
    decode_wav,
    ring_back,
    tone,
)
from gateway.domain.decide import decide
from gateway.domain.facts import Arriving, CalleeAnswered, CalleeListened, CallerListened, CallFacts, Moment
from gateway.domain.notice import CalleeNotice, PublicNotice, Purpose, Rendition
from gateway.domain.plan import (
    Acknowledge,
    Bridge,
    CallPlan,
    Connect,
    End,
    PlayToCallee,
    PlayToCaller,
    SuspendLine,
)
from gateway.domain.standing import NoOrders, Standing
from gateway.workflows.simulate_call import Heard, Party
from gateway.workflows.try_script import TriedEntry, TryScript, What
from gateway.workflows.try_tape import Tape, TapeFullError, ticks_of

TALK_SECONDS = 2.0
# How long a key is waited for behind each notice; a test holds these to what callers and callees really get.
WAIT_FOR_KEY: Mapping[Purpose, float] = {
    Purpose.PUBLIC: 1.0,
    Purpose.WARNING: 1.0,
    Purpose.OPENER: 4.0,
    Purpose.PRIVATE: 5.0,
}


class Walk:
    """One call while it is tried; the register was asked beforehand, once."""

    def __init__(self, script: TryScript, facts: CallFacts, standing: Standing, library: Library) -> None:
        """Keep the collaborators; nothing has happened yet."""
        self._script, self._facts, self._standing, self._library = script, facts, standing, library
        self.tape = Tape(script.keys)

    def walk(self) -> CallPlan:
        """Walk from the first plan to the end of the call and return the first plan."""
        self.tape.note_now(Party.CALLER, What.CALLS)
        first = self._decide(Arriving(), self._standing)
        try:
            self._follow_on_caller(first)
            self.tape.note_now(Party.PROVIDER, What.ENDS)
        except TapeFullError:
            self.tape.note_now(Party.PROVIDER, What.IS_CUT_OFF)
        self.tape.end()
        return first

    def _decide(self, moment: Moment, standing: Standing) -> CallPlan:
        plan = decide(replace(self._facts, moment=moment), standing, self._clock())
        self.tape.note(
            TriedEntry(
                at=self.tape.seconds,
                party=Party.PROVIDER,
                what=What.DECIDES,
                decision=plan.decision,
                reason=plan.reason,
                order_id=plan.order_id,
            )
        )
        return plan

    def _clock(self) -> datetime:
        return self._script.at + timedelta(seconds=self.tape.seconds)

    def _follow_on_caller(self, plan: CallPlan) -> None:
        for step in plan.steps:
            match step:
                case PlayToCaller(order_id=order_id, notice=notice):
                    key = self._play_to_caller(order_id, notice)
                    # A caller whose notice is over is connected, whatever the register says by now.
                    self._follow_on_caller(self._decide(CallerListened(order_id=order_id, key=key), NoOrders()))
                    return
                case Connect(whisper_for=order_id):
                    self._connect(order_id)
                    return
                case End():
                    self.tape.note_now(Party.CALLER, What.IS_NOT_CONNECTED)
                    return
                case PlayToCallee() | SuspendLine() | Acknowledge() | Bridge():
                    continue  # Steps of the callee's leg; `decide` puts none of them here.
                case _:
                    assert_never(step)

    def _follow_on_callee(self, plan: CallPlan) -> None:
        for step in plan.steps:
            match step:
                case PlayToCallee(order_id=order_id, notice=notice, listens=True):
                    key = self._play_to_callee(order_id, notice, listens=True)
                    listened = CalleeListened(order_id=order_id, purpose=notice.purpose, key=key)
                    self._follow_on_callee(self._decide(listened, self._standing))
                    return
                case PlayToCallee(order_id=order_id, notice=notice):
                    self._play_to_callee(order_id, notice, listens=False)
                case SuspendLine() | Acknowledge():
                    self._note_effect(step)
                case PlayToCaller() | Connect() | Bridge() | End():
                    return  # An empty document bridges; the others are steps of the caller's leg.
                case _:
                    assert_never(step)

    def _note_effect(self, step: SuspendLine | Acknowledge) -> None:
        entry = TriedEntry(
            at=self.tape.seconds, party=Party.PROVIDER, what=What.WOULD_ACKNOWLEDGE, order_id=step.order_id
        )
        if isinstance(step, SuspendLine):
            entry = replace(entry, what=What.WOULD_SUSPEND_LINE, ground=step.ground)
        self.tape.note(entry)

    def _connect(self, whisper_for: str) -> None:
        """Ring, speak to the callee alone where an order asks for it, and let the two talk for a moment."""
        tape, began = self.tape, self.tape.now
        tape.note_now(Party.CALLEE, What.RINGS)
        try:
            tape.wait(ticks_of(self._script.ring_seconds))
            tape.note_now(Party.CALLEE, What.ANSWERS)
            if whisper_for:
                self._follow_on_callee(self._decide(CalleeAnswered(order_id=whisper_for), self._standing))
        finally:
            # The caller hears ringing until the bridge, whatever the callee hears meanwhile.
            self._sound(Party.CALLER, What.HEARS_RINGING, began, ring_back(tape.now - began))
        tape.note_now(Party.PROVIDER, What.BRIDGES)
        self._talk()

    def _talk(self) -> None:
        began = self.tape.now
        try:
            self.tape.wait(ticks_of(TALK_SECONDS))
        finally:
            ticks = self.tape.now - began
            self._sound(Party.CALLER, What.TALKS, began, tone(CALLEE_VOICE, ticks))
            self._sound(Party.CALLEE, What.TALKS, began, tone(CALLER_VOICE, ticks))

    def _sound(self, party: Party, what: What, began: int, pcm: bytes) -> None:
        self.tape.keep(party, began, pcm)
        seconds = (self.tape.now - began) / TICKS_PER_SECOND
        self.tape.note(TriedEntry(at=began / TICKS_PER_SECOND, party=party, what=what, seconds=seconds))

    def _play_to_caller(self, order_id: str, notice: PublicNotice) -> str:
        return self._play(Party.CALLER, order_id, notice, Party.CALLER)

    def _play_to_callee(self, order_id: str, notice: CalleeNotice, *, listens: bool) -> str:
        return self._play(Party.CALLEE, order_id, notice, Party.CALLEE if listens else None)

    def _play(self, party: Party, order_id: str, notice: PublicNotice | CalleeNotice, listener: Party | None) -> str:
        """Play every language, then wait for a key if somebody listens; the first key ends it."""
        for rendition in notice.renditions:
            key = self._play_one(party, order_id, notice.purpose, rendition, listener)
            if key:
                return key
        return self.tape.wait(ticks_of(WAIT_FOR_KEY.get(notice.purpose, 1.0)), listener) if listener else ""

    def _play_one(
        self, party: Party, order_id: str, purpose: Purpose, rendition: Rendition, listener: Party | None
    ) -> str:
        entry = TriedEntry(
            at=self.tape.seconds,
            party=party,
            what=What.HEARS,
            purpose=purpose,
            language=rendition.language,
            order_id=order_id,
        )
        pcm = sound_of(self._library, rendition)
        if not pcm:
            self.tape.note(replace(entry, what=What.SOUND_MISSING))
            return ""
        heard = Heard(party=party, kind=purpose.value, order=order_id, prompt=rendition.mulaw, seconds=0.0)
        return self.tape.play(pcm, heard, entry, listener)


def sound_of(library: Library, rendition: Rendition) -> bytes:
    """Return the telephone's file of a rendition as PCM; nothing where it is missing or damaged, as in a call."""
    path = library.path_of(rendition.mulaw, "wav")
    try:
        return b"" if path is None else decode_wav(path.read_bytes())
    except (OSError, UndecodableSoundError):
        return b""
