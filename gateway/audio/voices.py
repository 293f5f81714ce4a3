"""The voices of espeak-ng that the gateway speaks with: one table."""

from dataclasses import dataclass

from gateway.audio.errors import VoiceMissingError


@dataclass(frozen=True, slots=True)
class Voice:
    """An espeak-ng voice, and the words a minute at which it is well understood on a telephone."""

    identifier: str
    rate: int = 175


VOICES = {
    "en": Voice("gmw/en-us"),
    "en-GB": Voice("gmw/en"),
    "zh": Voice("sit/cmn", 225),
    "cs": Voice("zlw/cs"),
    "da": Voice("gmq/da"),
    "de": Voice("gmw/de"),
    "es": Voice("roa/es"),
    "es-419": Voice("roa/es-419"),
    "fi": Voice("urj/fi"),
    "fr": Voice("roa/fr"),
    "it": Voice("roa/it"),
    "nb": Voice("gmq/nb"),
    "nl": Voice("gmw/nl"),
    "pl": Voice("zlw/pl"),
    "pt": Voice("roa/pt"),
    "pt-BR": Voice("roa/pt-br"),
    "sv": Voice("gmq/sv"),
}
_BY_TAG = {tag.casefold(): voice for tag, voice in VOICES.items()}


def voice_for(language: str) -> Voice:
    """Find the voice for a BCP 47 tag, dropping subtags from the right until one fits. Raises VoiceMissingError."""
    tag = language.casefold()
    while tag not in _BY_TAG:
        tag = tag.rpartition("-")[0]
        if not tag:
            raise VoiceMissingError(language=language, available=", ".join(sorted(VOICES)))
    return _BY_TAG[tag]
