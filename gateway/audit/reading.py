"""Reading the trail, newest first, within the reach of whoever reads."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Select, bindparam, select, true

from gateway.audit.tables import trail
from gateway.audit.tags import Tag
from gateway.audit.trail import Detail
from gateway.db.rows import all_rows
from gateway.domain.rights import Reach

# A process keeps the statements of so many kinds of lists, and never what they found.
_KEPT = 64
# What may be asked for, by the name of the value that is asked for.
_CONDITIONS: Mapping[str, ColumnElement[bool]] = {
    "since": trail.c.at >= bindparam("since"),
    "until": trail.c.at < bindparam("until"),
    "court_id": trail.c.court_id == bindparam("court_id"),
    "subject_id": trail.c.subject_id == bindparam("subject_id"),
    "actor": trail.c.actor == bindparam("actor"),
    "tag": trail.c.tag == bindparam("tag"),
    "after_seq": trail.c.seq < bindparam("after_seq"),
}


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
    values = {
        name: value
        for name, value in (
            ("since", query.since),
            ("until", query.until),
            ("court_id", query.court_id),
            ("subject_id", query.subject_id),
            ("actor", query.actor),
            ("tag", query.tag.value if query.tag else ""),
            ("after_seq", query.after_seq),
        )
        if value
    }
    rows = connection.execute(_listing(query.reach, frozenset(values)), {**values, "most": query.limit})
    return tuple(map(_read, all_rows(rows)))


@lru_cache(maxsize=_KEPT)
def _listing(reach: Reach, given: frozenset[str]) -> Select[Any]:
    """Return the statement of a list that is asked for the values `given`."""
    asked = (condition for name, condition in _CONDITIONS.items() if name in given)
    newest = select(trail).where(_within(reach), *asked).order_by(trail.c.seq.desc())
    return newest.limit(bindparam("most", type_=Integer))


def _within(reach: Reach) -> ColumnElement[bool]:
    """Hold a list to whole courts: an entry does not tell its district, so a right in a district alone shows none."""
    return true() if reach.everywhere else trail.c.court_id.in_(reach.courts)


def _read(row: Any) -> TrailEntry:  # noqa: ANN401  (a named tuple of the query's columns)
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
