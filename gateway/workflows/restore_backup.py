"""Restore a backup into an empty place: everything is checked before anything is written, and nothing is half there.

A register that is taken back to yesterday does not know what was lifted today. So every order that could be heard is
suspended while it is restored, and officers resume each once they have checked it; `as_it_was` leaves that out.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection

from gateway.audit.tags import Tag
from gateway.audit.trail import head_of
from gateway.db import copy, schema
from gateway.db.copy import Kind
from gateway.db.engine import open_for_office
from gateway.domain.errors import GatewayError
from gateway.privacy.key_file import write
from gateway.privacy.ring import KeyRing
from gateway.register import installation
from gateway.settings import Settings
from gateway.workflows.archive import DATABASES, KEYS, Manifest
from gateway.workflows.archive_reader import Archive, NewerArchiveError, read_archive
from gateway.workflows.backup_storage import shelved
from gateway.workflows.change import Change, Errand
from gateway.workflows.restoring_keys import find_keys
from gateway.workflows.restoring_place import NotEmptyError, Staging, refuse_what_is_there, staged, uses_sqlite
from gateway.workflows.suspend_all import Suspended, suspend_all

_SHOWN = 3


class ForgedArchiveError(GatewayError):
    """{path} was not sealed with key {key_id}: it was changed, or made by somebody else. Nothing was restored."""

    code = "forged_archive"


class OtherKindError(GatewayError):
    """The backup is of a gateway on {found}, and this one is on {wanted}; {cure}. Nothing was restored."""

    code = "other_kind"


class OldServerError(GatewayError):
    """The backup is of PostgreSQL {found}, and this server is {server}: it may not read it. Use {found} or later."""

    code = "old_server"


class IncompleteError(GatewayError):
    """What was restored is not what the backup's manifest says ({what}), so nothing of it was kept. Tell us of it."""

    code = "incomplete"


class RestoreFailedError(GatewayError):
    """The backup could not be restored into {folder}: {why}. Nothing was kept of it; mend that, then repeat."""

    code = "restore_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was restored, what was suspended (None where everything is as it was), and which keys are not here."""

    manifest: Manifest
    suspended: Suspended | None
    missing_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Restoring:
    """A backup that may be restored, and how."""

    settings: Settings
    manifest: Manifest
    staging: Staging
    keys: KeyRing
    errand: Errand
    as_it_was: bool


def restore_backup(
    settings: Settings, source: Path, errand: Errand, *, given_keys: Path | None, as_it_was: bool
) -> Restored:
    """Restore `source` into the empty data folder, and the empty database, that the settings name.

    Raises DamagedArchiveError, NewerArchiveError, ForgedArchiveError, OtherKindError, OldServerError, NotEmptyError,
    KeyNeededError, TwoKeysError, KeyFileError, IncompleteError, RestoreFailedError, ProgramMissingError,
    ProgramFailedError, StorageError, SQLAlchemyError.
    """
    try:
        refuse_what_is_there(settings)
        archive = read_archive(source)
        _refuse_what_does_not_fit(settings, archive)
        with staged(settings) as staging, source.open("rb") as file:
            found = find_keys(settings, archive, file, given_keys, staging.folder)
            if not archive.is_sealed_with(found.ring.key(archive.manifest.key_id).audit):
                raise ForgedArchiveError(path=source, key_id=archive.manifest.key_id)
            if found.file is not None:
                write(staging.folder / KEYS, found.file)
            _extract(archive, file, staging)
            restoring = _Restoring(
                settings=settings,
                manifest=archive.manifest,
                staging=staging,
                keys=found.ring,
                errand=errand,
                as_it_was=as_it_was,
            )
            with shelved(settings, staging.folder):
                suspended = _restore_sqlite(restoring) if uses_sqlite(settings) else _restore_postgres(restoring)
    except OSError as error:
        why = f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)
        raise RestoreFailedError(folder=settings.data_dir, why=why) from error
    return Restored(manifest=archive.manifest, suspended=suspended, missing_keys=found.missing)


def _refuse_what_does_not_fit(settings: Settings, archive: Archive) -> None:
    found = Kind(archive.manifest.kind)
    wanted = Kind.SQLITE if uses_sqlite(settings) else Kind.POSTGRESQL
    if found is not wanted:
        cure = (
            "name an empty PostgreSQL database in NOTICE_GATEWAY_DATABASE_URL"
            if found is Kind.POSTGRESQL
            else "unset NOTICE_GATEWAY_DATABASE_URL"
        )
        raise OtherKindError(found=_spelt(found), wanted=_spelt(wanted), cure=cure)
    if archive.manifest.revision not in schema.revisions():
        what = f"gateway {archive.manifest.gateway}, schema {archive.manifest.revision or 'unknown'}"
        raise NewerArchiveError(path=archive.path, what=what)


def _extract(archive: Archive, file: BinaryIO, staging: Staging) -> None:
    for name in archive.places:
        if name == KEYS:
            continue
        path = staging.database if name == DATABASES["sqlite"] else staging.folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
            archive.extract(file, name, target)


def _restore_sqlite(restoring: _Restoring) -> Suspended | None:
    engine = open_for_office(f"sqlite:///{restoring.staging.database}")
    try:
        with engine.begin() as connection:
            _compare(connection, restoring.manifest)
        schema.migrate(engine)
        with engine.begin() as connection:
            suspended = _finish(connection, restoring)
    finally:
        # The last connection that closes takes what SQLite keeps beside the database into it.
        engine.dispose()
    restoring.staging.publish()
    return suspended


def _restore_postgres(restoring: _Restoring) -> Suspended | None:
    dump = restoring.staging.folder / DATABASES["postgresql"]
    engine = open_for_office(restoring.settings.database)
    try:
        with engine.begin() as connection:
            copy.lock_out_others(connection)
            _refuse_other_database(connection, restoring.manifest)
            copy.put(connection, dump, at_least=restoring.manifest.server)
            _compare(connection, restoring.manifest)
            copy.upgrade(connection)
            suspended = _finish(connection, restoring)
            dump.unlink()
            restoring.staging.publish()
    except BaseException:
        restoring.staging.take_back()
        raise
    finally:
        engine.dispose()
    return suspended


def _refuse_other_database(connection: Connection, manifest: Manifest) -> None:
    server = copy.server_of(connection)
    if server < manifest.server:
        raise OldServerError(found=manifest.server, server=server)
    found = copy.contents_of(connection)
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        cure = "create an empty one and name it in NOTICE_GATEWAY_DATABASE_URL"
        raise NotEmptyError(
            where=f"The database {connection.engine.url.database}", what=", ".join(found[:_SHOWN]) + more, cure=cure
        )


def _compare(connection: Connection, manifest: Manifest) -> None:
    """Refuse a database that lacks a row, or an entry of the trail, that the backup counted."""
    rows = copy.rows_of(connection)
    if rows != manifest.rows:
        differing = sorted(
            name for name in rows.keys() | manifest.rows.keys() if rows.get(name) != manifest.rows.get(name)
        )
        raise IncompleteError(what=f"rows of {', '.join(differing)}")
    if schema.revision_of(connection) != manifest.revision:
        raise IncompleteError(what="revision of the schema")
    if "audit_head" in rows:
        seq, seal = head_of(connection)
        if (seq, seal.hex()) != (manifest.trail_seq, manifest.trail_seal):
            raise IncompleteError(what="head of the audit trail")


def _finish(connection: Connection, restoring: _Restoring) -> Suspended | None:
    """Suspend, tell the trail, and let the screens of gateways that look at this database reload."""
    installation.claim(connection, restoring.keys)
    change = Change(connection=connection, keys=restoring.keys, errand=restoring.errand)
    manifest = restoring.manifest
    suspended = None if restoring.as_it_was else suspend_all(change, because=manifest.backup_id)
    installation.announce(connection)
    change.note(
        Tag.RESTORED,
        manifest.backup_id,
        made_at=manifest.made_at.isoformat(),
        trail_seq=manifest.trail_seq,
        as_it_was=restoring.as_it_was,
        suspended=suspended.orders if suspended else 0,
        unreadable=suspended.unreadable if suspended else 0,
    )
    return suspended


def _spelt(kind: Kind) -> str:
    return {Kind.SQLITE: "SQLite", Kind.POSTGRESQL: "PostgreSQL"}[kind]
