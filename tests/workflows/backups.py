"""Backups for tests: made of the demo, restored into places of their own, and spoiled on purpose."""

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import MetaData, select, text

from gateway.assembly import Parts, put_together
from gateway.audit.tables import trail
from gateway.db.engine import open_for_office
from gateway.domain.order import OrderState
from gateway.register import orders
from gateway.settings import Settings
from gateway.workflows.archive import ArchiveWriter, Manifest
from gateway.workflows.archive_reader import read_archive
from gateway.workflows.back_up import BackedUp, back_up
from gateway.workflows.change import at_the_command_line
from gateway.workflows.restore_backup import Restored, restore_backup
from tests.postgres import Postgres

Edit = Callable[[Manifest], Manifest]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Makes empty places, each with a folder and a database of its own, of the kind that a test runs on."""

    folder: Path
    server: Postgres | None
    made: list[str]

    def empty(self, name: str = "restored", *, keys_of: Settings | None = None) -> Settings:
        """Return settings over a folder that does not exist, or that holds the key file of `keys_of` alone."""
        data = self.folder / name
        if keys_of is not None:
            data.mkdir(mode=0o700)
            put_keys(keys_of, data / "keys.json")
        if self.server is None:
            return Settings(data_dir=data)
        self.made.append(self.server.create())
        return Settings(data_dir=data, database_url=self.server.url(self.made[-1]))


@contextmanager
def places(request: pytest.FixtureRequest, folder: Path, *, like: Settings) -> Iterator[Places]:
    """Make places of the same kind as `like`, and drop their databases afterwards."""
    server: Postgres | None = request.getfixturevalue("postgres") if like.database_url else None
    made: list[str] = []
    yield Places(folder=folder, server=server, made=made)
    for name in made:
        assert server is not None
        server.drop(name)


def put_keys(settings: Settings, path: Path) -> Path:
    """Copy the key file to `path`, closed to others."""
    path.write_bytes(settings.key_file.read_bytes())
    path.chmod(0o600)
    return path


def backed_up(parts: Parts, target: Path, now: datetime, *, with_keys: bool = False) -> BackedUp:
    """Make a backup of a gateway."""
    errand = at_the_command_line(now)
    return back_up(parts.settings, parts.studio.engine, parts.keys, target, errand, with_keys=with_keys)


def restored(
    settings: Settings, source: Path, now: datetime, *, given_keys: Path | None = None, as_it_was: bool = True
) -> Restored:
    """Restore a backup."""
    return restore_backup(settings, source, at_the_command_line(now), given_keys=given_keys, as_it_was=as_it_was)


def rows(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, in an order of its own."""
    parts = put_together(settings)
    metadata = MetaData()
    metadata.reflect(parts.studio.engine)
    with parts.studio.engine.connect() as connection:
        found = {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }
    parts.close()
    return found


def files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that is content and not the database."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("register.sqlite3")
    }


def rewritten(source: Path, target: Path, key: bytes, edit: Edit, *, database: bytes | None = None) -> Path:
    """Write an archive anew with another manifest or database, and seal it with `key`."""
    archive = read_archive(source)
    with source.open("rb") as old, target.open("wb") as new:
        writer = ArchiveWriter(new, archive.manifest.made_at)
        for name, found in archive.places.items():
            old.seek(found.offset)
            content = old.read(found.member.size)
            if database is not None and name.startswith("database."):
                content = database
            writer.add(name, io.BytesIO(content), len(content))
        writer.finish(edit(archive.manifest), key)
    return target


def states(settings: Settings, now: datetime) -> dict[str, OrderState]:
    """Return the state of every order by case number."""
    opened = put_together(settings)
    with opened.studio.engine.connect() as connection:
        found = {each.order.case_number: each.order.state_at(now) for each in orders.entries(connection, opened.keys)}
    opened.close()
    return found


def tags(settings: Settings) -> list[tuple[str, str]]:
    """Return tag and subject of the trail's entries, oldest first."""
    opened = put_together(settings)
    with opened.studio.engine.connect() as connection:
        found = connection.execute(select(trail.c.tag, trail.c.subject_id).order_by(trail.c.seq)).all()
    opened.close()
    return [(row.tag, row.subject_id) for row in found]


def is_untouched(settings: Settings) -> bool:
    """Tell whether nothing was left in a place: no file besides the key file, and no table."""
    if settings.data_dir.exists() and {each.name for each in settings.data_dir.iterdir()} - {"keys.json"}:
        return False
    if list(settings.data_dir.parent.glob(".*restor*")):
        return False
    if not settings.database_url:
        return True
    engine = open_for_office(settings.database_url)
    with engine.connect() as connection:
        tables = connection.execute(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")).scalar_one()
        functions = connection.execute(
            text("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
        ).scalar_one()
    engine.dispose()
    return int(tables) + int(functions) == 0
