"""The confined program that speaks one utterance.

Run as `python -I -m gateway.audio.speaker <argument>` by `gateway.audio.synthesize`, with ESPEAK_DATA_PATH set. It
reads the text from standard input, writes a WAV file into its working directory, and prints one JSON object.
"""

import json
import os
import sys
import threading
from contextlib import redirect_stdout

from gateway.audio.confinement import confine
from gateway.audio.espeak_library import LIBRARY

# isort: split
import pyttsx3
from pyttsx3.drivers import _espeak, espeak


def main(argument: str) -> None:
    """Confine this process, speak the text on standard input and print what came of it."""
    request = confine(argument)
    text = sys.stdin.buffer.read().decode()
    # The driver prints for people on standard output, where the answer belongs.
    with redirect_stdout(sys.stderr):
        _cure_driver()
        spoken = _speak(text, **request)
    sys.stdout.write(json.dumps({"ended": spoken}))
    sys.stdout.flush()
    # The engine's threads have nothing left to save, and its own way out can fail an assertion.
    os._exit(0)


def _cure_driver() -> None:
    """Repair pyttsx3 2.99: runAndWait cancels what has just begun, and Synth reads far beyond the end of the text."""
    espeak.EspeakDriver.stop = _let_it_finish
    _espeak.Synth = _synth


def _let_it_finish(_driver: object) -> None:
    """Do nothing: the stock method cancels the utterance and, with it, the rate and voice still queued."""


def _synth(text: bytes, flags: int) -> int:
    """Hand espeak the text with its true size; the stock function says ten times as much and crashes on long texts."""
    # The driver sets neither the SSML nor the PHONEMES flag; here they are taken out for good.
    plain = flags & ~(_espeak.SSML | _espeak.PHONEMES)
    status: int = _espeak.cSynth(text, len(text) + 1, 0, _espeak.POS_CHARACTER, 0, plain, None, None)
    return status


def _speak(text: str, *, voice: str, rate: int, file: str, seconds: float) -> str:
    """Speak `text` into `file` at `rate` words a minute; return "spoken", "voice_missing" or "unfinished"."""
    engine = pyttsx3.init("espeak")
    if voice not in {known.id for known in engine.getProperty("voices")}:
        return "voice_missing"
    finished = threading.Event()
    # The loop returns at once, while espeak still speaks on a thread of its own; only this event means the end.
    engine.connect("finished-utterance", lambda **_details: finished.set())
    engine.setProperty("voice", voice)
    engine.setProperty("rate", rate)
    engine.save_to_file(text, file)
    engine.runAndWait()
    if not finished.wait(seconds):
        return "unfinished"
    # An unknown voice becomes the default one without a word.
    return "spoken" if engine.getProperty("voice") == voice else "voice_missing"


if __name__ == "__main__" and LIBRARY is not None:
    main(sys.argv[1])
