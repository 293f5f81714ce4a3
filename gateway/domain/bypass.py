"""Callers that must never be delayed: emergency call-backs, hospitals, crisis lines."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from gateway.domain.e164 import E164
from gateway.domain.facts import Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class BypassList:
    """Every spelling, without separators, of a caller that is connected at once."""

    callers: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, *, short_codes: Iterable[str], country_codes: Iterable[str], numbers: Iterable[str]) -> Self:
        """Spell each short code as carriers present it: bare, behind a `+`, and behind a country code.

        `numbers` are E.164; raises InvalidNumberError.
        """
        codes, countries = tuple(short_codes), tuple(country_codes)
        spelt = {spelling for code in codes for spelling in (code, f"+{code}")}
        spelt |= {f"+{country}{code}" for code in codes for country in countries}
        return cls(callers=frozenset(spelt | {E164.parse(number).number for number in numbers}))

    def urgency_of(self, caller: str) -> Urgency:
        """Say whether a call from `caller`, as the provider wrote it, may be held up."""
        return Urgency.NEVER_DELAY if caller in self.callers else Urgency.ORDINARY
