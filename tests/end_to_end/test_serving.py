"""`notice-gateway serve`: what it needs to start, and what it says where something is wrong."""

import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import DEMO_TOKEN
from tests.conftest import Template
from tests.end_to_end.server import environment, run, serving

CONFIG = Path(__file__).resolve().parents[2] / "config"


def refused(env: dict[str, str], *arguments: str) -> str:
    """Return the sentence that `serve` refuses with."""
    finished = run(env, "serve", *arguments, seconds=20)
    assert finished.returncode in {1, 2}, finished.stderr
    assert "Traceback" not in finished.stderr
    assert "Error: " in finished.stderr
    return " ".join(finished.stderr.partition("Error: ")[2].split())


@pytest.fixture
def loaded(sqlite_template: Template, tmp_path: Path) -> Path:
    """A copy of the demo, with voices that hum."""
    return Path(shutil.copytree(sqlite_template.folder, tmp_path / "data"))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration folder to spoil."""
    return Path(shutil.copytree(CONFIG, tmp_path / "config"))


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_without_a_token_outside_the_demo_nothing_is_started_and_nothing_created(tmp_path: Path) -> None:
    why = refused(environment(tmp_path, data_dir=tmp_path / "data"))
    assert why.startswith("NOTICE_GATEWAY_TWILIO_AUTH_TOKEN: it is not set")
    assert not (tmp_path / "data").exists()


def test_an_origin_that_is_none_is_named(tmp_path: Path) -> None:
    origin = "gateway.example.org"
    why = refused(environment(tmp_path, data_dir=tmp_path / "data", twilio_auth_token="t", public_origin=origin))
    assert why.startswith("NOTICE_GATEWAY_PUBLIC_ORIGIN: ")


@pytest.mark.parametrize("bind", ["127.0.0.1", "127.0.0.1:99999"])
def test_a_bind_that_is_no_host_and_port_is_named(loaded: Path, tmp_path: Path, bind: str) -> None:
    why = refused(environment(tmp_path, data_dir=loaded), "--bind", bind)
    assert "--bind" in why
    assert bind in why


def test_a_port_that_is_taken_is_told_at_once_and_not_tried_for_ever(
    loaded: Path, tmp_path: Path, taken_port: int
) -> None:
    assert str(taken_port) in refused(environment(tmp_path, data_dir=loaded), "--bind", f"127.0.0.1:{taken_port}")


def test_a_second_gateway_on_the_same_port_is_refused_and_does_not_share_the_first_ones_calls(
    loaded: Path, tmp_path: Path
) -> None:
    with serving(loaded, tmp_path / "home", workers=1) as server:
        port = server.origin.rpartition(":")[2]
        assert port in refused(environment(tmp_path, data_dir=loaded), "--bind", f"127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("file", "content", "named"),
    [
        (
            "routes.toml",
            '[lines]\n"+12025550110" = "+12025550111"\n"+12025550111" = "+12025550110"',
            "+12025550110 -> +12025550111 -> +12025550110",
        ),
        ("routes.toml", "default = 5", "routes.toml"),
        ("bypass.toml", "short_codes = 5", "bypass.toml"),
        ("default.toml", "data_dir = [", "default.toml"),
    ],
)
def test_a_configuration_that_cannot_be_right_is_named(
    loaded: Path, config: Path, tmp_path: Path, file: str, content: str, named: str
) -> None:
    (config / file).write_text(content, encoding="utf-8")
    assert named in refused(environment(tmp_path, data_dir=loaded, config_dir=config))


def test_a_missing_key_file_beside_a_database_is_told_and_not_silently_renewed(loaded: Path, tmp_path: Path) -> None:
    (loaded / "keys.json").unlink()
    why = refused(environment(tmp_path, data_dir=loaded))
    assert "keys.json" in why
    assert "missing" in why
    assert not (loaded / "keys.json").exists()


def test_a_key_file_that_others_may_read_is_refused(loaded: Path, tmp_path: Path) -> None:
    (loaded / "keys.json").chmod(0o644)
    assert "chmod 600" in refused(environment(tmp_path, data_dir=loaded))


def test_a_data_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("not a folder", encoding="utf-8")
    why = refused(environment(tmp_path, data_dir=tmp_path / "a-file", twilio_auth_token="t"))
    assert "a-file" in why


def test_an_absent_data_folder_is_made_closed_to_others_and_calls_are_connected_under_either_token(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "data"
    tokens: dict[str, Any] = {"twilio_auth_token": "the-primary", "twilio_auth_token_secondary": "the-secondary"}
    with serving(folder, tmp_path / "home", workers=1, demo=False, **tokens) as server:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "keys.json").stat().st_mode) == 0o600
        for token in tokens.values():
            twilio = server.twilio(token)
            assert twilio.ring("+12025550110").is_plain
            twilio.client.close()
        stranger = server.twilio(DEMO_TOKEN)
        record = stranger.ring("+12025550110")
        assert (record.status, record.connected_to) == ("failed", "")
        assert [webhook.status for webhook in record.webhooks] == [403, 403]
        stranger.client.close()


def test_the_program_starts_in_an_empty_home_and_leaves_it_empty(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run(environment(empty), "--help").returncode == 0
    assert list(empty.iterdir()) == []
