"""A small real HTTP server that serves scripted TwiML, and judges signatures with Twilio's own validator."""

import json
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
from twilio.request_validator import RequestValidator

from gateway.providers.twilio.player import Patience, TwilioPlayer
from gateway.workflows.simulate_call import CallScript, Explanation, PlayedCall

TOKEN = "a-token-of-the-tests"
CALLEE = "+12025550110"
QUESTION = "please explain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the server answers; `{origin}` in the body is filled in. `drop` closes the connection without a word."""

    body: str | bytes = ""
    status: int = 200
    content_type: str = "text/xml; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as it arrived; `signed` is the verdict of Twilio's validator."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]
    signed: bool


class ScriptedGateway:
    """Answers each path with its replies in turn; the last one is repeated."""

    def __init__(self, replies: Mapping[str, list[Reply]]) -> None:
        self._replies = {path: list(each) for path, each in replies.items()}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self.seen: list[Seen] = []

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def to(self, path: str) -> list[Seen]:
        """Return the requests that came to `path`."""
        return [each for each in self.seen if each.path == path]

    def reply_to(self, seen: Seen) -> Reply:
        """Take the next reply for a request."""
        self.seen.append(seen)
        replies = self._replies.get(seen.path, [Reply(status=404)])
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                self._answer(self.rfile.read(length).decode())

            def do_GET(self) -> None:
                self._answer("")

            def log_message(self, *_: Any) -> None:  # noqa: ANN401  (The base class takes anything.)
                pass

            def _answer(self, body: str) -> None:
                form = dict(parse_qsl(body, keep_blank_values=True))
                url = gateway.origin + self.path
                signature = self.headers.get("X-Twilio-Signature", "")
                parts = urlsplit(self.path)
                seen = Seen(
                    method=self.command,
                    path=parts.path,
                    query={name: values[0] for name, values in parse_qs(parts.query).items()},
                    form=form,
                    headers=dict(self.headers.items()),
                    signed=RequestValidator(TOKEN).validate(url, form, signature),
                )
                reply = gateway.reply_to(seen)
                time.sleep(reply.delay)
                if not reply.drop:
                    self._send(reply)

            def _send(self, reply: Reply) -> None:
                raw = reply.body
                content = raw if isinstance(raw, bytes) else raw.replace("{origin}", gateway.origin).encode()
                try:
                    self.send_response(reply.status)
                    self.send_header("Content-Type", reply.content_type)
                    self.send_header("Content-Length", str(len(content)))
                    for name, value in reply.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    self.close_connection = True

        return Handler


class OpenExplainer:
    """Asks in plain words and reads plain JSON; the real one seals both."""

    def ask(self) -> str:
        return QUESTION

    def read(self, sealed: str) -> Explanation:
        return Explanation(**json.loads(sealed))


def explained(decision: str, reason: str, order: str = "", prompts: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the header with which the gateway explains an answer."""
    told = {"decision": decision, "reason": reason, "order": order, "prompts": dict(prompts or {})}
    return {"X-Notice-Gateway-Explanation": json.dumps(told)}


def twiml(*verbs: str, headers: Mapping[str, str] | None = None) -> list[Reply]:
    """Return a reply that is a document of `verbs`."""
    body = '<?xml version="1.0" encoding="UTF-8"?><Response>' + "".join(verbs) + "</Response>"
    return [Reply(body=body, headers=dict(headers or {}))]


def mulaw_file(seconds: float, code: int = 0x80, tag: int = 7, bits: int = 8) -> bytes:
    """Return a WAV file of `seconds` of the same code, loud by default."""
    data = bytes([code]) * round(8000 * seconds * bits // 8)
    fmt = struct.pack("<HHIIHHH", tag, 1, 8000, 8000 * bits // 8, bits // 8, bits, 0)
    chunks = struct.pack("<4sI", b"fmt ", len(fmt)) + fmt + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WAVE") + chunks


def sound(seconds: float, code: int = 0x80) -> list[Reply]:
    """Return a reply that is a mu-law recording."""
    return [Reply(body=mulaw_file(seconds, code), content_type="audio/wav")]


HANGUP = "<Hangup/>"
DIAL = '<Dial answerOnBridge="true" timeout="60" action="{origin}/twilio/dialled"><Number>+12025550110</Number></Dial>'
ENDING: dict[str, list[Reply]] = {"/twilio/dialled": twiml(HANGUP), "/twilio/status": [Reply(status=204)]}


@contextmanager
def gateway_with(replies: Mapping[str, list[Reply]]) -> Iterator[ScriptedGateway]:
    """Serve `replies`, with the usual ends of a call."""
    with ScriptedGateway({**ENDING, **replies}) as gateway:
        yield gateway


def play(origin: str, script: CallScript | None = None, *, token: str = TOKEN, read: float = 15.0) -> PlayedCall:
    """Play `script` (a plain call by default) against `origin`."""
    with httpx.Client(trust_env=False) as http:
        player = TwilioPlayer(origin, token, OpenExplainer(), http, patience=Patience(read=read))
        return player.play(script or CallScript(callee=CALLEE))


def told(played: PlayedCall) -> str:
    """Return the timeline as text, one entry a line."""
    return "\n".join(f"{each.at:.2f} {each.party.value} {each.what}" for each in played.timeline)


def troubles(played: PlayedCall) -> list[str]:
    """Return what should not have happened."""
    return [each.what for each in played.timeline if each.trouble]
