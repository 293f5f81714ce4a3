"""An S3 server of the tests' own (moto) on a free port, and a line to it that can be cut; stopped by who started it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from uuid import uuid4

import httpx

_START_SECONDS = 60
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "a-key-id",
    "AWS_SECRET_ACCESS_KEY": "a-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}

# moto takes any signature; without one it would refuse to show what somebody stored.
_SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=a-key-id/20260301/us-east-1/s3/aws4_request"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A running S3 server."""

    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def make_bucket(self) -> str:
        """Make an empty bucket and return the URL of a prefix in it."""
        name = f"bucket-{uuid4().hex}"
        httpx.put(f"{self.endpoint}/{name}", trust_env=False, timeout=10).raise_for_status()
        return f"s3://{name}/court"

    def content(self, url: str, name: str) -> bytes | None:
        """Return an object as the server has it."""
        answer = httpx.get(self._address(url, name), headers=_SIGNED, trust_env=False, timeout=10)
        return answer.content if answer.is_success else None

    def overwrite(self, url: str, name: str, content: bytes) -> None:
        """Put an object there past the gateway."""
        httpx.put(
            self._address(url, name), headers=_SIGNED, content=content, trust_env=False, timeout=10
        ).raise_for_status()

    def remove(self, url: str, name: str) -> None:
        httpx.delete(self._address(url, name), headers=_SIGNED, trust_env=False, timeout=10).raise_for_status()

    def freeze(self) -> None:
        """Let the server take connections, and answer none."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def _address(self, url: str, name: str) -> str:
        return f"{self.endpoint}/{url.removeprefix('s3://')}/{name}"


@contextmanager
def running_storage() -> Iterator[Storage]:
    """Start a server for as long as the context lasts."""
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        env={"PATH": os.defpath, **CREDENTIALS},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_it_answers(process, port)
        yield Storage(port=port, process=process)
    finally:
        process.kill()
        process.wait(30)


@dataclass(slots=True, kw_only=True)
class Line:
    """A line to a server that is cut after so many bytes sent; None never cuts it."""

    port: int
    cut_after: int | None = None
    sent: int = field(default=0)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def line_to(storage: Storage) -> Iterator[Line]:
    """Open a line to a server for as long as the context lasts."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        line = Line(port=listening.getsockname()[1])
        listening.settimeout(0.1)
        over = threading.Event()
        thread = threading.Thread(target=_answer, args=(listening, storage.port, line, over))
        thread.start()
        try:
            yield line
        finally:
            over.set()
            thread.join(30)


def _answer(listening: socket.socket, port: int, line: Line, over: threading.Event) -> None:
    threads = []
    while not over.is_set():
        with suppress(TimeoutError):
            near, _ = listening.accept()
            far = socket.create_connection(("127.0.0.1", port))
            for source, target, counted in ((near, far, True), (far, near, False)):
                thread = threading.Thread(target=_pump, args=(source, target, line if counted else None, over))
                thread.start()
                threads.append(thread)
    for thread in threads:
        thread.join(30)


def _pump(source: socket.socket, target: socket.socket, line: Line | None, over: threading.Event) -> None:
    source.settimeout(0.1)
    try:
        while not over.is_set():
            try:
                chunk = source.recv(4096)
            except TimeoutError:
                continue
            if not chunk:
                break
            if line is not None:
                line.sent += len(chunk)
                if line.cut_after is not None and line.sent > line.cut_after:
                    break
            target.sendall(chunk)
    except OSError:
        pass
    finally:
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            if over.is_set() or each is source:
                each.close()


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "moto ended at its start"
        with suppress(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{port}/moto-api/", trust_env=False, timeout=5)
            return
        time.sleep(0.1)
    raise AssertionError("moto did not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
