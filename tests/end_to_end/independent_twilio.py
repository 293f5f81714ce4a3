"""A program that takes Twilio's part over HTTP, written from Twilio's public documentation and from nothing of ours.

It signs (docs/usage/security), posts an inbound call (docs/voice/twiml#request-parameters), and follows the documents
that come back (docs/voice/twiml/gather, play, dial, number, redirect, hangup, reject) until the call is over. Time does
not pass: a prompt lasts as long as its WAV header says, or until the key that the script presses on it.
"""

import base64
import hashlib
import hmac
import struct
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import NoReturn
from urllib.parse import urljoin, urlsplit
from uuid import uuid4

import httpx
from lxml import etree

from tests.end_to_end.call_script import Party, Record, Script, Sound, Webhook
from tests.twiml import assert_valid_twiml

# "Twilio waits 5 seconds to connect and 15 seconds for the answer" and retries once (docs/usage/webhooks).
_TIMEOUT = httpx.Timeout(15.0, connect=5.0)
_BEFORE_AGAIN_SECONDS = 0.1
_ATTEMPTS = 2
_MULAW_FORMAT, _TELEPHONE_RATE = 7, 8000
# One verb may lead to the next document many times, but no real call needs this many.
_MOST_DOCUMENTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leg:
    party: Party
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    url: str
    verbs: Sequence[etree._Element]


class _HungUpError(Exception):
    """A Hangup or Reject verb ended the leg."""


class _ApplicationError(Exception):
    """Twilio would say "an application error has occurred" and drop the leg."""


def _a_client() -> httpx.Client:
    """Return a client that opens a connection for each request, as Twilio's many hosts do: any worker may answer."""
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=0)
    return httpx.Client(timeout=_TIMEOUT, limits=limits, trust_env=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Twilio:
    """An account at Twilio whose number's voice URL points at `origin`; may place calls from many threads."""

    origin: str
    token: str
    client: httpx.Client = field(default_factory=_a_client)

    def call(self, script: Script) -> Record:
        """Let a call come in and follow it to its end."""
        return _Call(self, script).run()

    def ring(self, callee: str) -> Record:
        """Let a call from a number of its own come in, with nobody pressing anything."""
        return self.call(Script(callee=callee))

    def knock(self, callee: str) -> bytes:
        """Let a call come in whose caller hangs up at once, and return the document that it was answered with."""
        script = Script(callee=callee)
        fields = _inbound(_a_sid("CA"), script)
        url = f"{self.origin}/twilio/call"
        headers = {"X-Twilio-Signature": signature(self.token, url, fields)}
        return self.client.post(url, data=fields, headers=headers).raise_for_status().content

    def ring_at_once(self, callees: Sequence[str], *, lanes: int = 12) -> list[Record]:
        """Let a call come in for each of `callees`, up to `lanes` of them at the same time."""
        with ThreadPoolExecutor(lanes) as pool:
            return list(pool.map(self.ring, callees))


def signature(token: str, url: str, fields: Mapping[str, str]) -> str:
    """Sign: "the full URL ... sort the POST variables alphabetically ... append name and value ... HMAC-SHA1"."""
    text = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def seconds_of(wav: bytes) -> float:
    """Return the length of a mu-law WAV file at 8 kHz. Raises ValueError for any other."""
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise ValueError("it is no RIFF/WAVE file")
    at, found = 12, {}
    while at + 8 <= len(wav):
        name, size = struct.unpack_from("<4sI", wav, at)
        found[name] = wav[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    tag, channels, rate = struct.unpack_from("<HHI", found[b"fmt "])
    if (tag, channels, rate) != (_MULAW_FORMAT, 1, _TELEPHONE_RATE):
        raise ValueError(f"it has format {tag}, {channels} channels, {rate} Hz")
    return len(found[b"data"]) / _TELEPHONE_RATE


class _Call:
    def __init__(self, twilio: Twilio, script: Script) -> None:
        self._twilio = twilio
        self._script = script
        self._record = Record()
        self._sid = _a_sid("CA")
        self._documents = 0

    def run(self) -> Record:
        leg = _Leg(party="caller", fields=_inbound(self._sid, self._script))
        try:
            self._follow(leg, self._request(leg, f"{self._twilio.origin}/twilio/call", {}))
            self._record.status = "completed"
        except _HungUpError:
            self._record.status = "completed"
        except _ApplicationError:
            self._record.status = "failed"
        self._report(leg, f"{self._twilio.origin}/twilio/status", self._record.status)
        return self._record

    def _follow(self, leg: _Leg, page: _Page) -> None:
        """Execute verbs until a document ends without leading to another."""
        following: _Page | None = page
        while following is not None:
            page, following = following, None
            for verb in page.verbs:
                following = self._execute(leg, page, verb)
                if following is not None:
                    break

    def _execute(self, leg: _Leg, page: _Page, verb: etree._Element) -> _Page | None:
        match verb.tag:
            case "Play":
                self._play(leg, page, verb, waits=0)
            case "Gather":
                return self._gather(leg, page, verb)
            case "Dial" if leg.party == "caller":
                return self._dial(leg, page, verb)
            case "Redirect":
                return self._request(leg, urljoin(page.url, (verb.text or "").strip()), {})
            case "Pause":
                pass
            case "Hangup" | "Reject":
                raise _HungUpError
            case other:
                self._fail(f"{other} on the {leg.party}'s leg")
        return None

    def _play(self, leg: _Leg, page: _Page, verb: etree._Element, *, waits: float) -> str:
        """Play once, and return the key that was pressed on it or in the `waits` seconds after it."""
        if verb.get("loop", "1") != "1":
            self._fail("a prompt plays more than once")
        url = urljoin(page.url, (verb.text or "").strip())
        length = self._length_at(url)
        heard = self._record.heard_by(leg.party)
        number = len(heard)
        press = next((each for each in self._script.presses if (each.party, each.prompt) == (leg.party, number)), None)
        in_time = press is not None and press.after <= length + waits
        seconds = min(press.after, length) if press is not None and in_time else length
        heard.append(
            Sound(prompt=urlsplit(url).path.rpartition("/")[2].partition(".")[0], seconds=seconds, length=length)
        )
        return press.key if press is not None and in_time else ""

    def _gather(self, leg: _Leg, page: _Page, verb: etree._Element) -> _Page | None:
        if "dtmf" not in verb.get("input", "dtmf").split():
            self._fail("Gather does not listen for keys")
        prompts = list(verb)
        digits = ""
        for index, prompt in enumerate(prompts):
            if prompt.tag != "Play":
                self._fail(f"{prompt.tag} in a Gather")
            waits = float(verb.get("timeout", "5")) if index == len(prompts) - 1 else 0
            digits = self._play(leg, page, prompt, waits=waits)
            if digits:
                break
        # "finishOnKey ... defaults to #"; it ends the input and is no part of it.
        if digits and digits in verb.get("finishOnKey", "#"):
            digits = ""
        if not digits and verb.get("actionOnEmptyResult", "false") != "true":
            return None
        # "action ... the default is the current document's URL".
        return self._request(leg, _action(page, verb, default=page.url), {"Digits": digits})

    def _dial(self, leg: _Leg, page: _Page, verb: etree._Element) -> _Page | None:
        nouns = [noun for noun in verb if noun.tag in {"Number", "Sip"}]
        if len(nouns) != 1:
            self._fail(f"Dial has {len(nouns)} nouns")
        noun = nouns[0]
        to = (noun.text or "").strip()
        self._record.dialled.append(to)
        child = _Leg(party="callee", fields=_outbound(self._sid, self._script.caller, to))
        self._notify(child, page, noun, "initiated", "initiated")
        self._notify(child, page, noun, "ringing", "ringing")
        self._script.while_ringing()
        status = self._ring(child, page, noun) if self._script.callee_is == "answering" else self._script.callee_is
        self._notify(child, page, noun, "completed", status)
        action = _action(page, verb, default="")
        if not action:
            return None
        ending = {"DialCallSid": child.fields["CallSid"], "DialCallStatus": status}
        if status == "completed":
            ending |= {"DialCallDuration": "5", "DialBridged": "true"}
        return self._request(leg, action, ending)

    def _ring(self, child: _Leg, page: _Page, noun: etree._Element) -> str:
        """Let the callee answer, hear what the noun's `url` says, and be bridged unless that ended the leg."""
        self._notify(child, page, noun, "answered", "in-progress")
        try:
            if noun.get("url"):
                self._follow(child, self._request(child, _action(page, noun, default="", name="url"), {}))
        except _HungUpError:
            return "no-answer"
        except _ApplicationError:
            return "failed"
        self._record.connected_to = (noun.text or "").strip()
        return "completed"

    def _notify(self, child: _Leg, page: _Page, noun: etree._Element, event: str, status: str) -> None:
        """Post the noun's statusCallback; "statusCallbackEvent ... the default is completed"."""
        if noun.get("statusCallback") and event in noun.get("statusCallbackEvent", "completed").split():
            self._report(child, urljoin(page.url, noun.get("statusCallback", "")), status)

    def _report(self, leg: _Leg, url: str, status: str) -> None:
        """Post a status callback; whatever is answered changes nothing in the call."""
        response = self._post(leg, url, {"CallStatus": status, "CallbackSource": "call-progress-events"})
        if response.status_code >= httpx.codes.BAD_REQUEST:
            self._record.trouble.append(f"{urlsplit(url).path} answered {response.status_code}")

    def _request(self, leg: _Leg, url: str, more: Mapping[str, str]) -> _Page:
        """Ask for the next document. Raises _ApplicationError where there is none that Twilio could follow."""
        self._documents += 1
        if self._documents > _MOST_DOCUMENTS:
            self._fail("the documents go round in a circle")
        response = self._post(leg, url, more)
        if response.status_code != httpx.codes.OK:
            self._fail(f"{urlsplit(url).path} answered {response.status_code}")
        if response.headers["Content-Type"].partition(";")[0] not in {"text/xml", "application/xml"}:
            self._fail(f"{urlsplit(url).path} answered with {response.headers['Content-Type']}")
        assert_valid_twiml(response.content)
        return _Page(url=url, verbs=list(etree.fromstring(response.content)))

    def _post(self, leg: _Leg, url: str, more: Mapping[str, str]) -> httpx.Response:
        fields = {**leg.fields, **more}
        headers = {
            "X-Twilio-Signature": signature(self._twilio.token, url, fields),
            "I-Twilio-Idempotency-Token": str(uuid4()),
            "User-Agent": "TwilioProxy/1.1",
        }
        started = time.perf_counter()
        response, attempts = self._send("POST", url, data=fields, headers=headers)
        self._record.webhooks.append(
            Webhook(
                path=urlsplit(url).path,
                party=leg.party,
                call_sid=fields["CallSid"],
                parent_sid=fields.get("ParentCallSid", ""),
                status=response.status_code,
                ms=(time.perf_counter() - started) * 1000,
                attempts=attempts,
                body=response.content,
            )
        )
        return response

    def _send(
        self, method: str, url: str, data: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[httpx.Response, int]:
        """Send, and once more where nothing came back; return the answer and how many attempts it took."""
        attempts = count(1)
        while True:
            attempt = next(attempts)
            try:
                return self._twilio.client.request(method, url, data=data, headers=headers), attempt
            except httpx.TransportError as error:
                if attempt == _ATTEMPTS:
                    self._fail(f"{urlsplit(url).path} did not answer: {type(error).__name__}")
                # A worker that was killed resets its calls some moments before its door is closed.
                time.sleep(_BEFORE_AGAIN_SECONDS)

    def _length_at(self, url: str) -> float:
        response, _ = self._send("GET", url)
        kind = response.headers.get("Content-Type", "")
        if response.status_code != httpx.codes.OK or kind not in {"audio/wav", "audio/x-wav", "audio/wave"}:
            self._fail(f"the prompt {urlsplit(url).path} is {response.status_code} {kind}")
        return seconds_of(response.content)

    def _fail(self, why: str) -> NoReturn:
        self._record.trouble.append(why)
        raise _ApplicationError(why)


def _action(page: _Page, element: etree._Element, *, default: str, name: str = "action") -> str:
    if element.get("method", "POST") != "POST":
        raise NotImplementedError("this program only posts")
    value = element.get(name, default)
    return urljoin(page.url, value) if value else ""


def _a_sid(kind: str) -> str:
    return f"{kind}{uuid4().hex}"


def _inbound(sid: str, script: Script) -> dict[str, str]:
    return {
        "CallSid": sid,
        "AccountSid": "AC" + "1" * 32,
        "ApiVersion": "2010-04-01",
        "CallStatus": "ringing",
        "Direction": "inbound",
        "From": script.caller,
        "Caller": script.caller,
        "To": script.callee,
        "Called": script.callee,
        "FromCity": "",
        "StirVerstat": "TN-Validation-Passed-A",
    }


def _outbound(parent: str, caller: str, to: str) -> dict[str, str]:
    return {
        "CallSid": _a_sid("CA"),
        "ParentCallSid": parent,
        "AccountSid": "AC" + "1" * 32,
        "ApiVersion": "2010-04-01",
        "CallStatus": "in-progress",
        "Direction": "outbound-dial",
        "From": caller,
        "Caller": caller,
        "To": to,
        "Called": to,
    }
