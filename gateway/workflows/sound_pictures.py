"""The figures and pictures of renditions, remembered: a rendition is named by its content and never changes."""

import threading
from collections import OrderedDict

from gateway.audio.library import Library
from gateway.audio.waveform import Sound, describe, peaks
from gateway.domain.notice import Purpose
from gateway.workflows.hear_notice import COLUMNS, limit_of

_MOST = 512
Picture = tuple[Sound | None, tuple[float, ...]]


class SoundPictures:
    """What was measured before in this process: some 2 kB for each of the last 512 sounds that somebody looked at."""

    def __init__(self) -> None:
        """Start empty."""
        self._known: OrderedDict[tuple[str, Purpose], Picture] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, library: Library, purpose: Purpose, rendition: str) -> Picture:
        """Return the figures and the peaks of a rendition's telephone file; nothing where the file is missing.

        `rendition` is its SHA-256 (hex); the verdict on its length depends on what it is for.
        """
        path = library.path_of(rendition, "wav")
        if path is None:
            return None, ()
        key = (rendition, purpose)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        wav = path.read_bytes()
        found = (describe(wav, limit_of(purpose)), peaks(wav, COLUMNS))
        with self._lock:
            self._known[key] = found
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return found
