"""A demo in which every text is spoken as a tone of its own, so that a capture tells what was heard."""

import math
import wave
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sqlalchemy import select

from gateway.assembly import prepare, put_together
from gateway.audio.wording import Wording
from gateway.clock import utc_now
from gateway.register.tables import notices, renditions
from gateway.settings import Settings
from gateway.workflows.load_demo import load_demo
from gateway.workflows.publish_notice import Studio

# Ring tone of the bridge, and the voices of caller and callee; prompts lie between.
RING, CALLER_VOICE, CALLEE_VOICE = 425, 3000, 3400
_LOWEST, _STEP = 600, 40
_RATE = 22_050
_SECONDS = 1.2


@dataclass(slots=True)
class ToneSynthesizer:
    """Speaks each new text as the next tone, for a little more than a second."""

    _known: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return "tones"

    def languages(self) -> frozenset[str]:
        return frozenset({"en", "zh"})

    def speak(self, text: str, *, language: str, target: Path) -> None:
        tone = self._known.setdefault(f"{language}{text}", _LOWEST + _STEP * len(self._known))
        assert tone < CALLER_VOICE - _STEP
        samples = 6000 * np.sin(2 * math.pi * tone / _RATE * np.arange(int(_SECONDS * _RATE)))
        with wave.open(str(target), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(_RATE)
            file.writeframes(samples.astype("<i2").tobytes())


def load_toned_demo(folder: Path) -> None:
    """Make the demo's data folder."""
    settings = Settings(data_dir=folder)
    parts = prepare(settings)
    settings.demo_mark.write_text("demo", encoding="utf-8")
    studio = Studio(
        engine=parts.studio.engine,
        keys=parts.keys,
        library=parts.studio.library,
        synthesizer=ToneSynthesizer(),
        wording=Wording(settings.prompts_dir),
        encode=parts.studio.encode,
    )
    for _ in load_demo(studio, utc_now()):
        pass
    parts.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tones:
    """The tones of each purpose, over all orders; what belongs to no order is a reply to a key."""

    public: tuple[int, ...]
    warning: tuple[int, ...]
    opener: tuple[int, ...]
    private: tuple[int, ...]
    replies: tuple[int, ...]

    @property
    def every(self) -> tuple[int, ...]:
        """All that a notice or a prompt sounds like."""
        return self.public + self.warning + self.opener + self.private + self.replies

    @property
    def personal(self) -> tuple[int, ...]:
        """What nobody but a callee may hear."""
        return self.warning + self.opener + self.private + self.replies


def tones_of(folder: Path) -> Tones:
    """Read the tones back from the recordings themselves."""
    parts = put_together(Settings(data_dir=folder))
    with parts.studio.engine.connect() as connection:
        rows = connection.execute(
            select(renditions.c.wideband, notices.c.purpose).join(
                notices, notices.c.rendition_id == renditions.c.rendition_id, isouter=True
            )
        ).all()
    found: dict[str, set[int]] = defaultdict(set)
    for wideband, purpose in rows:
        path = parts.studio.library.path_of(wideband, "wav")
        assert path is not None
        found[purpose or "replies"].add(_tone(path))
    parts.close()
    named = {name: tuple(sorted(found[name])) for name in ("public", "warning", "opener", "private", "replies")}
    every = [tone for tones in named.values() for tone in tones]
    assert len(every) == len(set(every)), f"a tone stands for two things: {named}"
    assert all(named.values()), named
    return Tones(**named)


def _tone(path: Path) -> int:
    with wave.open(str(path), "rb") as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    spectrum = np.abs(np.fft.rfft(samples[: rate // 2 * 2] * np.hanning(len(samples[: rate // 2 * 2]))))
    return round(float(np.argmax(spectrum)) * rate / len(samples[: rate // 2 * 2]) / 5) * 5
