"""`notice-gateway orders import`, `export`, `batches`, `approve-batch`, `withdraw-batch`."""

import csv
import stat
from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine
from tests.workflows.importing import a_person_row, a_row, a_table, as_csv


def a_file(folder: Path, *rows: dict[str, str], name: str = "july.csv") -> str:
    path = folder / name
    path.write_bytes(as_csv(a_table(rows)))
    return str(path)


def importing(file: str, authority: Path, *more: str) -> list[str]:
    return ["orders", "import", file, "--court", "lakeside", "--authority", str(authority), *more]


def test_a_file_is_imported_listed_and_withdrawn(commands: CommandLine, authority: Path, tmp_path: Path) -> None:
    file = a_file(tmp_path, a_row(1), a_person_row(2))
    told = commands.succeed(*importing(file, authority))
    assert "2 orders new, 0 known before, 0 rows refused" in told
    batch_id = told.partition(" ")[0]
    assert "0 orders new, 2 known before" in commands.succeed(*importing(file, authority))
    assert batch_id in commands.succeed("orders", "batches", "--court", "lakeside")
    assert "2026-IM-1" in commands.succeed("orders", "list")
    assert "2 orders removed" in commands.succeed("orders", "withdraw-batch", batch_id)
    assert "2026-IM-1" not in commands.succeed("orders", "list")


def test_refused_rows_are_written_to_a_file_that_can_be_mended(
    commands: CommandLine, authority: Path, tmp_path: Path
) -> None:
    errors = tmp_path / "refused.csv"
    file = a_file(tmp_path, a_row(1), a_person_row(2, lines="12022000002"))
    result = commands.run(*importing(file, authority, "--errors", str(errors)))
    assert result.exit_code == 1
    assert "nothing was imported" in result.stderr
    assert "no_plus" not in result.stderr
    assert "has no +" in result.stderr
    assert stat.S_IMODE(errors.stat().st_mode) == 0o600
    rows = list(csv.reader(errors.read_text(encoding="utf-8-sig").splitlines()))
    rows[1][rows[0].index("lines")] = "+12022000002"
    errors.write_bytes(as_csv(rows))
    assert "1 orders new" in commands.succeed(*importing(str(errors), authority))
    assert "1 orders new, 1 known" in commands.succeed(
        *importing(a_file(tmp_path, a_row(1), a_person_row(2)), authority)
    )


def test_a_dry_run_needs_no_document_on_file_and_writes_nothing(
    commands: CommandLine, authority: Path, tmp_path: Path
) -> None:
    file = a_file(tmp_path, a_row(1))
    assert "Nothing was written" in commands.succeed(*importing(file, authority, "--dry-run"))
    assert "bat_" not in commands.succeed("orders", "batches")


def test_row_by_row_the_good_ones_go_in(commands: CommandLine, authority: Path, tmp_path: Path) -> None:
    file = a_file(tmp_path, a_row(1), a_row(2, district="nowhere"))
    told = commands.succeed(*importing(file, authority, "--mode", "per-row"))
    assert "1 orders new, 0 known before, 1 rows refused" in told


def test_who_imported_cannot_approve(commands: CommandLine, authority: Path, tmp_path: Path) -> None:
    told = commands.succeed(*importing(a_file(tmp_path, a_row(1)), authority, "--as", "clerk"))
    batch_id = told.partition(" ")[0]
    assert "right" in commands.refuse("orders", "approve-batch", batch_id, "--as", "clerk")
    assert "bat_0" in commands.refuse("orders", "approve-batch", "bat_0", "--as", "judge")


def test_what_was_exported_is_known_and_closed_to_others(
    commands: CommandLine, authority: Path, tmp_path: Path
) -> None:
    file = tmp_path / "orders.csv"
    commands.succeed("orders", "export", str(file), "--court", "lakeside")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    count = len(file.read_text(encoding="utf-8").splitlines()) - 1
    assert count > 0
    assert f"0 orders new, {count} known before" in commands.succeed(*importing(str(file), authority))
    commands.succeed("orders", "export", str(file), "--state", "lifted")
    rows = csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines())
    assert {row["state"] for row in rows} == {"lifted"}


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b"%PDF-1.7", "PDF"), (b"name;lines\na;b\n", "'case_number' is missing"), (b"PK\x03\x04", "zip")],
    ids=["empty", "pdf", "columns", "zip"],
)
def test_what_is_no_table_of_orders_is_refused_in_one_sentence(
    commands: CommandLine, authority: Path, tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "july.csv"
    path.write_bytes(content)
    assert words in commands.refuse(*importing(str(path), authority, "--legal-basis", "Rule 69"))


def test_an_unknown_court_is_refused(commands: CommandLine, authority: Path, tmp_path: Path) -> None:
    file = a_file(tmp_path, a_row(1))
    assert "hillside" in commands.refuse("orders", "import", file, "--court", "hillside", "--authority", str(authority))
