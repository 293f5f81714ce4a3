"""Numbers: what is one, and how little of it a log may hold."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.domain.e164 import E164, mask
from gateway.domain.errors import InvalidNumberError
from gateway.domain.facts import CallFacts, Destination, Opaque, SipUri, Telephone
from gateway.domain.plan import Connect
from tests import strategies
from tests.builders import a_call, an_order, under


@pytest.mark.parametrize(
    "written",
    [
        "+442079460110",
        "00442079460110",
        " +44 20 7946 0110 ",
        "+44-20-7946-0110",
        "+44 (20) 7946.0110",
        "+44/20/79460110",
        "0044 20\u00a07946\u00a00110",
    ],
)
def test_the_usual_ways_to_write_a_number_are_one_number(written: str) -> None:
    assert E164.parse(written) == E164("+442079460110")


@pytest.mark.parametrize("written", ["+1234567", "+123456789012345"], ids=["7 digits", "15 digits"])
def test_a_number_has_7_to_15_digits(written: str) -> None:
    assert E164(written).number == written


@pytest.mark.parametrize(
    "written",
    [
        "",
        "+",
        "00",
        "+123456",
        "+1234567890123456",
        "442079460110",
        "020 7946 0110",
        "+0442079460110",
        "+44207946011O",
        "+44207946\u0660\u0661\u0662\u0663",
        "++442079460110",
        "+442079460110\n+442079460111",
        "anonymous",
        "sip:reception@example.net",
        "112",
        "+44 20 7946 0110 ext. 5",
    ],
)
def test_what_is_no_public_number_is_refused(written: str) -> None:
    with pytest.raises(InvalidNumberError):
        E164.parse(written)


def test_the_strict_form_allows_no_separator_and_no_line_break() -> None:
    for written in ("+44 2079460110", "+442079460110\n", "00442079460110"):
        with pytest.raises(InvalidNumberError):
            E164(written)


@given(strategies.e164s())
def test_a_number_reads_back_as_it_is_written(number: E164) -> None:
    assert E164.parse(str(number)) == number
    assert E164.parse("00" + number.number[1:]) == number


@given(st.text() | st.from_regex(r"[+0]?[0-9 ()-]{1,20}", fullmatch=True))
def test_whatever_is_read_is_strictly_e164_or_refused(text: str) -> None:
    try:
        number = E164.parse(text)
    except InvalidNumberError:
        return
    assert re.fullmatch(r"\+[1-9][0-9]{6,14}", number.number)


@given(strategies.e164s())
def test_the_representation_of_a_number_never_shows_it_in_full(number: E164) -> None:
    assert number.number not in repr(number)
    assert number.number[1:] not in repr(number)
    assert re.sub(r"[^0-9]", "", repr(number).removeprefix("E164")) != number.number[1:]


@given(st.text(max_size=30))
@example("+442079460110")
def test_a_masked_number_keeps_its_length_and_at_most_five_characters(number: str) -> None:
    masked = mask(number)
    assert len(masked) == len(number)
    assert masked.count("*") >= len(number) - 5
    if number.strip("*"):
        assert masked != number


def test_masked_numbers_can_be_told_apart() -> None:
    assert mask("+442079460110") == "+44********10"
    assert mask("112") == "***"
    assert mask("") == ""


def test_an_error_about_a_number_does_not_show_it() -> None:
    with pytest.raises(InvalidNumberError) as caught:
        E164.parse("02079460110")
    assert "02079460110" not in str(caught.value)
    assert "02079460110" not in repr(caught.value.details)


@given(strategies.opaques().filter(lambda party: len(party.text) > 5))
def test_the_representation_of_an_opaque_party_is_masked(party: Opaque) -> None:
    assert repr(party) == f"Opaque({mask(party.text)})"


NUMBER = "+442079460110"


@pytest.mark.parametrize(
    "destination", [Telephone(number=NUMBER), SipUri(uri=f"sip:{NUMBER}@trunk.example.net")], ids=["number", "SIP URI"]
)
def test_no_representation_of_a_call_or_a_plan_shows_a_number_in_full(destination: Destination) -> None:
    call: CallFacts = a_call(destination=destination)
    for held in (call, Connect(destination=destination), under(an_order())):
        assert NUMBER not in repr(held)
        assert NUMBER[1:] not in repr(held)
