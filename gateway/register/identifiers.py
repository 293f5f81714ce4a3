"""Registry identifiers of organisations: every one enters through `read_identifier`.

python-stdnum checks the digits; the shapes and the sole traders are the domain's (`gateway.domain.subject`).
"""

from collections.abc import Callable

from stdnum import lei
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError
from stdnum.fr import siren
from stdnum.us import ein

from gateway.domain.errors import InvalidIdentifierError
from gateway.domain.subject import RegistryIdentifier, Scheme


def _company_gb(number: str) -> str:
    """Companies House gives its numbers no check digit: the shape is all there is to check."""
    return number.strip().replace(" ", "").upper().zfill(8)


_CHECKS: dict[Scheme, Callable[[str], str]] = {
    Scheme.LEI: lei.validate,
    Scheme.USCC: uscc.validate,
    Scheme.SIREN: siren.validate,
    Scheme.EIN: ein.validate,
    Scheme.COMPANY_GB: _company_gb,
}


def read_identifier(scheme: str, text: str, legal_form: str = "") -> RegistryIdentifier:
    """Check `text` under `scheme` and return its canonical form.

    Raises InvalidIdentifierError, LegalFormError, SoleTraderError.
    """
    try:
        known = Scheme(scheme.lower())
    except ValueError as error:
        names = ", ".join(each.value for each in Scheme)
        raise InvalidIdentifierError(scheme=scheme, shown=text, why=f"known schemes are {names}") from error
    if not text.isascii():
        raise InvalidIdentifierError(scheme=known.name, shown=text, why="it holds characters other than A-Z and 0-9")
    try:
        canonical = str(_CHECKS[known](text))
    except ValidationError as error:
        raise InvalidIdentifierError(scheme=known.name, shown=text, why=str(error).rstrip(".")) from error
    return RegistryIdentifier(scheme=known, value=canonical, legal_form=legal_form.strip())
