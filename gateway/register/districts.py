"""The tree of districts and its switches."""

from datetime import datetime
from typing import Any

from sqlalchemy import CTE, Connection, Row, not_, select, update

from gateway.db.rows import all_rows
from gateway.domain.court import District
from gateway.register.errors import UnknownEntryError
from gateway.register.tables import districts


def silent_districts() -> CTE:
    """Return the ids of all districts that are off, or below one that is."""
    switched_off = select(districts.c.district_id).where(not_(districts.c.enabled)).cte("silent", recursive=True)
    return switched_off.union(
        select(districts.c.district_id).join(switched_off, districts.c.parent_id == switched_off.c.district_id)
    )


# Most pages show the tree: what it is read with is put together once.
_SILENT = select(silent_districts().c.district_id)
_ALL = select(districts).order_by(districts.c.district_id)
_PARENTS = select(districts.c.district_id, districts.c.parent_id)


def path(connection: Connection, district_id: str) -> tuple[str, ...]:
    """Return a district's id and those of all districts above it, nearest first; empty where there is none."""
    parents: dict[str, str | None] = {row.district_id: row.parent_id for row in connection.execute(_PARENTS)}
    found: list[str] = []
    present: str | None = district_id
    while present is not None and present in parents and present not in found:
        found.append(present)
        present = parents[present]
    return tuple(found)


def below(district_ids: frozenset[str]) -> CTE:
    """Return the ids of districts and of all below them."""
    top = select(districts.c.district_id).where(districts.c.district_id.in_(district_ids)).cte(recursive=True)
    return top.union(select(districts.c.district_id).join(top, districts.c.parent_id == top.c.district_id))


def unknown(district_id: str) -> UnknownEntryError:
    """Return the error of a district that does not exist, or that is none of the asker's business."""
    return UnknownEntryError(what="district", shown=district_id, cure="`notice-gateway districts list` shows them")


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


def get(connection: Connection, district_id: str, *, lock: bool = False) -> District:
    """Return one district, locked against other writers until commit if `lock`. Raises UnknownEntryError."""
    statement = select(districts).where(districts.c.district_id == district_id)
    row = connection.execute(statement.with_for_update(key_share=True) if lock else statement).one_or_none()
    if row is None:
        raise unknown(district_id)
    return _read(row)


def switch(connection: Connection, district_id: str, *, to_enabled: bool, reason: str, now: datetime) -> None:
    """Switch a district. Raises UnknownEntryError."""
    statement = update(districts).where(districts.c.district_id == district_id)
    version = districts.c.version + 1
    changed = connection.execute(statement.values(enabled=to_enabled, reason=reason, switched_at=now, version=version))
    if changed.rowcount == 0:
        raise unknown(district_id)


def tree(connection: Connection) -> tuple[tuple[District, bool], ...]:
    """Return every district, parents first, each with whether its notices are heard (no ancestor is off)."""
    silent = set(connection.execute(_SILENT).scalars())
    return tuple((district, district.district_id not in silent) for district in all_of(connection))


def all_of(connection: Connection) -> tuple[District, ...]:
    """Return every district, parents first."""
    below: dict[str | None, list[District]] = {}
    for row in all_rows(connection.execute(_ALL)):
        below.setdefault(row.parent_id, []).append(_read(row))
    ordered: list[District] = []
    waiting = list(reversed(below.get(None, [])))
    while waiting:
        district = waiting.pop()
        ordered.append(district)
        waiting.extend(reversed(below.get(district.district_id, [])))
    return tuple(ordered)


def _read(row: Row[*tuple[Any, ...]]) -> District:
    return District(
        district_id=row.district_id,
        court_id=row.court_id,
        parent_id=row.parent_id,
        name=row.name,
        enabled=row.enabled,
        reason=row.reason,
        version=row.version,
        switched_at=row.switched_at,
    )
