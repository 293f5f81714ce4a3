"""The real gateway in a thread of the test: its whole application, behind a server that keeps connections alive."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.serving import WSGIRequestHandler, make_server

from gateway.app import Running, create_app
from gateway.settings import Settings


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  (the base class names it so)
        """Say nothing: the gateway has a log of its own."""


@contextmanager
def a_gateway(settings: Settings) -> Iterator[str]:
    """Serve `settings` for as long as the context lasts; yields the origin."""
    app = create_app(settings)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
        running: Running = app.extensions["notice_gateway"]
        running.stop()
