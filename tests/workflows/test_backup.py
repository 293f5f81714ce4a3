"""A backup of a gateway that goes on working, restored into an empty place on each database."""

import stat
import threading
import time
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from gateway.assembly import Parts, put_together
from gateway.audit.tables import trail
from gateway.audit.tags import Tag
from gateway.clock import utc_now
from gateway.db.copy import CopyFailedError, DamagedDatabaseError
from gateway.domain.order import OrderState
from gateway.outbox.tables import messages
from gateway.privacy.key_file import new_master, read
from gateway.register.installation import generation
from gateway.register.tables import orders as orders_table
from gateway.settings import Settings, load
from gateway.workflows.archive_reader import read_archive
from gateway.workflows.back_up import BackupFailedError, NoKeyFileError, TargetTakenError
from gateway.workflows.change import at_the_command_line, change
from tests.workflows.backups import (
    Places,
    backed_up,
    files,
    restored,
    rows,
    states,
    tags,
)

HEARD = {OrderState.APPROVED, OrderState.WARNED, OrderState.IN_FORCE}
CHANGED_BY_RESTORING = {"announcements", "installation", "audit_trail", "audit_head"}


def test_every_row_and_every_file_comes_back(parts: Parts, archive: Path, keys: Path, at: Places) -> None:
    (parts.settings.vault_dir).mkdir(exist_ok=True)
    sealed = parts.settings.vault_dir / "doc_0123456789ab"
    sealed.write_bytes(b"sealed" * 50_000)
    parts.settings.checkpoints_dir.mkdir(exist_ok=True)
    (parts.settings.checkpoints_dir / "2026-03-01.json").write_text("{}", encoding="utf-8")
    (parts.settings.vault_dir / ".doc_draft.0123").write_bytes(b"not finished")
    whole, now = archive.with_name("whole.tar"), utc_now()
    before = rows(parts.settings)
    made = backed_up(parts, whole, now)
    empty = at.empty()
    restored(empty, whole, now, given_keys=keys)
    after = rows(empty)
    assert made.manifest.rows == {name: len(found) for name, found in before.items()}
    assert {name for name in before if before[name] != after[name]} == CHANGED_BY_RESTORING
    assert set(after["audit_trail"]) > set(before["audit_trail"])
    expected = files(parts.settings.data_dir)
    del expected["vault/.doc_draft.0123"]
    # The key file is written anew, in its present form.
    assert {name: digest for name, digest in files(empty.data_dir).items() if name != "keys.json"} == {
        name: digest for name, digest in expected.items() if name != "keys.json"
    }
    assert read(empty.key_file) == read(parts.settings.key_file)
    assert len(expected) > 60


def test_nobody_else_may_read_a_backup_or_what_is_restored(parts: Parts, archive: Path, keys: Path, at: Places) -> None:
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    empty = at.empty()
    restored(empty, archive, utc_now(), given_keys=keys)
    assert stat.S_IMODE(empty.data_dir.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in empty.data_dir.rglob("*") if path.is_file()} == {0o600}
    assert parts.settings.data_dir != empty.data_dir


def test_what_could_be_heard_is_suspended_and_the_trail_and_the_courts_are_told(
    parts: Parts, archive: Path, keys: Path, at: Places
) -> None:
    now = utc_now()
    before, empty = states(parts.settings, now), at.empty()
    heard = {case for case, state in before.items() if state in HEARD}
    done = restored(empty, archive, now, given_keys=keys, as_it_was=False)
    assert done.suspended is not None
    assert (done.suspended.orders, done.suspended.unreadable) == (len(heard), 0)
    assert len(heard) == 7
    expected = {case: OrderState.SUSPENDED if case in heard else state for case, state in before.items()}
    assert states(empty, now) == expected
    told = tags(empty)[-len(heard) - 1 :]
    assert {tag for tag, _ in told[:-1]} == {Tag.ORDER_SUSPENDED.value}
    assert told[-1] == (Tag.RESTORED.value, done.manifest.backup_id)
    opened = put_together(empty)
    with opened.studio.engine.connect() as connection:
        posted = connection.execute(select(messages.c.event).where(messages.c.at == now)).scalars().all()
    opened.close()
    assert posted == ["order.suspended"] * len(heard)


def test_an_order_that_was_lifted_after_the_backup_stays_silent(
    parts: Parts, archive: Path, keys: Path, at: Places
) -> None:
    now, empty = utc_now(), at.empty()
    with parts.studio.engine.begin() as connection:
        connection.execute(orders_table.update().values(lifted_at=now))
    restored(empty, archive, now, given_keys=keys, as_it_was=False)
    assert not HEARD & set(states(empty, now).values())


def test_as_it_was_leaves_every_order_in_its_state(parts: Parts, archive: Path, keys: Path, at: Places) -> None:
    now, empty = utc_now(), at.empty()
    done = restored(empty, archive, now, given_keys=keys, as_it_was=True)
    assert done.suspended is None
    assert states(empty, now) == states(parts.settings, now)


def test_an_order_that_cannot_be_read_is_silenced_and_keeps_no_other_from_being_restored(
    parts: Parts, tmp_path: Path, keys: Path, at: Places
) -> None:
    now, empty, target = utc_now(), at.empty(), tmp_path / "unreadable.tar"
    with parts.studio.engine.begin() as connection:
        running = orders_table.c.lifted_at.is_(None) & (orders_table.c.valid_until > now)
        one = connection.execute(select(orders_table.c.order_id).where(running)).scalars().first()
        connection.execute(orders_table.update().where(orders_table.c.order_id == one).values(subject=b"\x02spoiled"))
    backed_up(parts, target, now)
    done = restored(empty, target, now, given_keys=keys, as_it_was=False)
    assert done.suspended is not None
    assert (done.suspended.orders, done.suspended.unreadable) == (7, 1)
    opened = put_together(empty)
    with opened.studio.engine.connect() as connection:
        row = select(orders_table.c.suspended_at).where(orders_table.c.order_id == one)
        assert connection.execute(row).scalar_one() == now
    opened.close()


def test_the_screens_of_a_gateway_that_looks_at_it_reload(parts: Parts, archive: Path, keys: Path, at: Places) -> None:
    empty = at.empty()
    restored(empty, archive, utc_now(), given_keys=keys)
    marks = []
    for settings in (parts.settings, empty):
        opened = put_together(settings)
        with opened.studio.engine.connect() as connection:
            marks.append(generation(connection))
        opened.close()
    assert marks[0] != marks[1]


def test_the_trail_tells_of_the_backup_and_goes_on_unbroken_after_it_was_restored(
    parts: Parts, archive: Path, keys: Path, at: Places
) -> None:
    manifest = read_archive(archive).manifest
    assert tags(parts.settings)[-1] == (Tag.BACKED_UP.value, manifest.backup_id)
    empty = at.empty()
    restored(empty, archive, utc_now(), given_keys=keys, as_it_was=False)
    opened = put_together(empty)
    with opened.studio.engine.connect() as connection:
        found = connection.execute(select(trail).order_by(trail.c.seq)).all()
    opened.close()
    assert [row.seq for row in found] == list(range(1, len(found) + 1))
    assert [row.previous for row in found[1:]] == [row.seal for row in found[:-1]]
    assert found[manifest.trail_seq - 1].seal.hex() == manifest.trail_seal


def test_a_backup_is_one_instant_while_others_write_without_end(
    parts: Parts, tmp_path: Path, keys: Path, at: Places
) -> None:
    """Each change is two entries in the trail: in the copy there is no half of one."""
    enough, begun = threading.Event(), threading.Event()
    target, empty, written = tmp_path / "busy.tar", at.empty(), 0

    def keep_writing() -> None:
        nonlocal written
        deadline = time.monotonic() + 120
        while not enough.is_set() and time.monotonic() < deadline:
            with change(parts.studio.engine, parts.keys, at_the_command_line(utc_now())) as under_way:
                under_way.note(Tag.ORDER_READ, "ord_busy", court_id="lakeside")
                under_way.note(Tag.ORDER_READ, "ord_busy", court_id="lakeside")
            written += 1
            begun.set()
            # SQLite gives its one lock to whoever asks first: someone who never rests would keep all others out.
            time.sleep(0.01)

    with parts.studio.engine.begin() as connection:
        grow(connection, megabytes=24)
    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        assert begun.wait(10)
        before = written
        made = backed_up(parts, target, utc_now())
        during = written - before
        # A copy that each write starts again would not have ended before the writer did.
        assert writer.is_alive()
    finally:
        enough.set()
        writer.join()
    # The writer was not kept waiting for the copy to end, nor the copy for the writer.
    assert during > 5
    restored(empty, target, utc_now(), given_keys=keys)
    busy = sum(subject == "ord_busy" for _tag, subject in tags(empty))
    assert busy % 2 == 0
    assert 2 * before <= busy <= 2 * (before + during)
    assert made.manifest.rows["audit_trail"] == made.manifest.trail_seq


def grow(connection: Connection, *, megabytes: int) -> None:
    """Give the database so many pages that copying them takes a while."""
    connection.execute(text("CREATE TABLE ballast (content TEXT)"))
    row = {"content": "0123456789abcdef" * 65_536}
    connection.execute(text("INSERT INTO ballast VALUES (:content)"), [row] * megabytes)


def test_neither_the_master_key_nor_anything_that_names_somebody_is_in_a_backup(parts: Parts, archive: Path) -> None:
    content = archive.read_bytes()
    masters = read(parts.settings.key_file).masters.values()
    for secret in (*masters, "keys.json", "2025550110", "Example Cartage", "2026-CV-0110", "Nobody"):
        assert secret.encode() not in content


def test_a_backup_with_its_keys_needs_no_other(parts: Parts, tmp_path: Path, at: Places) -> None:
    target, empty, now = tmp_path / "with-keys.tar", at.empty(), utc_now()
    made = backed_up(parts, target, now, with_keys=True)
    assert "keys.json" in {each.name for each in made.manifest.files}
    restored(empty, target, now)
    assert stat.S_IMODE(empty.key_file.stat().st_mode) == 0o600
    assert states(empty, now) == states(parts.settings, now)
    assert not [each.name for each in empty.data_dir.iterdir() if each.name.startswith(".")]


def test_keys_that_come_from_the_environment_cannot_be_put_into_a_backup(parts: Parts, tmp_path: Path) -> None:
    given = load(master_key=new_master()).master_key
    settings = parts.settings.model_copy(update={"master_key": given})
    other = Parts(
        settings=settings,
        keys=parts.keys,
        calls=parts.calls,
        studio=parts.studio,
        vault=parts.vault,
        reading=parts.reading,
        screens=parts.screens,
    )
    with pytest.raises(NoKeyFileError, match="MASTER_KEY"):
        backed_up(other, tmp_path / "b.tar", utc_now(), with_keys=True)
    assert not (tmp_path / "b.tar").exists()


def test_a_backup_never_replaces_a_file_and_leaves_none_where_it_fails(parts: Parts, archive: Path) -> None:
    before, content = sorted(archive.parent.iterdir()), archive.read_bytes()
    with pytest.raises(TargetTakenError, match="already"):
        backed_up(parts, archive, utc_now())
    with pytest.raises(BackupFailedError, match="No such file"):
        backed_up(parts, archive.parent / "absent" / "b.tar", utc_now())
    link = archive.with_name("link.tar")
    link.symlink_to(archive.with_name("nowhere"))
    with pytest.raises(TargetTakenError):
        backed_up(parts, link, utc_now())
    link.unlink()
    assert (sorted(archive.parent.iterdir()), archive.read_bytes()) == (before, content)
    assert [tag for tag, _ in tags(parts.settings)].count(Tag.BACKED_UP.value) == 1


def test_files_of_others_are_left_out_and_named(parts: Parts, tmp_path: Path) -> None:
    (parts.settings.renditions_dir / "holiday photo.jpg").write_bytes(b"not ours")
    made = backed_up(parts, tmp_path / "b.tar", utc_now())
    assert made.left_out == ("renditions/holiday photo.jpg",)
    assert read_archive(tmp_path / "b.tar").manifest == made.manifest


def test_a_damaged_database_is_not_kept_as_a_good_backup(sqlite_settings: Settings, tmp_path: Path) -> None:
    opened = put_together(sqlite_settings)
    with opened.studio.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    opened.close()
    with sqlite_settings.sqlite_path.open("r+b") as file:
        file.seek(4096 * 30)
        file.write(b"\xff" * 4096 * 20)
    opened = put_together(sqlite_settings)
    with pytest.raises((DamagedDatabaseError, CopyFailedError)):
        backed_up(opened, tmp_path / "b.tar", utc_now())
    opened.close()
    assert [each.name for each in tmp_path.iterdir()] == ["data"]


def test_orders_that_expired_meanwhile_are_not_suspended_but_over(archive: Path, keys: Path, at: Places) -> None:
    late, empty = utc_now() + timedelta(days=800), at.empty()
    done = restored(empty, archive, late, given_keys=keys, as_it_was=False)
    assert done.suspended is not None
    assert done.suspended.orders == 0
    assert set(states(empty, late).values()) == {OrderState.EXPIRED, OrderState.LIFTED}
    assert late.tzinfo is UTC
