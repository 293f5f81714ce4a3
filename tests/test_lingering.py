"""gunicorn with threads that linger: what follows on a connection, what others ask meanwhile, and the end."""

import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lingering_app import THREADS

ROOT = Path(__file__).resolve().parent.parent
GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gunicorn:
    """One worker of two threads."""

    port: int
    process: subprocess.Popen[bytes]

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)


@contextmanager
def serving(folder: Path, worker: str) -> Iterator[Gunicorn]:
    """Run gunicorn with a class of worker for as long as the context lasts."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    settings = ["--workers", "1", "--threads", str(THREADS), "--keep-alive", "30", "--graceful-timeout", "20"]
    settings += ["--worker-class", f"tests.lingering_app.{worker}", "--no-control-socket"]
    command = [sys.executable, "-m", "gunicorn", *settings, "--bind", f"fd://{listener.fileno()}"]
    with (folder / "gunicorn.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "tests.lingering_app:application"], cwd=ROOT, stderr=log, pass_fds=(listener.fileno(),)
        )
    listener.close()
    try:
        yield Gunicorn(port=port, process=process)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Gunicorn]:
    with serving(tmp_path, "Patient") as gunicorn:
        yield gunicorn


def ask(connection: http.client.HTTPConnection, path: str = "/") -> bytes:
    connection.request("POST", path, body=b"a body")
    answer = connection.getresponse()
    assert answer.status == 200
    return answer.read()


def test_one_thread_answers_what_follows_on_a_connection(patient: Gunicorn) -> None:
    connection = patient.connection()
    assert len({ask(connection) for _ in range(20)}) == 1
    connection.close()


def test_the_lingering_thread_goes_when_every_other_has_work(patient: Gunicorn) -> None:
    lingering = patient.connection()
    first = ask(lingering)
    with ThreadPoolExecutor(THREADS) as pool:
        others = [patient.connection() for _ in range(THREADS)]
        # Each waits for the other inside of the program: it takes both threads.
        met = list(pool.map(lambda other: ask(other, "/meet"), others))
    assert first in met
    assert len(set(met)) == THREADS
    assert ask(lingering) in met
    for each in (lingering, *others):
        each.close()


def test_many_connections_are_answered_beside_the_one_that_is_lingered_for(patient: Gunicorn) -> None:
    kept = [patient.connection() for _ in range(8)]
    with ThreadPoolExecutor(len(kept)) as pool:
        for _ in range(25):
            assert all(pool.map(ask, kept))
    while kept:
        kept.pop().close()
        assert all(map(ask, kept))


def test_requests_that_come_together_are_all_answered(patient: Gunicorn) -> None:
    with socket.create_connection(("127.0.0.1", patient.port), timeout=30) as client:
        client.sendall(GET)
        found = client.recv(65_536)
        client.sendall(GET * 3)
        while found.count(b"HTTP/1.1 200 OK") < 4 or found.endswith(b"\r\n\r\n"):
            read = client.recv(65_536)
            assert read
            found += read


def test_a_connection_that_the_main_thread_has_taken_back_is_answered(tmp_path: Path) -> None:
    with serving(tmp_path, "Hasty") as gunicorn:
        connection = gunicorn.connection()
        for _ in range(5):
            assert ask(connection)
            time.sleep(0.05)
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_does_not_wait_for_the_lingering_thread(patient: Gunicorn, number: signal.Signals) -> None:
    with closing(patient.connection()) as connection:
        # The second is answered by the thread that lingers. By then gunicorn's main thread has left the pool's lock:
        # its handler of SIGQUIT takes the same one, and would wait for itself until the worker is killed.
        ask(connection)
        ask(connection)
        time.sleep(0.3)
        patient.process.send_signal(number)
        assert patient.process.wait(timeout=15) == 0
