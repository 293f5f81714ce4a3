"""Carry out one job: its handler works, and beside it the lease is renewed until it is done."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.domain.errors import GatewayError
from gateway.errands import jobs
from gateway.errands.jobs import MOST_ATTEMPTS, Job, LostJobError
from gateway.privacy.ring import KeyRing

# How often the lease is renewed and progress written. A handler that holds SQLite's only write lock makes this wait,
# and the lease is many times longer.
HEARTBEAT_SECONDS = 2.0
AGAIN_AFTER = (timedelta(seconds=10), timedelta(minutes=1))
_WRITE_TRIES = 5


class InterruptedJobError(GatewayError):
    """The worker is being stopped; the job begins again when there is a worker."""

    code = "interrupted"


class UnknownKindError(GatewayError):
    """This release has no handler for jobs of the kind {kind}; a newer one wrote it."""

    code = "unknown_kind"


@dataclass(slots=True)
class Progress:
    """How far a job is, as its handler last said; the handler's thread writes, the heartbeat reads."""

    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One attempt at a job, as its handler sees it."""

    job: Job
    stop: threading.Event
    lost: threading.Event = field(default_factory=threading.Event)
    reached: Progress = field(default_factory=Progress)

    def progress(self, done: int, total: int) -> None:
        """Say how far the work is; call it often, and where stopping half-way is harmless (nothing is committed).

        Raises InterruptedJobError where the worker is to stop, LostJobError where the lease was lost.
        """
        self.reached.done, self.reached.total = done, total
        if self.lost.is_set():
            raise LostJobError(job=self.job.job_id)
        if self.stop.is_set():
            raise InterruptedJobError


# A handler returns the job's result, as JSON holds it. A GatewayError is a refusal and fails the job at once, with its
# code and its sentence; any other error lets it be tried again.
Handler = Callable[[Run, datetime], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """What carrying out a job needs."""

    engine: Engine
    keys: KeyRing
    clock: Callable[[], datetime]
    stop: threading.Event


def claim_job(bench: Workbench) -> Job | None:
    """Take the job that is due first, or None."""
    with bench.engine.begin() as connection:
        return jobs.claim(connection, bench.keys, bench.clock())


def run_job(bench: Workbench, job: Job, handlers: Mapping[str, Handler]) -> None:
    """Carry out a job and write down what came of it; never raises for what its handler does."""
    begun = time.monotonic()
    run = Run(job=job, stop=bench.stop)
    over = threading.Event()
    heart = threading.Thread(target=_beat, args=(bench, run, over), name=f"heartbeat-{job.job_id}", daemon=True)
    heart.start()
    try:
        end, word = _carry_out(bench, run, handlers)
    finally:
        over.set()
        heart.join()
    state = _write(bench, end) or word
    structlog.get_logger().info(
        "job",
        job=job.job_id,
        kind=job.kind,
        court=job.court_id,
        attempt=job.attempts,
        state=state,
        done=run.reached.done,
        total=run.reached.total,
        ms=int((time.monotonic() - begun) * 1000),
    )


_End = Callable[[Connection], None]


def _carry_out(bench: Workbench, run: Run, handlers: Mapping[str, Handler]) -> tuple[_End, str]:
    """Run the handler; return what is to be written of it, and the word for it in the log."""
    job = run.job
    try:
        result = handlers.get(job.kind, _refuse_kind)(run, bench.clock())
    except InterruptedJobError:
        return lambda to: jobs.put_back(to, job, due_at=bench.clock(), counts=False), "interrupted"
    except GatewayError as error:
        code, message = error.code, str(error)
        return lambda to: jobs.fail(to, bench.keys, job, code=code, message=message, now=bench.clock()), code
    except Exception as error:  # noqa: BLE001  (a handler's bug must not end the worker)
        structlog.get_logger().error("job_broke", job=job.job_id, kind=job.kind, exc_info=error)
        if job.attempts >= MOST_ATTEMPTS:
            said = "An error on our side, three times over; it is in the log."
            return lambda to: jobs.fail(to, bench.keys, job, code="internal", message=said, now=bench.clock()), "broke"
        due_at = bench.clock() + AGAIN_AFTER[job.attempts - 1]
        return lambda to: jobs.put_back(to, job, due_at=due_at, counts=True), "again"

    def end(connection: Connection) -> None:
        jobs.heartbeat(connection, job, bench.clock(), done=run.reached.done, total=run.reached.total)
        jobs.finish(connection, bench.keys, job, result, bench.clock())

    return end, "done"


def _refuse_kind(run: Run, _now: datetime) -> Mapping[str, Any]:
    raise UnknownKindError(kind=run.job.kind)


def _write(bench: Workbench, end: _End) -> str | None:
    """Write the end of a job; return another word for the log where that did not work.

    A database that is away now may be back in a moment. If it is not, the job is done once more after its lease.
    """
    for _ in range(_WRITE_TRIES):
        try:
            with bench.engine.begin() as connection:
                end(connection)
        except LostJobError:
            return "lost"
        except (SQLAlchemyError, OSError):
            bench.stop.wait(HEARTBEAT_SECONDS)
        else:
            return None
    return "unwritten"


def _beat(bench: Workbench, run: Run, over: threading.Event) -> None:
    while not over.wait(HEARTBEAT_SECONDS):
        try:
            with bench.engine.begin() as connection:
                reached = run.reached
                jobs.heartbeat(connection, run.job, bench.clock(), done=reached.done, total=reached.total)
        except LostJobError:
            run.lost.set()
            return
        except (SQLAlchemyError, OSError):
            continue  # The lease is long; the next beat renews it, or the job is done again.
