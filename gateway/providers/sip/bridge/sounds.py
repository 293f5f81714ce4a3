"""The folder of what rtpengine plays: recordings by their content's hash, and a ring tone.

A call only ever plays what lies here already, looked at and found sane. What is missing is fetched for the next call.
"""

import asyncio
import hashlib
import os
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.providers.sip.bridge.errors import BridgeError, SoundMissingError
from gateway.providers.sip.bridge.wav_file import ring_tone, seconds_of
from gateway.settings import SettingsError

_NAME = re.compile(r"[0-9a-f]{64}\.wav")
# A path goes into a command, in which a space or a comma would begin something else.
_SAFE_PATH = re.compile(r"/[A-Za-z0-9._/-]+")
_RING = "ring.wav"
_MOST_FETCHES = 2
# Private notices are among them: for the bridge, and for the group that rtpengine belongs to.
_FOLDER_MODE, _FILE_MODE = 0o750, 0o640
Fetch = Callable[[str], Awaitable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A file that was found sane, and how long it plays."""

    path: Path
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What a file looked like when it was read."""

    stamp: tuple[int, int, int]
    sound: Sound


class Sounds:
    """Finds recordings, and fetches in the background what is not there."""

    def __init__(self, folder: Path, fetch: Fetch) -> None:
        """Keep recordings in `folder`, which is made; `fetch` gets one by its name.

        Raises SettingsError, OSError.
        """
        if _SAFE_PATH.fullmatch(str(folder)) is None:
            raise SettingsError(
                where="NOTICE_GATEWAY_SIP_SOUNDS_DIR",
                why=f"rtpengine could misread {str(folder)!r}; name a folder by letters, digits and . _ - / only",
            )
        self._folder = folder
        self._fetch = fetch
        self._seen: dict[str, _Seen] = {}
        self._fetching: dict[str, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(_MOST_FETCHES)
        folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)
        self._write(_RING, ring_tone())

    @property
    def ring(self) -> Sound:
        """The ring tone. Raises SoundMissingError."""
        return self._found(_RING)

    def find(self, names: Iterable[str]) -> tuple[Sound, ...]:
        """Return the sounds, in order. Raises SoundMissingError, and then what is missing is being fetched."""
        wanted = tuple(names)
        missing = [name for name in wanted if not self._is_there(name)]
        for name in missing:
            self._order(name)
        if missing:
            raise SoundMissingError(why="missing")
        return tuple(self._found(name) for name in wanted)

    def names(self) -> list[str]:
        """Return the name of every recording."""
        return sorted(path.name for path in self._folder.glob("*.wav") if _NAME.fullmatch(path.name))

    def holds(self, name: str) -> bool:
        """Tell whether a file of that name is there, sane or not."""
        return (self._folder / name).is_file()

    def keep(self, name: str, content: bytes) -> None:
        """Put a recording into the folder. Raises SoundMissingError where it is not what its name says, OSError."""
        if _NAME.fullmatch(name) is None or hashlib.sha256(content).hexdigest() != name.removesuffix(".wav"):
            raise SoundMissingError(why="not what its name says")
        seconds_of(content)
        self._write(name, content)

    def remove(self, name: str) -> None:
        """Remove a recording. Raises OSError."""
        (self._folder / name).unlink(missing_ok=True)
        self._seen.pop(name, None)

    async def settle(self) -> None:
        """Wait until what is being fetched is here, or is given up."""
        await asyncio.gather(*self._fetching.values(), return_exceptions=True)

    def _is_there(self, name: str) -> bool:
        try:
            self._found(name)
        except SoundMissingError:
            return False
        return True

    def _found(self, name: str) -> Sound:
        """Return a file that has been judged; it is read again only where it has changed since."""
        path = self._folder / name
        try:
            status = path.stat()
            stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
            seen = self._seen.get(name)
            if seen is None or seen.stamp != stamp:
                sound = Sound(path=path, seconds=seconds_of(path.read_bytes()))
                self._seen[name] = seen = _Seen(stamp=stamp, sound=sound)
        except OSError as error:
            raise SoundMissingError(why="missing") from error
        return seen.sound

    def _order(self, name: str) -> None:
        if name in self._fetching or _NAME.fullmatch(name) is None:
            return
        task = asyncio.create_task(self._get(name))
        self._fetching[name] = task
        task.add_done_callback(lambda _task: self._fetching.pop(name, None))

    async def _get(self, name: str) -> None:
        try:
            async with self._turns:
                content = await self._fetch(name)
            self.keep(name, content)
        except (BridgeError, OSError) as error:
            why = error.why if isinstance(error, BridgeError) else "disk"
            structlog.get_logger().error("sip_sound_not_fetched", why=why, file=name)

    def _write(self, name: str, content: bytes) -> None:
        """Give a file its name only once it is whole."""
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".fetching-", delete=False) as draft:
            try:
                draft.write(content)
                draft.flush()
                os.fchmod(draft.fileno(), _FILE_MODE)
                Path(draft.name).replace(self._folder / name)
            except OSError:
                Path(draft.name).unlink(missing_ok=True)
                raise
