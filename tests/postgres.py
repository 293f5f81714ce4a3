"""A PostgreSQL server of the tests' own: on a free port, in a folder of its own, stopped by who started it."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, *, template: str = "template0") -> str:
        """Create a database and return its name."""
        name = f"test_{uuid4().hex}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)
        return name

    def dump(self, url: str) -> bytes:
        """Return everything that a database holds, as pg_dump writes it."""
        return subprocess.run([self.programs / "pg_dump", url], check=True, capture_output=True).stdout

    def drop(self, name: str) -> None:
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server for as long as the context lasts. `make test` installs the package where it is missing."""
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
    options = f"-p {port} -h 127.0.0.1 -k {folder} -F -c max_connections=100 -c logging_collector=off"
    start: list[str | Path] = [programs / "pg_ctl", "-D", cluster, "-w", "-l", folder / "log", "-o", options, "start"]
    stop: list[str | Path] = [programs / "pg_ctl", "-D", cluster, "-w", "-m", "immediate", "stop"]
    try:
        for command in (initdb, start):
            subprocess.run(command, check=True, capture_output=True, cwd=folder, user=owner)
        try:
            yield Postgres(port=port, programs=programs, folder=folder)
        finally:
            subprocess.run(stop, check=False, capture_output=True, cwd=folder, user=owner)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
