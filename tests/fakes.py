"""The one fake of the suite: a voice that hums, so that tests which are not about speech do not wait for it."""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_RATE = 22_050


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
        pitch = 200 + sum(f"{language}{text}".encode()) % 1000
        times = np.arange(int(self.seconds * _RATE)) / _RATE
        samples = (6000 * np.sin(2 * np.pi * pitch * times)).astype("<i2")
        with wave.open(str(target), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(_RATE)
            file.writeframes(samples.tobytes())
