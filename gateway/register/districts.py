"""The tree of districts and its switches."""

from datetime import datetime

from sqlalchemy import CTE, Connection, not_, select, update

from gateway.domain.court import District
from gateway.register.errors import UnknownEntryError
from gateway.register.tables import districts


def silent_districts() -> CTE:
    """Return the ids of all districts that are off, or below one that is."""
    switched_off = select(districts.c.district_id).where(not_(districts.c.enabled)).cte("silent", recursive=True)
    return switched_off.union(
        select(districts.c.district_id).join(switched_off, districts.c.parent_id == switched_off.c.district_id)
    )


def add(connection: Connection, district: District, now: datetime) -> None:
    """Add a district below its parent."""
    connection.execute(
        districts.insert().values(
            district_id=district.district_id,
            court_id=district.court_id,
            parent_id=district.parent_id,
            name=district.name,
            enabled=district.enabled,
            reason=district.reason,
            switched_at=now,
        )
    )


def get(connection: Connection, district_id: str) -> District:
    """Return one district. Raises UnknownEntryError."""
    row = connection.execute(select(districts).where(districts.c.district_id == district_id)).one_or_none()
    if row is None:
        raise UnknownEntryError(what="district", shown=district_id, cure="`notice-gateway districts list` shows them")
    return District(
        district_id=row.district_id,
        court_id=row.court_id,
        parent_id=row.parent_id,
        name=row.name,
        enabled=row.enabled,
        reason=row.reason,
    )


def switch(connection: Connection, district_id: str, *, to_enabled: bool, reason: str, now: datetime) -> None:
    """Switch a district. Raises UnknownEntryError."""
    statement = update(districts).where(districts.c.district_id == district_id)
    changed = connection.execute(statement.values(enabled=to_enabled, reason=reason, switched_at=now))
    if changed.rowcount == 0:
        raise UnknownEntryError(what="district", shown=district_id, cure="`notice-gateway districts list` shows them")


def tree(connection: Connection) -> tuple[tuple[District, bool], ...]:
    """Return every district, parents first, each with whether its notices are heard (no ancestor is off)."""
    silent = set(connection.execute(select(silent_districts().c.district_id)).scalars())
    rows = connection.execute(select(districts).order_by(districts.c.district_id)).all()
    below: dict[str | None, list[District]] = {}
    for row in rows:
        district = District(
            district_id=row.district_id,
            court_id=row.court_id,
            parent_id=row.parent_id,
            name=row.name,
            enabled=row.enabled,
            reason=row.reason,
        )
        below.setdefault(row.parent_id, []).append(district)
    ordered: list[tuple[District, bool]] = []
    waiting = list(reversed(below.get(None, [])))
    while waiting:
        district = waiting.pop()
        ordered.append((district, district.district_id not in silent))
        waiting.extend(reversed(below.get(district.district_id, [])))
    return tuple(ordered)
