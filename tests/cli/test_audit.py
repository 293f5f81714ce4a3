"""`notice-gateway audit`: reading, verifying, signing and exporting the trail."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine

DATABASE = "register.sqlite3"


@pytest.fixture
def database(commands: CommandLine) -> Path:
    """The database behind the command line, whose trail has some entries of the demo's own."""
    path = Path(commands.env["NOTICE_GATEWAY_DATA_DIR"]) / DATABASE
    commands.succeed("audit", "checkpoint")
    assert rows(commands)
    return path


def rows(commands: CommandLine, *filters: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(commands.succeed("audit", "list", "--json", *filters))
    return found


def edit(database: Path, *lines: str) -> None:
    """Change the database behind the gateway's back, as who has the file can."""
    connection = sqlite3.connect(database)
    for guard in ("audit_trail_no_update", "audit_trail_no_delete"):
        connection.execute(f"DROP TRIGGER IF EXISTS {guard}")
    for line in lines:
        connection.execute(line)
    connection.commit()
    connection.close()


def test_a_sound_trail_is_said_to_be_sound(commands: CommandLine, database: Path) -> None:
    assert database.exists()
    assert "Nothing is wrong" in commands.succeed("audit", "verify")


def test_a_row_edited_by_hand_is_named_and_the_exit_code_says_so(commands: CommandLine, database: Path) -> None:
    edit(database, "UPDATE audit_trail SET actor = 'nobody' WHERE seq = 1")
    result = commands.run("audit", "verify")
    assert result.exit_code == 1
    assert "changed: row 1 was changed" in result.stdout


def test_a_checkpoint_kept_elsewhere_finds_what_was_cut_off_with_its_head(
    commands: CommandLine, database: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.json"
    said = commands.succeed("audit", "checkpoint", "--out", str(kept))
    assert json.loads(kept.read_text())["public_key"] in said
    head = "UPDATE audit_head SET seq = 1, seal = (SELECT seal FROM audit_trail WHERE seq = 1)"
    edit(database, "DELETE FROM audit_trail WHERE seq > 1", head)
    for path in (database.parent / "checkpoints").iterdir():
        path.unlink()
    assert "Nothing is wrong" in commands.succeed("audit", "verify")
    result = commands.run("audit", "verify", "--checkpoint", str(kept))
    assert result.exit_code == 1
    assert "cut off: checkpoint kept.json" in result.stdout


def test_a_day_has_one_checkpoint_and_no_file_is_written_over(
    commands: CommandLine, database: Path, tmp_path: Path
) -> None:
    assert "there already" in commands.succeed("audit", "checkpoint")
    assert len(list((database.parent / "checkpoints").iterdir())) == 1
    kept = tmp_path / "kept.json"
    commands.succeed("audit", "checkpoint", "--out", str(kept))
    before = kept.read_text()
    assert "there already" in commands.refuse("audit", "checkpoint", "--out", str(kept))
    assert kept.read_text() == before


def test_a_broken_checkpoint_in_the_folder_is_a_fault(commands: CommandLine, database: Path) -> None:
    (database.parent / "checkpoints" / "2026-01-01.json").write_text("{}")
    result = commands.run("audit", "verify")
    assert result.exit_code == 1
    assert "2026-01-01.json is not a checkpoint" in " ".join(result.stdout.split())


def test_the_trail_is_listed_with_filters(commands: CommandLine, database: Path) -> None:
    assert database.exists()
    everything = rows(commands)
    numbers = [int(str(each["seq"])) for each in everything]
    assert numbers == sorted(numbers, reverse=True)
    (checkpoint,) = rows(commands, "--tag", "gateway:audit:checkpoint")
    assert checkpoint == everything[0]
    assert rows(commands, "--subject", str(checkpoint["subject"])) == [checkpoint]
    assert rows(commands, "--actor", "nobody") == []
    assert rows(commands, "--court", "nowhere") == []
    assert rows(commands, "--until", "2026-01-01") == []
    assert rows(commands, "--since", "2026-01-01") == everything
    assert rows(commands, "--limit", "1") == everything[:1]
    assert rows(commands, "--after", str(checkpoint["seq"])) == everything[1:]
    assert "gateway:audit:checkpoint" in commands.succeed("audit", "list").splitlines()[0]
    assert "tag" in commands.refuse("audit", "list", "--tag", "made:up:word")


def test_an_exported_trail_is_verified_away_from_its_database(
    commands: CommandLine, database: Path, tmp_path: Path
) -> None:
    path = tmp_path / "trail.ndjson"
    count = len(rows(commands, "--limit", "10000"))
    assert f"{count} entries" in commands.succeed("audit", "export", str(path))
    # From here on there is no database any more.
    database.unlink()
    assert f"{count} entries" in commands.succeed("audit", "verify", "--export", str(path))
    lines = path.read_text().splitlines()
    assert len(lines) == count + 1
    assert set(json.loads(lines[1])) >= {"seq", "at", "actor", "tag", "details", "previous", "seal"}
    assert "there already" in commands.refuse("audit", "export", str(path))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: [*lines[:1], *lines[2:]], "row 1 is missing"),
        (lambda lines: lines[:-1], "cut off"),
        (lambda lines: [*lines[:1], lines[1].replace('"actor":"', '"actor":"x'), *lines[2:]], "row 1 was changed"),
        (lambda lines: [*lines[:1], lines[2], lines[1], *lines[3:]], "row 1 is out of order"),
        (lambda lines: [*lines, lines[-1]], "stands there twice"),
        (lambda lines: [lines[0].replace('"seq":', '"seq":1'), *lines[1:]], "cut off"),
    ],
)
def test_an_export_that_was_changed_is_found_out(
    commands: CommandLine, database: Path, tmp_path: Path, change: object, said: str
) -> None:
    assert database.exists()
    path = tmp_path / "trail.ndjson"
    commands.succeed("audit", "checkpoint", "--out", str(tmp_path / "one.json"))
    commands.succeed("audit", "export", str(path))
    assert callable(change)
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    result = commands.run("audit", "verify", "--export", str(path))
    assert result.exit_code == 1
    assert said in result.stdout


@pytest.mark.parametrize("content", ["", "{}\n", "no JSON\n", "[]\n"])
def test_a_file_that_is_no_export_is_refused_with_its_line(
    commands: CommandLine, database: Path, tmp_path: Path, content: str
) -> None:
    assert database.exists()
    path = tmp_path / "trail.ndjson"
    path.write_text(content)
    assert "Line 1 of trail.ndjson" in commands.refuse("audit", "verify", "--export", str(path))


def test_an_export_with_a_broken_line_is_refused_with_its_number(
    commands: CommandLine, database: Path, tmp_path: Path
) -> None:
    assert database.exists()
    path = tmp_path / "trail.ndjson"
    commands.succeed("audit", "export", str(path))
    for broken in ("{", '{"seq": 1}'):
        path.write_text(path.read_text().splitlines()[0] + f"\n{broken}\n")
        assert "Line 2 of trail.ndjson" in commands.refuse("audit", "verify", "--export", str(path))
