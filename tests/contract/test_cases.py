"""Every golden case of every dialect. Where one fails rightly, `python -m tests.contract.renew` writes it anew."""

from pathlib import Path

import pytest

from tests.contract.cases import expected, folders, run


def _name(folder: Path) -> str:
    return f"{folder.parent.parent.name}/{folder.name}"


@pytest.mark.parametrize("folder", folders(), ids=_name)
def test_a_dialect_reads_and_answers_as_its_golden_case_says(folder: Path) -> None:
    assert run(folder) == expected(folder)


def test_the_golden_cases_are_there() -> None:
    assert len(folders()) >= 12
