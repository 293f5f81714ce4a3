"""Codes of an authenticator app, after RFC 6238."""

from datetime import UTC, datetime

import pytest

from gateway.people.errors import WrongCodeError
from gateway.people.one_time_codes import new_secret, step_of, uri_of

# RFC 6238 appendix B: the ASCII secret 12345678901234567890, SHA-1; the last six of its eight digits.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
VECTORS = [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (2000000000, "279037")]


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_the_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    assert step_of(SECRET, code, instant(seconds), after=0) == seconds // 30


@pytest.mark.parametrize("drift", [-30, 30])
def test_a_clock_may_be_one_step_off(drift: int) -> None:
    assert step_of(SECRET, "005924", instant(1234567890 + drift), after=0) == 1234567890 // 30


@pytest.mark.parametrize("drift", [-60, 60])
def test_a_clock_may_not_be_two_steps_off(drift: int) -> None:
    with pytest.raises(WrongCodeError):
        step_of(SECRET, "005924", instant(1234567890 + drift), after=0)


def test_a_code_is_good_once_and_none_before_it_is_good_after_it() -> None:
    step = 1234567890 // 30
    for used in (step, step + 1):
        with pytest.raises(WrongCodeError):
            step_of(SECRET, "005924", instant(1234567890), after=used)


@pytest.mark.parametrize("code", ["", "5924", "0059240", "00592a", "\ud80005924", "٠٠٥٩٢٤", "-05924"])
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(WrongCodeError):
        step_of(SECRET, code, instant(1234567890), after=0)


def test_a_code_may_be_typed_as_apps_show_it() -> None:
    assert step_of(SECRET, " 005 924 ", instant(1234567890), after=0)


def test_each_secret_is_new_and_long_and_an_app_can_read_it() -> None:
    assert len({new_secret() for _ in range(50)}) == 50
    assert len(new_secret()) * 5 >= 160
    assert uri_of(SECRET, "ada@example.org").startswith("otpauth://totp/Court%20notice%20gateway:ada%40example.org?")
