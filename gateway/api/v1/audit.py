"""`/audit` and `/plays`: what was done, by whom, and what was heard under which order."""

from datetime import datetime

from pydantic import AwareDatetime, Field

from gateway.api.v1.fields import Id, Output, PageQuery
from gateway.api.v1.pages import cut, read_after, read_before
from gateway.api.v1.route import Answer, Call, Route
from gateway.audit.play_list import PlayEntry, PlayQuery, plays_of
from gateway.audit.reading import TrailEntry, TrailQuery, entries
from gateway.audit.tags import Tag
from gateway.domain.notice import Purpose
from gateway.domain.rights import Right


class TrailFilter(PageQuery):
    """Which entries to list; `until` itself is left out."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    court: Id | None = None
    subject: Id | None = Field(default=None, description="The id of what was changed.")
    actor: Id | None = None
    tag: Tag | None = None


class PlayFilter(PageQuery):
    """Which plays to list; `until` itself is left out."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    court: Id | None = None
    order: Id | None = None
    purpose: Purpose | None = None


class TrailEntryOut(Output):
    """An entry of the trail. Its seal is over all of it and over the entry before."""

    seq: int
    at: datetime
    actor: str
    actor_kind: str
    tag: str
    court: str | None
    subject: str
    details: dict[str, str | int | bool | None]
    key: str
    seal: str


class TrailPage(Output):
    """A page of the trail, newest first."""

    items: list[TrailEntryOut]
    next: str | None


class PlayOut(Output):
    """A play: what was heard on which leg, when, and which key was pressed.

    `caller_hash` is a keyed hash of the caller's number, and neither it nor the provider's call id is there once it was
    purged. `heard_ms` is how long it was truly heard, null where the provider does not tell. `sound` is false where the
    play is not as it was recorded.
    """

    id: str
    order: str
    court: str
    purpose: Purpose
    leg: str
    files: list[str]
    played_at: datetime
    key: str | None
    keyed_at: datetime | None
    disposition: str | None
    heard_ms: int | None
    provider: str
    provider_call: str | None
    caller_hash: str | None
    sound: bool


class PlayPage(Output):
    """A page of plays, newest first."""

    items: list[PlayOut]
    next: str | None


def list_trail(call: Call, query: TrailFilter) -> Answer:
    """List the audit trail, newest first; who reads for one court sees what concerns that court."""
    wanted = TrailQuery(
        reach=call.actor.reach(Right.AUDIT_READ),
        since=query.since,
        until=query.until,
        court_id=query.court or "",
        subject_id=query.subject or "",
        actor=query.actor or "",
        tag=query.tag,
        after_seq=read_before(query.cursor) or 0,
        limit=query.limit + 1,
    )
    with call.desk.reading.connect() as connection:
        found = entries(connection, wanted)
    page, cursor = cut(found, query.limit, lambda each: (each.seq,))
    return Answer(model=TrailPage(items=[_shown(each) for each in page], next=cursor), cursor=cursor)


def list_plays(call: Call, query: PlayFilter) -> Answer:
    """List plays, newest first: the evidence of what was heard."""
    wanted = PlayQuery(
        reach=call.actor.reach(Right.PLAYS_READ),
        court_id=query.court or "",
        order_id=query.order or "",
        purpose=query.purpose,
        since=query.since,
        until=query.until,
        after=read_after(query.cursor) or "",
        limit=query.limit + 1,
    )
    with call.desk.reading.connect() as connection:
        found = plays_of(connection, call.desk.keys, wanted)
    page, cursor = cut(found, query.limit, lambda each: (each.play_id,))
    return Answer(model=PlayPage(items=[_shown_play(each) for each in page], next=cursor), cursor=cursor)


def _shown(entry: TrailEntry) -> TrailEntryOut:
    return TrailEntryOut(
        seq=entry.seq,
        at=entry.at,
        actor=entry.actor,
        actor_kind=entry.actor_kind,
        tag=entry.tag,
        court=entry.court_id or None,
        subject=entry.subject_id,
        details=dict(entry.details),
        key=entry.key_id,
        seal=entry.seal.hex(),
    )


def _shown_play(play: PlayEntry) -> PlayOut:
    return PlayOut(
        id=play.play_id,
        order=play.order_id,
        court=play.court_id,
        purpose=play.purpose,
        leg=play.leg,
        files=list(play.files),
        played_at=play.played_at,
        key=play.key,
        keyed_at=play.keyed_at,
        disposition=play.disposition,
        heard_ms=play.heard_ms,
        provider=play.provider,
        provider_call=play.provider_call_id,
        caller_hash=play.caller_hash,
        sound=play.is_sound,
    )


ROUTES = (
    Route(
        name="list_audit",
        method="GET",
        path="/audit",
        handler=list_trail,
        tag="Audit",
        answer=TrailPage,
        query=TrailFilter,
    ),
    Route(
        name="list_plays",
        method="GET",
        path="/plays",
        handler=list_plays,
        tag="Audit",
        answer=PlayPage,
        query=PlayFilter,
    ),
)
