import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from gateway.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(path.parent for path in (ROOT / "gateway").rglob("__init__.py"))
MODULES = sorted((ROOT / "gateway").rglob("*.py"))
BANNED = {"utils", "helpers", "common", "manager", "service", "misc"}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_room_says_what_it_is_for(package: Path) -> None:
    assert (package / "__init__.py").read_text(encoding="utf-8").startswith('"""')


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_is_longer_than_can_be_read_or_named_for_nothing(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 400
    assert module.stem not in BANNED


def test_the_lock_names_the_public_index_only() -> None:
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text(encoding="utf-8")))
    assert hosts <= {"pypi.org", "files.pythonhosted.org"}


def test_every_import_contract_is_kept() -> None:
    done = subprocess.run(
        [ROOT / ".venv/bin/lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_decision_is_listed() -> None:
    listed = (ROOT / "docs/adr/README.md").read_text(encoding="utf-8")
    for record in (ROOT / "docs/adr").glob("0*.md"):
        assert record.name in listed


def test_every_setting_is_explained() -> None:
    default = tomllib.loads((ROOT / "config/default.toml").read_text(encoding="utf-8"))
    secret = {"database_url", "database_screens_url", "config_dir", "prompts_dir"}
    wanted = {name for name, field in Settings.model_fields.items() if "SecretStr" not in str(field.annotation)}
    assert wanted - secret == set(default)
