"""Which numbers can be a subscriber's, known quickly: what `Line` finds out with phonenumbers, for many at once.

Only a yes is given here. Whether a number is possible depends on its country code and its length alone, unless its
country's rules may take a national prefix off it; those numbers, and all that are refused, are left to `Line`.
"""

import re
from dataclasses import dataclass

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, region_code_for_country_code

_LONGEST_CODE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """A country's numbering plan: lengths of its national numbers, and what may begin one without belonging to it."""

    lengths: frozenset[int]
    prefix: re.Pattern[str] | None


class PossibleLines:
    """Says yes to numbers of the form of E.164 that are certainly possible."""

    def __init__(self) -> None:
        """Start with no country known; each is looked up once."""
        self._plans: dict[str, _Plan | None] = {}

    def certainly(self, number: str) -> bool:
        """Tell whether `Line` would take this number, which is `+` and digits; False leaves the question open."""
        for length in range(1, _LONGEST_CODE + 1):
            code = number[1 : 1 + length]
            if code not in self._plans:
                self._plans[code] = _plan_of(code)
            plan = self._plans[code]
            if plan is not None:
                national = number[1 + length :]
                return len(national) in plan.lengths and (plan.prefix is None or plan.prefix.match(national) is None)
        return False


def _plan_of(code: str) -> _Plan | None:
    if int(code) not in COUNTRY_CODE_TO_REGION_CODE:
        return None
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(int(code), region_code_for_country_code(int(code)))
    if metadata is None or metadata.general_desc is None:
        return _Plan(lengths=frozenset(), prefix=None)
    prefix = metadata.national_prefix_for_parsing
    return _Plan(
        lengths=frozenset(metadata.general_desc.possible_length), prefix=re.compile(prefix) if prefix else None
    )
