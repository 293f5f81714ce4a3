"""A PostgreSQL server of the tests' own: on a free port, in a folder of its own, stopped by who started it."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

_INSTALLED = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A running server; `programs` is the folder of pg_ctl and its kin, `folder` holds the cluster."""

    port: int
    programs: Path
    folder: Path
    options: str = ""
    owner: str | None = None
    paused: list[int] = field(default_factory=list)

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, *, template: str = "template0") -> str:
        """Create a database and return its name."""
        name = f"test_{uuid4().hex}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
            sql.Identifier(name), sql.Identifier(template)
        )
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)
        return name

    def start(self) -> None:
        self._control("-l", str(self.folder / "log"), "-o", self.options, "start")

    def stop(self, mode: str = "fast") -> None:
        """End the server: `fast` ends its connections first, `immediate` is a crash."""
        self._control("-m", mode, "stop")

    def promote(self) -> None:
        """Make a replica the primary."""
        self._control("promote")

    def processes(self) -> list[int]:
        """Return the process ids of the server and of everything that it has started."""
        first = int((self.folder / "cluster" / "postmaster.pid").read_text().split()[0])
        return [first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())]

    def kill(self) -> None:
        """Kill every process at once, and wait until none is left."""
        processes = self.processes()
        self._signal(processes, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while any(_lives(each) for each in processes):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def pause(self) -> None:
        """Stop every process where it is: connections stay, the kernel goes on accepting new ones, nobody answers."""
        # One may have been started meanwhile; and one that runs on the other processor stops a moment after the signal.
        while running := [each for each in self.processes() if each not in self.paused]:
            self._signal(running, signal.SIGSTOP)
            self.paused.extend(running)
        deadline = time.monotonic() + 10
        while not all(map(_is_still, self.paused)):
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def resume(self) -> None:
        self._signal(self.paused, signal.SIGCONT)
        self.paused.clear()

    def _signal(self, processes: list[int], number: signal.Signals) -> None:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, number)

    def _control(self, *arguments: str) -> None:
        command: list[str | Path] = [self.programs / "pg_ctl", "-D", self.folder / "cluster", "-w", *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, user=self.owner)

    def dump(self, url: str) -> bytes:
        """Return everything that a database holds, as pg_dump writes it."""
        return subprocess.run([self.programs / "pg_dump", url], check=True, capture_output=True).stdout

    def drop(self, name: str) -> None:
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_postgres(*, connections: int = 100, copy_of: Postgres | None = None) -> Iterator[Postgres]:
    """Start a server for as long as the context lasts. `make test` installs the package where it is missing.

    With `copy_of` it is a streaming replica of that one.
    """
    installed = sorted(_INSTALLED.glob("*/bin"))
    if not installed:
        message = "PostgreSQL is not installed: run scripts/install-test-packages"
        raise RuntimeError(message)
    programs = installed[-1]
    folder = Path(tempfile.mkdtemp(prefix="gateway-pg-"))
    port = _free_port()
    owner: str | None = None
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root.
        owner = "postgres"
        os.chown(folder, pwd.getpwnam(owner).pw_uid, pwd.getpwnam(owner).pw_gid)
    cluster = folder / "cluster"
    initdb: list[str | Path] = [
        programs / "initdb",
        "-D",
        cluster,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
    ]
    if copy_of is not None:
        initdb = [programs / "pg_basebackup", "-D", cluster, "-R", "-d", copy_of.url("postgres"), "--no-sync"]
    options = f"-p {port} -h 127.0.0.1 -k {folder} -F -c max_connections={connections} -c logging_collector=off"
    server = Postgres(port=port, programs=programs, folder=folder, options=options, owner=owner)
    try:
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder, user=owner)
        server.start()
        try:
            yield server
        finally:
            server.resume()
            # A test may have stopped it already.
            with suppress(subprocess.CalledProcessError):
                server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lives(process: int) -> bool:
    """Tell whether a process is there and is more than a dead one that nobody has asked after."""
    return _state_of(process) not in {"Z", "X"}


def _is_still(process: int) -> bool:
    """Tell whether a process was stopped, or has ended."""
    return _state_of(process) in {"T", "Z", "X"}


def _state_of(process: int) -> str:
    """Return the letter of a process' state (proc(5)), X for one that is not there."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
