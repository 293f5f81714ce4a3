"""gunicorn's threads, for clients that ask one request after the other on a connection that is kept open.

gunicorn's own gthread hands a connection back to the worker's main thread after each answer, which wakes a thread again
for the next request. While a worker has nothing else to do, its thread waits for that request itself: a call over SIP
is decided 0.4 ms sooner (docs/adr/0024).
"""

import os
import select
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

_HEARD_BYTES = 64


class LingeringWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A gthread worker in which one thread at most stays with its connection, for as long as no other needs it.

    It goes once more requests are under way than there are threads, when the worker ends, and after `patience_ms`.
    """

    patience_ms = 1000

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  (gunicorn's types are not exported)
        """Take what gunicorn gives its workers."""
        super().__init__(*args, **kwargs)
        self._under_way = 0
        self._lingers = False

    def init_process(self) -> None:
        """Make the bell after the fork, then serve until the end."""
        self._heard, self._bell = os.pipe()
        for end in (self._heard, self._bell):
            os.set_blocking(end, False)
        super().init_process()

    def enqueue_req(self, conn: TConn) -> None:
        """Give a connection to the threads, the lingering one included where every other has work."""
        self._under_way += 1
        super().enqueue_req(conn)
        if self._lingers and self._under_way > self.cfg.threads:
            self._ring()

    def finish_request(self, conn: TConn, fs: "Future[object]") -> None:
        """Take a connection back from the threads."""
        self._under_way -= 1
        super().finish_request(conn, fs)

    def handle_exit(self, sig: int, frame: object) -> None:
        """Begin the end, and have the lingering thread end too."""
        super().handle_exit(sig, frame)
        self._ring()

    def handle_quit(self, sig: int, frame: object) -> None:
        """End at once: the program ends when its threads have."""
        self._ring()
        super().handle_quit(sig, frame)

    def handle(self, conn: TConn) -> object:
        """Answer a request, and those that follow it on the connection while nobody else wants the thread."""
        kept = super().handle(conn)
        while kept is True and self._follows(conn):
            kept = super().handle(conn)
        return kept

    def _follows(self, conn: TConn) -> bool:
        """Wait for the next request, or the connection's end; False where the main thread is to wait for it."""
        if self._under_way > 1 or not self.alive or conn.is_http2 or conn.parser.unreader.buf.getvalue():
            return False
        self._lingers = True
        try:
            # Asked again, for the main thread may have looked at the flag just before.
            return self._under_way == 1 and self.alive and self._is_asked(conn)
        finally:
            self._lingers = False

    def _is_asked(self, conn: TConn) -> bool:
        waiting = select.poll()
        waiting.register(conn.sock, select.POLLIN)
        waiting.register(self._heard, select.POLLIN)
        found = {descriptor for descriptor, _ in waiting.poll(self.patience_ms)}
        if self._heard in found:
            os.read(self._heard, _HEARD_BYTES)
        return found == {conn.sock.fileno()}

    def _ring(self) -> None:
        with suppress(BlockingIOError):
            os.write(self._bell, b"!")
