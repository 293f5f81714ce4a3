"""Registry identifiers, many at once: what `read_identifier` says, with what it takes long to find out remembered.

An EIN has no check digit: whether it is good depends on its first two digits alone, which python-stdnum looks up in a
list of the IRS each time. Once they were found good, only the form is left to check.
"""

import re

from gateway.domain.subject import RegistryIdentifier, Scheme
from gateway.register.identifiers import read_identifier

_EIN = re.compile(r"([0-9]{2})-?[0-9]{7}", re.ASCII)


class QuickIdentifiers:
    """Reads identifiers, and remembers the beginnings of EINs that are good."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._good: set[str] = set()

    def read(self, scheme: str, text: str, legal_form: str) -> RegistryIdentifier:
        """Return what `read_identifier` does. Raises InvalidIdentifierError, LegalFormError, SoleTraderError."""
        found = _EIN.fullmatch(text) if scheme.lower() == Scheme.EIN.value else None
        if found is None:
            return read_identifier(scheme, text, legal_form)
        if found[1] in self._good:
            value = text.replace("-", "")
            return RegistryIdentifier(scheme=Scheme.EIN, value=value, legal_form=legal_form.strip())
        read = read_identifier(scheme, text, legal_form)
        self._good.add(found[1])
        return read
