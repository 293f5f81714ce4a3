"""`/courts`: the courts whose orders are carried out here."""

from dataclasses import replace
from datetime import time
from typing import Self

from pydantic import Field, model_validator

from gateway.api.v1.fields import Clock, Input, Name, Output, PageQuery, ShortText, Slug, Whole
from gateway.api.v1.pages import cut, read_after
from gateway.api.v1.problems import at
from gateway.api.v1.route import Answer, Call, IfMatch, Route
from gateway.domain.court import Caps, Court
from gateway.domain.errors import StaleVersionError
from gateway.domain.rights import Right
from gateway.register import courts
from gateway.workflows.access import demand_court, sees_court
from gateway.workflows.set_up_court import add_court, change_court

_TAG = "Courts"


class CapsIn(Input):
    """How often, and at what hours of the callee's place, a natural person's line may hear a notice."""

    openers_per_day: Whole = Field(default=3, ge=0, le=3)
    contents_per_day: Whole = Field(default=1, ge=0, le=1)
    contents_per_30_days: Whole = Field(default=3, ge=0, le=3)
    earliest: Clock = "08:00"
    latest: Clock = "21:00"

    def to_domain(self) -> Caps:
        """Return the caps. Raises CapsTooLooseError."""
        return Caps(
            openers_per_day=self.openers_per_day,
            contents_per_day=self.contents_per_day,
            contents_per_30_days=self.contents_per_30_days,
            earliest=time.fromisoformat(self.earliest),
            latest=time.fromisoformat(self.latest),
        )


class CourtIn(Input):
    """A new court."""

    id: Slug
    name: Name
    zone: ShortText = Field(description="IANA time zone.", examples=["Europe/London"])
    warning_days: Whole = Field(default=3, ge=1, le=60)
    caps: CapsIn = Field(default_factory=CapsIn)


class CourtChange(Input):
    """What is to be different; what is left out stays."""

    name: Name | None = None
    zone: ShortText | None = None
    warning_days: Whole | None = Field(default=None, ge=1, le=60)
    caps: CapsIn | None = Field(default=None, description="All five together.")

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set or any(getattr(self, name) is None for name in self.model_fields_set):
            raise ValueError("name at least one field to change, and leave out those that stay")
        return self


class CapsOut(Output):
    """How often, and at what hours of the callee's place, a natural person's line may hear a notice."""

    openers_per_day: int
    contents_per_day: int
    contents_per_30_days: int
    earliest: str
    latest: str


class CourtOut(Output):
    """A court."""

    id: str
    name: str
    zone: str
    warning_days: int
    caps: CapsOut
    version: int


class CourtPage(Output):
    """A page of courts, by their ids."""

    items: list[CourtOut]
    next: str | None


def list_courts(call: Call, query: PageQuery) -> Answer:
    """List the courts that are any of your business."""
    after = read_after(query.cursor)
    with call.desk.reading.connect() as connection:
        visible = [
            court_id
            for court_id in courts.ids(connection)
            if sees_court(call.actor, court_id) and (after is None or court_id > after)
        ]
        page, cursor = cut(visible, query.limit, lambda court_id: (court_id,))
        items = [_shown(courts.get(connection, court_id)) for court_id in page]
    return Answer(model=CourtPage(items=items, next=cursor), cursor=cursor)


def post_court(call: Call, body: CourtIn) -> Answer:
    """Add a court."""
    with at("/caps"):
        caps = body.caps.to_domain()
    court = Court(court_id=body.id, name=body.name, zone=body.zone, warning_days=body.warning_days, caps=caps)
    add_court(call.desk.office.engine, call.desk.keys, court, call.errand)
    return _answer(court, location=f"/api/v1/courts/{court.court_id}")


def get_court(call: Call, court_id: str) -> Answer:
    """Show a court."""
    return _answer(_read(call, court_id))


def patch_court(call: Call, court_id: str, body: CourtChange) -> Answer:
    """Change a court's name, time zone, warning period or caps; what runs already keeps its dates."""
    present = _read(call, court_id)
    if call.expected is None or present.version != call.expected:
        raise StaleVersionError(what=f"Court {court_id}")
    with at("/caps"):
        caps = body.caps.to_domain() if body.caps else present.caps
    wanted = replace(
        present,
        name=body.name or present.name,
        zone=body.zone or present.zone,
        warning_days=body.warning_days or present.warning_days,
        caps=caps,
    )
    saved = change_court(call.desk.office.engine, call.desk.keys, wanted, call.errand, expected=call.expected)
    return _answer(saved)


def _read(call: Call, court_id: str) -> Court:
    with call.desk.reading.connect() as connection:
        found = courts.get(connection, court_id)
        if not sees_court(call.actor, court_id):
            demand_court(connection, call.actor, court_id, Right.COURTS_READ)
    return found


def _answer(court: Court, *, location: str = "") -> Answer:
    return Answer(model=_shown(court), version=court.version, location=location)


def _shown(court: Court) -> CourtOut:
    caps = court.caps
    return CourtOut(
        id=court.court_id,
        name=court.name,
        zone=court.zone,
        warning_days=court.warning_days,
        caps=CapsOut(
            openers_per_day=caps.openers_per_day,
            contents_per_day=caps.contents_per_day,
            contents_per_30_days=caps.contents_per_30_days,
            earliest=f"{caps.earliest:%H:%M}",
            latest=f"{caps.latest:%H:%M}",
        ),
        version=court.version,
    )


_EXAMPLE = {"id": "lakeside", "name": "Lakeside District Court", "zone": "Europe/London", "warning_days": 3}
ROUTES = (
    Route(
        name="list_courts",
        method="GET",
        path="/courts",
        handler=list_courts,
        tag=_TAG,
        answer=CourtPage,
        query=PageQuery,
    ),
    Route(
        name="add_court",
        method="POST",
        path="/courts",
        handler=post_court,
        tag=_TAG,
        answer=CourtOut,
        status=201,
        body=CourtIn,
        example=_EXAMPLE,
    ),
    Route(
        name="show_court",
        method="GET",
        path="/courts/<id:court_id>",
        handler=get_court,
        tag=_TAG,
        answer=CourtOut,
    ),
    Route(
        name="change_court",
        method="PATCH",
        path="/courts/<id:court_id>",
        handler=patch_court,
        tag=_TAG,
        answer=CourtOut,
        body=CourtChange,
        example={"warning_days": 5},
        if_match=IfMatch.REQUIRED,
    ),
)
