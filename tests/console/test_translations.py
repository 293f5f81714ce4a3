"""Every text of the console and every message of an error is there in every language."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

import gateway
from gateway.console.languages import LANGUAGES

ROOT = Path(gateway.__file__).resolve().parents[1]
_PLACEHOLDERS = re.compile(r"%\(\w+\)\w|\{[^}]*\}")


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """What scripts/collect-texts collects."""
    target = tmp_path_factory.mktemp("texts") / "texts.pot"
    command = [
        str(Path(sys.executable).parent / "pybabel"),
        *("-q", "extract", "-F", "babel.cfg", "-k", "_l", "-k", "lazy_gettext", "-o", str(target), "."),
    ]
    subprocess.run(command, check=True, cwd=ROOT, env={"PYTHONPATH": "scripts", "PATH": "/usr/bin:/bin"})
    with target.open("rb") as file:
        return read_po(file)


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_every_text_is_translated(texts: Catalog, language: str) -> None:
    translated = _catalog(language)
    missing = [each.id for each in texts if each.id and not all(_strings(translated.get(each.id)))]
    assert missing == [], "run scripts/collect-texts and translate what is new"


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_a_translation_has_the_placeholders_of_its_text(language: str) -> None:
    wrong = [
        each.id
        for each in _catalog(language)
        if each.id and any(_placeholders(text) != _placeholders(_last(each.id)) for text in _strings(each))
    ]
    assert wrong == []


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_no_translation_is_left_over(texts: Catalog, language: str) -> None:
    assert [each.id for each in _catalog(language) if each.id and texts.get(each.id) is None] == []


def _strings(message: Message | None) -> list[str]:
    """Return the translations of a text; one of nothing where it has none."""
    if message is None:
        return [""]
    return [message.string] if isinstance(message.string, str) else list(message.string or ("",))


def _last(text: str | list[str] | tuple[str, ...]) -> str:
    """Return a text, in the plural where it has one: Chinese has no other."""
    return text if isinstance(text, str) else text[-1]


def _placeholders(text: str) -> list[str]:
    return sorted(_PLACEHOLDERS.findall(text))


def _catalog(language: str) -> Catalog:
    path = ROOT / "gateway" / "console" / "translations" / language / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        return read_po(file, locale=language)
