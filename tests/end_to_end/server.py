"""The gateway as a process of its own: `notice-gateway serve` under gunicorn, started and stopped by the test."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from gateway.settings import DEMO_TOKEN, Settings, load
from tests.end_to_end.independent_twilio import Twilio

PROGRAM = str(Path(sys.executable).parent / "notice-gateway")
METRICS_TOKEN = "a-metrics-token-of-the-tests"
_START_SECONDS = 60
_STOP_SECONDS = 30


def environment(home: Path, **settings: object) -> dict[str, str]:
    """Return the whole environment of a process: nothing of the tests' own, and NOTICE_GATEWAY_ for `settings`."""
    own = {f"NOTICE_GATEWAY_{name.upper()}": str(value) for name, value in settings.items()}
    return {"PATH": os.defpath, "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8", "COLUMNS": "400", **own}


def run(env: Mapping[str, str], *arguments: str, seconds: float = 180) -> subprocess.CompletedProcess[str]:
    """Run `notice-gateway` to its end, as a user would."""
    command = [PROGRAM, *arguments]
    process = subprocess.Popen(
        command, env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f"{arguments} did not end within {seconds} s:\n{out}{err}") from None
    return subprocess.CompletedProcess(command, process.returncode, out, err)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running gateway; `env` is the environment that its other commands need too."""

    origin: str
    pid: int
    log: Path
    folder: Path
    env: Mapping[str, str]
    settings: Settings

    def twilio(self, token: str = DEMO_TOKEN) -> Twilio:
        """Return an account at Twilio whose number points here."""
        return Twilio(origin=self.origin, token=token)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return httpx.get(self.origin + path, headers=dict(headers or {}), trust_env=False, timeout=15)

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of the samples of `name` that have these labels."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(
            float(line.rpartition(" ")[2])
            for line in self.get("/metrics").text.splitlines()
            if line.partition("{")[0].partition(" ")[0] == name and all(each in line for each in wanted)
        )

    def workers(self) -> list[int]:
        """Return the process ids of gunicorn's workers."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]


@contextmanager
def serving(
    folder: Path,
    home: Path,
    *,
    workers: int = 2,
    demo: bool = True,
    work: bool = True,
    others: Mapping[str, str] | None = None,
    **more: object,
) -> Iterator[Server]:
    """Serve `folder` on a free port for as long as the context lasts.

    `home` is made for it, `more` are settings, `others` what other programs than ours read in the environment. Without
    `work` there is no worker for jobs and webhooks beside it, which takes seconds to start.
    """
    home.mkdir()
    port = a_free_port()
    origin = f"http://127.0.0.1:{port}"
    env = {**environment(home, data_dir=folder, public_origin=origin, **more), **(others or {})}
    log = home / "serve.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [PROGRAM, "serve", "--bind", f"127.0.0.1:{port}", *([] if work else ["--no-work"])],
            env={**env, "GUNICORN_CMD_ARGS": f"--workers {workers}"},
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, origin, log, workers)
        settings = load(data_dir=folder, public_origin=origin, **more)
        assert settings.is_demo == demo
        yield Server(origin=origin, pid=process.pid, log=log, folder=folder, env=env, settings=settings)
    finally:
        _stop(process)


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(process: subprocess.Popen[bytes], origin: str, log: Path, workers: int) -> None:
    """Wait until readyz is good and every worker has put its app together, which opens its metrics' file."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if len(list(log.parent.glob("notice-gateway-metrics-*/counter_*.db"))) >= workers and _is_ready(origin):
            return
        time.sleep(0.1)
    raise AssertionError(f"the gateway did not start:\n{log.read_text()}")


def _is_ready(origin: str) -> bool:
    try:
        return httpx.get(f"{origin}/readyz", trust_env=False, timeout=5).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server by its id; what does not end by itself is killed with its group, which is the server's own."""
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(_STOP_SECONDS)
        raise AssertionError("the gateway did not stop when it was asked to") from None
