"""Connections to PostgreSQL that wait in real time: a call's within its budget, an office's while the server lives.

A server's own time-outs do not help where the server is paused or its network swallows packets.
"""

import select
from collections.abc import Callable
from math import inf
from time import monotonic

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.rows import TupleRow

_INTERVAL = 0.1


class AnswerTooLateError(psycopg.OperationalError):
    """The database did not answer within the budget of a call; the call goes on without it."""


class ServerGoneError(psycopg.OperationalError):
    """The database has stopped answering, as calls found out; nobody goes on waiting for it."""


class CallConnection(psycopg.Connection[TupleRow]):
    """A connection that waits for the server for `left` seconds altogether, until it is lent again.

    One that waited in vain is thrown away, for its answer may still come: `close` gives it to `bury`, who cancels what
    the server may be doing for it.
    """

    left: float = inf
    is_late: bool = False
    bury: Callable[["CallConnection"], None] | None = None
    _poll: "select.poll | None" = None

    def wait(self, gen: PQGen[RV], interval: float = _INTERVAL, timeout: float | None = None) -> RV:
        """Wait as psycopg does, but no longer than what is left. Raises AnswerTooLateError."""
        began = monotonic()
        bound = self.left if timeout is None else min(timeout, self.left)
        try:
            return super().wait(gen, interval, max(bound, 0.0) if bound < inf else None)
        except psycopg.errors._WaitTimeout as error:  # noqa: SLF001  (what psycopg says that its own wait raises)
            self.is_late = True
            raise AnswerTooLateError("the database did not answer in time") from error
        finally:
            self.left -= monotonic() - began

    def is_quiet(self) -> bool:
        """Tell whether the idle connection has nothing to say: what a server says unasked is mostly that it ends."""
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(self.fileno(), select.POLLIN)
        return not self._poll.poll(0)

    def close(self) -> None:
        """Close, or hand over what is still under way."""
        if self.is_late and self.bury is not None and not self.closed:
            self.bury(self)
        else:
            super().close()


class OfficeConnection(psycopg.Connection[TupleRow]):
    """A connection that waits until `is_gone` tells that the server is gone, at most `longest` seconds a statement.

    Pages and calls are answered by the same threads: pages that waited for ever would leave none for calls.
    """

    longest: float = inf
    is_gone: Callable[[], bool] = staticmethod(lambda: False)

    def wait(self, gen: PQGen[RV], interval: float = _INTERVAL, timeout: float | None = None) -> RV:
        """Wait as psycopg does. Raises ServerGoneError."""
        deadline = monotonic() + self.longest
        try:
            return super().wait(_watched(gen, lambda: self.is_gone() or monotonic() > deadline), interval, timeout)
        except ServerGoneError:
            # What its answer would be to is over.
            self.close()
            raise


def _watched(gen: PQGen[RV], is_over: Callable[[], bool]) -> PQGen[RV]:
    """Pass everything on between psycopg's generator and its wait, which comes with nothing once in each interval."""
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and is_over():
                raise ServerGoneError("the database has stopped answering")
            wanted = gen.send(ready)
    except StopIteration as end:
        value: RV = end.value
        return value
