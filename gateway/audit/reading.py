"""Reading the trail, newest first, within the reach of whoever reads."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select, true

from gateway.audit.tables import trail
from gateway.audit.tags import Tag
from gateway.audit.trail import Detail
from gateway.domain.rights import Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailQuery:
    """Which entries to list; what is empty or None does not matter. `until` itself is left out.

    Entries that concern no court are for those who reach everywhere. `after_seq` is the number that the page before
    ended with, 0 for the first page.
    """

    reach: Reach
    since: datetime | None = None
    until: datetime | None = None
    court_id: str = ""
    subject_id: str = ""
    actor: str = ""
    tag: Tag | None = None
    after_seq: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailEntry:
    """One entry as it stands in the trail. `tag` is text: an older release may have had words that this one has not."""

    seq: int
    at: datetime
    actor: str
    actor_kind: str
    tag: str
    court_id: str
    subject_id: str
    details: Mapping[str, Detail] = field(default_factory=dict)
    key_id: str
    seal: bytes


def entries(connection: Connection, query: TrailQuery) -> tuple[TrailEntry, ...]:
    """Return a page of entries, newest first."""
    statement = select(trail).where(_within(query.reach), *_conditions(query))
    rows = connection.execute(statement.order_by(trail.c.seq.desc()).limit(query.limit))
    return tuple(map(_read, rows))


def _within(reach: Reach) -> ColumnElement[bool]:
    """Hold a list to whole courts: an entry does not tell its district, so a right in a district alone shows none."""
    return true() if reach.everywhere else trail.c.court_id.in_(reach.courts)


def _conditions(query: TrailQuery) -> Iterator[ColumnElement[bool]]:
    if query.since is not None:
        yield trail.c.at >= query.since
    if query.until is not None:
        yield trail.c.at < query.until
    if query.court_id:
        yield trail.c.court_id == query.court_id
    if query.subject_id:
        yield trail.c.subject_id == query.subject_id
    if query.actor:
        yield trail.c.actor == query.actor
    if query.tag is not None:
        yield trail.c.tag == query.tag.value
    if query.after_seq:
        yield trail.c.seq < query.after_seq


def _read(row: Row[*tuple[Any, ...]]) -> TrailEntry:
    return TrailEntry(
        seq=int(row.seq),
        at=row.at,
        actor=row.actor,
        actor_kind=row.actor_kind,
        tag=row.tag,
        court_id=row.court_id,
        subject_id=row.subject_id,
        details=_details(row.details),
        key_id=row.key_id,
        seal=bytes(row.seal),
    )


def _details(text: str) -> dict[str, Detail]:
    """Read what the gateway wrote; a row that somebody edited is shown as it is, and `verify` names it."""
    try:
        found = json.loads(text)
    except ValueError:
        return {"unreadable": text}
    return found if isinstance(found, dict) else {"unreadable": text}
