"""Servers under measurement: real processes on free loopback ports, two workers each unless said otherwise."""

import os
import shutil
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
WORKERS = 2
_NODE = ROOT / "bench" / "peers" / "node"
_START_SECONDS, _STOP_SECONDS, _REST_SECONDS = 90, 25, 0.3
# The share of a core that a worker may use and be at rest.
_AT_REST = 0.05


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
        return sum(_ticks(child) for child in self.children()) / _TICKS

    def children(self) -> list[str]:
        """Return the process ids of the workers."""
        return Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii").split()


@contextmanager
def gateway(
    folder: Path, scratch: Path, *, database_url: str = "", workers: int = WORKERS, patience: float = _START_SECONDS
) -> Iterator[Server]:
    """Serve the gateway over a data folder, as `notice-gateway serve` does; `patience` seconds are given to start."""
    port = _free_port()
    command = [str(Path(sys.executable).with_name("notice-gateway")), "serve", "--bind", f"127.0.0.1:{port}"]
    settings = {
        "NOTICE_GATEWAY_DATA_DIR": str(folder),
        "NOTICE_GATEWAY_PUBLIC_ORIGIN": ORIGIN,
        "NOTICE_GATEWAY_DATABASE_URL": database_url,
        "GUNICORN_CMD_ARGS": f"--workers {workers}",
    }
    with _running("gateway", port, command, _environment(scratch) | settings, patience) as server:
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
def uvicorn_peer(module: str, scratch: Path, **settings: str) -> Iterator[Server]:
    """Serve a program of `bench/peers` with uvicorn, on uvloop and httptools as `uvicorn[standard]` has it.

    Without them, and with several workers, uvicorn's sockets wait 40 ms for each answer (Nagle's algorithm).
    """
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", "--workers", str(WORKERS), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    command.append(f"bench.peers.{module}:application")
    with _running(module, port, command, _environment(scratch) | settings) as server:
        yield server


@contextmanager
def node_peer(scratch: Path, **settings: str) -> Iterator[Server]:
    """Serve the Node.js peer, whose packages `make bench` has put beside it. Raises ServerError."""
    node = shutil.which("node")
    if node is None or not (_NODE / "node_modules").is_dir():
        raise ServerError("Node.js or the packages of bench/peers/node are missing: `make bench` gets both")
    port = _free_port()
    environment = _environment(scratch) | {"NODE_ENV": "production", "PORT": str(port)} | settings
    with _running("node", port, [node, str(_NODE / "server.js")], environment) as server:
        yield server


@contextmanager
def _running(
    name: str, port: int, command: Sequence[str], environment: Mapping[str, str], patience: float = _START_SECONDS
) -> Iterator[Server]:
    """Run a server; its log is written as in production, and goes to /dev/null."""
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            server = Server(name=name, port=port, pid=process.pid)
            _wait_for(server, process, patience)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(server: Server, process: subprocess.Popen[bytes], patience: float) -> None:
    """Wait until every worker has started.

    The port is open before any worker has loaded its program, and one worker may answer while another still loads. So
    an answer is waited for, and then until the workers are at rest.
    """
    deadline = time.monotonic() + patience
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
    """Tell whether the workers use next to nothing: each asks the database now and then what has changed."""
    before = server.cpu_seconds()
    time.sleep(_REST_SECONDS)
    return server.cpu_seconds() - before < _REST_SECONDS * _AT_REST * len(server.children())


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
