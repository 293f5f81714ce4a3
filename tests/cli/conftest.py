"""Fixtures: a command line over a fresh copy of the demo, and the files that officers hand in."""

from pathlib import Path

import pytest

from gateway.settings import Settings
from tests.cli.command_line import CommandLine, over
from tests.fakes import HummingSynthesizer


@pytest.fixture
def commands(sqlite_settings: Settings) -> CommandLine:
    """A command line over the demo on SQLite."""
    return over(sqlite_settings.data_dir)


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A signed order, as far as its first bytes tell."""
    path = tmp_path / "order.pdf"
    path.write_bytes(b"%PDF-1.7\n%a signed order\n")
    return path


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A recording of four seconds."""
    path = tmp_path / "notice.wav"
    HummingSynthesizer(4).speak("a recorded notice", language="en", target=path)
    return path


@pytest.fixture
def silence(tmp_path: Path) -> Path:
    """A recording in which nothing is said."""
    path = tmp_path / "silence.wav"
    HummingSynthesizer(4).speak("silence", language="en", target=path)
    header, sound = path.read_bytes()[:44], path.read_bytes()[44:]
    path.write_bytes(header + bytes(len(sound)))
    return path
