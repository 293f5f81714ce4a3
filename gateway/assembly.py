"""The parts that every entrance needs, put together from the settings."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from gateway.audio.library import Library
from gateway.audio.shared_library import SharedLibrary
from gateway.audio.synthesize import Pyttsx3Synthesizer
from gateway.audio.wording import Wording
from gateway.bucket import Bucket, bucket_of
from gateway.clock import utc_now
from gateway.db.engine import (
    gone_for,
    open_for_calls,
    open_for_office,
    open_for_reading,
    open_for_screens,
    open_for_wishes,
)
from gateway.db.schema import migrate
from gateway.domain.errors import GatewayError
from gateway.privacy.key_file import load_or_make
from gateway.privacy.key_watch import KeyWatch
from gateway.privacy.key_words import ring_of
from gateway.privacy.ring import KeyRing
from gateway.privacy.vault import Vault
from gateway.register import installation
from gateway.settings import Settings
from gateway.workflows.office import Office
from gateway.workflows.people_desk import PeopleDesk
from gateway.workflows.publish_notice import Studio


class NoRegisterError(GatewayError):
    """There is no register in {where}; `notice-gateway demo`, `serve` or `courts add` makes one there."""

    code = "no_register"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Engines, keys and stores; `calls` answers webhooks, `studio.engine` is the office's.

    `wishes` is for what a key on a call changes in the register; screens are read with `screens`, maybe from a replica.
    """

    settings: Settings
    keys: KeyRing
    calls: Engine
    studio: Studio
    vault: Vault
    reading: Engine
    screens: Engine
    bucket: Bucket | None = None

    @property
    def wishes(self) -> Engine:
        """Return the engine for what a key on a call changes in the register."""
        return open_for_wishes(self.calls, self.studio.engine)

    @property
    def office(self) -> Office:
        """Return what officers' workflows need."""
        return Office(studio=self.studio, vault=self.vault, reading=self.reading)

    def people_desk(self) -> PeopleDesk:
        """Return what people sign in with; a process makes one, which hashes passwords in turn."""
        return PeopleDesk.over(
            engine=self.studio.engine,
            reading=self.reading,
            noting=self.calls,
            keys=self.keys,
            public_origin=self.settings.public_origin,
        )

    def key_watch(self, failed: Callable[[Exception], None]) -> KeyWatch:
        """Return the watch by which a process that serves for long learns of a rotation: let it look now and then."""
        path = self.settings.key_file if self.settings.master_key is None else None
        return KeyWatch(self.keys, path, failed=failed)

    def close(self) -> None:
        """Give every pooled connection back."""
        self.calls.dispose()
        self.reading.dispose()
        self.screens.dispose()
        self.studio.engine.dispose()
        if self.bucket is not None:
            self.bucket.close()


def put_together(settings: Settings) -> Parts:
    """Open what the settings name; nothing is created. Raises NoRegisterError, KeyFileError, WeakKeyError."""
    if not (settings.database_url or settings.sqlite_path.exists() or settings.key_file.exists()):
        raise NoRegisterError(where=settings.data_dir)
    prepares = settings.database_prepares
    calls = open_for_calls(settings.database, most=settings.database_connections, prepares=prepares)
    office = open_for_office(settings.database, prepares=prepares, is_gone=gone_for(calls))
    bucket = bucket_of(settings)
    keys = _keys(settings, may_make=lambda: False)
    studio = Studio(
        engine=office,
        keys=keys,
        library=_library(settings, bucket),
        synthesizer=Pyttsx3Synthesizer(),
        wording=Wording(settings.prompts_dir),
    )
    return Parts(
        settings=settings,
        keys=keys,
        calls=calls,
        studio=studio,
        vault=Vault(settings.vault_dir, bucket),
        reading=open_for_reading(settings.database, prepares=prepares, is_gone=gone_for(calls)),
        screens=open_for_screens(settings.database_of_screens, prepares=prepares),
        bucket=bucket,
    )


def _library(settings: Settings, bucket: Bucket | None) -> Library:
    if bucket is None:
        return Library(settings.renditions_dir)
    room = settings.storage_cache_megabytes * 1_000_000
    return SharedLibrary(settings.renditions_cache_dir, bucket=bucket, room=room, clock=utc_now)


def prepare(settings: Settings) -> Parts:
    """Create what is missing, bring the database to this release's schema, and tie it to the key.

    Raises KeyFileError, WeakKeyError, KeyMismatchError, SQLAlchemyError.
    """
    _make_folder(settings.data_dir)
    creator = open_for_office(settings.database, may_create=lambda: True)
    try:
        migrate(creator)
        _keys(settings, may_make=lambda: not _is_claimed(creator))
    finally:
        creator.dispose()
    parts = put_together(settings)
    try:
        with parts.studio.engine.begin() as connection:
            installation.claim(connection, parts.keys)
    except GatewayError:
        parts.close()
        raise
    return parts


def _keys(settings: Settings, *, may_make: Callable[[], bool]) -> KeyRing:
    if settings.master_key is not None:
        others = settings.master_keys_previous.get_secret_value() if settings.master_keys_previous else ""
        return ring_of(settings.master_key.get_secret_value(), others)
    return load_or_make(settings.key_file, may_make=may_make)


def _is_claimed(engine: Engine) -> bool:
    """Tell whether some key wrote into the database: a new one would not open it."""
    with engine.connect() as connection:
        return installation.is_claimed(connection)


def _make_folder(folder: Path) -> None:
    """Make the data folder, closed to others: it holds the key."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
