"""A WSGI program that tells which thread it ran in, and one of gunicorn's workers that lingers for a minute."""

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gateway.lingering import LingeringWorker

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# As many requests as the worker has threads.
THREADS = 2
_meeting = threading.Barrier(THREADS)


class Patient(LingeringWorker):
    """Lingers for longer than any test waits."""

    patience_ms = 60_000


class Hasty(LingeringWorker):
    """Lingers for so short that the main thread takes the connection back in between."""

    patience_ms = 1


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer with the thread's number; at `/meet` only once every thread of the worker is there."""
    environ["wsgi.input"].read()
    if environ["PATH_INFO"] == "/meet":
        _meeting.wait(20)
    body = str(threading.get_ident()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
