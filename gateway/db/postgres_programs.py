"""PostgreSQL's own programs: finding one that is new enough, and running it without its password being seen."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import psycopg
from psycopg.conninfo import make_conninfo

from gateway.domain.errors import GatewayError

INSTALLED = Path("/usr/lib/postgresql")
_SOME = 65_536
_MAJOR = re.compile(r"\(PostgreSQL\) (\d+)")


class ProgramMissingError(GatewayError):
    """{name} of PostgreSQL {version} or later is not here; install postgresql-client-{version}, then repeat."""

    code = "program_missing"


class ProgramFailedError(GatewayError):
    """{name} failed: {why}. Nothing was kept; mend that, then repeat."""

    code = "program_failed"


def find(name: str, at_least: int, *, installed: Path = INSTALLED, search: str | None = None) -> Path:
    """Return the oldest program whose major version is not below `at_least`.

    A newer one may write what others cannot read. Looks in Debian's folders and along `search`, PATH where it is None.
    Raises ProgramMissingError.
    """
    on_path = shutil.which(name, path=search)
    candidates = [*sorted(installed.glob(f"*/bin/{name}")), *([Path(on_path)] if on_path else [])]
    known = [(major_of(each), each) for each in candidates]
    fitting = [(major, each) for major, each in known if major >= at_least]
    if not fitting:
        raise ProgramMissingError(name=name, version=at_least)
    return min(fitting, key=lambda pair: pair[0])[1]


def major_of(program: Path) -> int:
    """Return the major version of a program, or 0 where it does not tell."""
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603  (ours)
    found = _MAJOR.search(told.stdout)
    return int(found[1]) if found else 0


def run(arguments: Sequence[str | Path], *, password: str) -> None:
    """Run a program to its end. Raises ProgramFailedError."""
    with running(arguments, password=password) as output:
        # A program whose output nobody reads may end before it has said what is wrong.
        while output.read(_SOME):
            pass


@contextmanager
def running(arguments: Sequence[str | Path], *, password: str = "") -> Iterator[IO[bytes]]:
    """Run a program and yield its output; who lists processes sees no password. Raises ProgramFailedError."""
    with TemporaryFile() as complaints:
        process = subprocess.Popen(  # noqa: S603  (the program is PostgreSQL's own, found by `find`)
            arguments, env=_environment(password), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints
        )
        assert process.stdout is not None  # noqa: S101  (a pipe was asked for)
        try:
            with process.stdout as output:
                yield output
        except BaseException:
            process.kill()
            raise
        finally:
            process.wait()
        if process.returncode != 0:
            complaints.seek(0)
            raise ProgramFailedError(name=Path(arguments[0]).name, why=_first_line(complaints.read(2000)))


def target_of(driver: psycopg.Connection, options: Mapping[str, str]) -> str:
    """Return what a program needs to connect to the same server and database: no password, and `options` of libpq.

    The connection's own list of options is not asked: our libpq is newer than the program's, which refuses new ones.
    """
    info = driver.info
    own = {"host": info.host, "port": str(info.port), "user": info.user, "dbname": info.dbname}
    return make_conninfo("", **{**{name: each for name, each in options.items() if name != "password"}, **own})


def _environment(password: str) -> dict[str, str]:
    # libpq finds .pgpass, certificates and services through the environment, as our own connection did.
    inherited = dict(os.environ)  # noqa: TID251
    return {**inherited, "LC_ALL": "C", **({"PGPASSWORD": password} if password else {})}


def _first_line(complaints: bytes) -> str:
    lines = complaints.decode(errors="replace").strip().splitlines()
    return lines[0] if lines else "it did not say why"
