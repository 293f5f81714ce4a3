"""Several WSGI programs behind one address, told apart by the beginning of the path."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Front:
    """Hands a request to the program whose prefix its path begins with, else to the first one.

    A plain test of the text: the webhooks of telephone providers must not pay for the API, not even with its routing.
    """

    def __init__(self, first: "WSGIApplication", others: "Mapping[str, WSGIApplication]") -> None:
        """Keep the programs; a prefix is for example `/api/`."""
        self._first = first
        self._others = tuple(others.items())

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        path: str = environ.get("PATH_INFO", "")
        for prefix, program in self._others:
            if path.startswith(prefix):
                return program(environ, start_response)
        return self._first(environ, start_response)
