"""What stands between bridge and gateway in tests of faults: it passes requests on, or answers badly in their place."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

Mode = Literal["pass", "hang", "500", "junk", "empty", "wrong_steps", "drop"]
_BAD = {
    "500": (500, b"an error page"),
    "junk": (200, b"{ no json"),
    "empty": (200, b""),
    "wrong_steps": (200, b'{"version":1,"steps":[{"play":{"to":"everyone","files":["../../etc/passwd"]}}]}'),
}


class Valve(ThreadingHTTPServer):
    """Listens on the loopback; `mode` and `gives_recordings` may be changed at any time."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, origin: str, port: int) -> None:
        self.origin = urlsplit(origin)
        self.mode: Mode = "pass"
        self.gives_recordings = True
        self.opened = threading.Event()
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Valve
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def do_GET(self) -> None:
        if self.server.gives_recordings:
            self._serve(b"")
        else:
            self.send_error(404)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def _serve(self, body: bytes) -> None:
        mode = self.server.mode
        if mode == "drop":
            self.close_connection = True
            return
        if mode == "hang":
            self.server.opened.wait(5)
            self.close_connection = True
            return
        status, content = self._forward(body) if mode == "pass" else _BAD[mode]
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _forward(self, body: bytes) -> tuple[int, bytes]:
        origin = self.server.origin
        connection = http.client.HTTPConnection(str(origin.hostname), origin.port, timeout=10)
        kept = {name: value for name, value in self.headers.items() if name.lower() not in {"connection", "host"}}
        connection.request(self.command, self.path, body or None, kept)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content


@contextmanager
def a_valve(origin: str, port: int) -> Iterator[Valve]:
    """Stand before the gateway at `origin` for as long as the context lasts."""
    valve = Valve(origin, port)
    thread = threading.Thread(target=valve.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield valve
    finally:
        valve.opened.set()
        valve.shutdown()
        valve.server_close()
        thread.join(5)
