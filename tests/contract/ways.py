"""One call, told to the whole gateway in the words of each dialect; what comes back is told in words that none has."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from flask import Flask
from werkzeug.test import TestResponse

from gateway.clock import utc_now
from gateway.providers.sip.signature import HEADER, sign
from tests.telephone import CALLER, Telephone, a_call_sid, arriving, child, xml


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What an answer has played, and what it leads to.

    `files` are SHA-256; `heard` is where the news of a key goes, `whisper` that of the callee's picking up.
    """

    files: tuple[str, ...] = ()
    heard: str = ""
    whisper: str = ""
    connects: bool = False


class Way(Protocol):
    """One call over one dialect."""

    def comes_in(self) -> Said: ...

    def picked_up(self, said: Said) -> Said: ...

    def pressed(self, said: Said, key: str, *, by_callee: bool) -> Said: ...

    def ended(self, outcome: str) -> None: ...


class TwilioWay:
    """Signed forms, TwiML."""

    def __init__(self, telephone: Telephone, line: str) -> None:
        self._telephone, self._line, self._sid = telephone, line, a_call_sid()

    def comes_in(self) -> Said:
        return _twiml(self._telephone.call(self._line, sid=self._sid))

    def picked_up(self, said: Said) -> Said:
        return _twiml(self._telephone.post(said.whisper, child(self._sid)))

    def pressed(self, said: Said, key: str, *, by_callee: bool) -> Said:
        fields = child(self._sid) if by_callee else arriving(self._line, sid=self._sid)
        return _twiml(self._telephone.post(said.heard, {**fields, "Digits": key}))

    def ended(self, outcome: str) -> None:
        fields = {**arriving(self._line, sid=self._sid), "CallStatus": outcome}
        assert self._telephone.post("/twilio/status", fields).status_code == 204


def _twiml(answer: TestResponse) -> Said:
    document = xml(answer)
    return Said(
        files=tuple(str(url.text).rpartition("/")[2].removesuffix(".wav") for url in document.iter("Play")),
        heard=str(document.xpath("string(//Gather/@action)")),
        whisper=str(document.xpath("string(//Number/@url)")),
        connects=bool(document.xpath("//Dial")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Posts what a bridge would post."""

    app: Flask
    secret: str

    def post(self, target: str, report: Mapping[str, object]) -> TestResponse:
        body = json.dumps({"version": 1, **report}).encode()
        return self.app.test_client().post(
            target,
            data=body,
            content_type="application/json",
            headers={HEADER: sign(self.secret, target, body, utc_now())},
            environ_overrides={"RAW_URI": target},
        )


class SipWay:
    """Signed JSON both ways."""

    def __init__(self, signer: Signer, line: str, *, caller: str = CALLER) -> None:
        self._signer = signer
        self._report = {
            "call": f"{secrets.token_hex(4)}@edge",
            "attempt": secrets.token_hex(8),
            "caller": caller,
            "callee": line,
        }

    def comes_in(self) -> Said:
        return self._told("/sip/call")

    def picked_up(self, said: Said) -> Said:
        return self._told(said.whisper)

    def pressed(self, said: Said, key: str, *, by_callee: bool) -> Said:  # noqa: ARG002  (the address tells)
        return self._told(said.heard, key=key, heard_ms=1_500)

    def ended(self, outcome: str) -> None:
        assert self._signer.post("/sip/status", {**self._report, "outcome": outcome}).status_code == 204

    def _told(self, target: str, **more: object) -> Said:
        return in_steps(self._signer.post(target, {**self._report, **more}))


def in_steps(answer: TestResponse) -> Said:
    """Return what an answer in JSON says; of the steps behind a play that somebody follows nothing is done."""
    assert answer.status_code == 200
    files: list[str] = []
    for step in json.loads(answer.data)["steps"]:
        match step:
            case {"play": dict(play)}:
                files += [str(name).removesuffix(".wav") for name in play["files"]]
                if play["next"]:
                    return Said(files=tuple(files), heard=play["next"], connects=_connects(answer))
            case {"connect": {"whisper": str(whisper)}}:
                return Said(files=tuple(files), whisper=whisper, connects=True)
            case _:
                continue
    return Said(files=tuple(files))


def _connects(answer: TestResponse) -> bool:
    steps: list[dict[str, Any]] = json.loads(answer.data)["steps"]
    return any("connect" in step for step in steps)
