"""Telephone numbers as the public network writes them (ITU-T E.164)."""

import re
from dataclasses import dataclass
from typing import Self

from gateway.domain.errors import InvalidNumberError

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_TRUNK_ZERO = "(0)"
_SEPARATORS = str.maketrans("", "", " -.()/\u00a0")
_VISIBLE_HEAD, _VISIBLE_TAIL = 3, 2


def mask(number: str) -> str:
    """Hide the middle of `number`, so that a log can tell lines apart without naming them."""
    if len(number) <= _VISIBLE_HEAD + _VISIBLE_TAIL:
        return "*" * len(number)
    return number[:_VISIBLE_HEAD] + "*" * (len(number) - _VISIBLE_HEAD - _VISIBLE_TAIL) + number[-_VISIBLE_TAIL:]


@dataclass(frozen=True, slots=True, repr=False)
class E164:
    """A public number: `+`, then 7 to 15 digits that do not begin with 0. Raises InvalidNumberError."""

    number: str

    def __post_init__(self) -> None:
        """Refuse anything that is not strictly E.164."""
        if _E164.fullmatch(self.number) is None:
            raise InvalidNumberError(shown=mask(self.number))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what a person or a provider wrote: separators are dropped, a leading `00` means `+`."""
        if _E164.fullmatch(text):
            return cls(text)
        if _TRUNK_ZERO in text:
            raise InvalidNumberError(shown=mask(text))  # The 0 in +44 (0)20 is not part of the number.
        number = text.strip().translate(_SEPARATORS)
        return cls("+" + number[2:] if number.startswith("00") else number)

    def __str__(self) -> str:
        """Return the full number; only responses to the provider and encrypted fields may hold it."""
        return self.number

    def __repr__(self) -> str:
        """Return the masked number, so that no log, error or trace holds a full one by accident."""
        return f"E164({mask(self.number)})"
