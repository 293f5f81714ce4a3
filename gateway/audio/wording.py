"""The wording of notices and prompts: a text file for each language and purpose, with fields to fill in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.audio.errors import TextEmptyError, WordingFieldsError, WordingMissingError
from gateway.audio.speech import clean
from gateway.domain.notice import Purpose

# What each purpose may say. A court officer who edits a file cannot make an opener name a person or a case.
FIELDS: Mapping[Purpose, frozenset[str]] = {
    Purpose.PUBLIC: frozenset({"court", "organisation", "case_number"}),
    Purpose.WARNING: frozenset({"court", "organisation", "date", "case_number"}),
    Purpose.OPENER: frozenset({"court"}),
    Purpose.PRIVATE: frozenset({"court", "case_number"}),
    Purpose.ACKNOWLEDGED: frozenset(),
    Purpose.CONTESTED: frozenset(),
    Purpose.WRONG_PERSON: frozenset(),
}
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
# A run of digits, one of capitals short enough to be an abbreviation, or any other word.
_GROUP = re.compile(r"[0-9]+|[A-Z]{1,4}(?![A-Za-z])|[^\W\d_]+")
_SPELLED = re.compile(r"[0-9]+|[A-Z]{1,4}")


@dataclass(frozen=True, slots=True)
class Wording:
    """The texts under `root`, one folder per language (BCP 47), one file per purpose."""

    root: Path

    def text(self, purpose: Purpose, language: str, **fields: str) -> str:
        """Return the wording with `fields` filled in literally, after cleaning; the case number is spelled out.

        Where a narrow tag (en-GB) has no folder, the broader one (en) is used. Raises WordingMissingError,
        WordingFieldsError, TextTooLongError.
        """
        template = self._template(purpose, language)
        _check_names(purpose, given=frozenset(fields), placed=frozenset(_PLACEHOLDER.findall(template)))
        values = {name: _value(purpose, name, value) for name, value in fields.items()}
        return clean(_PLACEHOLDER.sub(lambda found: values[found[1]], template))

    def languages(self) -> frozenset[str]:
        """Return the languages in which every purpose has its wording."""
        folders = self.root.iterdir() if self.root.is_dir() else ()
        return frozenset(
            folder.name for folder in folders if all((folder / f"{purpose.value}.txt").is_file() for purpose in Purpose)
        )

    def _template(self, purpose: Purpose, language: str) -> str:
        tag = language if _LANGUAGE.fullmatch(language) else ""
        while tag:
            file = self.root / tag / f"{purpose.value}.txt"
            if file.is_file():
                return file.read_text(encoding="utf-8")
            tag = tag.rpartition("-")[0]
        raise WordingMissingError(purpose=purpose.value, language=language, file=f"<language>/{purpose.value}.txt")


def spelled(case_number: str) -> str:
    """Return `case_number` as a clerk would dictate it: digits and initials one by one, a pause between groups."""
    groups = _GROUP.findall(case_number)
    return ", ".join(" ".join(group) if _SPELLED.fullmatch(group) else group for group in groups)


def _check_names(purpose: Purpose, *, given: frozenset[str], placed: frozenset[str]) -> None:
    wanted = FIELDS[purpose]
    for names, why in (
        (wanted - given, "it needs {names}"),
        (given - wanted, "it takes no {names}"),
        (placed - wanted, "its file may not use {names}; take that out of the file"),
    ):
        if names:
            shown = ", ".join(f"{{{name}}}" for name in sorted(names))
            raise WordingFieldsError(purpose=purpose.value, why=why.format(names=shown))


def _value(purpose: Purpose, name: str, value: str) -> str:
    try:
        plain = clean(value)
    except TextEmptyError as error:
        raise WordingFieldsError(purpose=purpose.value, why=f"{{{name}}} holds no word and no number") from error
    return spelled(plain) if name == "case_number" else plain
