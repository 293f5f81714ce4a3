"""`notice-gateway backup` and `restore`: what they say, what they refuse, and what they leave behind."""

import json
import stat
from pathlib import Path

import pytest

from gateway.settings import Settings
from tests.cli.command_line import CommandLine, over


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.tar"


@pytest.fixture
def made(commands: CommandLine, file: Path) -> Path:
    """A backup of the demo."""
    commands.succeed("backup", str(file))
    return file


@pytest.fixture
def keys(sqlite_settings: Settings, tmp_path: Path) -> Path:
    """The key file, kept in another place."""
    kept = tmp_path / "kept-keys.json"
    kept.write_bytes(sqlite_settings.key_file.read_bytes())
    kept.chmod(0o600)
    return kept


@pytest.fixture
def empty(tmp_path: Path) -> CommandLine:
    """A command line over a folder that does not exist."""
    return over(tmp_path / "restored")


def states(commands: CommandLine) -> dict[str, str]:
    listed = json.loads(commands.succeed("orders", "list", "--json"))
    return {str(each["case"]): str(each["state"]) for each in listed}


def test_a_backup_tells_what_it_holds_and_that_its_key_is_elsewhere(
    commands: CommandLine, sqlite_settings: Settings, file: Path
) -> None:
    told = commands.succeed("backup", str(file))
    key_id = json.loads(sqlite_settings.key_file.read_text())["active"]
    assert "9 orders" in told
    assert f"key {key_id} is not in it" in told
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(each.name for each in file.parent.iterdir()) == ["backup.tar", "data"]


def test_a_backup_with_its_keys_warns_loudly(commands: CommandLine, file: Path, empty: CommandLine) -> None:
    result = commands.run("backup", str(file), "--with-keys")
    assert result.exit_code == 0
    assert "The key file is in it" in " ".join(result.stderr.split())
    assert "with the key file" in commands.succeed("backup", "--verify", str(file))
    empty.succeed("restore", str(file), "--as-it-was")
    assert states(empty) == states(commands)


def test_verifying_writes_nothing_and_tells_whether_the_seal_could_be_checked(
    commands: CommandLine, made: Path, empty: CommandLine, tmp_path: Path
) -> None:
    assert "sealed with key" in commands.succeed("backup", "--verify", str(made))
    result = empty.run("backup", "--verify", str(made))
    assert result.exit_code == 0
    assert "is whole" in result.stdout
    assert "seal was not checked" in " ".join(result.stderr.split())
    assert not (tmp_path / "restored").exists()
    assert "--with-keys" in commands.refuse("backup", "--verify", "--with-keys", str(made))


def test_a_changed_backup_is_refused_by_verify_and_by_restore(
    commands: CommandLine, made: Path, keys: Path, empty: CommandLine, tmp_path: Path
) -> None:
    content = bytearray(made.read_bytes())
    content[5000] ^= 1
    made.write_bytes(content)
    assert "database.sqlite3" in commands.refuse("backup", "--verify", str(made))
    assert "database.sqlite3" in empty.refuse("restore", str(made), "--keys", str(keys))
    assert not (tmp_path / "restored").exists()


def test_restoring_suspends_what_could_be_heard_and_says_so_plainly(
    commands: CommandLine, made: Path, keys: Path, empty: CommandLine
) -> None:
    result = empty.run("restore", str(made), "--keys", str(keys))
    assert result.exit_code == 0
    assert "7 orders are suspended" in result.stdout
    assert "officer resumes each" in result.stdout
    assert "API keys revoked" in " ".join(result.stderr.split())
    heard = {"in_force", "warned", "approved"}
    expected = {case: "suspended" if state in heard else state for case, state in states(commands).items()}
    assert states(empty) == expected


def test_restoring_as_it_was_warns_of_what_may_be_heard_again(
    commands: CommandLine, made: Path, keys: Path, empty: CommandLine
) -> None:
    result = empty.run("restore", str(made), "--keys", str(keys), "--as-it-was")
    assert result.exit_code == 0
    assert "is heard again" in " ".join(result.stderr.split())
    assert states(empty) == states(commands)


def test_the_restored_gateway_can_be_worked_with_and_backed_up_again(
    made: Path, keys: Path, empty: CommandLine, tmp_path: Path
) -> None:
    empty.succeed("restore", str(made), "--keys", str(keys), "--as-it-was")
    order = json.loads(empty.succeed("orders", "list", "--json"))[1]["order"]
    empty.succeed("orders", "lift", order)
    again = tmp_path / "again.tar"
    empty.succeed("backup", str(again))
    assert "sealed with key" in empty.succeed("backup", "--verify", str(again))


def test_a_place_that_is_not_empty_is_refused_by_name(commands: CommandLine, made: Path, keys: Path) -> None:
    before = states(commands)
    told = commands.refuse("restore", str(made), "--keys", str(keys))
    assert "register.sqlite3" in told
    assert "NOTICE_GATEWAY_DATA_DIR" in told
    assert states(commands) == before


def test_the_key_that_is_needed_is_named(
    made: Path, empty: CommandLine, sqlite_settings: Settings, tmp_path: Path
) -> None:
    key_id = json.loads(sqlite_settings.key_file.read_text())["active"]
    told = empty.refuse("restore", str(made))
    assert key_id in told
    assert "--keys" in told
    assert "keys.json" in empty.refuse("restore", str(made), "--keys", str(tmp_path / "keys.json"))
    open_to_all = tmp_path / "open.json"
    open_to_all.write_bytes(sqlite_settings.key_file.read_bytes())
    open_to_all.chmod(0o644)
    assert "chmod 600" in empty.refuse("restore", str(made), "--keys", str(open_to_all))


def test_a_backup_of_sqlite_is_refused_by_a_gateway_on_postgresql(made: Path, keys: Path, tmp_path: Path) -> None:
    other = over(tmp_path / "restored", "postgresql://nobody@127.0.0.1:1/none")
    told = other.refuse("restore", str(made), "--keys", str(keys))
    assert "SQLite" in told
    assert "NOTICE_GATEWAY_DATABASE_URL" in told


def test_what_cannot_be_read_or_written_is_told_in_a_sentence(
    commands: CommandLine, made: Path, empty: CommandLine, tmp_path: Path
) -> None:
    assert "already" in commands.refuse("backup", str(made))
    assert "No such file" in commands.refuse("backup", str(tmp_path / "absent" / "b.tar"))
    assert "absent.tar" in empty.refuse("restore", str(tmp_path / "absent.tar"))
    assert "absent.tar" in commands.refuse("backup", "--verify", str(tmp_path / "absent.tar"))
    assert "directory" in commands.refuse("backup", str(tmp_path))
    nothing = over(tmp_path / "nothing")
    assert "no register" in nothing.refuse("backup", str(tmp_path / "b.tar"))
    assert not (tmp_path / "nothing").exists()
    assert not (tmp_path / "b.tar").exists()
