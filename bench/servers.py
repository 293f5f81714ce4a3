"""Servers under measurement: real gunicorn processes on free loopback ports, one configuration for all of them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from bench.data import ORIGIN

ROOT = Path(__file__).resolve().parent.parent
CONFIGURATION = ROOT / "config" / "gunicorn.conf.py"
_TICKS = os.sysconf("SC_CLK_TCK")
_START_SECONDS, _STOP_SECONDS, _REST_SECONDS = 30, 25, 0.3


class ServerError(Exception):
    """A server did not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server, by its master process."""

    name: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """Return the CPU time that the workers have used so far, user and system."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii").split()
        return sum(_ticks(child) for child in children) / _TICKS


@contextmanager
def gateway(folder: Path, scratch: Path) -> Iterator[Server]:
    """Serve the gateway over a data folder, as `notice-gateway serve` does."""
    port = _free_port()
    command = [str(Path(sys.executable).with_name("notice-gateway")), "serve", "--bind", f"127.0.0.1:{port}"]
    settings = {"NOTICE_GATEWAY_DATA_DIR": str(folder), "NOTICE_GATEWAY_PUBLIC_ORIGIN": ORIGIN}
    with _running("gateway", port, command, _environment(scratch) | settings) as server:
        yield server


@contextmanager
def peer(module: str, scratch: Path, **settings: str) -> Iterator[Server]:
    """Serve a program of `bench/peers` under the gateway's own gunicorn settings; `settings` go to its environment."""
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", "--config", str(CONFIGURATION), "--bind", f"127.0.0.1:{port}"]
    command.append(f"bench.peers.{module}:application")
    with _running(module, port, command, _environment(scratch) | settings) as server:
        yield server


@contextmanager
def _running(name: str, port: int, command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Server]:
    """Run a server; its log is written as in production, and goes to /dev/null."""
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            server = Server(name=name, port=port, pid=process.pid)
            _wait_for(server, process)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(server: Server, process: subprocess.Popen[bytes]) -> None:
    """Wait until every worker has started.

    The port is open before any worker has loaded its program, and one worker may answer while another still loads. So
    an answer is waited for, and then until the workers are at rest.
    """
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if _answers(server) and _is_at_rest(server):
            return
    raise ServerError(f"{server.name} did not start; bench/README.md tells how to start it by hand and see why")


def _answers(server: Server) -> bool:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=_START_SECONDS)
    with closing(connection), suppress(OSError):
        connection.request("GET", "/")
        connection.getresponse().read()
        return True
    time.sleep(_REST_SECONDS / 10)
    return False


def _is_at_rest(server: Server) -> bool:
    before = server.cpu_seconds()
    time.sleep(_REST_SECONDS)
    return server.cpu_seconds() - before < _REST_SECONDS / 10


def _environment(scratch: Path) -> dict[str, str]:
    """Return an environment that holds nothing of the person's who runs the bench."""
    return {"PATH": os.defpath, "HOME": str(scratch), "TMPDIR": str(scratch), "LANG": "C.UTF-8"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _ticks(pid: str) -> int:
    """Read user and system time from /proc/PID/stat, whose second field may hold spaces (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    return int(fields[11]) + int(fields[12])
