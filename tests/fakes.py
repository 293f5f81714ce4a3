"""The one fake of the suite, a voice that hums, so that tests which are not about speech do not wait for it.

And memories before what is real: the hum of one pitch is encoded once, a template of the console and a rule of its
addresses are compiled once, not once for every test.
"""

import hashlib
import json
import os
import shutil
import wave
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import numpy as np
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

from gateway.audio.confinement import Answered, Outcome
from gateway.audio.transcode import encode_confined
from gateway.audio.validate import Limits

Builder = Callable[..., tuple[str, str]]
_RATE = 22_050
_PITCHES = 1000


@dataclass(frozen=True, slots=True)
class HummingSynthesizer:
    """Hums for `seconds`, at a pitch that follows from the text, so that different texts sound different."""

    seconds: float = 1.5

    @property
    def name(self) -> str:
        return f"humming-{self.seconds}"

    def languages(self) -> frozenset[str]:
        return frozenset({"en", "zh"})

    def speak(self, text: str, *, language: str, target: Path) -> None:
        pitch = 200 + sum(f"{language}{text}".encode()) % _PITCHES
        times = np.arange(int(self.seconds * _RATE)) / _RATE
        samples = (6000 * np.sin(2 * np.pi * pitch * times)).astype("<i2")
        with wave.open(str(target), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(_RATE)
            file.writeframes(samples.tobytes())


@dataclass(frozen=True, slots=True)
class RememberingEncoder:
    """The real encoder, asked once for each recording; `folder` is shared by the test processes of a run."""

    folder: Path

    def __call__(self, recording: BinaryIO, limits: Limits, workplace: Path) -> Outcome:
        digest = hashlib.sha256(json.dumps(asdict(limits)).encode())
        digest.update(recording.read())
        recording.seek(0)
        # The worker reads from the descriptor itself, behind the buffer that was just read.
        os.lseek(recording.fileno(), 0, os.SEEK_SET)
        kept = self.folder / digest.hexdigest()
        if not kept.exists():
            outcome = encode_confined(recording, limits, workplace)
            if not isinstance(outcome, Answered):
                return outcome
            self._keep(kept, workplace, outcome)
            return outcome
        for file in kept.glob("*.wav"):
            shutil.copyfile(file, workplace / file.name)
        return Answered(answer=json.loads((kept / "answer.json").read_text(encoding="utf-8")))

    def _keep(self, kept: Path, workplace: Path, outcome: Answered) -> None:
        """Keep a result whole or not at all: another process may look at the same moment."""
        draft = self.folder / uuid4().hex
        shutil.copytree(workplace, draft)
        (draft / "answer.json").write_text(json.dumps(outcome.answer), encoding="utf-8")
        try:
            draft.rename(kept)
        except OSError:
            shutil.rmtree(draft)


def remember_rules() -> None:
    """Have Werkzeug compile each rule once a process: a console has a hundred of them, and a test makes a console.

    What builds an address follows from the rule as it was taken apart and from its defaults, and gets the rule itself
    as its first argument.
    """
    compiled: dict[object, Builder] = {}
    compile_builder = Rule._compile_builder  # noqa: SLF001  (there is no public way in)

    def remembered(rule: Rule, *append_unknown: bool) -> Builder:
        defaults = tuple(sorted((rule.defaults or {}).items()))
        key = (rule.rule, append_unknown, tuple(rule._trace), defaults)  # noqa: SLF001
        if key not in compiled:
            compiled[key] = compile_builder(rule, *append_unknown)
        return compiled[key]

    Rule._compile_builder = remembered  # type: ignore[assignment, method-assign]  # noqa: SLF001


class CompiledTemplates(BytecodeCache):
    """Keeps templates as Jinja compiled them, for as long as this process runs; another source has another checksum."""

    def __init__(self) -> None:
        """Begin with nothing kept."""
        self._kept: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what was kept for this template as it is now."""
        found = self._kept.get((bucket.key, bucket.checksum))
        if found is not None:
            bucket.bytecode_from_string(found)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        self._kept[bucket.key, bucket.checksum] = bucket.bytecode_to_string()
