"""Whom an order concerns: an organisation proven by a registry identifier, or a natural person."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from gateway.domain.errors import InvalidIdentifierError, LegalFormError, SoleTraderError


class Scheme(Enum):
    """A register of organisations whose identifiers the gateway knows how to check."""

    LEI = "lei"
    USCC = "uscc"
    SIREN = "siren"
    EIN = "ein"
    COMPANY_GB = "company_gb"


# Shapes are stricter than python-stdnum, which accepts an LEI of the wrong length, SIREN 000000000 and any EIN with a
# known prefix. The company number is Companies House's: eight characters, one or two letters in front allowed.
_SHAPES = {
    Scheme.LEI: re.compile(r"[A-Z0-9]{18}[0-9]{2}"),
    Scheme.USCC: re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}"),
    Scheme.SIREN: re.compile(r"(?!0{9})[0-9]{9}"),
    Scheme.EIN: re.compile(r"(?![0-9]{2}-?0{7})[0-9]{2}-?[0-9]{7}"),
    Scheme.COMPANY_GB: re.compile(r"(?:[0-9]{8}|(?:SC|NI|OC|SO|NC|R0|FC)[0-9]{6})"),
}
# Self-employed people have these identifiers too, and nothing in the digits tells: an EIN is given to sole proprietors
# (IRS, form SS-4), a SIREN to self-employed natural persons (Code de commerce, art. R123-220), an LEI to individuals
# acting in a business capacity (LEI ROC). Only the legal form in the register's extract tells who stands behind one.
NEED_LEGAL_FORM = frozenset({Scheme.LEI, Scheme.SIREN, Scheme.EIN})
_SOLE_TRADER_FORM = re.compile(
    r"sole[\s-]*(trader|proprietor|owner)|self[\s-]*employed|individual|freelance|natural person"
    r"|entrepreneur|entreprise individuelle|profession lib[eé]rale|^e\.?i\.?(r\.?l\.?)?$|^1\d{3}$"
    r"|einzelunternehm|einzelfirma|einzelkaufmann|kaufmann|kauffrau|^e\.?\s*k\.?$|freiberuf"
    r"|aut[oó]nomo|persona (f[ií]sica|natural)|ditta individuale|eenmanszaak|enskild firma|个体|自然人|個人|个人",
    re.IGNORECASE,
)
# GB 32100-2015: the second character tells the kind; department 9 kind 2 is "individual business" (sole trader).
_SOLE_TRADER_USCC = "92"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryIdentifier:
    """An identifier of an organisation in the canonical form of its scheme, of the right shape.

    `legal_form` is what the register's extract says (Inc., SARL, 5710); it must be stated for schemes that sole traders
    are in as well. The check digit is verified by `gateway.register.identifiers`, through which all identifiers enter.
    Raises InvalidIdentifierError, LegalFormError, or SoleTraderError for what denotes a natural person.
    """

    scheme: Scheme
    value: str
    legal_form: str = ""

    def __post_init__(self) -> None:
        """Check the shape, then refuse sole traders."""
        if _SHAPES[self.scheme].fullmatch(self.value) is None:
            raise InvalidIdentifierError(scheme=self.scheme.name, shown=self.value, why="its form is wrong")
        if self.scheme is Scheme.USCC and self.value.startswith(_SOLE_TRADER_USCC):
            raise SoleTraderError(scheme=self.scheme.name, shown=self.value)
        if self.scheme in NEED_LEGAL_FORM and not any(map(str.isalnum, self.legal_form)):
            raise LegalFormError(scheme=self.scheme.name)
        if _SOLE_TRADER_FORM.search(self.legal_form.strip()):
            raise SoleTraderError(scheme=self.scheme.name, shown=self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """A legal person, proven by a checked registry identifier and not by a tick box."""

    name: str
    identifier: RegistryIdentifier


@dataclass(frozen=True, slots=True, kw_only=True)
class NaturalPerson:
    """A human being; sole traders are natural persons too."""

    name: str

    def __repr__(self) -> str:
        """Hide the name, so that no log, error or trace holds it by accident."""
        return "NaturalPerson(name=***)"


Subject = Organisation | NaturalPerson


class SubjectKind(Enum):
    """How the register tells the two kinds of subject apart."""

    ORGANISATION = "organisation"
    NATURAL_PERSON = "natural_person"


def kind_of(subject: Subject) -> SubjectKind:
    """Name the kind of `subject`."""
    match subject:
        case Organisation():
            return SubjectKind.ORGANISATION
        case NaturalPerson():
            return SubjectKind.NATURAL_PERSON
        case _:
            assert_never(subject)
