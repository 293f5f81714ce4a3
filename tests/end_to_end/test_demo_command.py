"""`notice-gateway demo`: it never touches real data, and may be run again at any time."""

import hashlib
import json
from pathlib import Path

from tests.cli.command_line import over
from tests.end_to_end.server import a_free_port, environment, run


def contents(folder: Path) -> dict[str, str]:
    """Return every file of a folder with its digest."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def orders(folder: Path) -> list[dict[str, object]]:
    """Return the orders by case number."""
    listed: list[dict[str, object]] = json.loads(over(folder).succeed("orders", "list", "--json", "--show-numbers"))
    return sorted(listed, key=lambda order: str(order["case"]))


def test_the_demo_may_be_loaded_again_and_stands_as_at_first(data: Path, tmp_path: Path) -> None:
    before = orders(data)
    assert len(before) == 9
    commands = over(data)
    for order in before:
        commands.succeed("orders", "lift", str(order["order"]))
    again = run(environment(tmp_path, data_dir=data), "demo")
    assert again.returncode == 0, again.stderr
    assert "demo-token" in again.stdout
    facts = ("case", "lines", "state", "district", "kind")
    assert [[each[fact] for fact in facts] for each in orders(data)] == [[o[fact] for fact in facts] for o in before]


def test_a_folder_with_a_real_court_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "real"
    commands = over(folder)
    commands.succeed("courts", "add", "hillside", "--name", "Hillside Court", "--zone", "Europe/London")
    before = contents(folder)
    refused = run(environment(tmp_path, data_dir=folder), "demo")
    assert refused.returncode == 1
    assert "real data" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert contents(folder) == before


def test_a_folder_with_strange_files_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "photographs"
    folder.mkdir()
    (folder / "holiday.jpg").write_bytes(b"not ours")
    before = contents(folder)
    refused = run(environment(tmp_path, data_dir=folder), "demo")
    assert refused.returncode == 1
    assert "holiday.jpg" in refused.stderr
    assert contents(folder) == before


def test_a_real_court_among_the_demos_is_real_data_too(data: Path, tmp_path: Path) -> None:
    over(data).succeed("courts", "add", "hillside", "--name", "Hillside Court", "--zone", "Europe/London")
    before = orders(data)
    for command in (("demo",), ("serve", "--bind", f"127.0.0.1:{a_free_port()}")):
        refused = run(environment(tmp_path, data_dir=data), *command, seconds=60)
        assert refused.returncode == 1
        assert "hillside" in refused.stderr
    assert orders(data) == before


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("not a folder", encoding="utf-8")
    refused = run(environment(tmp_path, data_dir=tmp_path / "a-file" / "data"), "demo")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: ")
    assert "a-file" in refused.stderr
