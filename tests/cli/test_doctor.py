"""`notice-gateway doctor`: what is well, and for everything that is not, what to do."""

import json
import shutil
from pathlib import Path

import pytest

from gateway.settings import Settings
from tests.cli.command_line import CommandLine, over

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def mute(tmp_path: Path) -> str:
    """A prompts folder with one language that no voice speaks: the doctor is quick where it need not listen."""
    folder = tmp_path / "prompts"
    shutil.copytree(PROJECT / "prompts" / "en", folder / "xx")
    return str(folder)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROJECT / "config", tmp_path / "config"))


def rows(printed: str) -> list[list[str]]:
    """Return the table's rows, each cell without spaces: a narrow terminal folds words anywhere."""
    found: list[list[str]] = []
    for line in printed.splitlines():
        cells = ["".join(cell.split()) for cell in line.split("│")[1:-1]]
        if len(cells) == 4 and cells[1]:
            found.append(cells)
        elif len(cells) == 4:
            found[-1] = [before + more for before, more in zip(found[-1], cells, strict=True)]
    return found


def row(printed: str, subject: str) -> list[str]:
    """Return the row about `subject`; where there are several, the one that is worst."""
    about = [cells for cells in rows(printed) if cells[0] == "".join(subject.split())]
    return min(about, key=lambda cells: ("bad", "warning", "good").index(cells[1]))


def tells(cell: str, words: str) -> bool:
    return "".join(words.split()) in cell


def bad(commands: CommandLine, subject: str, **more: str) -> str:
    """Return what the doctor found and its cure, where the verdict on `subject` must be bad."""
    result = commands.run("doctor", **more)
    assert result.exit_code == 1, result.output
    cells = row(result.stdout, subject)
    assert cells[1] == "bad"
    assert cells[3], "it does not say what to do"
    return f"{cells[2]}|{cells[3]}"


def test_a_good_installation_is_found_good_with_every_voice_tried(commands: CommandLine) -> None:
    printed = commands.succeed("doctor", public_origin="http://127.0.0.1:1")
    for subject in ("settings", "signature", "schema", "keys", "renditions", "voice en", "voice zh", "bypass list"):
        assert row(printed, subject)[1] == "good"
    assert row(printed, "auth token")[1] == "warning"
    assert tells(row(printed, "gateway")[3], "notice-gateway serve")


def test_a_missing_token_is_bad_and_where_it_comes_from_is_told(
    commands: CommandLine, sqlite_settings: Settings, mute: str
) -> None:
    sqlite_settings.demo_mark.unlink()
    assert tells(bad(commands, "auth token", prompts_dir=mute), "NOTICE_GATEWAY_TWILIO_AUTH_TOKEN")


def test_an_installation_for_sip_alone_needs_no_token_of_twilios(
    commands: CommandLine, sqlite_settings: Settings, mute: str
) -> None:
    sqlite_settings.demo_mark.unlink()
    printed = commands.run("doctor", prompts_dir=mute, sip_secret="a-secret-of-the-doctor").stdout
    for subject in ("auth token", "routes"):
        assert row(printed, subject)[1] == "good"


def test_a_missing_key_file_is_bad_and_not_renewed(commands: CommandLine, sqlite_settings: Settings, mute: str) -> None:
    sqlite_settings.key_file.unlink()
    assert tells(bad(commands, "keys", prompts_dir=mute), "backup")
    assert not sqlite_settings.key_file.exists()


def test_another_databases_key_is_bad(
    commands: CommandLine, sqlite_settings: Settings, mute: str, tmp_path: Path
) -> None:
    over(tmp_path / "other").succeed("courts", "add", "hillside", "--name", "Hillside", "--zone", "Europe/London")
    shutil.copy(tmp_path / "other" / "keys.json", sqlite_settings.key_file)
    assert tells(bad(commands, "keys", prompts_dir=mute), "right key file")


def test_a_key_file_that_is_broken_or_open_to_others_is_bad(
    commands: CommandLine, sqlite_settings: Settings, mute: str
) -> None:
    sqlite_settings.key_file.chmod(0o640)
    assert tells(bad(commands, "keys", prompts_dir=mute), "chmod 600")
    sqlite_settings.key_file.chmod(0o600)
    sqlite_settings.key_file.write_text("{", encoding="ascii")
    assert tells(bad(commands, "keys", prompts_dir=mute), "backup")


def test_a_database_that_is_away_is_bad(commands: CommandLine, sqlite_settings: Settings, mute: str) -> None:
    sqlite_settings.sqlite_path.unlink()
    assert tells(bad(commands, "database", prompts_dir=mute), "NOTICE_GATEWAY_DATABASE_URL")
    unreachable = "postgresql://nobody@127.0.0.1:1/nothing"
    assert tells(bad(commands, "database", prompts_dir=mute, database_url=unreachable), "NOTICE_GATEWAY_DATABASE_URL")


def test_a_data_folder_that_is_a_file_is_bad(tmp_path: Path, mute: str) -> None:
    (tmp_path / "a-file").write_text("not a folder", encoding="utf-8")
    assert tells(bad(over(tmp_path / "a-file" / "data"), "keys", prompts_dir=mute), "a-file")


def test_a_database_url_that_is_none_is_bad(commands: CommandLine, mute: str) -> None:
    result = commands.run("doctor", prompts_dir=mute, database_url="mysql://host/name")
    assert result.exit_code == 1
    assert any(tells(cells[2], "DATABASE_URL is not usable") for cells in rows(result.stdout))


def test_renditions_that_are_gone_are_bad(commands: CommandLine, sqlite_settings: Settings, mute: str) -> None:
    shutil.rmtree(sqlite_settings.renditions_dir)
    assert tells(bad(commands, "renditions", prompts_dir=mute), "notice-gateway notices add ord_")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("public_origin", "gateway.example.org", "NOTICE_GATEWAY_PUBLIC_ORIGIN"),
        ("public_origin", "https://gateway.example.org/twilio", "NOTICE_GATEWAY_PUBLIC_ORIGIN"),
        ("public_origin", "https://user:secret@gateway.example.org", "NOTICE_GATEWAY_PUBLIC_ORIGIN"),
        ("public_origin", "http://gateway.example.org:port", "NOTICE_GATEWAY_PUBLIC_ORIGIN"),
        ("ring_seconds", "soon", "NOTICE_GATEWAY_RING_SECONDS"),
        ("token_seconds", "1", "NOTICE_GATEWAY_TOKEN_SECONDS"),
        ("log_level", "loud", "NOTICE_GATEWAY_LOG_LEVEL"),
    ],
)
def test_a_setting_that_cannot_be_is_bad_by_its_name_and_without_its_secrets(
    commands: CommandLine, name: str, value: str, said: str
) -> None:
    found = bad(commands, "settings", **{name: value})
    assert tells(found, said)
    assert "secret" not in found


@pytest.mark.parametrize(
    ("file", "content", "subject"),
    [
        ("routes.toml", '[lines]\n"+12025550110" = "+12025550110"', "routes"),
        ("routes.toml", 'default = "the usual place"', "routes"),
        ("routes.toml", "default = [", "routes"),
        ("routes.toml", "default = 5", "routes"),
        ("routes.toml", 'lines = "x"', "routes"),
        ("routes.toml", '[lines]\n"+12025550110" = 5', "routes"),
        ("routes.toml", 'byoc_trunk = "BY1"', "routes"),
        ("bypass.toml", "short_codes = [", "bypass list"),
        ("bypass.toml", "short_codes = 5", "bypass list"),
        ("bypass.toml", 'numbers = ["the hospital"]', "bypass list"),
        ("default.toml", "data_dir = [", "settings"),
        ("default.toml", "ring_seconds = 1", "settings"),
    ],
)
def test_a_configuration_file_that_cannot_be_right_is_bad(
    commands: CommandLine, config: Path, mute: str, file: str, content: str, subject: str
) -> None:
    (config / file).write_text(content, encoding="utf-8")
    bad(commands, subject, config_dir=str(config), prompts_dir=mute)


def test_a_language_with_a_wording_missing_is_bad(commands: CommandLine, mute: str) -> None:
    (Path(mute) / "xx" / "opener.txt").unlink()
    assert tells(bad(commands, "prompts xx", prompts_dir=mute), "opener")


def test_a_prompts_folder_without_any_language_is_bad(commands: CommandLine, tmp_path: Path) -> None:
    result = commands.run("doctor", prompts_dir=str(tmp_path / "nowhere"))
    assert result.exit_code == 1
    assert any(tells(cells[3], "NOTICE_GATEWAY_PROMPTS_DIR") for cells in rows(result.stdout))


def test_the_doctor_changes_nothing_in_the_register(commands: CommandLine, mute: str) -> None:
    before = json.loads(commands.succeed("orders", "list", "--json"))
    commands.run("doctor", prompts_dir=mute)
    assert json.loads(commands.succeed("orders", "list", "--json")) == before
