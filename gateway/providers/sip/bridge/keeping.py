"""Keeping the folder of sounds like the gateway's library: what is new comes before a call wants it, what is gone goes.

Where gateway and bridge share a data folder, new recordings are copied within seconds. On a host of its own, the bridge
fetches a recording when a call first asks for it. What the gateway no longer has, retention included, is removed.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from gateway.providers.sip.bridge.errors import BridgeError
from gateway.providers.sip.bridge.sounds import Sounds
from gateway.providers.sip.bridge.wav_file import is_playable_form

LOOK_SECONDS = 5.0
TIDY_SECONDS = 3600.0
_HEADER_BYTES = 64
# A copy begun before a look may get its name after it.
_OVERLAP_SECONDS = 60.0
_NAME = re.compile(r"[0-9a-f]{64}\.wav")
IsGone = Callable[[str], Awaitable[bool]]


async def keep_copying(sounds: Sounds, library: Path, since: float) -> None:
    """Copy what comes into the library's folder after `since`, for ever; returns never."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        since = await asyncio.to_thread(copy_new, sounds, library, since)


async def keep_tidy(sounds: Sounds, is_gone: IsGone) -> None:
    """Remove what the gateway no longer has, every hour, for ever; returns never."""
    while True:
        await asyncio.sleep(TIDY_SECONDS)
        await tidy(sounds, is_gone)


async def tidy(sounds: Sounds, is_gone: IsGone) -> None:
    """Remove what the gateway no longer has; what it cannot be asked about stays."""
    for name in sounds.names():
        try:
            if await is_gone(name):
                sounds.remove(name)
        except (BridgeError, OSError):
            structlog.get_logger("gateway.sip").warning("sip_sound_not_checked", file=name)


def copy_new(sounds: Sounds, library: Path, since: float) -> float:
    """Copy what is newer than `since`; return the time (in seconds, as files have it) that the next look begins at."""
    newest = since
    for path in library.glob("??/*.wav"):
        try:
            changed = path.stat().st_mtime
            if changed >= since - _OVERLAP_SECONDS and _NAME.fullmatch(path.name) and not sounds.holds(path.name):
                _copy(sounds, path)
            newest = max(newest, changed)
        except (BridgeError, OSError):
            structlog.get_logger("gateway.sip").warning("sip_sound_not_copied", file=path.name)
    return newest


def _copy(sounds: Sounds, path: Path) -> None:
    with path.open("rb") as file:
        if is_playable_form(file.read(_HEADER_BYTES)):
            file.seek(0)
            sounds.keep(path.name, file.read())
