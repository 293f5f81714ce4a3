"""The worker's loop: webhooks, jobs and rounds, each in a thread of its own, until it is told to stop.

What goes wrong with one of them is logged, and the loop goes on with the next. While the database is away it asks
again, ever more seldom, and says so once. Several workers share the work through leases in the database.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.errands import jobs, rounds
from gateway.outbox import deliveries
from gateway.workflows.deliver_webhooks import Courier, deliver, hand_out, take_due
from gateway.workflows.run_jobs import Handler, Workbench, claim_job, run_job

POLL_SECONDS = 0.5
MOST_DELIVERIES = 8
MOST_JOBS = 1
# What is under way at the end has this long; what takes longer is taken up again by the next worker.
GRACE_SECONDS = 7.0
_LONGEST_PAUSE_SECONDS = 15.0
_ROUNDS_EVERY = timedelta(seconds=5)
_ROUND_AGAIN_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Something done each `every`, by one host at a time; it must bear being done twice."""

    name: str
    every: timedelta
    do: Callable[[datetime], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """What the loop works with. `watch` answers quick questions and takes no lock; the rest goes through `bench`."""

    watch: Engine
    bench: Workbench
    courier: Courier
    handlers: Mapping[str, Handler]
    periodic: tuple[Round, ...] = ()
    # Looks whether the keys were rotated meanwhile; called at each turn.
    look_at_keys: Callable[[], object] = lambda: None


@dataclass(slots=True)
class _Hands:
    """The threads that are at something, by what they are at, and a bell that they ring when they are free."""

    free: threading.Event = field(default_factory=threading.Event)
    busy: dict[str, set[threading.Thread]] = field(default_factory=dict)

    def at(self, what: str) -> int:
        """Return how many are at `what`, and forget those that are done."""
        alive = {each for each in self.busy.get(what, set()) if each.is_alive()}
        self.busy[what] = alive
        return len(alive)

    def lend(self, what: str, name: str, do: Callable[[], object]) -> None:
        """Start a thread at `what`. It is a daemon: one that hangs must not keep a worker from ending."""

        def run() -> None:
            try:
                do()
            except Exception as error:  # noqa: BLE001  (nothing that goes wrong with one ends the others)
                structlog.get_logger().error("work_broke", at=what, name=name, exc_info=error)
            finally:
                self.free.set()

        thread = threading.Thread(target=run, name=f"{what}-{name}", daemon=True)
        self.busy.setdefault(what, set()).add(thread)
        thread.start()

    def join(self, seconds: float) -> bool:
        """Wait for all of them, `seconds` at most; tell whether they all ended."""
        deadline = time.monotonic() + seconds
        for thread in [each for those in self.busy.values() for each in those]:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(self.at(what) for what in tuple(self.busy))


def work(crew: Crew) -> bool:
    """Work until `crew.bench.stop` is set; return whether everything that was under way came to its end."""
    log = structlog.get_logger()
    hands = _Hands()
    pause = POLL_SECONDS
    rounds_at = crew.bench.clock()
    log.info("worker_started")
    while not crew.bench.stop.is_set():
        hands.free.clear()
        now = crew.bench.clock()
        try:
            crew.look_at_keys()
            _turn(crew, hands, now)
            if now >= rounds_at:
                _go_round(crew, hands, now)
                rounds_at = now + _ROUNDS_EVERY
        except (SQLAlchemyError, OSError) as error:
            if pause == POLL_SECONDS:
                log.warning("worker_database_away", why=type(error).__name__)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            crew.bench.stop.wait(pause)
            continue
        except Exception as error:
            log.error("worker_broke", exc_info=error)  # noqa: TRY400  (the traceback is written without its message)
            crew.bench.stop.wait(_LONGEST_PAUSE_SECONDS)
            continue
        if pause != POLL_SECONDS:
            log.info("worker_database_back")
            pause = POLL_SECONDS
        _rest(crew.bench.stop, hands.free, pause)
    ended = hands.join(GRACE_SECONDS)
    log.info("worker_stopped", left_behind=not ended)
    return ended


def _rest(stop: threading.Event, free: threading.Event, seconds: float) -> None:
    """Wait until a hand is free or the time is over; a stop rings too, at the next tenth of a second."""
    for _ in range(int(seconds / 0.1)):
        if stop.is_set() or free.wait(0.1):
            return


def _turn(crew: Crew, hands: _Hands, now: datetime) -> None:
    """Ask what is due, without a lock, and only then take it: an idle worker never writes."""
    with crew.watch.connect() as connection:
        something_to_send = deliveries.is_anything_due(connection, now)
        something_to_do = jobs.is_anything_due(connection, now)
    if something_to_send:
        hand_out(crew.courier)
    room = MOST_DELIVERIES - hands.at("webhook")
    if something_to_send and room > 0:
        for taken in take_due(crew.courier, room):
            hands.lend("webhook", taken.delivery_id, partial(deliver, crew.courier, taken))
    if something_to_do and hands.at("job") < MOST_JOBS:
        job = claim_job(crew.bench)
        if job is not None:
            hands.lend("job", job.job_id, partial(run_job, crew.bench, job, crew.handlers))


def _go_round(crew: Crew, hands: _Hands, now: datetime) -> None:
    names = [each.name for each in crew.periodic]
    if not names or hands.at("round"):
        return
    with crew.watch.connect() as connection:
        unknown = rounds.missing(connection, names)
        due = (*rounds.due(connection, names, now), *unknown)
    if not due:
        return
    with crew.bench.engine.begin() as connection:
        for name in unknown:
            rounds.enter(connection, name, now)
        mine = next((name for name in due if rounds.take(connection, name, now)), None)
    for each in crew.periodic:
        if each.name == mine:
            hands.lend("round", each.name, partial(_do_round, crew, each))


def _do_round(crew: Crew, this: Round) -> None:
    log = structlog.get_logger()
    clock = crew.bench.clock
    finished_at = None
    due_at = clock() + min(this.every, _ROUND_AGAIN_AFTER)
    try:
        this.do(clock())
        finished_at = clock()
        due_at = finished_at + this.every
    except Exception as error:
        log.error("round", name=this.name, state="broke", exc_info=error)  # noqa: TRY400  (as in `work`)
    else:
        log.info("round", name=this.name, state="done")
    with crew.bench.engine.begin() as connection:
        rounds.give_back(connection, this.name, due_at=due_at, finished_at=finished_at)
