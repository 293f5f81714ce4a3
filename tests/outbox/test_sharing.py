"""Several workers at once: no delivery is made by two of them, and one that dies leaves its work to the others."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.assembly import Parts, put_together
from gateway.outbox import deliveries
from gateway.outbox.deliveries import LEASE, MOST_ATTEMPTS, Record, Taken
from gateway.settings import Settings
from gateway.workflows.deliver_webhooks import hand_out, take_due
from tests.outbox.mailroom import Mailroom
from tests.receiver import Reply, receiving

ROOT = Path(__file__).resolve().parents[2]
# A worker of its own: it takes what is due, and is killed while the receiver still has not answered.
WORKER = """
import os, sys
from pathlib import Path
from gateway.assembly import put_together
from gateway.settings import Settings
from tests.outbox.mailroom import Mailroom
parts = put_together(Settings(data_dir=Path(sys.argv[1]), database_url=sys.argv[2]))
Mailroom(parts).deliver()
"""


@pytest.fixture
def room(blank: Parts) -> Mailroom:
    return Mailroom(blank)


def a_record(room: Mailroom) -> Record:
    return Record(state="delivered", status=204, error=None, at=room.at, due_at=room.at)


def test_of_many_workers_at_once_exactly_one_takes_each_delivery_and_one_endpoint_has_one_at_a_time(
    blank_settings: Settings,
) -> None:
    own = Mailroom(put_together(blank_settings))
    # Each worker has a pool of its own, as another process has.
    rooms = [Mailroom(put_together(blank_settings), at=own.at) for _ in range(4)]
    made = [own.endpoint(f"http://127.0.0.1:1/{number}") for number in range(3)]
    for _ in range(8):
        own.tell()
    begun: Counter[str] = Counter()
    under_way: Counter[str] = Counter()
    lock = threading.Lock()

    def settle(room: Mailroom, taken: Taken) -> None:
        with lock:
            under_way[taken.endpoint_id] -= 1
        with room.office.engine.begin() as connection:
            assert deliveries.record(connection, taken, a_record(room))

    def worker(room: Mailroom) -> None:
        deadline = time.monotonic() + 60
        while sum(begun.values()) < 24:
            assert time.monotonic() < deadline
            hand_out(room.courier)
            found = take_due(room.courier, 2)
            with lock:
                begun.update(each.delivery_id for each in found)
                under_way.update(each.endpoint_id for each in found)
                assert max(under_way.values(), default=0) <= 1
            time.sleep(0.02)
            for taken in found:
                settle(room, taken)

    with ThreadPoolExecutor(4) as pool:
        for lane in [pool.submit(worker, room) for room in rooms]:
            lane.result()
    assert len(begun) == 24
    assert set(begun.values()) == {1}
    assert [own.states(each) for each in made] == [[("delivered", 1)] * 8] * 3
    for room in (own, *rooms):
        room.parts.close()


def test_what_a_worker_has_taken_no_other_takes_before_the_lease_ends(room: Mailroom) -> None:
    made = room.endpoint("http://127.0.0.1:1/")
    room.tell()
    room.tell()
    hand_out(room.courier)
    (first,) = take_due(room.courier, 8)
    room.at += LEASE - timedelta(seconds=1)
    assert take_due(room.courier, 8) == ()
    room.at += timedelta(seconds=1)
    (again,) = take_due(room.courier, 8)
    assert (again.delivery_id, again.attempt) == (first.delivery_id, 2)
    # Who was thought dead comes back: what it has to say no longer counts.
    with room.office.engine.begin() as connection:
        assert not deliveries.record(connection, first, a_record(room))
        assert deliveries.record(connection, again, a_record(room))
    assert sorted(room.states(made)) == [("delivered", 2), ("waiting", 0)]


def test_a_delivery_that_kills_its_workers_is_dead_after_the_last_attempt(room: Mailroom) -> None:
    made = room.endpoint("http://127.0.0.1:1/")
    room.tell()
    hand_out(room.courier)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert [each.attempt for each in take_due(room.courier, 8)] == [attempt]
        room.at += LEASE
    assert take_due(room.courier, 8) == ()
    assert room.states(made) == [("dead", MOST_ATTEMPTS)]


def test_a_worker_killed_while_it_sends_leaves_the_message_to_the_next(blank_settings: Settings) -> None:
    room = Mailroom(put_together(blank_settings))
    answering = threading.Event()

    def answer(before: int) -> Reply:
        if before == 0:
            answering.wait(60)
        return Reply()

    with receiving(answer) as receiver:
        made = room.endpoint(receiver.url)
        room.tell()
        arguments = [sys.executable, "-c", WORKER, str(blank_settings.data_dir), blank_settings.database_url]
        with subprocess.Popen(arguments, cwd=ROOT) as worker:
            assert receiver.arrived.wait(60)
            os.kill(worker.pid, signal.SIGKILL)
            assert worker.wait(10) == -signal.SIGKILL
        answering.set()
        # The lease counts from the killed worker's clock, which is this machine's.
        assert room.deliver() == 0
        assert room.after(LEASE + timedelta(minutes=1)) == 1
        assert len(receiver.received) == 2
        assert len(set(receiver.ids())) == 1
    assert room.states(made) == [("delivered", 2)]
    room.parts.close()
