"""Speaking a text: the synthesizer's interface, and pyttsx3 behind it, one utterance per confined subprocess."""

import importlib.metadata
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gateway.audio.voices import VOICES, voice_for
from gateway.late import late

if TYPE_CHECKING:
    from gateway.audio import utterance
else:
    # Every program has a synthesizer at hand, and few of them speak: numpy is loaded with the first utterance.
    utterance = late("gateway.audio.utterance")

_CHUNK_CHARACTERS = 1_000
# Where a long text may be cut, best first. Full stops, commas and their kin, also full-width.
_BREAKS = (
    re.compile(r"[.!?](?=\s)|[\u3002\uff01\uff1f\uff1b]"),
    re.compile(r"[,;:](?=\s)|[\uff0c\u3001\uff1a]"),
    re.compile(r"\s"),
)


class Synthesizer(Protocol):
    """What turns text into speech."""

    @property
    def name(self) -> str:
        """Name the engine and its version: speech is cached under it."""

    def languages(self) -> frozenset[str]:
        """Return the languages there is a voice for, as BCP 47 tags."""

    def speak(self, text: str, *, language: str, target: Path) -> None:
        """Speak `text` into the WAV file `target`. Raises SpeechFailedError, VoiceMissingError."""


@dataclass(frozen=True, slots=True)
class Pyttsx3Synthesizer:
    """Speaks through pyttsx3 and the espeak-ng library of its wheel; any number of threads may use it at once."""

    @property
    def name(self) -> str:
        """Name the engine and its version: speech is cached under it."""
        return " ".join(f"{part}-{importlib.metadata.version(part)}" for part in ("pyttsx3", "espeakng-loader"))

    def languages(self) -> frozenset[str]:
        """Return the languages there is a voice for; a narrower tag (fr-CA) is spoken by the broader voice (fr)."""
        return frozenset(VOICES)

    def speak(self, text: str, *, language: str, target: Path) -> None:
        """Speak cleaned `text` into the WAV file `target`, which appears whole or not at all.

        Raises SpeechFailedError, VoiceMissingError, OSError.
        """
        utterance.speak(chunks_of(text), voice_for(language), language, target)


def chunks_of(text: str) -> tuple[str, ...]:
    """Cut `text` into pieces of at most 1,000 characters, where a speaker would pause if there is such a place."""
    chunks, rest = [], text.strip()
    while len(rest) > _CHUNK_CHARACTERS:
        cut = _last_break(rest[:_CHUNK_CHARACTERS])
        chunks.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    return tuple(chunk for chunk in (*chunks, rest) if chunk)


def _last_break(text: str) -> int:
    for pattern in _BREAKS:
        ends = [found.end() for found in pattern.finditer(text)]
        if ends:
            return ends[-1]
    return len(text)
