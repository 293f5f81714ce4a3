"""A bridge that says what a test tells it to, right or wrong: what Kamailio does alone is seen against it."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

Instruction = dict[str, Any]
Answer = Callable[[dict[str, Any]], list[Instruction | bytes]]


def netstring(message: Instruction | bytes) -> bytes:
    """Wrap a message as evapi wants it."""
    data = message if isinstance(message, bytes) else json.dumps(message).encode()
    return b"%d:%s," % (len(data), data)


def connect(event: dict[str, Any], **more: object) -> Instruction:
    """Return the instruction to connect the call of `event`."""
    return {"v": 1, "call": event["call"], "do": "connect", "to": "", "whisper": False, "rtag": "", **more}


class ScriptedBridge:
    """Keeps the events that come, and says for each what `answer` returns."""

    def __init__(self, port: int, answer: Answer) -> None:
        self.answer = answer
        self.events: list[dict[str, Any]] = []
        self._came = threading.Condition()
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._socket.settimeout(None)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def say(self, message: Instruction | bytes) -> None:
        """Say something unasked."""
        self._socket.sendall(netstring(message))

    def say_raw(self, data: bytes) -> None:
        """Send bytes that may be no netstring at all."""
        self._socket.sendall(data)

    def wait(self, event: str, call: str, seconds: float = 5) -> dict[str, Any]:
        """Wait for an event of a call."""
        deadline = time.monotonic() + seconds
        with self._came:
            while True:
                for each in self.events:
                    if each["event"] == event and each["call"] == call:
                        return each
                left = deadline - time.monotonic()
                assert left > 0, f"no {event} in {seconds} s; {self.events[-5:]}"
                self._came.wait(left)

    def leave(self) -> None:
        """Close the connection, as the end of the process would."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _read(self) -> None:
        buffer = b""
        while True:
            try:
                data = self._socket.recv(65_536)
            except OSError:
                return
            if not data:
                return
            buffer += data
            while b":" in buffer:
                length, _, rest = buffer.partition(b":")
                if len(rest) <= int(length):
                    break
                event: dict[str, Any] = json.loads(rest[: int(length)])
                buffer = rest[int(length) + 1 :]
                with self._came:
                    self.events.append(event)
                    self._came.notify_all()
                # The end of a test may come between an event and what is said to it.
                with suppress(OSError):
                    for instruction in self.answer(event):
                        self.say(instruction)


@contextmanager
def a_scripted_bridge(port: int, answer: Answer) -> Iterator[ScriptedBridge]:
    """Connect to the edge for as long as the context lasts."""
    bridge = ScriptedBridge(port, answer)
    try:
        yield bridge
    finally:
        # A test may have made it leave already.
        with suppress(OSError):
            bridge.leave()
