"""Modules that are loaded by their first use."""

import sys

import pytest

from gateway.late import late

# A module of the standard library that nothing here uses.
SELDOM = "this"


def test_a_module_is_loaded_when_something_of_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    stand_in = late(SELDOM)
    assert SELDOM not in sys.modules
    assert stand_in.d["A"] == "N"
    assert SELDOM in sys.modules
    assert "Zen" in capsys.readouterr().out


def test_a_name_that_is_no_module_is_told_at_its_first_use() -> None:
    stand_in = late("gateway.nowhere")
    with pytest.raises(ModuleNotFoundError, match=r"gateway\.nowhere"):
        _ = stand_in.anything
