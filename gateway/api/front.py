"""Several WSGI programs behind one address, told apart by the beginning of the path; calls go before pages."""

import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# What a browser asks for at once is over sooner; what waits longer waits for a database that hangs.
_PATIENCE_SECONDS = 0.2
_BUSY = b"503: everybody is busy; try again in a second\n"


class Front:
    """Hands a request to the program whose prefix its path begins with, else to the one for everything else.

    A plain test of the text: the webhooks of telephone providers must not pay for the API, not even with its routing.
    Nor may they wait behind it: all share the worker's threads, of which pages and the API never get the last.
    """

    def __init__(
        self,
        otherwise: "WSGIApplication",
        *,
        calls: "Mapping[str, WSGIApplication]",
        pages: "Mapping[str, WSGIApplication]",
        most_pages: int,
    ) -> None:
        """Keep the programs; a prefix is for example `/api/`. At most `most_pages` pages are made at the same time."""
        self._otherwise = otherwise
        self._calls = tuple(calls.items())
        self._pages = tuple(pages.items())
        self._slots = threading.BoundedSemaphore(most_pages)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request; with 503 where no page can be made soon."""
        path: str = environ.get("PATH_INFO", "")
        for prefix, program in self._calls:
            if path.startswith(prefix):
                return program(environ, start_response)
        for prefix, program in self._pages:
            if path.startswith(prefix):
                return self._page(program, environ, start_response)
        return self._otherwise(environ, start_response)

    def _page(
        self, program: "WSGIApplication", environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if not self._slots.acquire(timeout=_PATIENCE_SECONDS):
            headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(_BUSY))), ("Retry-After", "1")]
            start_response("503 Service Unavailable", headers)
            return (_BUSY,)
        try:
            return program(environ, start_response)
        finally:
            self._slots.release()
