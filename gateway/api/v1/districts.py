"""`/districts`: the tree of districts and its switches."""

from datetime import datetime

from pydantic import Field

from gateway.api.v1.fields import Id, Input, Name, Output, PageQuery, Reason, Slug, Switch
from gateway.api.v1.pages import cut, read_after
from gateway.api.v1.route import Answer, Call, IfMatch, Route
from gateway.domain.court import District
from gateway.register import districts
from gateway.workflows.access import sees_court
from gateway.workflows.set_up_court import add_district
from gateway.workflows.switch_district import switch_district

_TAG = "Districts"


class DistrictIn(Input):
    """A new district; it is switched on."""

    id: Slug
    court: Id
    name: Name
    parent: Id | None = Field(default=None, description="The district above it, of the same court.")


class SwitchIn(Input):
    """Which way to switch a district, and why; the reason is kept in the audit trail and names nobody."""

    enabled: Switch
    reason: Reason


class DistrictQuery(PageQuery):
    """Which districts to list."""

    court: Id | None = None


class DistrictOut(Output):
    """A district. `heard` is false where it, or one above it, is switched off."""

    id: str
    court: str
    name: str
    parent: str | None
    enabled: bool
    heard: bool
    reason: str
    switched_at: datetime | None
    version: int


class DistrictPage(Output):
    """A page of districts, by their ids."""

    items: list[DistrictOut]
    next: str | None


def list_districts(call: Call, query: DistrictQuery) -> Answer:
    """List the districts of the courts that are any of your business."""
    after = read_after(query.cursor)
    visible = sorted(
        (
            (district, heard)
            for district, heard in _tree(call)
            if query.court in {None, district.court_id} and (after is None or district.district_id > after)
        ),
        key=lambda each: each[0].district_id,
    )
    page, cursor = cut(visible, query.limit, lambda each: (each[0].district_id,))
    model = DistrictPage(items=[_shown(district, heard=heard) for district, heard in page], next=cursor)
    return Answer(model=model, cursor=cursor)


def post_district(call: Call, body: DistrictIn) -> Answer:
    """Add a district to a court."""
    district = District(
        district_id=body.id, court_id=body.court, name=body.name, parent_id=body.parent, enabled=True, reason=""
    )
    add_district(call.desk.office.engine, call.desk.keys, district, call.errand)
    answer = _answer(call, body.id)
    return Answer(model=answer.model, version=answer.version, location=f"/api/v1/districts/{body.id}")


def get_district(call: Call, district_id: str) -> Answer:
    """Show a district."""
    return _answer(call, district_id)


def post_switch(call: Call, district_id: str, body: SwitchIn) -> Answer:
    """Switch a district on or off; once this has answered, no call plays a notice of what is off."""
    switch_district(
        call.desk.office.engine,
        call.desk.keys,
        district_id,
        call.errand,
        to_enabled=body.enabled,
        reason=body.reason,
        expected=call.expected,
    )
    return _answer(call, district_id)


def _tree(call: Call) -> list[tuple[District, bool]]:
    with call.desk.reading.connect() as connection:
        return [each for each in districts.tree(connection) if sees_court(call.actor, each[0].court_id)]


def _answer(call: Call, district_id: str) -> Answer:
    for district, heard in _tree(call):
        if district.district_id == district_id:
            return Answer(model=_shown(district, heard=heard), version=district.version)
    raise districts.unknown(district_id)


def _shown(district: District, *, heard: bool) -> DistrictOut:
    return DistrictOut(
        id=district.district_id,
        court=district.court_id,
        name=district.name,
        parent=district.parent_id,
        enabled=district.enabled,
        heard=heard,
        reason=district.reason,
        switched_at=district.switched_at,
        version=district.version,
    )


ROUTES = (
    Route(
        name="list_districts",
        method="GET",
        path="/districts",
        handler=list_districts,
        tag=_TAG,
        answer=DistrictPage,
        query=DistrictQuery,
    ),
    Route(
        name="add_district",
        method="POST",
        path="/districts",
        handler=post_district,
        tag=_TAG,
        answer=DistrictOut,
        status=201,
        body=DistrictIn,
        example={"id": "lakeside-north", "court": "lakeside", "name": "Lakeside North"},
        refusals=frozenset({403, 404}),
    ),
    Route(
        name="show_district",
        method="GET",
        path="/districts/<id:district_id>",
        handler=get_district,
        tag=_TAG,
        answer=DistrictOut,
    ),
    Route(
        name="switch_district",
        method="POST",
        path="/districts/<id:district_id>/switch",
        handler=post_switch,
        tag=_TAG,
        answer=DistrictOut,
        body=SwitchIn,
        example={"enabled": False, "reason": "The district's registry asked for a pause."},
        if_match=IfMatch.OPTIONAL,
    ),
)
