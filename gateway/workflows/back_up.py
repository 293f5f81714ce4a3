"""Back up a gateway that goes on working: one file that holds the register as it was at one instant, and its files.

The database is copied first and the files afterwards: renditions, documents and checkpoints never change once they are
there, so all that the copy refers to is in the archive, whatever was added meanwhile.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain
from pathlib import Path

from sqlalchemy import Connection, Engine

from gateway.audit.tags import Tag
from gateway.audit.trail import head_of
from gateway.db.copy import copied, kind_of, rows_of, server_of
from gateway.db.schema import revision_of
from gateway.domain.errors import GatewayError
from gateway.privacy.ring import KeyRing
from gateway.register.ids import new_id
from gateway.settings import Settings
from gateway.workflows.archive import DATABASES, DEMO_MARK, FOLDERS, KEYS, ArchiveWriter, Manifest, may_hold
from gateway.workflows.backup_storage import SHARED, fetched
from gateway.workflows.change import Errand, change


class TargetTakenError(GatewayError):
    """{path} is there already, and a backup never replaces another; give another name."""

    code = "target_taken"


class BackupFailedError(GatewayError):
    """The backup could not be written into {folder}: {why}. Nothing was kept of it; mend that, then repeat."""

    code = "backup_failed"


class NoKeyFileError(GatewayError):
    """There is no key file to put into the backup: the key comes from NOTICE_GATEWAY_MASTER_KEY. Keep it elsewhere."""

    code = "no_key_file"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """A backup that was made: what is in it, and the files of the data folder that had no place in it."""

    manifest: Manifest
    left_out: tuple[str, ...]


def back_up(
    settings: Settings, engine: Engine, keys: KeyRing, target: Path, errand: Errand, *, with_keys: bool
) -> BackedUp:
    """Write a backup into the new file `target`, which nobody else may read; calls and officers are not held up.

    Raises TargetTakenError, BackupFailedError, NoKeyFileError, DamagedDatabaseError, CopyFailedError,
    ProgramMissingError, ProgramFailedError, StorageError, SQLAlchemyError.
    """
    if os.path.lexists(target):
        raise TargetTakenError(path=target)
    if with_keys and settings.master_key is not None:
        raise NoKeyFileError
    try:
        with _draft(target, "database") as database, _draft(target, "archive") as archive:
            with copied(engine, database) as connection:
                manifest = _describe(connection, engine, keys, errand)
            backed_up = _write(settings, database, archive, manifest, keys, with_keys=with_keys)
            _publish(engine, keys, errand, backed_up.manifest, archive, target)
    except (OSError, EOFError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise BackupFailedError(folder=target.parent, why=why) from error
    return backed_up


def _describe(connection: Connection, engine: Engine, keys: KeyRing, errand: Errand) -> Manifest:
    seq, seal = head_of(connection)
    held = keys.held
    return Manifest(
        backup_id=new_id("bak"),
        gateway=version("court-notice-gateway"),
        made_at=errand.at,
        kind=kind_of(engine).value,
        server=server_of(connection),
        revision=revision_of(connection),
        key_id=held.active.key_id,
        keys_held=tuple(each.key_id for each in held.known),
        trail_seq=seq,
        trail_seal=seal.hex(),
        rows=rows_of(connection),
    )


def _write(
    settings: Settings, database: Path, archive: Path, manifest: Manifest, keys: KeyRing, *, with_keys: bool
) -> BackedUp:
    left_out: list[str] = []
    with archive.open("wb") as file:
        writer = ArchiveWriter(file, manifest.made_at)
        _add(writer, DATABASES[manifest.kind], database)
        # The database lies in the archive by now, so that its draft has room for one object after the other.
        for name, path in chain(_files(settings, with_keys=with_keys), fetched(settings, database)):
            if not may_hold(name):
                left_out.append(name)
                continue
            try:
                _add(writer, name, path)
            except FileNotFoundError:
                continue  # It was purged since it was listed, as the register says too.
        complete = writer.finish(manifest, keys.key(manifest.key_id).audit)
        file.flush()
        os.fsync(file.fileno())
    return BackedUp(manifest=complete, left_out=tuple(left_out))


def _files(settings: Settings, *, with_keys: bool) -> Iterator[tuple[str, Path]]:
    if with_keys:
        yield KEYS, settings.key_file
    if settings.is_demo:
        yield DEMO_MARK, settings.demo_mark
    for folder, top in zip(
        FOLDERS, (settings.renditions_dir, settings.vault_dir, settings.checkpoints_dir), strict=True
    ):
        if settings.storage_url and folder in SHARED:
            continue
        for place, folders, names in os.walk(top):
            folders.sort()
            for name in sorted(names):
                # What begins with a dot is not finished yet.
                if not name.startswith("."):
                    path = Path(place) / name
                    yield f"{folder}/{path.relative_to(top)}", path


def _add(writer: ArchiveWriter, name: str, path: Path) -> None:
    with path.open("rb") as source:
        writer.add(name, source, os.fstat(source.fileno()).st_size)


def _publish(engine: Engine, keys: KeyRing, errand: Errand, manifest: Manifest, archive: Path, target: Path) -> None:
    """Give the archive its name and tell the trail of it: both are there, or neither."""
    try:
        with change(engine, keys, errand) as under_way:
            under_way.note(
                Tag.BACKED_UP,
                manifest.backup_id,
                files=len(manifest.files),
                bytes=manifest.size,
                trail_seq=manifest.trail_seq,
                with_keys=any(each.name == KEYS for each in manifest.files),
            )
            archive.replace(target)
            _fsync_folder(target.parent)
    except BaseException:
        if not archive.exists():
            target.unlink(missing_ok=True)
        raise


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _draft(target: Path, what: str) -> Iterator[Path]:
    """Make an empty file beside `target` that nobody else may read, and leave nothing of it."""
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.{what}")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield draft
    finally:
        for each in (draft, draft.with_name(draft.name + "-journal"), draft.with_name(draft.name + "-wal")):
            each.unlink(missing_ok=True)
