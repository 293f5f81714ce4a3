"""Finding the key that opens a backup: given, in the environment, beside the empty place, or in the backup itself."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gateway.domain.errors import GatewayError
from gateway.privacy.key_file import KeyFile, load, read
from gateway.privacy.key_words import ring_of
from gateway.privacy.ring import KeyRing
from gateway.settings import Settings
from gateway.workflows.archive import KEYS
from gateway.workflows.archive_reader import Archive


class KeyNeededError(GatewayError):
    """The backup was made under key {key_id}, and {found}. Give the key file that holds it: --keys FILE."""

    code = "key_needed"


class TwoKeysError(GatewayError):
    """NOTICE_GATEWAY_MASTER_KEY is set, and the gateway would not read the key file; unset it, or leave out --keys."""

    code = "two_keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysFound:
    """The ring that opens the backup, and the key file to put in place with it; None where one is in use already.

    `missing` are keys that the gateway held beside the active one when the backup was made, and that are not here.
    """

    ring: KeyRing
    file: KeyFile | None
    missing: tuple[str, ...]


def find_keys(settings: Settings, archive: Archive, file: BinaryIO, given: Path | None, room: Path) -> KeysFound:
    """Return the keys under which the backup was made; `room` is a folder for a file that is removed again.

    Raises KeyNeededError, TwoKeysError, KeyFileError, WeakKeyError.
    """
    if settings.master_key is not None:
        if given is not None:
            raise TwoKeysError
        others = settings.master_keys_previous.get_secret_value() if settings.master_keys_previous else ""
        ring = ring_of(settings.master_key.get_secret_value(), others)
        return _fitting(archive, ring, "NOTICE_GATEWAY_MASTER_KEY", None)
    if given is not None:
        return _fitting(archive, load(given), str(given), read(given))
    if settings.key_file.exists():
        return _fitting(archive, load(settings.key_file), str(settings.key_file), None)
    if KEYS in archive.places:
        with _extracted(archive, file, room) as path:
            return _fitting(archive, load(path), "the backup's own key file", read(path))
    raise KeyNeededError(key_id=archive.manifest.key_id, found="no key is here")


def _fitting(archive: Archive, ring: KeyRing, source: str, file: KeyFile | None) -> KeysFound:
    """Demand the key that was active then. It need not be the active one now: a rotation goes on where it stood."""
    manifest = archive.manifest
    held = {each.key_id for each in ring.known}
    if manifest.key_id not in held:
        raise KeyNeededError(key_id=manifest.key_id, found=f"{source} holds {', '.join(sorted(held))}")
    missing = tuple(each for each in manifest.keys_held if each not in held)
    return KeysFound(ring=ring, file=file, missing=missing)


@contextmanager
def _extracted(archive: Archive, file: BinaryIO, room: Path) -> Iterator[Path]:
    path = room / f".{KEYS}"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
            archive.extract(file, KEYS, target)
        yield path
    finally:
        path.unlink(missing_ok=True)
