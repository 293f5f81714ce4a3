"""A small SIP endpoint over UDP, for what a telephone would not do: many calls at once, odd messages, exact times."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

CALLER = "+12025550188"
_MOST = 65_535


def an_sdp(port: int, *, host: str = "127.0.0.1", way: str = "sendrecv") -> str:
    """Return an offer or an answer of G.711 and keys."""
    lines = ["v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0", f"m=audio {port} RTP/AVP 0 8 101"]
    lines += ["a=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000", f"a={way}"]
    return "\r\n".join([*lines, ""])


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A SIP message as it came in, at `at` seconds of the monotonic clock."""

    at: float
    source: tuple[str, int]
    text: str

    @property
    def first(self) -> str:
        """The first line."""
        return self.text.partition("\r\n")[0]

    @property
    def method(self) -> str:
        """The method of a request, empty for a response."""
        return "" if self.first.startswith("SIP/2.0") else self.first.partition(" ")[0]

    @property
    def code(self) -> int:
        """The code of a response, 0 for a request."""
        return int(self.first.split(" ")[1]) if self.first.startswith("SIP/2.0") else 0

    def headers(self, name: str) -> list[str]:
        """Return the values of a header, in order."""
        return re.findall(rf"(?im)^{name}:[ \t]*(.*?)\r?$", self.text.partition("\r\n\r\n")[0])

    def header(self, name: str) -> str:
        """Return the first value of a header; empty where there is none."""
        return next(iter(self.headers(name)), "")

    @property
    def body(self) -> str:
        """What follows the headers."""
        return self.text.partition("\r\n\r\n")[2]

    @property
    def audio_port(self) -> int:
        """The port of the sound in the SDP; 0 where there is none."""
        found = re.search(r"(?m)^m=audio (\d+)", self.body)
        return int(found[1]) if found else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call as its caller sees it."""

    call_id: str
    number: str
    tag: str
    sent: float
    caller: str = CALLER


class Endpoint:
    """One UDP socket that calls, answers (`answer`, where nothing else is said), and keeps all that it sees."""

    def __init__(self, port: int, edge: int, *, host: str = "127.0.0.1", answer: str = "200 OK") -> None:
        self.host, self.port, self.edge, self.answer = host, port, edge, answer
        self.seen: list[Message] = []
        self.on_request: Callable[[Message], bool] = lambda _message: False
        self._came = threading.Condition()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, port))
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop reading and leave the port to others."""
        if self._socket.fileno() < 0:
            return
        self._socket.sendto(b"", (self.host, self.port))
        self._thread.join(5)
        self._socket.close()

    def send(self, text: str | bytes) -> None:
        """Send to the edge as it is."""
        self._socket.sendto(text if isinstance(text, bytes) else text.encode(), ("127.0.0.1", self.edge))

    def invite(
        self, number: str, *, call_id: str = "", sdp: str | None = None, headers: str = "", caller: str = CALLER
    ) -> Attempt:
        """Send an INVITE; `headers` are whole lines to add."""
        call_id = call_id or uuid4().hex
        attempt = Attempt(call_id=call_id, number=number, tag=uuid4().hex[:8], sent=time.monotonic(), caller=caller)
        self.send(self.request("INVITE", attempt, body=an_sdp(40_000) if sdp is None else sdp, headers=headers))
        return attempt

    def request(
        self,
        method: str,
        attempt: Attempt,
        *,
        body: str = "",
        headers: str = "",
        answer: Message | None = None,
        cseq: int = 1,
    ) -> str:
        """Write a request of this call; inside the dialog where its `answer` (a 200) is given."""
        to = f"<sip:{attempt.number}@127.0.0.1>"
        target = f"sip:{attempt.number}@127.0.0.1:{self.edge}"
        routes = ""
        branch = (
            f"z9hG4bK{attempt.tag}{'' if method in {'INVITE', 'CANCEL', 'ACK'} and answer is None else uuid4().hex[:6]}"
        )
        if answer is not None:
            to = answer.header("To")
            target = answer.header("Contact").strip("<>")
            routes = "".join(f"Route: {each}\r\n" for each in reversed(answer.headers("Record-Route")))
        content = "Content-Type: application/sdp\r\n" if body else ""
        return (
            f"{method} {target} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.host}:{self.port};branch={branch};rport\r\n"
            f"{routes}Max-Forwards: 70\r\n"
            f"From: <sip:{attempt.caller}@127.0.0.1>;tag={attempt.tag}\r\nTo: {to}\r\n"
            f"Call-ID: {attempt.call_id}\r\nCSeq: {cseq} {method}\r\n"
            f"Contact: <sip:{attempt.caller}@{self.host}:{self.port}>\r\n"
            f"{headers}{content}Content-Length: {len(body.encode())}\r\n\r\n{body}"
        )

    def wait(self, wanted: Callable[[Message], bool], seconds: float = 5) -> Message:
        """Wait for a message; the first that came counts."""
        deadline, place = time.monotonic() + seconds, 0
        with self._came:
            while True:
                while place < len(self.seen):
                    if wanted(self.seen[place]):
                        return self.seen[place]
                    place += 1
                left = deadline - time.monotonic()
                assert left > 0, f"it did not come in {seconds} s; seen: {[each.first for each in self.seen[-20:]]}"
                self._came.wait(left)

    def response(self, attempt: Attempt, code: int, seconds: float = 5, *, method: str = "INVITE") -> Message:
        """Wait for a response to this call."""
        return self.wait(
            lambda each: (
                each.code == code and each.header("Call-ID") == attempt.call_id and each.header("CSeq").endswith(method)
            ),
            seconds,
        )

    def invited(self, attempt: Attempt, seconds: float = 5) -> Message:
        """Wait, as the callee, until this call arrives."""
        return self.wait(lambda each: each.method == "INVITE" and each.header("Call-ID") == attempt.call_id, seconds)

    def acknowledge(self, attempt: Attempt, answer: Message) -> None:
        """Send the ACK of a 200."""
        self.send(self.request("ACK", attempt, answer=answer))

    def hang_up(self, attempt: Attempt, answer: Message) -> Message:
        """Send a BYE, and wait for its answer."""
        self.send(self.request("BYE", attempt, answer=answer, cseq=9))
        return self.response(attempt, 200, method="BYE")

    def reply(self, request: Message, line: str, *, body: str = "") -> None:
        """Answer a request."""
        kept = "".join(
            f"{name}: {value}\r\n"
            for name in ("Via", "Record-Route", "From", "Call-ID", "CSeq")
            for value in request.headers(name)
        )
        to = request.header("To")
        to = to if ";tag=" in to else f"{to};tag=callee{self.port}"
        content = "Content-Type: application/sdp\r\n" if body else ""
        self._socket.sendto(
            (
                f"SIP/2.0 {line}\r\n{kept}To: {to}\r\nContact: <sip:callee@{self.host}:{self.port}>\r\n"
                f"{content}Content-Length: {len(body)}\r\n\r\n{body}"
            ).encode(),
            request.source,
        )

    def _read(self) -> None:
        while True:
            data, source = self._socket.recvfrom(_MOST)
            if not data:
                return
            message = Message(at=time.monotonic(), source=source, text=data.decode("utf-8", "replace"))
            with self._came:
                self.seen.append(message)
                self._came.notify_all()
            if message.method and not self.on_request(message):
                self._serve(message)

    def _serve(self, request: Message) -> None:
        if request.method == "INVITE":
            self.reply(request, self.answer, body=an_sdp(40_100) if self.answer.startswith("2") else "")
        elif request.method == "CANCEL":
            self.reply(request, "200 OK")
            invite = next(each for each in self.seen if each.header("Call-ID") == request.header("Call-ID"))
            self.reply(invite, "487 Request Terminated")
        elif request.method != "ACK":
            self.reply(request, "200 OK")


@contextmanager
def an_endpoint(port: int, edge: int, *, host: str = "127.0.0.1", answer: str = "200 OK") -> Iterator[Endpoint]:
    """Open an endpoint for as long as the context lasts."""
    endpoint = Endpoint(port, edge, host=host, answer=answer)
    try:
        yield endpoint
    finally:
        endpoint.close()
