"""The parts that every entrance needs, put together from the settings."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from gateway.audio.library import Library
from gateway.audio.synthesize import Pyttsx3Synthesizer
from gateway.audio.wording import Wording
from gateway.db.engine import open_for_calls, open_for_office
from gateway.db.schema import migrate
from gateway.domain.errors import GatewayError
from gateway.privacy.keys import Keys, from_text, load_or_make
from gateway.register import installation
from gateway.settings import Settings
from gateway.workflows.publish_notice import Studio


class NoRegisterError(GatewayError):
    """There is no register in {where}; `notice-gateway demo`, `serve` or `courts add` makes one there."""

    code = "no_register"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Engines, keys and stores; `calls` answers webhooks, `studio.engine` is the office's."""

    settings: Settings
    keys: Keys
    calls: Engine
    studio: Studio

    def close(self) -> None:
        """Give every pooled connection back."""
        self.calls.dispose()
        self.studio.engine.dispose()


def put_together(settings: Settings) -> Parts:
    """Open what the settings name; nothing is created. Raises NoRegisterError, KeyFileError, WeakKeyError."""
    if not (settings.database_url or settings.sqlite_path.exists() or settings.key_file.exists()):
        raise NoRegisterError(where=settings.data_dir)
    office = open_for_office(settings.database)
    keys = _keys(settings, may_make=lambda: False)
    studio = Studio(
        engine=office,
        keys=keys,
        library=Library(settings.renditions_dir),
        synthesizer=Pyttsx3Synthesizer(),
        wording=Wording(settings.prompts_dir),
    )
    return Parts(settings=settings, keys=keys, calls=open_for_calls(settings.database), studio=studio)


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


def _keys(settings: Settings, *, may_make: Callable[[], bool]) -> Keys:
    if settings.master_key is not None:
        return from_text(settings.master_key.get_secret_value(), source="NOTICE_GATEWAY_MASTER_KEY")
    return load_or_make(settings.key_file, may_make=may_make)


def _is_claimed(engine: Engine) -> bool:
    """Tell whether some key wrote into the database: a new one would not open it."""
    with engine.connect() as connection:
        return installation.is_claimed(connection)


def _make_folder(folder: Path) -> None:
    """Make the data folder, closed to others: it holds the key."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
