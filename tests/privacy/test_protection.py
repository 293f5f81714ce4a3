from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.e164 import E164
from gateway.privacy.blind_index import index_call, index_case, index_line
from gateway.privacy.errors import TokenRefusedError, WrongKeyError
from gateway.privacy.field import FieldCipher
from gateway.privacy.keys import derive
from gateway.privacy.ring import KeyRing
from gateway.privacy.token import TokenSealer

KEYS, OTHER_KEYS = KeyRing(derive(bytes(range(32)))), KeyRing(derive(bytes(range(1, 33))))
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
texts = st.text(st.characters(codec="utf-8"), max_size=200)


@given(texts)
def test_a_field_comes_back_as_it_went_in_and_never_the_same_twice(text: str) -> None:
    cipher = FieldCipher(KEYS)
    one, two = (cipher.encrypt(text, place="lines.line:1") for _ in range(2))
    assert one != two
    assert cipher.decrypt(one, place="lines.line:1") == text


@given(st.text("0123456789", min_size=8, max_size=15), st.integers(min_value=0, max_value=200))
def test_a_field_with_one_bit_changed_is_refused(text: str, position: int) -> None:
    stored = bytearray(FieldCipher(KEYS).encrypt(text, place="lines.line:1"))
    stored[position % len(stored)] ^= 1
    with pytest.raises(WrongKeyError):
        FieldCipher(KEYS).decrypt(bytes(stored), place="lines.line:1")


def test_a_field_opens_neither_in_another_place_nor_under_another_key() -> None:
    stored = FieldCipher(KEYS).encrypt("+12025550110", place="lines.line:1")
    with pytest.raises(WrongKeyError, match=r"lines\.line:2"):
        FieldCipher(KEYS).decrypt(stored, place="lines.line:2")
    with pytest.raises(WrongKeyError):
        FieldCipher(OTHER_KEYS).decrypt(stored, place="lines.line:1")


def test_a_line_is_found_under_its_own_key_only() -> None:
    line = E164("+12025550110")
    assert index_line(line, KEYS) == index_line(E164("+12025550110"), KEYS)
    assert index_line(line, KEYS) != index_line(line, OTHER_KEYS)
    assert b"2025550110" not in index_line(line, KEYS)


def test_case_and_white_space_do_not_make_another_case_number() -> None:
    assert index_case("lakeside", "2026-CV-0110", KEYS) == index_case("lakeside", " 2026-cv-0110 ", KEYS)
    assert index_case("lakeside", "2026-CV-0110", KEYS) != index_case("bayside", "2026-CV-0110", KEYS)


def test_an_index_of_one_kind_is_never_one_of_another() -> None:
    assert index_call("twilio", "x", KEYS) != index_case("twilio", "x", KEYS)


@given(st.dictionaries(texts, texts, max_size=5))
def test_a_token_carries_its_state(state: dict[str, str]) -> None:
    sealer = TokenSealer(KEYS)
    token = sealer.seal(state, use="whisper", now=NOW, lifetime=MINUTE)
    assert sealer.open(token, use="whisper", now=NOW) == state
    assert token.replace("-", "").replace("_", "").isalnum()


def test_a_token_says_nothing_to_who_reads_it() -> None:
    token = TokenSealer(KEYS).seal({"callee": "+12025550110"}, use="whisper", now=NOW, lifetime=MINUTE)
    assert "2025550110" not in token


@pytest.mark.parametrize(
    ("use", "later", "why"),
    [("key", timedelta(0), "forged"), ("whisper", MINUTE, "expired"), ("whisper", 2 * MINUTE, "expired")],
)
def test_a_token_is_good_for_one_use_and_one_time(use: str, later: timedelta, why: str) -> None:
    token = TokenSealer(KEYS).seal({}, use="whisper", now=NOW, lifetime=MINUTE)
    with pytest.raises(TokenRefusedError, match=why):
        TokenSealer(KEYS).open(token, use=use, now=NOW + later)


@given(st.text(max_size=100))
def test_whatever_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(TokenRefusedError):
        TokenSealer(KEYS).open(text, use="whisper", now=NOW)


def test_a_token_of_another_gateway_is_forged_here() -> None:
    token = TokenSealer(OTHER_KEYS).seal({}, use="whisper", now=NOW, lifetime=MINUTE)
    with pytest.raises(TokenRefusedError, match="forged"):
        TokenSealer(KEYS).open(token, use="whisper", now=NOW)
