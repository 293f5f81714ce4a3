"""Errors: each says what was wrong, and has a code that stays."""

import inspect
import string

import pytest

from gateway.domain import errors, route
from gateway.domain.errors import GatewayError, InvalidNumberError

TREE = sorted(
    {
        each
        for module in (errors, route)
        for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, GatewayError)
    },
    key=lambda each: each.__name__,
)


@pytest.mark.parametrize("error", TREE)
def test_an_errors_docstring_is_its_message(error: type[GatewayError]) -> None:
    assert error.__doc__
    wanted = [name.split(".")[0] for _, name, _, _ in string.Formatter().parse(error.__doc__) if name]
    raised = error(**dict.fromkeys(wanted, 12.5))
    assert "{" not in str(raised)
    assert str(raised).endswith(".")


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [error.code for error in TREE]
    assert len(set(codes)) == len(codes)
    assert all(code and code == code.lower() and code.replace("_", "").isalpha() for code in codes)


def test_an_error_keeps_what_it_was_told_for_the_one_who_reports_it() -> None:
    error = InvalidNumberError(shown="+44***")
    assert error.details == {"shown": "+44***"}
    assert "'+44***' is not a telephone number" in str(error)


def test_what_an_error_is_told_is_never_read_as_a_format() -> None:
    assert "{oops!r}" in str(InvalidNumberError(shown="{oops!r}"))
