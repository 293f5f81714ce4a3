"""Follow TwiML on one leg of a call, verb by verb and document by document, as Twilio does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import assert_never

from gateway.audio.mixdown import Segment
from gateway.providers.twilio.player_http import Answer, ApplicationError, Wire
from gateway.providers.twilio.player_scene import Notice, Scene, ticks_of
from gateway.providers.twilio.player_verbs import (
    Dial,
    Gather,
    Hangup,
    Pause,
    Play,
    Prompt,
    Redirect,
    Reject,
    Say,
    Unknown,
    Verb,
)
from gateway.workflows.simulate_call import UNKNOWN_KIND, Party

MOST_DOCUMENTS = 20
SAY_KIND = "say"
# No voice is synthesized here: spoken text is silence of the length that speech at 150 words a minute would have.
_SECONDS_PER_WORD = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Goto:
    """Twilio leaves the document and asks `url` for another, with `extra` parameters."""

    method: str
    url: str
    extra: Mapping[str, str] = field(default_factory=dict)


class Ending(Enum):
    """How the last document of a leg ended."""

    END_OF_DOCUMENT = "end of document"
    HANGUP = "hangup"
    REJECTED = "rejected"
    REJECTED_BUSY = "rejected as busy"


class Leg:
    """One party's side of the call: its fixed parameters, and its state as Twilio names it."""

    def __init__(self, party: Party, parameters: Mapping[str, str], status: str) -> None:
        """Begin a leg in `status`."""
        self.party = party
        self.status = status
        self._parameters = dict(parameters)

    @property
    def sid(self) -> str:
        """Return the CallSid."""
        return self._parameters["CallSid"]

    def parameter(self, name: str) -> str:
        """Return one of the fixed parameters."""
        return self._parameters[name]

    def form(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the parameters of a webhook of this leg."""
        return {**self._parameters, "CallStatus": self.status, **(extra or {})}


Dialling = Callable[[Dial], Goto | None]


def refuse_dial(_: Dial) -> Goto | None:
    """Refuse <Dial> on the callee's leg.

    <Number>: "TwiML documents executed in this manner are not allowed to contain the <Dial> verb".
    """
    raise ApplicationError(what="<Dial>", why="it is not allowed in a document for the called party")


class Follower:
    """Executes documents on `leg`; `dialling` is what <Dial> does there."""

    def __init__(self, scene: Scene, wire: Wire, leg: Leg, dialling: Dialling) -> None:
        """Keep the collaborators."""
        self._scene, self._wire, self._leg, self._dialling = scene, wire, leg, dialling

    def follow(self, answer: Answer) -> Ending:
        """Execute `answer` and every document it leads to. Raises ApplicationError and CallerGoneError."""
        for _ in range(MOST_DOCUMENTS):
            match self._execute(answer):
                case Goto(method=method, url=url, extra=extra):
                    answer = self._wire.fetch(method, url, self._leg.form(extra))
                case Ending() as ending:
                    return ending
        raise ApplicationError(what=answer.document.url, why=f"more than {MOST_DOCUMENTS} documents on one leg")

    def _execute(self, answer: Answer) -> Goto | Ending:
        for remark in answer.document.remarks:
            self._scene.trouble(remark)
        for verb in answer.document.verbs:
            done = self._perform(verb, answer)
            if done is not None:
                return done
        return Ending.END_OF_DOCUMENT

    def _perform(self, verb: Verb, answer: Answer) -> Goto | Ending | None:
        """Execute `verb`; None goes on to the next."""
        match verb:
            case Play() | Say() | Pause():
                self._prompt(verb, answer, listener=None)
                return None
            case Gather():
                return self._gather(verb, answer)
            case Dial():
                return self._dialling(verb)
            case Redirect(method=method, url=url):
                return Goto(method=method, url=url)
            case Hangup():
                return Ending.HANGUP
            case Reject(reason=reason):
                return Ending.REJECTED_BUSY if reason == "busy" else Ending.REJECTED
            case Unknown():
                return None
            case _:
                assert_never(verb)

    def _gather(self, gather: Gather, answer: Answer) -> Goto | None:
        """Listen. <Gather>: nested verbs are stopped by a key; the timeout counts from their end, or the last key."""
        self._answer_phone()
        listener = self._leg.party if gather.listens else None
        key = ""
        for prompt in gather.prompts:
            key = self._prompt(prompt, answer, listener)
            if key:
                break
        digits = finished = ""
        while key := key or self._scene.wait(ticks_of(gather.timeout), listener):
            if key == gather.finish_on_key:
                finished = key
                break
            digits += key
            if len(digits) == gather.num_digits:
                break
            key = ""
        # <Gather>: without input Twilio goes on with the next verb, unless actionOnEmptyResult is true.
        if not digits and not gather.action_on_empty_result:
            return None
        extra = {"Digits": digits, "FinishedOnKey": finished, "msg": "Gather End"}
        return Goto(method=gather.method, url=gather.action, extra=extra)

    def _prompt(self, prompt: Prompt, answer: Answer, listener: Party | None) -> str:
        """Let the leg hear `prompt`; return the key that interrupted it."""
        match prompt:
            case Play(url=url, loop=loop):
                self._answer_phone()
                for _ in range(loop):
                    if key := self._play(url, answer, listener):
                        return key
                return ""
            case Say(text=text):
                self._answer_phone()
                ticks = ticks_of(len(text.split()) * _SECONDS_PER_WORD)
                silence = bytes(ticks * Segment.BYTES_PER_TICK)
                return self._scene.play(self._leg.party, Notice(kind=SAY_KIND, pcm=silence), listener)
            case Pause(seconds=seconds):
                return self._scene.wait(ticks_of(seconds), listener)
            case _:
                assert_never(prompt)

    def _play(self, url: str, answer: Answer, listener: Party | None) -> str:
        sound = self._wire.sound(url)
        if sound.remark:
            self._scene.trouble(sound.remark)
        kind = answer.explanation.prompts.get(sound.prompt, UNKNOWN_KIND)
        order = answer.explanation.order if kind != UNKNOWN_KIND else ""
        notice = Notice(kind=kind, order=order, prompt=sound.prompt, pcm=sound.pcm)
        return self._scene.play(self._leg.party, notice, listener)

    def _answer_phone(self) -> None:
        """<Play>, <Say> and <Gather> answer a ringing call; billing starts."""
        if self._leg.status == "ringing":
            self._leg.status = "in-progress"
