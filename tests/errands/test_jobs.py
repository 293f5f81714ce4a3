"""Jobs: taken by one worker at a time, taken again when it dies, given up in the end, and readable by nobody else."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.assembly import Parts, put_together
from gateway.clock import utc_now
from gateway.domain.errors import InvalidNumberError
from gateway.errands import jobs
from gateway.errands.jobs import LEASE, Job, JobState, LostJobError, UnknownJobError
from gateway.errands.tables import jobs as table
from gateway.settings import Settings
from gateway.workflows.run_jobs import AGAIN_AFTER, Handler, InterruptedJobError, Run, Workbench, claim_job, run_job
from tests.blank import COURT, OTHER_COURT

ROOT = Path(__file__).resolve().parents[2]
# A worker of its own: it says that it is at the job, and is killed there.
WORKER = """
import sys, threading, time
from pathlib import Path
from gateway.assembly import put_together
from gateway.clock import utc_now
from gateway.settings import Settings
from gateway.workflows.run_jobs import Workbench, claim_job, run_job
parts = put_together(Settings(data_dir=Path(sys.argv[1]), database_url=sys.argv[2]))
bench = Workbench(engine=parts.studio.engine, keys=parts.keys, clock=utc_now, stop=threading.Event())
def handler(run, now):
    print("at it", flush=True)
    time.sleep(600)
run_job(bench, claim_job(bench), {"import": handler})
"""


class Bench:
    """A workbench whose clock the test turns."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.at = utc_now()
        self.stop = threading.Event()
        self.bench = Workbench(engine=parts.studio.engine, keys=parts.keys, clock=lambda: self.at, stop=self.stop)

    def add(self, kind: str = "import", court_id: str = COURT, **payload: object) -> str:
        with self.bench.engine.begin() as connection:
            return jobs.add(connection, self.bench.keys, kind, payload, court_id, "per_1", self.at)

    def claim(self) -> Job:
        job = claim_job(self.bench)
        assert job is not None
        return job

    def run(self, **handlers: Handler) -> None:
        run_job(self.bench, self.claim(), handlers)

    def get(self, job_id: str) -> Job:
        with self.parts.reading.connect() as connection:
            return jobs.get(connection, self.bench.keys, job_id)


@pytest.fixture
def bench(blank: Parts) -> Bench:
    return Bench(blank)


def test_a_job_is_carried_out_once_with_its_payload_and_its_result_is_kept(bench: Bench) -> None:
    job_id = bench.add(file="orders.csv", rows=[1, 2])
    seen: list[Mapping[str, Any]] = []

    def handler(run: Run, now: datetime) -> Mapping[str, Any]:
        assert now == bench.at
        run.progress(2, 2)
        seen.append(run.job.payload)
        return {"accepted": 2}

    bench.run(**{"import": handler})
    assert seen == [{"file": "orders.csv", "rows": [1, 2]}]
    job = bench.get(job_id)
    assert (job.state, job.result, job.done, job.total, job.error) == (JobState.DONE, {"accepted": 2}, 2, 2, None)
    assert (job.created_by, job.finished_at) == ("per_1", bench.at)
    assert claim_job(bench.bench) is None


def test_payload_and_result_stand_encrypted(bench: Bench) -> None:
    bench.add(name="Jo Bloggs")
    bench.run(**{"import": lambda _run, _now: {"line": "+12025550110"}})
    with bench.parts.reading.connect() as connection:
        stored = repr(connection.execute(select(table)).one())
    assert "Bloggs" not in stored
    assert "2025550110" not in stored


def test_a_job_is_added_in_the_transaction_of_the_change(bench: Bench) -> None:
    def add_and_fail() -> None:
        with bench.bench.engine.begin() as connection:
            jobs.add(connection, bench.bench.keys, "import", {}, COURT, "per_1", bench.at)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        add_and_fail()
    assert claim_job(bench.bench) is None


def test_a_refusal_fails_the_job_at_once_with_its_code_and_its_sentence(bench: Bench) -> None:
    job_id = bench.add()

    def refuse(_run: Run, _now: datetime) -> Mapping[str, Any]:
        raise InvalidNumberError(shown="12")

    bench.run(**{"import": refuse})
    job = bench.get(job_id)
    assert (job.state, job.error, job.finished_at) == (JobState.FAILED, "invalid_number", bench.at)
    assert "E.164" in job.result["message"]


def test_a_job_of_a_kind_that_nobody_knows_fails_and_is_named(bench: Bench) -> None:
    job_id = bench.add("juggle")
    bench.run()
    assert (bench.get(job_id).state, bench.get(job_id).error) == (JobState.FAILED, "unknown_kind")


def test_an_error_on_our_side_is_tried_three_times_and_says_nothing_of_itself(bench: Bench) -> None:
    job_id = bench.add()

    def broken(_run: Run, _now: datetime) -> Mapping[str, Any]:
        raise ValueError("+12025550110")

    for wait in AGAIN_AFTER:
        bench.run(**{"import": broken})
        assert bench.get(job_id).state is JobState.WAITING
        bench.at += wait - timedelta(microseconds=1)
        assert claim_job(bench.bench) is None
        bench.at += timedelta(microseconds=1)
    bench.run(**{"import": broken})
    job = bench.get(job_id)
    assert (job.state, job.error, job.attempts) == (JobState.FAILED, "internal", 3)
    assert "2025550110" not in job.result["message"]


def test_a_worker_that_is_stopped_puts_the_job_back_and_that_is_no_attempt(bench: Bench) -> None:
    job_id = bench.add()
    bench.stop.set()

    def handler(run: Run, _now: datetime) -> Mapping[str, Any]:
        run.progress(1, 10)
        raise AssertionError

    bench.run(**{"import": handler})
    assert (bench.get(job_id).state, bench.get(job_id).attempts) == (JobState.WAITING, 0)
    assert claim_job(bench.bench) is not None


def test_progress_is_seen_while_the_job_runs_and_the_lease_is_renewed(blank: Parts) -> None:
    bench = Bench(blank)
    job_id = bench.add()
    reached = threading.Event()

    def handler(run: Run, _now: datetime) -> Mapping[str, Any]:
        run.progress(3, 10)
        bench.at += LEASE - timedelta(seconds=1)
        deadline = time.monotonic() + 20
        while bench.get(job_id).done != 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        # The first lease is over by now, and nobody else may have the job.
        bench.at += timedelta(seconds=2)
        assert claim_job(bench.bench) is None
        reached.set()
        return {}

    bench.run(**{"import": handler})
    assert reached.is_set()
    assert bench.get(job_id).state is JobState.DONE


def on_a_lost_job(bench: Bench, job: Job) -> list[Callable[[], object]]:
    keys, engine = bench.bench.keys, bench.bench.engine

    def within(do: Callable[[Any], object]) -> Callable[[], object]:
        def run() -> None:
            with engine.begin() as connection:
                do(connection)

        return run

    return [
        within(lambda to: jobs.heartbeat(to, job, bench.at, done=1, total=1)),
        within(lambda to: jobs.finish(to, keys, job, {}, bench.at)),
        within(lambda to: jobs.fail(to, keys, job, code="x", message="x", now=bench.at)),
        within(lambda to: jobs.put_back(to, job, due_at=bench.at, counts=True)),
    ]


def test_who_lost_a_job_can_write_nothing_more_of_it(bench: Bench) -> None:
    job_id = bench.add()
    first = bench.claim()
    bench.at += LEASE - timedelta(microseconds=1)
    assert claim_job(bench.bench) is None
    bench.at += timedelta(microseconds=1)
    second = bench.claim()
    assert (first.job_id, second.job_id, second.attempts) == (job_id, job_id, 2)
    for write in on_a_lost_job(bench, first):
        with pytest.raises(LostJobError):
            write()
    with bench.bench.engine.begin() as connection:
        jobs.finish(connection, bench.bench.keys, second, {"by": "the second"}, bench.at)
    assert bench.get(job_id).result == {"by": "the second"}
    for write in on_a_lost_job(bench, second):
        with pytest.raises(LostJobError):
            write()


def test_a_handler_learns_that_its_job_was_lost(bench: Bench) -> None:
    bench.add()
    run = Run(job=bench.claim(), stop=threading.Event())
    run.progress(1, 2)
    run.lost.set()
    with pytest.raises(LostJobError):
        run.progress(2, 2)
    stopped = Run(job=run.job, stop=threading.Event())
    stopped.stop.set()
    with pytest.raises(InterruptedJobError):
        stopped.progress(1, 2)


def test_a_job_that_kills_its_workers_is_given_up_and_stops_no_other(bench: Bench) -> None:
    bad = bench.add()
    for attempt in (1, 2, 3):
        assert bench.claim().attempts == attempt
        bench.at += LEASE
    good = bench.add()
    assert bench.claim().job_id == good
    assert (bench.get(bad).state, bench.get(bad).error) == (JobState.FAILED, "gave_up")


def test_a_job_that_these_keys_do_not_open_is_failed_and_stops_no_other(bench: Bench) -> None:
    bad = bench.add()
    with bench.bench.engine.begin() as connection:
        connection.execute(table.update().values(payload=b"\x02 no ciphertext of ours"))
    bench.at += timedelta(seconds=1)
    good = bench.add()
    assert bench.claim().job_id == good
    with bench.parts.reading.connect() as connection:
        found = connection.execute(select(table.c.state, table.c.error).where(table.c.job_id == bad)).one()
    assert tuple(found) == ("failed", "wrong_key")


def test_of_many_workers_at_once_exactly_one_takes_each_job(blank_settings: Settings) -> None:
    first = Bench(put_together(blank_settings))
    benches = [first, *(Bench(put_together(blank_settings)) for _ in range(3))]
    wanted = {first.add(number=number) for number in range(20)}
    for each in benches:
        each.at = first.at

    def worker(bench: Bench) -> list[str]:
        found: list[str] = []
        while (job := claim_job(bench.bench)) is not None:
            found.append(job.job_id)
        return found

    with ThreadPoolExecutor(4) as pool:
        taken = [job_id for lane in pool.map(worker, benches) for job_id in lane]
    assert len(taken) == 20
    assert set(taken) == wanted
    for each in benches:
        each.parts.close()


def test_the_job_of_a_killed_worker_is_taken_again_after_its_lease(blank_settings: Settings) -> None:
    bench = Bench(put_together(blank_settings))
    job_id = bench.add()
    arguments = [sys.executable, "-c", WORKER, str(blank_settings.data_dir), blank_settings.database_url]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "at it\n"
        os.kill(worker.pid, signal.SIGKILL)
        assert worker.wait(10) == -signal.SIGKILL
    bench.at = utc_now()
    assert bench.get(job_id).state is JobState.RUNNING
    assert claim_job(bench.bench) is None
    bench.at += LEASE
    bench.run(**{"import": lambda run, _now: {"attempt": run.job.attempts}})
    assert (bench.get(job_id).state, bench.get(job_id).result) == (JobState.DONE, {"attempt": 2})
    bench.parts.close()


def test_a_court_sees_its_own_jobs_the_newest_first_page_by_page(bench: Bench) -> None:
    for _ in range(3):
        bench.add()
        bench.add(court_id=OTHER_COURT)
        bench.at += timedelta(seconds=1)
    with bench.parts.reading.connect() as connection:
        everything = jobs.of_court(connection, bench.bench.keys, COURT)
        first = jobs.of_court(connection, bench.bench.keys, COURT, most=2)
        rest = jobs.of_court(connection, bench.bench.keys, COURT, after=first[-1].cursor)
        with pytest.raises(UnknownJobError):
            jobs.get(connection, bench.bench.keys, "job_nowhere")
    assert (*first, *rest) == everything
    assert [each.court_id for each in everything] == [COURT] * 3
    assert [each.created_at for each in everything] == sorted((each.created_at for each in everything), reverse=True)
