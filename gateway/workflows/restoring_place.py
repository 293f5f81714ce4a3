"""The empty place that a backup is restored into: files are made ready beside it, and moved there at the very end."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import make_url

from gateway.domain.errors import GatewayError
from gateway.settings import Settings

_MARK = ".restoring-"
_SHOWN = 5


class NotEmptyError(GatewayError):
    """{where} is not empty: it holds {what}. A backup is restored into an empty place only; {cure}."""

    code = "not_empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Staging:
    """`folder` becomes the data folder or its content; `database` is where an SQLite database is made ready."""

    settings: Settings
    folder: Path
    database: Path
    _moved: list[tuple[Path, Path]] = field(default_factory=list)

    def publish(self) -> None:
        """Move everything to its place, the database last. Raises NotEmptyError, OSError with nothing moved."""
        refuse_what_is_there(self.settings)
        # One call for thousands of files: whatever is in its place after a power cut is whole.
        os.sync()
        try:
            for source, target in self._moves():
                source.rename(target)
                self._moved.append((source, target))
        except OSError:
            self.take_back()
            raise

    def take_back(self) -> None:
        """Undo `publish`."""
        while self._moved:
            source, target = self._moved.pop()
            target.rename(source)

    def _moves(self) -> Iterator[tuple[Path, Path]]:
        data = self.settings.data_dir
        own = self.database.parent == self.folder
        if data.exists():
            entries = sorted(each for each in self.folder.iterdir() if each != self.database and each.name[0] != ".")
            yield from ((each, data / each.name) for each in entries)
        else:
            yield self.folder, data
        moved_with_folder = own and self.folder in [source for source, _target in self._moved]
        if self.database.exists() and not moved_with_folder:
            yield self.database, sqlite_file(self.settings)


def sqlite_file(settings: Settings) -> Path:
    """Return where the SQLite database is."""
    return Path(str(make_url(settings.database).database)).resolve()


def uses_sqlite(settings: Settings) -> bool:
    """Tell whether the settings name an SQLite database."""
    return make_url(settings.database).get_backend_name() == "sqlite"


def refuse_what_is_there(settings: Settings) -> None:
    """Raise NotEmptyError where the data folder holds more than a key file, or there is an SQLite database."""
    data = settings.data_dir
    known = {settings.key_file.name, f".{settings.key_file.name}.lock", "lost+found"}
    found = sorted(each.name for each in data.iterdir()) if data.exists() else []
    strange = [name for name in found if name not in known and not name.startswith(_MARK)]
    if strange:
        more = f" and {len(strange) - _SHOWN} more" if len(strange) > _SHOWN else ""
        cure = "name another NOTICE_GATEWAY_DATA_DIR, or move what is there away"
        raise NotEmptyError(where=data, what=", ".join(strange[:_SHOWN]) + more, cure=cure)
    if uses_sqlite(settings) and sqlite_file(settings).exists():
        path = sqlite_file(settings)
        raise NotEmptyError(where=path.parent, what=path.name, cure="name another NOTICE_GATEWAY_DATABASE_URL")


@contextmanager
def staged(settings: Settings) -> Iterator[Staging]:
    """Make a closed folder to make things ready in, and leave nothing of it.

    It lies beside a data folder that is still to be made, which then appears in one step; and inside one that is there,
    for that may be a mount of its own, or its parent not ours to write in.
    """
    data = settings.data_dir
    token = _MARK + secrets.token_hex(4)
    folder = data / token if data.exists() else data.with_name(f".{data.name}{token}")
    own = not uses_sqlite(settings) or sqlite_file(settings) == settings.sqlite_path.resolve()
    path = folder / settings.sqlite_path.name if own else sqlite_file(settings)
    database = path if own else path.with_name(f".{path.name}{token}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700)
    try:
        yield Staging(settings=settings, folder=folder, database=database)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for end in ("", "-wal", "-shm"):
            database.with_name(database.name + end).unlink(missing_ok=True)
