"""One utterance of the speech engine at a time, in a confined subprocess, and a look at what came out of it."""

import tempfile
import wave
from collections.abc import Iterable
from pathlib import Path

import espeakng_loader
import numpy as np

from gateway.audio.confinement import Answered, Bounds, run_confined
from gateway.audio.errors import SpeechFailedError, VoiceMissingError
from gateway.audio.levels import FULL_SCALE, Samples, active_level, frame_levels
from gateway.audio.voices import VOICES, Voice

_WORKER = "gateway.audio.speaker"
_UTTERANCE_FILE = "utterance.wav"
_RATE = 22_050
_SAMPLE_BYTES = 2
_BOUNDS = Bounds(wall_seconds=60.0, cpu_seconds=30)
_FAINTEST = 100 / FULL_SCALE
# Seconds for each letter or digit: measured are 0.06 (English words) to 0.5 (digits read one by one). The bounds leave
# room, and still catch an utterance that broke off, or a script of which the voice speaks nothing.
_SECONDS_EACH = (0.02, 1.5)
_SECONDS_EXTRA = 3.0


def speak(chunks: Iterable[str], voice: Voice, language: str, target: Path) -> None:
    """Speak one chunk after the other into the WAV file `target`, which appears whole or not at all.

    Raises SpeechFailedError, VoiceMissingError, OSError.
    """
    with tempfile.TemporaryDirectory(prefix="speech-") as folder:
        parts = [_utterance(chunk, voice, language, Path(folder)) for chunk in chunks]
    _write(np.concatenate(parts), target)


def _utterance(text: str, voice: Voice, language: str, workplace: Path) -> Samples:
    """Speak one piece in a subprocess of its own: a second utterance in the same one would be lost or hang."""
    spoken = workplace / _UTTERANCE_FILE
    spoken.unlink(missing_ok=True)
    with tempfile.TemporaryFile() as written:
        written.write(text.encode())
        written.seek(0)
        outcome = run_confined(
            _WORKER,
            request={
                "voice": voice.identifier,
                "rate": voice.rate,
                "file": _UTTERANCE_FILE,
                "seconds": _BOUNDS.wall_seconds,
            },
            stdin=written,
            workplace=workplace,
            bounds=_BOUNDS,
            environment={"ESPEAK_DATA_PATH": espeakng_loader.get_data_path()},
        )
    match outcome:
        case Answered(answer={"ended": "spoken"}):
            return _checked(spoken, text, language)
        case Answered(answer={"ended": "voice_missing"}):
            raise VoiceMissingError(language=language, available=", ".join(sorted(VOICES)))
        case _:
            raise SpeechFailedError(language=language, why="the speech engine did not finish", cure="try again")


def _checked(spoken: Path, text: str, language: str) -> Samples:
    """Decode what was written, and refuse what cannot be `text`: the engine reports success in every case."""
    try:
        samples = _read(spoken)
    except (OSError, EOFError, wave.Error) as error:
        raise SpeechFailedError(language=language, why="the speech engine wrote no sound", cure="try again") from error
    if active_level(frame_levels(samples, _RATE)) < _FAINTEST:
        raise SpeechFailedError(
            language=language, why="only silence came out", cure="write it in the script of that language"
        )
    least, most = (each * sum(map(str.isalnum, text)) for each in _SECONDS_EACH)
    if not least <= samples.size / _RATE <= most + _SECONDS_EXTRA:
        raise SpeechFailedError(
            language=language,
            why=f"{samples.size / _RATE:.1f} s of speech came out, which cannot be the whole text",
            cure="write it in the script of that language, or upload a recording",
        )
    return samples


def _read(spoken: Path) -> Samples:
    with wave.open(str(spoken), "rb") as file:
        if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, _SAMPLE_BYTES, _RATE):
            raise wave.Error(file.getparams())
        steps = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    return (steps / FULL_SCALE).astype(np.float32)


def _write(samples: Samples, target: Path) -> None:
    """Write a WAV file beside `target` and rename it, so that a failure leaves nothing under that name."""
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".speaking-", delete=False) as copy:
        half = Path(copy.name)
    try:
        with wave.open(str(half), "wb") as file:
            file.setparams((1, _SAMPLE_BYTES, _RATE, 0, "NONE", "not compressed"))
            file.writeframes(np.rint(samples * FULL_SCALE).astype("<i2").tobytes())
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)
