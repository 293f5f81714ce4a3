"""The real rtpengine, started by the test on free ports, and stopped by its id."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.providers.sip.bridge.bencode import decode, encode

PROGRAM = shutil.which("rtpengine") or "/usr/bin/rtpengine"
_START_SECONDS = 20.0
_STOP_SECONDS = 10.0
_PORTS_EACH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A running rtpengine."""

    ng: str
    process: subprocess.Popen[bytes]
    log: Path


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_rtpengine(folder: Path, keys_to: str) -> Iterator[Engine]:
    """Run rtpengine in user space on loopback, reporting keys to `keys_to`."""
    port, first = free_udp_port(), 30_000 + (os.getpid() % 100) * _PORTS_EACH
    log = folder / "rtpengine.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(PROGRAM, "--foreground", "--log-stderr", "--log-level=6", "--table=-1", "--num-threads=2"),
                *("--interface=127.0.0.1", f"--listen-ng=127.0.0.1:{port}", f"--dtmf-log-dest={keys_to}"),
                *(f"--port-min={first}", f"--port-max={first + _PORTS_EACH - 1}", f"--pidfile={folder}/rtpengine.pid"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_it_answers(process, port, log)
        yield Engine(ng=f"127.0.0.1:{port}", process=process, log=log)
    finally:
        _stop(process)


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if ask(port, {"command": "ping"}).get("result") == b"pong":
            return
        time.sleep(0.1)
    raise AssertionError(f"rtpengine did not start:\n{log.read_text(errors='replace')}")


def ask(port: int, command: dict[str, object]) -> dict[str, object]:
    """Send one command beside the bridge; an answer that does not come is empty."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.settimeout(1)
        try:
            way.connect(("127.0.0.1", port))
            way.send(secrets.token_hex(8).encode() + b" " + encode(command))  # type: ignore[arg-type]
            answer = decode(way.recv(65_536).partition(b" ")[2])
        except OSError:
            return {}
    return dict(answer) if isinstance(answer, dict) else {}


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(_STOP_SECONDS)
