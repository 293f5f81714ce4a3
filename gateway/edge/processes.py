"""The edge's processes for development: started together, and ended together when one ends or when asked to."""

import os
import platform
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.edge.errors import ProcessEndedError, ProgramMissingError
from gateway.edge.settings import EdgeSettings
from gateway.settings import SettingsError

# Kamailio and rtpengine write nothing else; what root's PATH has and a user's has not is looked through too.
_PATH = f"{os.defpath}:/usr/local/sbin:/usr/sbin:/sbin"
_PACKAGES = {"kamailio": "kamailio", "rtpengine": "rtpengine-daemon"}
_MODULES = {"evapi.so": "kamailio-extra-modules", "jansson.so": "kamailio-extra-modules"}
_TLS_MODULE, _TLS_PACKAGE = "tls.so", "kamailio-tls-modules"
_END_SECONDS = 5.0
# rtpengine listens some tenths of a second after it was started.
_ANSWER_SECONDS = 5.0
_PAUSE_SECONDS = 0.05
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A program to run: `name` is what people call it, `log` where its words go.

    One with an address for NG is waited for before the next is started.
    """

    name: str
    command: Sequence[str]
    log: Path
    env: Mapping[str, str] | None = None
    ng: str = ""


def modules_folder() -> Path:
    """Return where Debian keeps Kamailio's modules on this machine."""
    return Path(f"/usr/lib/{platform.machine()}-linux-gnu/kamailio/modules")


def require_programs(edge: EdgeSettings, *, path: str = _PATH) -> Mapping[str, str]:
    """Return where kamailio and rtpengine are, in the folders of `path`. Raises ProgramMissingError."""
    found: dict[str, str] = {}
    for name, package in _PACKAGES.items():
        program = shutil.which(name, path=path)
        if program is None:
            raise ProgramMissingError(what=name, package=package)
        found[name] = program
    wanted = {**_MODULES, **({_TLS_MODULE: _TLS_PACKAGE} if edge.listen_tls else {})}
    for module, package in wanted.items():
        if not (modules_folder() / module).exists():
            raise ProgramMissingError(what=f"Kamailio's module {module}", package=package)
    return found


def refuse_taken_ports(edge: EdgeSettings) -> None:
    """Raise SettingsError where an address that the edge listens on cannot be used."""
    for name, kind in (("listen", socket.SOCK_DGRAM), ("listen", socket.SOCK_STREAM), ("health", socket.SOCK_STREAM)):
        _refuse_taken(name, str(getattr(edge, name)), kind)
    _refuse_taken("sip_evapi", edge.bridge, socket.SOCK_STREAM)
    _refuse_taken("sip_rtpengine", edge.rtpengine, socket.SOCK_DGRAM)


def _refuse_taken(name: str, address: str, kind: socket.SocketKind) -> None:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError as error:
            raise SettingsError(where=f"{name} = {address}", why=error.strerror or "it cannot be used") from error


def edge_jobs(edge: EdgeSettings, folder: Path, programs: Mapping[str, str]) -> tuple[Job, Job]:
    """Return rtpengine and Kamailio, over the files in `folder` that `edge` was written to."""
    kamailio = (
        programs["kamailio"],
        "-DD",
        "-m",
        "64",
        "-M",
        "8",
        "-Y",
        str(folder),
        "-f",
        str(folder / "kamailio.cfg"),
    )
    rtpengine = (programs["rtpengine"], "--config-file", str(folder / "rtpengine.conf"))
    return (
        Job(name="rtpengine", command=rtpengine, log=folder / "rtpengine.log", ng=edge.rtpengine),
        Job(name="kamailio", command=kamailio, log=folder / "kamailio.log"),
    )


@contextmanager
def running(jobs: Sequence[Job]) -> Iterator[Mapping[str, "subprocess.Popen[bytes]"]]:
    """Run `jobs`, by name, for as long as the context lasts; they are ended in the opposite order."""
    started: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for job in jobs:
            with job.log.open("ab") as log:
                # A group of its own, so that Ctrl-C reaches this process first and each of them once.
                started[job.name] = subprocess.Popen(  # noqa: S603  (a fixed program and its files)
                    job.command, env=job.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
            if job.ng:
                _wait_for_ng(job.ng, started[job.name])
        yield started
    finally:
        for process in reversed(started.values()):
            _end(process)


def stay(jobs: Sequence[Job], started: Mapping[str, "subprocess.Popen[bytes]"], stop: threading.Event) -> None:
    """Return once `stop` is set. Raises ProcessEndedError when a process ends by itself before."""
    while not stop.wait(_LOOK_SECONDS):
        for job in jobs:
            code = started[job.name].poll()
            if code is not None:
                raise ProcessEndedError(name=job.name, exit_code=code, log=job.log)


def _wait_for_ng(address: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a ping is answered, or the process has ended, or for some seconds: calls connect without it too.

    A Kamailio that was started before would take the refusal of its first ping for the answer to its first call.
    """
    host, _, port = address.rpartition(":")
    host, deadline = host.strip("[]"), time.monotonic() + _ANSWER_SECONDS
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.settimeout(_PAUSE_SECONDS)
        way.connect((host, int(port)))
        while process.poll() is None and time.monotonic() < deadline:
            try:
                way.send(b"up d7:command4:pinge")
                way.recv(1000)
            except OSError:
                time.sleep(_PAUSE_SECONDS)
            else:
                return


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is not None:
        return
    process.terminate()
    deadline = time.monotonic() + _END_SECONDS
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
