"""Courts: adding and reading them."""

from datetime import time
from typing import Any

from sqlalchemy import Connection, Row, select

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


def add(connection: Connection, court: Court) -> None:
    """Add a court."""
    caps = court.caps
    connection.execute(
        courts.insert().values(
            court_id=court.court_id,
            name=court.name,
            zone=court.zone,
            warning_days=court.warning_days,
            openers_per_day=caps.openers_per_day,
            contents_per_day=caps.contents_per_day,
            contents_per_30_days=caps.contents_per_30_days,
            earliest_minute=caps.earliest.hour * 60 + caps.earliest.minute,
            latest_minute=caps.latest.hour * 60 + caps.latest.minute,
        )
    )


def get(connection: Connection, court_id: str) -> Court:
    """Return one court. Raises UnknownEntryError."""
    row = connection.execute(select(*COLUMNS).where(courts.c.court_id == court_id)).one_or_none()
    if row is None:
        raise UnknownEntryError(what="court", shown=court_id, cure="`notice-gateway districts list` shows them")
    return Court(court_id=row.court_id, name=row.name, zone=row.zone, warning_days=row.warning_days, caps=caps_of(row))


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
