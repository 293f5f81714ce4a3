"""Statements that come with each call are told from those that the gateway makes by itself; growth is refused."""

from pathlib import Path

import pytest

from bench.checks import CheckError
from bench.data import Register
from bench.statements import Asked, judge

_FEW = Register(folder=Path("few"), orders=100)
_MANY = Register(folder=Path("many"), orders=5_000)


def test_as_many_statements_in_a_larger_register_are_in_order() -> None:
    found = judge((_FEW, Asked(with_order=4, without_order=0)), (_MANY, Asked(with_order=4, without_order=0)))
    assert (found.with_order, found.without_order) == ((4, 4), 0)


@pytest.mark.parametrize(
    ("few", "many"),
    [
        pytest.param(Asked(with_order=4, without_order=0), Asked(with_order=5, without_order=0), id="growth"),
        pytest.param(Asked(with_order=4, without_order=0), Asked(with_order=4, without_order=1), id="no order asks"),
        pytest.param(Asked(with_order=0, without_order=0), Asked(with_order=0, without_order=0), id="nothing seen"),
    ],
)
def test_anything_else_fails_the_bench(few: Asked, many: Asked) -> None:
    with pytest.raises(CheckError):
        judge((_FEW, few), (_MANY, many))
