"""Turning a text into a rendition: clean it, speak it, and send the speech down the same way as a recording."""

import hashlib
import html
import json
import re
import tempfile
import unicodedata
from pathlib import Path

from gateway.audio.errors import RecordingRefusedError, SpeechFailedError, TextEmptyError, TextTooLongError
from gateway.audio.library import Library
from gateway.audio.synthesize import Synthesizer
from gateway.audio.transcode import PIPELINE_VERSION, Encode, encode_confined, render_recording
from gateway.audio.validate import Limits
from gateway.domain.notice import Rendition

MAX_CHARACTERS = 3_000
# 3,000 Chinese characters take a quarter of an hour.
SPEECH_LIMITS = Limits(
    max_bytes=80_000_000,
    max_seconds=1_500.0,
    min_seconds=0.3,
    wall_seconds=120.0,
    cpu_seconds=120,
    memory_bytes=3 << 30,
)
# Markup is dropped where it is known to be markup; in "<John Smith>" only the brackets go and the name is spoken.
_TAG = re.compile(
    r"</?(?:speak|break|prosody|emphasis|say-as|sub|phoneme|voice|audio|mark|lexicon|p|s|b|i|u|br|em|strong|span|div|a)"
    r"(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
# A tag for espeak's SSML reader opens with one of these, and a phoneme group is written [[like this]].
_BRACKETS = str.maketrans(dict.fromkeys("<>[]", " "))
# Control characters, unpaired surrogates, private and unassigned code points; Cf holds bidi overrides and zero widths.
_DROPPED = frozenset({"Cf", "Cs", "Co", "Cn"})
_SPACES = frozenset({"Cc", "Zl", "Zp", "Zs"})
_MOST_ROUNDS = 8


def clean(text: str) -> str:
    """Return `text` as it may be handed to a speech engine: plain NFC text on one line.

    Markup, control and invisible characters are gone, so that nothing in it can steer the engine or be spoken other
    than it is read. Cleaning twice changes nothing. Raises TextEmptyError, TextTooLongError.
    """
    # Far too long is refused before it costs anything.
    if len(text) > 10 * MAX_CHARACTERS:
        raise TextTooLongError(length=len(text), limit=MAX_CHARACTERS)
    plain = _TAG.sub(" ", _unfolded(text)).translate(_BRACKETS)
    cleaned = " ".join(plain.split())
    if not any(map(str.isalnum, cleaned)):
        raise TextEmptyError
    if len(cleaned) > MAX_CHARACTERS:
        raise TextTooLongError(length=len(cleaned), limit=MAX_CHARACTERS)
    return cleaned


def _unfolded(text: str) -> str:
    """Resolve entities and drop what is invisible until neither uncovers the other ("&am<zero width>p;")."""
    for _ in range(_MOST_ROUNDS):
        unfolded = _unfolded_once(text)
        if unfolded == text:
            return text
        text = unfolded
    # Entities nested deeper than in any honest text are not worth unfolding; without their sign they are words.
    return _unfolded_once(text.replace("&", " "))


def _unfolded_once(text: str) -> str:
    return unicodedata.normalize("NFC", "".join(map(_visible, html.unescape(text))))


def _visible(letter: str) -> str:
    category = unicodedata.category(letter)
    if category in _SPACES:
        return " "
    return "" if category in _DROPPED else letter


def speech_key(text: str, language: str, synthesizer: Synthesizer) -> str:
    """Return the SHA-256 (hex) under which the speech of `text` may be cached. Raises as `clean`.

    The key is made of what goes in: the engine's output differs from run to run for the same text.
    """
    parts = [PIPELINE_VERSION, synthesizer.name, language.casefold(), clean(text)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def render_text(
    text: str,
    *,
    language: str,
    library: Library,
    synthesizer: Synthesizer,
    limits: Limits = SPEECH_LIMITS,
    encode: Encode = encode_confined,
) -> Rendition:
    """Speak `text` in `language` (BCP 47), store the speech and return it as a rendition.

    Raises TextEmptyError, TextTooLongError, VoiceMissingError, SpeechFailedError; nothing has been stored then.
    """
    cleaned = clean(text)
    with tempfile.TemporaryDirectory(prefix="speech-") as folder:
        spoken = Path(folder) / "speech.wav"
        synthesizer.speak(cleaned, language=language, target=spoken)
        try:
            return render_recording(
                spoken, name="speech", language=language, library=library, limits=limits, encode=encode
            )
        except RecordingRefusedError as refusal:
            raise SpeechFailedError(language=language, **_reason(refusal)) from refusal


def _reason(refusal: RecordingRefusedError) -> dict[str, object]:
    return {"why": refusal.details["why"], "cure": "change the text, or upload a recording"}
