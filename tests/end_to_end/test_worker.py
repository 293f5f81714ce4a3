"""The worker as a process: alone as `notice-gateway work`, and beside gunicorn as `serve` starts it."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.assembly import put_together
from gateway.settings import Settings, load
from tests.blank import blank_database, blank_folder, blank_settings
from tests.end_to_end.server import PROGRAM, Server, a_free_port, environment, serving
from tests.outbox.mailroom import Mailroom
from tests.receiver import Receiver, Reply, receiving

__all__ = ["blank_database", "blank_folder", "blank_settings"]


def wait_until(holds: Callable[[], object], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def lives(pid: int) -> bool:
    """Tell whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def beside(server: Server) -> list[int]:
    """Return the worker's two processes, the one that stays beside gunicorn first."""
    found = []
    for each in Path("/proc").iterdir():
        if not each.name.isdecimal():
            continue
        try:
            words = (each / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[-4:-1] == [b"work", b"--beside", str(server.pid).encode()] and lives(int(each.name)):
            found.append(int(each.name))
    return sorted(found, key=lambda pid: int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]))


def told(folder: Path, receiver: Receiver, env_database: str = "") -> None:
    """Have a message in the outbox for a receiver."""
    parts = put_together(load(data_dir=folder, database_url=env_database))
    room = Mailroom(parts)
    room.endpoint(receiver.url)
    room.tell()
    parts.close()


@contextmanager
def working(settings: Settings, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `notice-gateway work` in the foreground for as long as the context lasts."""
    home.mkdir()
    env = environment(home, data_dir=settings.data_dir, database_url=settings.database_url)
    with (
        (home / "work.log").open("wb") as errors,
        subprocess.Popen([PROGRAM, "work"], env=env, stdout=errors, stderr=errors) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def test_a_worker_of_its_own_delivers_and_ends_cleanly_within_ten_seconds(
    blank_settings: Settings, tmp_path: Path
) -> None:
    with receiving() as receiver, working(blank_settings, tmp_path / "home") as process:
        told(blank_settings.data_dir, receiver, blank_settings.database_url)
        assert receiver.arrived.wait(40)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 10
        process.terminate()
        assert process.wait(10) == 0
    said = (tmp_path / "home" / "work.log").read_text()
    assert '"state": "delivered"' in said
    assert '"left_behind": false' in said
    assert receiver.url not in said
    assert "Traceback" not in said


def test_a_worker_ends_within_ten_seconds_even_while_a_receiver_stalls(
    blank_settings: Settings, tmp_path: Path
) -> None:
    def stall(_before: int) -> Reply:
        time.sleep(15)
        return Reply()

    with receiving(stall) as receiver, working(blank_settings, tmp_path / "home") as process:
        told(blank_settings.data_dir, receiver, blank_settings.database_url)
        assert receiver.arrived.wait(40)
        process.terminate()
        assert process.wait(10) == 0


@contextmanager
def serving_blank(settings: Settings, home: Path) -> Iterator[Server]:
    more: dict[str, Any] = {"twilio_auth_token": "t", "database_url": settings.database_url}
    with serving(settings.data_dir, home, workers=1, demo=False, **more) as server:
        yield server


def test_serve_delivers_webhooks_restarts_a_dead_worker_and_takes_it_along_when_it_ends(
    blank_settings: Settings, tmp_path: Path
) -> None:
    with receiving() as receiver, serving_blank(blank_settings, tmp_path / "home") as server:
        told(blank_settings.data_dir, receiver, blank_settings.database_url)
        assert receiver.arrived.wait(40)
        keeper, worker = beside(server)
        assert not {keeper, worker} & set(server.workers())
        assert os.getpriority(os.PRIO_PROCESS, worker) == 10
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: len(beside(server)) == 2 and worker not in beside(server))
        receiver.arrived.clear()
        told(blank_settings.data_dir, receiver, blank_settings.database_url)
        assert receiver.arrived.wait(40)
        processes = beside(server)
    wait_until(lambda: not any(lives(each) for each in processes), 12)
    assert "worker_died" in server.log.read_text()


@pytest.fixture
def alone(blank_folder: Path, tmp_path: Path) -> Settings:
    """Settings over a fresh copy on SQLite."""
    return Settings(data_dir=shutil.copytree(blank_folder, tmp_path / "data"))


def test_a_worker_does_not_outlive_a_killed_master(alone: Settings, tmp_path: Path) -> None:
    with serving_blank(alone, tmp_path / "home") as server:
        wait_until(lambda: len(beside(server)) == 2)
        processes = beside(server)
        os.kill(server.pid, signal.SIGKILL)
        wait_until(lambda: not any(lives(each) for each in processes), 12)


def test_a_worker_does_not_outlive_who_stays_beside_gunicorn(alone: Settings, tmp_path: Path) -> None:
    with serving_blank(alone, tmp_path / "home") as server:
        wait_until(lambda: len(beside(server)) == 2)
        keeper, worker = beside(server)
        os.kill(keeper, signal.SIGKILL)
        wait_until(lambda: not lives(worker), 12)


def test_no_work_leaves_the_worker_out(alone: Settings, tmp_path: Path) -> None:
    origin = f"http://127.0.0.1:{a_free_port()}"
    env = environment(tmp_path, data_dir=alone.data_dir, public_origin=origin, twilio_auth_token="t")
    log = tmp_path / "serve.log"
    arguments = [PROGRAM, "serve", "--no-work", "--bind", origin.removeprefix("http://")]
    with log.open("wb") as errors, subprocess.Popen(arguments, env=env, stdout=errors, stderr=errors) as process:
        server = Server(origin=origin, pid=process.pid, log=log, folder=alone.data_dir, env=env, settings=alone)
        try:
            wait_until(lambda: is_up(server), 120)
            time.sleep(3)
            assert beside(server) == []
            assert "worker_started" not in log.read_text()
        finally:
            process.terminate()


def is_up(server: Server) -> bool:
    try:
        return server.get("/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
