"""The edge as processes of its own: Kamailio and rtpengine, on a rig's ports, started and stopped by the test."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from gateway.edge.files import write_edge_files
from gateway.edge.settings import load_edge
from tests.sip.ports import Ports

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 15


@dataclass(slots=True, kw_only=True)
class Program:
    """A process that may be killed and started again; `log` is where it writes."""

    command: list[str]
    log: Path
    env: dict[str, str] = field(default_factory=lambda: {"PATH": os.defpath + ":/usr/sbin:/sbin"})
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def lives(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """Kill it with its children, which are in a group of their own."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        assert self.process is not None
        self.process.wait(10)

    def pause(self) -> None:
        os.killpg(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.killpg(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        """End it, if it has not ended."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A running edge: ports on the loopback."""

    folder: Path
    sip: int
    health: int
    evapi: int
    ng: int
    keys: int
    callee: int
    media: tuple[int, int]
    kamailio: Program
    rtpengine: Program

    def ways(self) -> dict[str, int]:
        """Return how many calls went which way, as /metrics counts them."""
        text = httpx.get(f"http://127.0.0.1:{self.health}/metrics", trust_env=False, timeout=5).text
        lines = [line.split() for line in text.splitlines() if line.startswith("kamailio_edge_calls{")]
        return {line[0].partition('"')[2].partition('"')[0]: int(float(line[1])) for line in lines}

    def bridge(self) -> str:
        """Return what /healthz says of the bridge: absent, here or hangs."""
        said: str = httpx.get(f"http://127.0.0.1:{self.health}/healthz", trust_env=False, timeout=5).json()["bridge"]
        return said

    def wait_for_bridge(self, state: str = "here") -> None:
        """Wait until the bridge is in this state."""
        deadline = time.monotonic() + 10
        while self.bridge() != state:
            assert time.monotonic() < deadline, f"the bridge is {self.bridge()}, not {state}"
            time.sleep(0.02)


@contextmanager
def running_edge(folder: Path, ports: Ports, **settings: object) -> Iterator[Edge]:
    """Run Kamailio and rtpengine for as long as the context lasts; `settings` are of config/sip.toml."""
    sip, health, evapi, ng, keys = (ports.one() for _ in range(5))
    callee, _ = ports.several(2)
    media = ports.several(1280)  # An rtpengine that was hung keeps what it is asked then for two minutes.
    run = folder / "edge"
    given: dict[str, object] = {
        "listen": f"127.0.0.1:{sip}",
        "health": f"127.0.0.1:{health}",
        "bridge": f"127.0.0.1:{evapi}",
        "rtpengine": f"127.0.0.1:{ng}",
        "keys": f"127.0.0.1:{keys}",
        "media_ports": f"{media[0]}-{media[1]}",
        "destinations": (f"sip:127.0.0.1:{callee}",),
        "workers": 2,
        **settings,
    }
    write_edge_files(load_edge(ROOT / "config", **given), ROOT / "config", run)
    edge = Edge(
        folder=run,
        sip=sip,
        health=health,
        evapi=evapi,
        ng=ng,
        keys=keys,
        callee=callee,
        media=media,
        rtpengine=Program(
            command=["rtpengine", "--config-file", str(run / "rtpengine.conf")],
            log=folder / "rtpengine.log",
        ),
        kamailio=Program(
            command=[
                "/usr/sbin/kamailio",
                "-DD",
                "-m",
                "64",
                "-M",
                "8",
                "-Y",
                str(run),
                "-f",
                str(run / "kamailio.cfg"),
            ],
            log=folder / "kamailio.log",
        ),
    )
    try:
        edge.rtpengine.start()
        _wait_for_udp(edge.rtpengine, ng)
        edge.kamailio.start()
        _wait_for_health(edge)
        yield edge
    finally:
        edge.kamailio.stop()
        edge.rtpengine.stop()


def _wait_for_udp(program: Program, port: int) -> None:
    """Wait until rtpengine answers a ping."""
    deadline = time.monotonic() + _START_SECONDS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.1)
        probe.connect(("127.0.0.1", port))
        while True:
            assert program.lives, program.log.read_text()
            assert time.monotonic() < deadline, program.log.read_text()
            try:
                probe.send(b"1 d7:command4:pinge")
                probe.recv(1000)
            except OSError:
                time.sleep(0.02)
            else:
                return


def _wait_for_health(edge: Edge) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        assert edge.kamailio.lives, edge.kamailio.log.read_text()
        assert time.monotonic() < deadline, edge.kamailio.log.read_text()
        try:
            edge.bridge()
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
