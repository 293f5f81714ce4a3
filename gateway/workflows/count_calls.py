"""Count calls by the hour: each worker adds up in memory, and writes its sums down from a thread of its own.

Nothing of it can delay a call, or lose a count while the database is away: what was not written is tried again.
Only where a connection breaks at the very end of writing may some seconds of calls be counted twice.
"""

import atexit
import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.audit import call_counts
from gateway.audit.call_counts import CallCount
from gateway.domain.errors import GatewayError
from gateway.domain.plan import Decision
from gateway.domain.rights import NotAllowedError, Right
from gateway.workflows.change import Errand
from gateway.workflows.office import Office

LONGEST = timedelta(days=400)
EVERY_SECONDS = 10.0
_HOUR = timedelta(hours=1)
_SHORTEST_WAIT = 0.05


class CallPeriodError(GatewayError):
    """Calls from {since} to {until} cannot be counted: give an end after the beginning, at most 400 days later."""

    code = "call_period"


class Tally:
    """Calls since this process began, by what they were answered with, and which of them were not yet written down.

    `count` is on the way of every call. It takes no lock, and threads that count at once lose nothing: `next` on a
    counter of `itertools` is one step of the interpreter. `collect` and `take` are for one thread, the keeper's.
    """

    def __init__(self, now: datetime) -> None:
        """Begin with nothing counted in the present hour."""
        self._counters = {outcome: itertools.count() for outcome in Decision}
        self._seen = dict.fromkeys(Decision, 0)
        self._hour = _hour_of(now)
        self._kept: dict[tuple[datetime, Decision], int] = {}

    def count(self, outcome: Decision) -> None:
        """Count a call."""
        next(self._counters[outcome])

    def collect(self, now: datetime) -> None:
        """Put what was counted since the last time down to the hour of the last time.

        Whoever collects comes once more when an hour begins, so that this is the hour in which the calls came.
        """
        for outcome, counter in self._counters.items():
            # To look at a counter is to count: this look is left out here, and at every later one.
            seen = next(counter)
            new = seen - self._seen[outcome]
            self._seen[outcome] = seen + 1
            if new:
                key = (self._hour, outcome)
                self._kept[key] = self._kept.get(key, 0) + new
        self._hour = _hour_of(now)

    @property
    def kept(self) -> tuple[CallCount, ...]:
        """Return what was collected and not yet forgotten."""
        return tuple(
            CallCount(hour=hour, outcome=outcome, calls=calls) for (hour, outcome), calls in self._kept.items()
        )

    def forget(self) -> None:
        """Forget what was collected: it is written down."""
        self._kept.clear()


class TallyKeeper:
    """Writes a tally down from a thread of its own, one in each worker, started after the fork."""

    def __init__(
        self,
        tally: Tally,
        engine: Engine,
        *,
        clock: Callable[[], datetime],
        failed: Callable[[Exception], None],
        every: float = EVERY_SECONDS,
    ) -> None:
        """Write each `every` seconds with the engine of calls, which gives up early; `failed` is told when it did."""
        self._tally = tally
        self._engine = engine
        self._clock = clock
        self._failed = failed
        self._every = every
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tally", daemon=True)

    def start(self) -> None:
        """Go on in the background, to the end of the process at the latest."""
        self._thread.start()
        # gunicorn ends a worker by leaving its main program; nobody else tells a thread of it.
        atexit.register(self.stop)

    def stop(self) -> None:
        """End the thread, and write once more what there is."""
        atexit.unregister(self.stop)
        self._stopped.set()
        self._thread.join(timeout=5)
        if not self._thread.is_alive():
            self.write()

    def write(self) -> None:
        """Write down what was counted. Falls closed: what cannot be written is kept for the next time."""
        self._tally.collect(self._clock())
        kept = self._tally.kept
        if not kept:
            return
        try:
            # The engine of calls commits each statement by itself.
            with self._engine.connect() as connection:
                call_counts.add(connection, kept)
        except (SQLAlchemyError, OSError) as error:
            self._failed(error)
            return
        self._tally.forget()

    def _run(self) -> None:
        while not self._stopped.wait(self._pause()):
            self.write()

    def _pause(self) -> float:
        """Return how long to wait, in seconds: no longer than until the next hour begins."""
        now = self._clock()
        left = (_hour_of(now) + _HOUR - now).total_seconds()
        return max(min(self._every, left), _SHORTEST_WAIT)


def read_calls(office: Office, since: datetime, until: datetime, errand: Errand) -> tuple[CallCount, ...]:
    """Return how many calls came in each hour that begins in a period, by what they were answered with.

    They are sums over all courts, and tell nothing of any of them: whoever may read statistics anywhere may read them.
    Raises NotAllowedError, CallPeriodError.
    """
    if errand.actor.reach(Right.STATISTICS_READ).is_empty:
        raise NotAllowedError(right=Right.STATISTICS_READ.value, where="any court")
    if not timedelta(0) < until - since <= LONGEST:
        raise CallPeriodError(since=since, until=until)
    with office.reading.connect() as connection:
        return call_counts.between(connection, since, until)


def _hour_of(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
