"""Read from the trail when each notice of an order was proposed and approved, and by whom."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from gateway.audit.tables import trail
from gateway.audit.tags import Tag
from gateway.domain.notice import Purpose

_TOLD = (Tag.NOTICE_PROPOSED, Tag.NOTICE_APPROVED, Tag.ORDER_APPROVED)
_MOST_VERSIONS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeVersion:
    """An entry of the trail: a notice was proposed, or approved by itself or with its order (`purpose` is None)."""

    tag: Tag
    at: datetime
    actor: str
    purpose: Purpose | None
    language: str
    version: int | None
    renditions: tuple[str, ...]


def versions_of(connection: Connection, order_id: str) -> tuple[NoticeVersion, ...]:
    """Return what the trail tells of an order's notices, the newest first; at most 200 entries."""
    statement = (
        select(trail.c.tag, trail.c.at, trail.c.actor, trail.c.details)
        .where(trail.c.subject_id == order_id, trail.c.tag.in_([each.value for each in _TOLD]))
        .order_by(trail.c.seq.desc())
        .limit(_MOST_VERSIONS)
    )
    return tuple(_version(row) for row in connection.execute(statement))


def _version(row: Row[*tuple[Any, ...]]) -> NoticeVersion:
    details: Mapping[str, Any] = json.loads(row.details)
    purposes = {each.value: each for each in Purpose}
    version = details.get("version")
    return NoticeVersion(
        tag=Tag(row.tag),
        at=row.at,
        actor=row.actor,
        purpose=purposes.get(str(details.get("purpose", ""))),
        language=str(details.get("language", "")),
        version=version if isinstance(version, int) else None,
        renditions=tuple(str(details.get("rendition") or details.get("notices") or "").split()),
    )
