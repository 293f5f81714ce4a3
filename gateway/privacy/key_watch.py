"""The watch on the key file, by which every process that serves learns of a rotation without a restart."""

from collections.abc import Callable
from pathlib import Path

from gateway.domain.errors import GatewayError
from gateway.privacy.key_file import load
from gateway.privacy.ring import KeyRing


class KeyWatch:
    """Looks at the key file now and then, and swaps what the ring holds when the file was replaced."""

    def __init__(self, ring: KeyRing, path: Path | None, *, failed: Callable[[Exception], None]) -> None:
        """Watch `path` for `ring`; None where the keys come from the environment. `failed` hears what goes wrong."""
        self._ring = ring
        self._path = path
        self._failed = failed
        # Nothing was seen yet: the file may have been replaced since the ring was read.
        self._seen: tuple[int, int, int] | None = None

    def look(self) -> bool:
        """Return whether the ring now holds something else. A file that cannot be read leaves the ring as it is."""
        if self._path is None:
            return False
        try:
            status = self._path.stat()
            present = (status.st_ino, status.st_mtime_ns, status.st_size)
            if present == self._seen:
                return False
            found = load(self._path)
        except (OSError, GatewayError) as error:
            self._failed(error)
            return False
        self._seen = present
        if found.held == self._ring.held:
            return False
        self._ring.replace(found)
        return True
