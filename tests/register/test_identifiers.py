import pytest

from gateway.domain.errors import InvalidIdentifierError, SoleTraderError
from gateway.register.identifiers import read_identifier


@pytest.mark.parametrize(
    ("scheme", "text", "canonical"),
    [
        ("lei", "2138 00WS AIIZ H98P HE38".replace(" ", ""), None),
        ("lei", "549300TRUWO2CD2G5692", "549300TRUWO2CD2G5692"),
        ("uscc", "91110000600037341L", "91110000600037341L"),
        ("siren", "732 829 320", "732829320"),
        ("ein", "12-3456789", "123456789"),
        ("company_gb", "00000110", "00000110"),
        ("COMPANY_GB", "110", "00000110"),
        ("company_gb", "sc123456", "SC123456"),
    ],
)
def test_an_identifier_is_read_into_its_canonical_form(scheme: str, text: str, canonical: str | None) -> None:
    if canonical is None:
        with pytest.raises(InvalidIdentifierError):
            read_identifier(scheme, text, "Inc.")
        return
    assert read_identifier(scheme, text, "Inc.").value.replace("-", "") == canonical


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        ("lei", "549300TRUWO2CD2G5693"),
        ("lei", "00"),
        ("lei", "0" * 20),
        ("lei", "549300TRUWO2CD2G56921"),
        ("uscc", "91110000600037341K"),
        ("siren", "000000000"),
        ("siren", "732829321"),
        ("ein", "00-0000000"),
        ("ein", "12-0000000"),
        ("ein", "12-345678"),
        ("company_gb", "123456789"),
        ("company_gb", "XX123456"),
        ("lei", "\uff15\uff14\uff19300TRUWO2CD2G5692"),
        ("siren", "\u0667\u0663\u0662829320"),
        ("passport", "X1"),
    ],
)
def test_what_is_no_identifier_is_refused_with_a_reason(scheme: str, text: str) -> None:
    with pytest.raises(InvalidIdentifierError, match="is not a valid registry identifier"):
        read_identifier(scheme, text, "Inc.")


def test_a_sole_trader_is_a_natural_person_and_no_organisation() -> None:
    # GB 32100-2015 check character for a code of department 9, kind 2.
    with pytest.raises(SoleTraderError, match="service order"):
        read_identifier("uscc", "92350211MA2XX9AB0X"[:17] + _check_character("92350211MA2XX9AB0"))


def _check_character(head: str) -> str:
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(alphabet.index(character) * pow(3, place, 31) for place, character in enumerate(head))
    return alphabet[(31 - total % 31) % 31]
