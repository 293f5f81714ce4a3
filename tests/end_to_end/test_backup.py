"""A backup of a gateway under load, restored into an empty place, from which the demo's lines are called again."""

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, text

from gateway.assembly import put_together
from gateway.audit.tables import plays
from gateway.clock import utc_now
from gateway.settings import Settings, load
from tests.cli.command_line import CommandLine
from tests.conftest import DATABASES
from tests.end_to_end.call_script import Press, Record, Script
from tests.end_to_end.conftest import PostgresDemo
from tests.end_to_end.independent_twilio import Twilio
from tests.end_to_end.server import Server, environment, run, serving
from tests.end_to_end.test_demo_lines import PERSONS, ROWS, may_be_told
from tests.postgres import Postgres

# Whoever calls an organisation hears something each time: a silent call among these would be the backup's fault.
NEVER_SILENT = ("+12025550110", "+442079460110", "+12025550111")
LANES = 3
MEGABYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A copy of the real demo, and a way to make databases of its kind."""

    folder: Path
    database_url: str
    new_database: Callable[[], str]

    @property
    def env(self) -> dict[str, str]:
        return environment(self.folder.parent, data_dir=self.folder, database_url=self.database_url)

    @property
    def settings(self) -> Settings:
        return load(data_dir=self.folder, database_url=self.database_url)


@pytest.fixture(params=DATABASES)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """A copy of the real demo, on each database."""
    folder = tmp_path / "data"
    if request.param == "sqlite":
        shutil.copytree(request.getfixturevalue("real_demo"), folder)
        yield Stage(folder=folder, database_url="", new_database=lambda: "")
        return
    demo: PostgresDemo = request.getfixturevalue("real_postgres_demo")
    server: Postgres = request.getfixturevalue("postgres")
    shutil.copytree(demo.folder, folder)
    names = [server.create(template=demo.database)]

    def new_database() -> str:
        names.append(server.create())
        return server.url(names[-1])

    yield Stage(folder=folder, database_url=server.url(names[0]), new_database=new_database)
    for name in names:
        server.drop(name)


def fill(settings: Settings) -> None:
    """Give the database so much that copying it takes a while."""
    opened = put_together(settings)
    with opened.studio.engine.begin() as connection:
        connection.execute(text("CREATE TABLE ballast (content TEXT)"))
        content = {"content": "0123456789abcdef" * 65_536}
        connection.execute(text("INSERT INTO ballast VALUES (:content)"), [content] * MEGABYTES)
    opened.close()


@contextmanager
def calls_without_end(twilio: Twilio) -> Iterator[list[Record]]:
    """Let calls come in, in several lanes, for as long as the context lasts; the list is whole after it."""
    enough = threading.Event()
    records: list[Record] = []

    def keep_calling(lane: int) -> list[Record]:
        found = []
        while not enough.is_set():
            found.append(twilio.ring(NEVER_SILENT[lane % len(NEVER_SILENT)]))
        return found

    with ThreadPoolExecutor(LANES) as pool:
        lanes = [pool.submit(keep_calling, lane) for lane in range(LANES)]
        try:
            yield records
        finally:
            enough.set()
            for lane in lanes:
                records.extend(lane.result())


def kept_keys(stage: Stage, room: Path) -> Path:
    """Take the key file to another place, as its owner should."""
    kept = room / "kept-keys.json"
    shutil.copy2(stage.folder / "keys.json", kept)
    return kept


def test_a_backup_under_load_costs_no_call_its_notice_and_the_demo_is_heard_again_from_it(
    stage: Stage, tmp_path: Path
) -> None:
    archive, keys, restored = tmp_path / "backup.tar", kept_keys(stage, tmp_path), tmp_path / "restored"
    fill(stage.settings)
    with serving(stage.folder, tmp_path / "home", workers=2, work=False, database_url=stage.database_url) as server:
        twilio = server.twilio()
        with calls_without_end(twilio) as records:
            time.sleep(1)
            made = run(server.env, "backup", str(archive))
            assert made.returncode == 0, made.stderr
        assert len(records) > LANES * 3
        assert [record.trouble for record in records if record.trouble] == []
        assert [record for record in records if record.is_plain] == []
        assert server.metric("notice_gateway_webhooks_total", event="call", reason="register_unavailable") == 0
        twilio.client.close()
    # Everything is lost.
    shutil.rmtree(stage.folder)
    database_url = stage.new_database()
    env = environment(tmp_path, data_dir=restored, database_url=database_url)
    assert run(env, "backup", "--verify", str(archive)).returncode == 0
    done = run(env, "restore", str(archive), "--keys", str(keys), "--as-it-was")
    assert done.returncode == 0, done.stderr
    forget_plays(load(data_dir=restored, database_url=database_url))
    with serving(restored, tmp_path / "home-restored", workers=2, work=False, database_url=database_url) as server:
        the_demo_is_heard(server)
        assert run(server.env, "doctor").returncode == 0


def forget_plays(settings: Settings) -> None:
    opened = put_together(settings)
    with opened.studio.engine.begin() as connection:
        connection.execute(delete(plays))
    opened.close()


def the_demo_is_heard(server: Server) -> None:
    twilio = server.twilio()
    for row in ROWS:
        record = twilio.ring(row.line)
        assert record.trouble == []
        assert (len(record.caller_heard), len(record.callee_heard)) == (len(row.caller_hears), len(row.callee_hears))
        assert record.connected_to == row.line
    now = utc_now()
    line = next(line for line in PERSONS if may_be_told(line, now) and may_be_told(line, now + timedelta(minutes=1)))
    record = twilio.call(Script(callee=line, presses=(Press(party="callee", prompt=0, key="1"),)))
    assert (record.trouble, len(record.callee_heard), record.caller_heard) == ([], 2, [])
    twilio.client.close()


def test_a_gateway_restored_in_the_ordinary_way_is_silent_until_officers_have_checked(
    stage: Stage, tmp_path: Path
) -> None:
    """The order was lifted after the backup: from the restored register nobody hears it."""
    archive, keys, restored = tmp_path / "backup.tar", kept_keys(stage, tmp_path), tmp_path / "restored"
    assert run(stage.env, "backup", str(archive)).returncode == 0
    for order in json.loads(CommandLine(env=stage.env).succeed("orders", "list", "--json")):
        CommandLine(env=stage.env).succeed("orders", "lift", order["order"])
    database_url = stage.new_database()
    env = environment(tmp_path, data_dir=restored, database_url=database_url)
    done = run(env, "restore", str(archive), "--keys", str(keys))
    assert done.returncode == 0, done.stderr
    assert "7 orders are suspended" in done.stdout
    with serving(restored, tmp_path / "home", workers=2, work=False, database_url=database_url) as server:
        twilio = server.twilio()
        assert [record for record in twilio.ring_at_once([*NEVER_SILENT, *PERSONS] * 2) if not record.is_plain] == []
        twilio.client.close()


def test_a_backup_of_one_kind_of_database_is_refused_by_the_other(
    stage: Stage, tmp_path: Path, postgres: Postgres
) -> None:
    archive, keys = tmp_path / "backup.tar", kept_keys(stage, tmp_path)
    assert run(stage.env, "backup", str(archive)).returncode == 0
    name = postgres.create()
    other = "" if stage.database_url else postgres.url(name)
    env = environment(tmp_path, data_dir=tmp_path / "other", database_url=other)
    refused = run(env, "restore", str(archive), "--keys", str(keys))
    assert refused.returncode == 1
    assert "SQLite" in refused.stderr
    assert "PostgreSQL" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "other").exists()
    postgres.drop(name)


@pytest.mark.parametrize("stage", ["sqlite"], indirect=True)
def test_a_gateway_whose_data_was_lost_answers_again_when_it_is_restored_beside_it(
    stage: Stage, tmp_path: Path
) -> None:
    """Nobody restarts it: its workers take the register and the screen from what was put in place."""
    archive = tmp_path / "backup.tar"
    with serving(stage.folder, tmp_path / "home", workers=2, work=False) as server:
        twilio = server.twilio()
        assert run(server.env, "backup", str(archive)).returncode == 0
        for path in [path for path in stage.folder.iterdir() if path.name != "keys.json"]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        assert twilio.ring("+12025550110").is_plain
        done = run(server.env, "restore", str(archive), "--as-it-was")
        assert done.returncode == 0, done.stderr
        deadline = time.monotonic() + 10
        while twilio.ring("+12025550110").is_plain:
            assert time.monotonic() < deadline
        assert not any(record.is_plain for record in twilio.ring_at_once(["+12025550110"] * 12))
        twilio.client.close()
