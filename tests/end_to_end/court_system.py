"""A court's own system on the other side of HTTP: an officer's client, and a receiver of signed webhooks."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import httpx
from standardwebhooks.webhooks import Webhook

PREFIX = "/api/v1"
A_PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"
_PATIENCE_SECONDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """Somebody who is signed in, or a program with its key."""

    origin: str
    token: str

    def get(self, path: str, expect: int = 200, **query: str) -> Any:  # noqa: ANN401  (whatever the API answers)
        return self._ask("GET", path, expect, params=query)

    def etag_of(self, path: str) -> str:
        """Return the version of a thing as it is now, for If-Match."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.get(self.origin + PREFIX + path, headers=headers, trust_env=False, timeout=60).headers["etag"]

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, expect: int = 200, etag: str = "") -> Any:  # noqa: ANN401
        headers = {"Idempotency-Key": uuid4().hex} | ({"If-Match": etag} if etag else {})
        sent = {} if body is None else {"json": dict(body)}
        return self._ask("POST", path, expect, headers=headers, **sent)

    def upload(self, path: str, content: bytes, *, expect: int = 201) -> Any:  # noqa: ANN401
        return self._ask("POST", path, expect, files={"document": ("order.pdf", content, "application/pdf")})

    def _ask(self, method: str, path: str, expect: int, **more: Any) -> Any:  # noqa: ANN401
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        answer = httpx.request(
            method, self.origin + PREFIX + path, headers=headers, trust_env=False, timeout=60, **more
        )
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        kind = answer.headers["content-type"]
        return answer.json() if "json" in kind else answer.content


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A court's endpoint for webhooks; keeps what came, unopened."""

    url: str
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def opened(self, secret: str) -> list[dict[str, Any]]:
        """Return the messages, each checked with the court's secret. Raises WebhookVerificationError."""
        opener = Webhook(secret)
        return [dict(opener.verify(body, headers)) for headers, body in list(self.came)]

    def wait_for(self, event: str, secret: str, order: str) -> dict[str, Any]:
        """Return the first message of a kind about an order, as soon as it has come."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for message in self.opened(secret):
                if message["type"] == event and message["data"].get("order") == order:
                    return message
            time.sleep(0.1)
        raise AssertionError(f"{event} did not come; there were {[json.loads(body)['type'] for _, body in self.came]}")


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Listen on a free port for as long as the context lasts."""
    came: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002  (the library's names)
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Receiver(url=f"http://127.0.0.1:{server.server_port}/court", came=came)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
