"""The worker's loop: it goes on, whatever goes wrong with what it does, and does each round on one host only."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.assembly import Parts, put_together
from gateway.clock import utc_now
from gateway.errands import claims, jobs, rounds
from gateway.errands.claims import AlreadyDoneError, Claim
from gateway.errands.jobs import JobState
from gateway.outbox.send import trust
from gateway.settings import Settings
from gateway.workflows import duties
from gateway.workflows.deliver_webhooks import Courier
from gateway.workflows.run_jobs import Handler, Run, Workbench
from gateway.workflows.work import Crew, Round, work
from tests.blank import COURT
from tests.outbox.mailroom import Mailroom
from tests.receiver import Reply, receiving


def a_crew(parts: Parts, handlers: Mapping[str, Handler] | None = None, *periodic: Round) -> Crew:
    office = parts.office
    return Crew(
        watch=parts.reading,
        bench=Workbench(engine=office.engine, keys=office.keys, clock=utc_now, stop=threading.Event()),
        courier=Courier(engine=office.engine, keys=office.keys, trusted=trust(), clock=utc_now, chance=lambda: 0.5),
        handlers=handlers or {},
        periodic=periodic,
    )


@contextmanager
def working(crew: Crew) -> Iterator[list[bool]]:
    """Work for as long as the context lasts; the list then holds whether everything came to its end."""
    ended: list[bool] = []
    thread = threading.Thread(target=lambda: ended.append(work(crew)))
    thread.start()
    try:
        yield ended
    finally:
        crew.bench.stop.set()
        thread.join(30)
        assert not thread.is_alive()


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def a_job(parts: Parts, kind: str) -> str:
    with parts.studio.engine.begin() as connection:
        return jobs.add(connection, parts.keys, kind, {}, COURT, "per_1", utc_now())


def state_of(parts: Parts, job_id: str) -> JobState:
    with parts.reading.connect() as connection:
        return jobs.get(connection, parts.keys, job_id).state


def test_what_is_told_and_what_is_asked_is_done_within_seconds_and_a_broken_handler_ends_nothing(blank: Parts) -> None:
    def broken(_run: Run, _now: datetime) -> Mapping[str, Any]:
        raise ZeroDivisionError

    room = Mailroom(blank)
    crew = a_crew(blank, {"broken": broken, "good": lambda _run, _now: {}})
    with receiving() as receiver, working(crew) as ended:
        made = room.endpoint(receiver.url)
        first = a_job(blank, "broken")
        room.tell()
        second = a_job(blank, "good")
        wait_until(lambda: room.states(made) == [("delivered", 1)] and state_of(blank, second) is JobState.DONE)
        assert state_of(blank, first) is JobState.WAITING
        room.tell()
        wait_until(lambda: room.states(made) == [("delivered", 1)] * 2)
    assert ended == [True]
    assert receiver.received[0].verified_with(made.secret)


def test_a_receiver_that_stalls_holds_up_no_other_and_gets_one_message_at_a_time(blank: Parts) -> None:
    end = threading.Event()

    def stall(_before: int) -> Reply:
        end.wait(30)
        return Reply()

    room = Mailroom(blank)
    with receiving(stall) as slow, receiving() as fast, working(a_crew(blank)):
        room.endpoint(slow.url)
        made = room.endpoint(fast.url)
        for _ in range(12):
            room.tell()
        wait_until(lambda: len(fast.received) == 12)
        assert len(slow.received) == 1
        end.set()
        wait_until(lambda: len(slow.received) == 12)
    assert room.states(made) == [("delivered", 1)] * 12


def test_a_stop_does_not_wait_for_ever_for_what_is_under_way(blank: Parts) -> None:
    end = threading.Event()
    with working(a_crew(blank, {"slow": lambda _run, _now: {"ended": end.wait(60)}})) as ended:
        job_id = a_job(blank, "slow")
        wait_until(lambda: state_of(blank, job_id) is JobState.RUNNING)
        begun = time.monotonic()
    assert time.monotonic() - begun < 10
    assert ended == [False]
    end.set()
    wait_until(lambda: state_of(blank, job_id) is JobState.DONE)


def test_a_round_is_made_again_and_again_by_one_host_at_a_time_and_one_that_breaks_ends_no_other(
    blank_settings: Settings,
) -> None:
    hosts = [put_together(blank_settings) for _ in range(2)]
    made: dict[str, int] = {"daily": 0, "often": 0, "broken": 0}
    lock = threading.Lock()

    def count(name: str) -> Callable[[datetime], None]:
        def do(_now: datetime) -> None:
            with lock:
                made[name] += 1
            if name == "broken":
                raise ZeroDivisionError

        return do

    periodic = (
        Round(name="broken", every=timedelta(days=1), do=count("broken")),
        Round(name="daily", every=timedelta(days=1), do=count("daily")),
        Round(name="often", every=timedelta(milliseconds=1), do=count("often")),
    )
    with working(a_crew(hosts[0], {}, *periodic)), working(a_crew(hosts[1], {}, *periodic)):
        wait_until(lambda: made["often"] >= 2, 60)
    assert (made["daily"], made["broken"]) == (1, 1)
    for host in hosts:
        host.close()


def test_a_round_left_behind_by_a_dead_host_is_taken_after_its_lease(blank: Parts) -> None:
    now = utc_now()
    with blank.studio.engine.begin() as connection:
        rounds.enter(connection, "daily", now)
        rounds.enter(connection, "daily", now)
        assert rounds.take(connection, "daily", now)
        assert not rounds.take(connection, "daily", now)
        assert rounds.due(connection, ["daily"], now) == ()
        assert rounds.take(connection, "daily", now + rounds.LEASE)
        rounds.give_back(connection, "daily", due_at=now + timedelta(days=1), finished_at=now)
        assert not rounds.take(connection, "daily", now + timedelta(hours=23))
        assert rounds.take(connection, "daily", now + timedelta(hours=24))


def test_the_loop_outlives_an_absent_database_says_so_once_and_goes_on_when_it_is_back(
    blank_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, away = tmp_path / "data", tmp_path / "away"
    shutil.copytree(blank_folder, folder)
    parts = put_together(Settings(data_dir=folder))
    room = Mailroom(parts)
    structlog.reset_defaults()
    with receiving() as receiver, working(a_crew(parts)):
        made = room.endpoint(receiver.url)
        away.mkdir()
        move(folder, away)
        time.sleep(4)
        move(away, folder)
        room.tell()
        wait_until(lambda: room.states(made) == [("delivered", 1)])
    said = capsys.readouterr().out
    assert said.count("worker_database_away") == 1
    assert said.count("worker_database_back") == 1
    parts.close()


def move(source: Path, target: Path) -> None:
    for end in ("", "-wal", "-shm"):
        part = source / f"register.sqlite3{end}"
        if part.exists():
            part.rename(target / part.name)


def rounds_over(parts: Parts) -> tuple[Round, ...]:
    settings = parts.settings
    return duties.rounds_of(parts.office, checkpoints=settings.checkpoints_dir, retention_days=settings.retention_days)


def test_every_round_that_the_worker_makes_succeeds_twice_and_the_day_has_one_checkpoint(blank: Parts) -> None:
    now = utc_now()
    for each in (*rounds_over(blank), *rounds_over(blank)):
        each.do(now)
    assert len(list(blank.settings.checkpoints_dir.iterdir())) == 1
    assert len({each.name for each in rounds_over(blank)}) == len(rounds_over(blank))


def test_old_claims_and_old_messages_are_forgotten(blank: Parts) -> None:
    room = Mailroom(blank)
    claim = Claim.of(actor_id="per_1", method="POST", path="/", key="k", content=b"")
    with receiving() as receiver:
        made = room.endpoint(receiver.url)
        room.tell()
        room.deliver()
        with blank.studio.engine.begin() as connection:
            claims.take(connection, claim, room.at)
    named = {each.name: each for each in rounds_over(blank)}
    moment = timedelta(microseconds=1)
    named["forget_messages"].do(room.at + duties.KEEP_MESSAGES)
    assert len(room.deliveries(made)) == 1
    named["forget_messages"].do(room.at + duties.KEEP_MESSAGES + moment)
    assert room.deliveries(made) == ()
    named["forget_claims"].do(room.at + duties.KEEP_CLAIMS)
    with pytest.raises(AlreadyDoneError), blank.studio.engine.begin() as connection:
        claims.take(connection, claim, room.at)
    named["forget_claims"].do(room.at + duties.KEEP_CLAIMS + moment)
    with blank.studio.engine.begin() as connection:
        claims.take(connection, claim, room.at)
