"""PostgreSQL's own programs: which one is taken, and what others see of it."""

from pathlib import Path

import pytest

from gateway.assembly import Parts
from gateway.db.copy import copied
from gateway.db.engine import open_for_office
from gateway.db.postgres_programs import ProgramFailedError, ProgramMissingError, find, major_of
from tests.postgres import Postgres

on_postgres = pytest.mark.parametrize("demo_settings", ["postgresql"], indirect=True)


def test_the_program_that_is_just_new_enough_is_taken(tmp_path: Path) -> None:
    for major in (13, 15, 17):
        program = tmp_path / str(major) / "bin" / "pg_dump"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {major}.4 (Debian)'\n", encoding="utf-8")
        program.chmod(0o755)
    (tmp_path / "15" / "bin" / "pg_restore").write_text("#!/bin/sh\necho nothing\n", encoding="utf-8")
    (tmp_path / "15" / "bin" / "pg_restore").chmod(0o755)
    found = {wanted: major_of(find("pg_dump", wanted, installed=tmp_path, search="")) for wanted in (12, 13, 14, 16)}
    assert found == {12: 13, 13: 13, 14: 15, 16: 17}
    with pytest.raises(ProgramMissingError, match="postgresql-client-18"):
        find("pg_dump", 18, installed=tmp_path, search="")
    with pytest.raises(ProgramMissingError, match="pg_restore"):
        find("pg_restore", 15, installed=tmp_path, search="")


@on_postgres
def test_without_pg_dump_nothing_is_left(parts: Parts, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    target.touch()
    with (
        pytest.raises(ProgramMissingError, match="pg_dump"),
        copied(parts.studio.engine, target, find=lambda name, major: find(name, major, installed=tmp_path, search="")),
    ):
        pass


@on_postgres
def test_the_password_of_the_database_is_in_no_list_of_processes(
    parts: Parts, postgres: Postgres, tmp_path: Path
) -> None:
    spy = tmp_path / "15" / "bin" / "pg_dump"
    spy.parent.mkdir(parents=True)
    real = postgres.programs / "pg_dump"
    spy.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] || {{ echo "$@" > {tmp_path}/arguments; env > {tmp_path}/environment; }}\n'
        f'exec {real} "$@"\n',
        encoding="utf-8",
    )
    spy.chmod(0o755)
    secret = parts.settings.database_url.replace("postgres@", "postgres:s3cr3t-w0rd@")
    engine, target = open_for_office(secret), tmp_path / "copy"
    target.touch()
    with copied(engine, target, find=lambda name, major: find(name, major, installed=tmp_path, search="")):
        assert target.read_bytes().startswith(b"PGDMP")
    engine.dispose()
    assert "--snapshot" in (tmp_path / "arguments").read_text()
    assert "s3cr3t-w0rd" not in (tmp_path / "arguments").read_text()
    assert "PGPASSWORD=s3cr3t-w0rd" in (tmp_path / "environment").read_text()


@on_postgres
def test_what_pg_dump_complains_of_is_told(parts: Parts, tmp_path: Path) -> None:
    broken = tmp_path / "15" / "bin" / "pg_dump"
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 15.4'\necho 'the disk is tired' >&2\n[ $# = 1 ]\n")
    broken.chmod(0o755)
    (tmp_path / "copy").touch()

    def only_here(name: str, major: int) -> Path:
        return find(name, major, installed=tmp_path, search="")

    with (
        pytest.raises(ProgramFailedError, match="the disk is tired"),
        copied(parts.studio.engine, tmp_path / "copy", find=only_here),
    ):
        pass
