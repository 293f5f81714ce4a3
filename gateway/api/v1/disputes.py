"""`/disputes`: the court's inbox of keys 3 and 9, and what an officer makes of them."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from gateway.api.v1.fields import Id, Input, LongText, Output, PageQuery
from gateway.api.v1.pages import cut, read_after
from gateway.api.v1.route import Answer, Call, Route
from gateway.domain.rights import Right
from gateway.domain.standing import Ground
from gateway.register.disputes import Dispute, DisputeQuery, Resolution
from gateway.workflows import read_orders
from gateway.workflows.resolve_dispute import resolve_dispute

_TAG = "Disputes"


class DisputesQuery(PageQuery):
    """Which disputes to list."""

    court: Id | None = None
    order: Id | None = None
    open: bool = Field(default=False, description="Only those that nobody has resolved.")


class ResolutionIn(Input):
    """`resume`: the line's notices go on. `lift`: the order ends. `remove_line`: the line leaves the order."""

    resolution: Resolution
    note: Annotated[LongText, Field(max_length=2000)] | None = None


class DisputeOut(Output):
    """One key pressed on one call."""

    id: str
    court: str
    order: str
    line: str
    ground: Ground
    opened_at: datetime
    resolution: Resolution | None
    resolved_at: datetime | None
    resolved_by: str | None
    note: str


class DisputePage(Output):
    """A page of disputes, oldest first."""

    items: list[DisputeOut]
    next: str | None


def list_disputes(call: Call, query: DisputesQuery) -> Answer:
    """List disputes, oldest first."""
    wanted = DisputeQuery(
        reach=call.actor.reach(Right.DISPUTES_READ),
        court_id=query.court or "",
        order_id=query.order or "",
        open_only=query.open,
        after=read_after(query.cursor) or "",
        limit=query.limit + 1,
    )
    found = read_orders.list_disputes(call.desk.office, wanted, call.errand)
    page, cursor = cut(found, query.limit, lambda each: (each.dispute_id,))
    return Answer(model=DisputePage(items=[_shown(each) for each in page], next=cursor), cursor=cursor)


def get_dispute(call: Call, dispute_id: str) -> Answer:
    """Show a dispute."""
    return Answer(model=_shown(read_orders.read_dispute(call.desk.office, dispute_id, call.errand)))


def post_resolution(call: Call, dispute_id: str, body: ResolutionIn) -> Answer:
    """Resolve a dispute; what was decided first stands."""
    resolved = resolve_dispute(call.desk.office, dispute_id, body.resolution, call.errand, note=body.note or "")
    return Answer(model=_shown(resolved))


def _shown(dispute: Dispute) -> DisputeOut:
    return DisputeOut(
        id=dispute.dispute_id,
        court=dispute.court_id,
        order=dispute.order_id,
        line=dispute.line_id,
        ground=dispute.ground,
        opened_at=dispute.opened_at,
        resolution=dispute.resolution,
        resolved_at=dispute.resolved_at,
        resolved_by=dispute.resolved_by,
        note=dispute.note,
    )


ROUTES = (
    Route(
        name="list_disputes",
        method="GET",
        path="/disputes",
        handler=list_disputes,
        tag=_TAG,
        answer=DisputePage,
        query=DisputesQuery,
    ),
    Route(
        name="show_dispute",
        method="GET",
        path="/disputes/<id:dispute_id>",
        handler=get_dispute,
        tag=_TAG,
        answer=DisputeOut,
    ),
    Route(
        name="resolve_dispute",
        method="POST",
        path="/disputes/<id:dispute_id>/resolve",
        handler=post_resolution,
        tag=_TAG,
        answer=DisputeOut,
        body=ResolutionIn,
        example={"resolution": "remove_line", "note": "The number was given to somebody else in January."},
        refusals=frozenset({410}),
    ),
)
