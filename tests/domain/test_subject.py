"""Who is an organisation: only who has an identifier that no natural person can have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import InvalidIdentifierError, LegalFormError, SoleTraderError
from gateway.domain.subject import NEED_LEGAL_FORM, NaturalPerson, RegistryIdentifier, Scheme, SubjectKind, kind_of
from tests import strategies
from tests.builders import a_person, an_organisation

# The first three are published examples with sound check digits; the others have the right shape and no more.
RIGHT = [
    (Scheme.LEI, "506700GE1G29325QX363"),
    (Scheme.USCC, "914403001922038216"),
    (Scheme.SIREN, "732829320"),
    (Scheme.EIN, "12-3456789"),
    (Scheme.EIN, "123456789"),
    (Scheme.COMPANY_GB, "01234567"),
    (Scheme.COMPANY_GB, "SC123456"),
    (Scheme.COMPANY_GB, "OC301234"),
    (Scheme.COMPANY_GB, "R0001234"),
]
WRONG = [
    (Scheme.LEI, "506700GE1G29325QX36", "one short"),
    (Scheme.LEI, "506700GE1G29325QX3630", "one long"),
    (Scheme.LEI, "506700ge1g29325qx363", "small letters"),
    (Scheme.LEI, "506700GE1G29325QX3A3", "a letter among the check digits"),
    (Scheme.LEI, "506700GE1G29325QX363\n", "a line break behind it"),
    (Scheme.USCC, "91440300192203821", "one short"),
    (Scheme.USCC, "91440300192203821O", "a letter the scheme leaves out"),
    (Scheme.USCC, "91ABC3001922038216", "letters in the place of the district"),
    (Scheme.SIREN, "000000000", "nothing but zeros"),
    (Scheme.SIREN, "73282932", "one short"),
    (Scheme.SIREN, "73282932000074", "a SIRET"),
    (Scheme.SIREN, "732 829 320", "spaces"),
    (Scheme.EIN, "12-0000000", "no serial number"),
    (Scheme.EIN, "120000000", "no serial number, no hyphen"),
    (Scheme.EIN, "123-456789", "the hyphen of a social security number, almost"),
    (Scheme.EIN, "123-45-6789", "a social security number, which is a person's"),
    (Scheme.COMPANY_GB, "1234567", "one short"),
    (Scheme.COMPANY_GB, "ZZ123456", "letters of no register"),
    (Scheme.COMPANY_GB, "sc123456", "small letters"),
    (Scheme.COMPANY_GB, "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667", "digits of another script"),
]


@pytest.mark.parametrize(("scheme", "value"), RIGHT)
def test_an_identifier_of_the_right_shape_is_accepted(scheme: Scheme, value: str) -> None:
    assert RegistryIdentifier(scheme=scheme, value=value, legal_form="Inc.").value == value


@pytest.mark.parametrize(
    ("scheme", "value"), [row[:2] for row in WRONG], ids=[f"{scheme.name}, {why}" for scheme, _, why in WRONG]
)
def test_an_identifier_of_the_wrong_shape_is_refused(scheme: Scheme, value: str) -> None:
    with pytest.raises(InvalidIdentifierError, match=scheme.name):
        RegistryIdentifier(scheme=scheme, value=value)


@pytest.mark.parametrize("scheme", Scheme)
def test_no_scheme_accepts_nothing_at_all(scheme: Scheme) -> None:
    with pytest.raises(InvalidIdentifierError):
        RegistryIdentifier(scheme=scheme, value="")


@given(st.from_regex(r"92[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}", fullmatch=True))
def test_an_individual_business_in_china_is_a_natural_person(value: str) -> None:
    with pytest.raises(SoleTraderError, match="natural person"):
        RegistryIdentifier(scheme=Scheme.USCC, value=value)


@pytest.mark.parametrize(("scheme", "value"), [row for row in RIGHT if row[0] in NEED_LEGAL_FORM])
def test_an_identifier_that_sole_traders_have_too_needs_a_legal_form(scheme: Scheme, value: str) -> None:
    for nothing in ("", " ", "-"):
        with pytest.raises(LegalFormError, match=scheme.name):
            RegistryIdentifier(scheme=scheme, value=value, legal_form=nothing)


@pytest.mark.parametrize(
    "form",
    [
        *("Sole trader", "sole proprietorship", "SOLE-PROPRIETOR", "Self-employed", "Individual", "natural person"),
        *("Entrepreneur individuel", "micro-entrepreneur", "EI", "E.I.", "EIRL", "1000", "Profession libérale"),
        *(
            "Einzelunternehmen",
            "eingetragener Kaufmann",
            "e.K.",
            "e. K.",
            "autónomo",
            "ditta individuale",
            "eenmanszaak",
        ),
        *("个体工商户", "自然人", "個人事業主"),
    ],
)
def test_the_legal_form_of_a_sole_trader_makes_a_natural_person(form: str) -> None:
    with pytest.raises(SoleTraderError):
        RegistryIdentifier(scheme=Scheme.SIREN, value="732829320", legal_form=form)


@pytest.mark.parametrize("form", ["Inc.", "Incorporated", "LLC", "SARL", "SAS", "5710", "GmbH", "B.V.", "有限公司"])
def test_the_legal_form_of_an_organisation_is_kept(form: str) -> None:
    assert RegistryIdentifier(scheme=Scheme.SIREN, value="732829320", legal_form=form).legal_form == form


@given(strategies.identifiers())
def test_no_organisation_has_the_identifier_of_a_sole_trader(identifier: RegistryIdentifier) -> None:
    assert not (identifier.scheme is Scheme.USCC and identifier.value.startswith("92"))


@given(st.text(min_size=1))
def test_no_representation_of_a_person_holds_the_name(name: str) -> None:
    assert repr(NaturalPerson(name=name)) == "NaturalPerson(name=***)"


def test_the_kind_of_a_subject_follows_from_its_type() -> None:
    assert kind_of(an_organisation()) is SubjectKind.ORGANISATION
    assert kind_of(a_person()) is SubjectKind.NATURAL_PERSON
