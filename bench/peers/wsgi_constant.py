"""The limit: a bare WSGI callable that reads the body and answers a constant. Nothing behind gunicorn can do less."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench.peers.connect_document import CONTENT_TYPE, DOCUMENT

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_HEADERS = [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(DOCUMENT)))]


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Read the body and connect."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", _HEADERS)
    return [DOCUMENT]
