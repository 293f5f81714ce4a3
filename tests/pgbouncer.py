"""A PgBouncer of the tests' own, in transaction mode, before a PostgreSQL server of theirs."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.postgres import Postgres

_PROGRAM = Path("/usr/sbin/pgbouncer")
# Few connections to the server, so that borrowers really change places on them.
_SERVER_CONNECTIONS = 3


@contextmanager
def running_pgbouncer(server: Postgres) -> Iterator[int]:
    """Run it for as long as the context lasts, and give its port. `make test` installs the package."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-pgb-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    (folder / "users").write_text('"postgres" ""\n')
    (folder / "pgbouncer.ini").write_text(
        f"""[databases]
* = host=127.0.0.1 port={server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder / "users"}
pool_mode = transaction
max_client_conn = 200
default_pool_size = {_SERVER_CONNECTIONS}
logfile = {folder / "log"}
"""
    )
    owner: str | None = None
    if os.geteuid() == 0:
        # PgBouncer refuses to run as root.
        owner = "postgres"
        os.chown(folder, pwd.getpwnam(owner).pw_uid, pwd.getpwnam(owner).pw_gid)
    command: list[str | Path] = [_PROGRAM, "-q", folder / "pgbouncer.ini"]
    process = subprocess.Popen(command, cwd=folder, user=owner, stdin=subprocess.DEVNULL)
    try:
        _wait_until_it_answers(process, port)
        yield port
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        assert process.poll() is None, "PgBouncer did not start"
        try:
            with psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres") as connection:
                connection.execute("SELECT 1", prepare=False)
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return
