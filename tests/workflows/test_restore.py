"""Restoring a backup: what opens it, what is refused, and that nothing is ever half there."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

import gateway.db
from gateway.assembly import Parts, put_together
from gateway.clock import utc_now
from gateway.db.schema import is_current, revisions
from gateway.domain.order import OrderState
from gateway.privacy.key_file import KeyFile, new_master, read, write
from gateway.privacy.keys import from_text
from gateway.settings import Settings, load
from gateway.workflows.archive import Manifest
from gateway.workflows.archive_reader import NewerArchiveError
from gateway.workflows.restore_backup import (
    ForgedArchiveError,
    IncompleteError,
    OldServerError,
    OtherKindError,
    RestoreFailedError,
)
from gateway.workflows.restoring_keys import KeyNeededError, TwoKeysError
from gateway.workflows.restoring_place import NotEmptyError
from tests.postgres import Postgres
from tests.workflows.backups import Edit, Places, backed_up, is_untouched, restored, rewritten, rows, states

HEARD = {OrderState.APPROVED, OrderState.WARNED, OrderState.IN_FORCE}
on_postgres = pytest.mark.parametrize("demo_settings", ["postgresql"], indirect=True)


def test_a_folder_that_holds_nothing_but_the_key_file_is_empty_enough(parts: Parts, archive: Path, at: Places) -> None:
    empty, now = at.empty(keys_of=parts.settings), utc_now()
    restored(empty, archive, now)
    assert states(empty, now) == states(parts.settings, now)


def test_without_its_key_a_backup_says_which_it_needs_and_nothing_is_written(
    parts: Parts, archive: Path, at: Places, tmp_path: Path
) -> None:
    empty, now = at.empty(), utc_now()
    with pytest.raises(KeyNeededError, match=parts.keys.key_id):
        restored(empty, archive, now)
    master = new_master()
    stranger = from_text(master, source="a test").key_id
    write(tmp_path / "other.json", KeyFile(active=stranger, masters={stranger: master}))
    with pytest.raises(KeyNeededError, match=f"{parts.keys.key_id}.*{stranger}"):
        restored(empty, archive, now, given_keys=tmp_path / "other.json")
    with pytest.raises(KeyNeededError, match=stranger):
        restored(empty.model_copy(update={"master_key": load(master_key=master).master_key}), archive, now)
    assert is_untouched(empty)


def test_a_master_key_in_the_environment_opens_it_and_a_file_besides_is_refused(
    parts: Parts, archive: Path, keys: Path, at: Places
) -> None:
    key_file = read(parts.settings.key_file)
    given = load(master_key=key_file.masters[key_file.active]).master_key
    empty, now = at.empty().model_copy(update={"master_key": given}), utc_now()
    with pytest.raises(TwoKeysError):
        restored(empty, archive, now, given_keys=keys)
    restored(empty, archive, now)
    assert not empty.key_file.exists()
    assert states(empty, now) == states(parts.settings, now)


def test_a_key_file_that_went_over_to_a_new_key_still_opens_an_older_backup(
    parts: Parts, archive: Path, tmp_path: Path, at: Places
) -> None:
    old, master = read(parts.settings.key_file), new_master()
    newer = from_text(master, source="a test").key_id
    write(tmp_path / "newer.json", KeyFile(active=newer, masters={**old.masters, newer: master}))
    empty, now = at.empty(), utc_now()
    done = restored(empty, archive, now, given_keys=tmp_path / "newer.json")
    assert done.missing_keys == ()
    assert states(empty, now) == states(parts.settings, now)


def test_a_key_that_read_then_and_is_missing_now_is_named(parts: Parts, archive: Path, keys: Path, at: Places) -> None:
    two = rewritten(
        archive,
        archive.with_name("two-keys.tar"),
        parts.keys.active.audit,
        lambda manifest: manifest.model_copy(update={"keys_held": (parts.keys.key_id, "0123456789ab")}),
    )
    assert restored(at.empty(), two, utc_now(), given_keys=keys).missing_keys == ("0123456789ab",)


@pytest.mark.parametrize("strange", ["register.sqlite3", "renditions", "notes.txt", "register.sqlite3-wal"])
def test_a_place_that_is_not_empty_is_refused_by_what_is_in_it_and_left_alone(
    parts: Parts, archive: Path, at: Places, strange: str
) -> None:
    empty = at.empty(keys_of=parts.settings)
    (empty.data_dir / strange).write_bytes(b"precious")
    with pytest.raises(NotEmptyError, match=strange):
        restored(empty, archive, utc_now())
    assert sorted(each.name for each in empty.data_dir.iterdir()) == sorted(["keys.json", strange])
    assert (empty.data_dir / strange).read_bytes() == b"precious"


def test_a_database_that_is_not_empty_is_refused_by_what_is_in_it_and_left_alone(
    parts: Parts, archive: Path, keys: Path, tmp_path: Path
) -> None:
    """The folder is empty, and the database is the demo's own, or a file somewhere else."""
    if parts.settings.database_url:
        again = Settings(data_dir=tmp_path / "again", database_url=parts.settings.database_url)
    else:
        again = Settings(data_dir=tmp_path / "again", database_url=f"sqlite:///{parts.settings.sqlite_path}")
    before = rows(parts.settings)
    with pytest.raises(NotEmptyError, match=r"alembic_version|register\.sqlite3"):
        restored(again, archive, utc_now(), given_keys=keys)
    assert rows(parts.settings) == before
    assert not again.data_dir.exists()


def test_a_sqlite_database_outside_the_data_folder_is_restored_where_it_belongs(
    sqlite_settings: Settings, tmp_path: Path
) -> None:
    opened, now = put_together(sqlite_settings), utc_now()
    backed_up(opened, tmp_path / "b.tar", now)
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "elsewhere" / "courts.db"
    empty = Settings(data_dir=tmp_path / "new", database_url=f"sqlite:///{path}")
    restored(empty, tmp_path / "b.tar", now, given_keys=sqlite_settings.key_file)
    assert states(empty, now) == states(sqlite_settings, now)
    assert [each.name for each in path.parent.iterdir() if each.name[0] == "."] == []
    assert not empty.sqlite_path.exists()
    opened.close()


def test_a_backup_of_one_kind_is_refused_by_a_gateway_on_the_other(
    parts: Parts, archive: Path, keys: Path, postgres: Postgres, tmp_path: Path
) -> None:
    name = postgres.create()
    other = postgres.url(name) if not parts.settings.database_url else ""
    settings = Settings(data_dir=tmp_path / "other", database_url=other)
    with pytest.raises(OtherKindError, match=r"SQLite.*PostgreSQL|PostgreSQL.*SQLite"):
        restored(settings, archive, utc_now(), given_keys=keys)
    assert is_untouched(settings)
    postgres.drop(name)


def test_a_backup_of_a_newer_schema_says_that_the_gateway_must_be_upgraded(
    parts: Parts, tmp_path: Path, keys: Path, at: Places
) -> None:
    with parts.studio.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    empty = at.empty()
    backed_up(parts, tmp_path / "newer.tar", utc_now())
    with pytest.raises(NewerArchiveError, match="Upgrade"):
        restored(empty, tmp_path / "newer.tar", utc_now(), given_keys=keys)
    assert is_untouched(empty)


def test_a_backup_of_an_older_schema_is_migrated(parts: Parts, tmp_path: Path, keys: Path, at: Places) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(gateway.db.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    with parts.studio.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revisions()[1])
    now, empty = utc_now(), at.empty()
    assert backed_up(parts, tmp_path / "older.tar", now).manifest.revision == revisions()[1]
    restored(empty, tmp_path / "older.tar", now, given_keys=keys, as_it_was=False)
    opened = put_together(empty)
    assert is_current(opened.studio.engine)
    opened.close()
    assert not HEARD & set(states(empty, now).values())


def test_an_archive_that_somebody_without_the_key_made_is_refused_before_its_database_is_opened(
    parts: Parts, archive: Path, keys: Path, at: Places
) -> None:
    forged = rewritten(archive, archive.with_name("forged.tar"), bytes(32), lambda manifest: manifest)
    empty = at.empty()
    with pytest.raises(ForgedArchiveError, match=parts.keys.key_id):
        restored(empty, forged, utc_now(), given_keys=keys)
    assert is_untouched(empty)


def with_a_row_too_many(manifest: Manifest) -> Manifest:
    return manifest.model_copy(update={"rows": {**manifest.rows, "orders": manifest.rows["orders"] + 1}})


def with_another_head(manifest: Manifest) -> Manifest:
    return manifest.model_copy(update={"trail_seal": "00" * 32})


@pytest.mark.parametrize(("edit", "what"), [(with_a_row_too_many, "orders"), (with_another_head, "trail")])
def test_what_fails_half_way_leaves_an_empty_place(
    parts: Parts, archive: Path, keys: Path, at: Places, edit: Edit, what: str
) -> None:
    wrong = rewritten(archive, archive.with_name("wrong.tar"), parts.keys.active.audit, edit)
    empty = at.empty()
    with pytest.raises(IncompleteError, match=what):
        restored(empty, wrong, utc_now(), given_keys=keys)
    assert is_untouched(empty)
    restored(empty, archive, utc_now(), given_keys=keys)


def test_a_database_file_that_is_none_leaves_an_empty_place(
    parts: Parts, archive: Path, keys: Path, at: Places
) -> None:
    wrong = rewritten(
        archive, archive.with_name("wrong.tar"), parts.keys.active.audit, lambda each: each, database=b"rubbish" * 999
    )
    empty = at.empty()
    with pytest.raises(Exception, match=r"not a database|pg_restore failed"):
        restored(empty, wrong, utc_now(), given_keys=keys)
    assert is_untouched(empty)


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(archive: Path, keys: Path, at: Places) -> None:
    empty = at.empty()
    empty.data_dir.parent.joinpath("a-file").write_text("", encoding="utf-8")
    blocked = empty.model_copy(update={"data_dir": empty.data_dir.parent / "a-file" / "data"})
    with pytest.raises(RestoreFailedError, match="a-file"):
        restored(blocked, archive, utc_now(), given_keys=keys)


@on_postgres
def test_a_server_older_than_the_backups_is_refused(parts: Parts, archive: Path, keys: Path, at: Places) -> None:
    newer = rewritten(
        archive,
        archive.with_name("newer.tar"),
        parts.keys.active.audit,
        lambda each: each.model_copy(update={"server": 99}),
    )
    empty = at.empty()
    with pytest.raises(OldServerError, match="99"):
        restored(empty, newer, utc_now(), given_keys=keys)
    assert is_untouched(empty)
