from pathlib import Path

import pytest

from gateway.audio.library import Library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library")
