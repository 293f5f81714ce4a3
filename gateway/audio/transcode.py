"""Turning a recording into a rendition: the confined worker does it, this side judges and stores."""

import errno
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, assert_never

from gateway.audio.confinement import Answered, Bounds, Died, Outcome, TimedOut, run_confined
from gateway.audio.errors import RecordingRefusedError
from gateway.audio.library import Library
from gateway.audio.validate import (
    OBJECTION_TO,
    RECORDING_LIMITS,
    Limits,
    Measurements,
    Objection,
    Unreadable,
    objections,
)
from gateway.domain.notice import Rendition

# Part of every speech key: raise it when the same input would come out sounding different.
PIPELINE_VERSION = 1
_WORKER = "gateway.audio.worker"
# Numerical libraries otherwise reserve memory for one thread per processor, against the bound on memory.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
# 48 kHz at 16 bits, the largest of the outputs, with room for the margin after `max_seconds` and a header.
_OUTPUT_BYTES_PER_SECOND = 2 * 48_000
_SHOWN_NAME = 100

# Works on an open recording within limits, leaves the three encodings in a folder, and tells how that ended.
Encode = Callable[[BinaryIO, Limits, Path], Outcome]


def encode_confined(recording: BinaryIO, limits: Limits, workplace: Path) -> Outcome:
    """Let the worker decode, measure, level and encode a recording, within bounds on everything that it can use."""
    return run_confined(
        _WORKER,
        request={"limits": asdict(limits)},
        stdin=recording,
        workplace=workplace,
        bounds=_bounds(limits),
        environment=_ENVIRONMENT,
    )


def render_recording(
    source: Path,
    *,
    name: str,
    language: str,
    library: Library,
    limits: Limits = RECORDING_LIMITS,
    encode: Encode = encode_confined,
) -> Rendition:
    """Check the recording in `source`, level and encode it, store it and return it as a rendition in `language`.

    `name` is what the uploader called it, and is only used in messages. Raises RecordingRefusedError, and then nothing
    has been stored.
    """
    with _opened(source, name, limits) as recording, tempfile.TemporaryDirectory(prefix="recording-") as folder:
        workplace = Path(folder)
        measured = _judged(encode(recording, limits, workplace), name, limits)
        return Rendition(
            language=language,
            seconds=round(measured.kept_seconds, 3),
            mulaw=library.add(workplace / "pcm_mulaw.wav"),
            alaw=library.add(workplace / "pcm_alaw.wav"),
            wideband=library.add(workplace / "pcm_s16le.wav"),
        )


def _bounds(limits: Limits) -> Bounds:
    return Bounds(
        wall_seconds=limits.wall_seconds,
        cpu_seconds=limits.cpu_seconds,
        memory_bytes=limits.memory_bytes,
        file_bytes=int((limits.max_seconds + 2) * _OUTPUT_BYTES_PER_SECOND),
    )


@contextmanager
def _opened(source: Path, name: str, limits: Limits) -> Iterator[BinaryIO]:
    """Open a regular file of a sensible size; neither a link, which may lead anywhere, nor a pipe, which may hang."""
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        why = "it is a link, not a file" if error.errno == errno.ELOOP else "it cannot be opened"
        raise _refusal(name, Objection(why=why, cure="upload the file itself")) from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise _refusal(name, Objection(why="it is not a file", cure="upload the file itself"))
    with os.fdopen(descriptor, "rb") as recording:
        for objection in _size_objections(status.st_size, limits):
            raise _refusal(name, objection)
        yield recording


def _size_objections(size: int, limits: Limits) -> tuple[Objection, ...]:
    if size == 0:
        return (Objection(why="it is empty", cure="export it again and upload the whole file"),)
    if size > limits.max_bytes:
        sizes = f"{size / 1e6:.1f} MB, where at most {limits.max_bytes / 1e6:.0f} MB are taken"
        return (Objection(why=f"it is too large, {sizes}", cure="save it as MP3, or shorten it"),)
    return ()


def _judged(outcome: Outcome, name: str, limits: Limits) -> Measurements:
    match outcome:
        case Answered(answer={"measured": dict(figures)}):
            measured = Measurements(**_floats(figures))
            # Judged again on this side: the worker has been in touch with the recording.
            for objection in objections(measured, limits):
                raise _refusal(name, objection)
            return measured
        case Answered(answer={"unreadable": str(why)}):
            raise _refusal(name, OBJECTION_TO[Unreadable(why)])
        case TimedOut() | Died() | Answered():
            raise _refusal(name, OBJECTION_TO[Unreadable.COSTLY])
        case _:
            assert_never(outcome)


def _floats(figures: dict[str, Any]) -> dict[str, float]:
    return {key: float(value) for key, value in figures.items()}


def _refusal(name: str, objection: Objection) -> RecordingRefusedError:
    shown = "".join(letter if letter.isprintable() else "?" for letter in name)[:_SHOWN_NAME]
    return RecordingRefusedError(name=shown, why=objection.why, cure=objection.cure)
