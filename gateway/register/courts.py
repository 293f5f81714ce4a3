"""Courts: adding and reading them."""

from dataclasses import replace
from datetime import time
from typing import Any

from sqlalchemy import Connection, Row, select, update

from gateway.db.rows import all_rows
from gateway.domain.court import Caps, Court
from gateway.register.errors import UnknownEntryError
from gateway.register.tables import courts

COLUMNS = (
    courts.c.court_id,
    courts.c.name,
    courts.c.zone,
    courts.c.warning_days,
    courts.c.openers_per_day,
    courts.c.contents_per_day,
    courts.c.contents_per_30_days,
    courts.c.earliest_minute,
    courts.c.latest_minute,
)
_ALL = select(courts).order_by(courts.c.court_id)


def add(connection: Connection, court: Court) -> None:
    """Add a court."""
    connection.execute(courts.insert().values(court_id=court.court_id, **_values(court)))


def get(connection: Connection, court_id: str, *, lock: bool = False) -> Court:
    """Return one court, locked against other writers until commit if `lock`. Raises UnknownEntryError.

    The lock lets foreign keys through: a message to the court is posted when the trail is locked already.
    """
    statement = select(courts).where(courts.c.court_id == court_id)
    row = connection.execute(statement.with_for_update(key_share=True) if lock else statement).one_or_none()
    if row is None:
        raise unknown(court_id)
    return _read(row)


def all_of(connection: Connection) -> tuple[Court, ...]:
    """Return every court, in the order of their ids."""
    return tuple(map(_read, all_rows(connection.execute(_ALL))))


def save(connection: Connection, court: Court, version: int) -> Court:
    """Change everything of a court but its id, and return it under its next version."""
    values = _values(court)
    connection.execute(update(courts).where(courts.c.court_id == court.court_id).values(**values, version=version))
    return replace(court, version=version)


def unknown(court_id: str) -> UnknownEntryError:
    """Return the error of a court that does not exist, or that is none of the asker's business."""
    return UnknownEntryError(what="court", shown=court_id, cure="`notice-gateway courts list` shows them")


def ids(connection: Connection) -> tuple[str, ...]:
    """Return the id of every court."""
    return tuple(connection.execute(select(courts.c.court_id).order_by(courts.c.court_id)).scalars())


def caps_of(row: Row[*tuple[Any, ...]]) -> Caps:
    """Read the caps from a row that has the columns of a court."""
    return Caps(
        openers_per_day=row.openers_per_day,
        contents_per_day=row.contents_per_day,
        contents_per_30_days=row.contents_per_30_days,
        earliest=time(*divmod(row.earliest_minute, 60)),
        latest=time(*divmod(row.latest_minute, 60)),
    )


def _read(row: Row[*tuple[Any, ...]]) -> Court:
    return Court(
        court_id=row.court_id,
        name=row.name,
        zone=row.zone,
        warning_days=row.warning_days,
        caps=caps_of(row),
        version=row.version,
    )


def _values(court: Court) -> dict[str, str | int]:
    caps = court.caps
    return {
        "name": court.name,
        "zone": court.zone,
        "warning_days": court.warning_days,
        "openers_per_day": caps.openers_per_day,
        "contents_per_day": caps.contents_per_day,
        "contents_per_30_days": caps.contents_per_30_days,
        "earliest_minute": caps.earliest.hour * 60 + caps.earliest.minute,
        "latest_minute": caps.latest.hour * 60 + caps.latest.minute,
    }
