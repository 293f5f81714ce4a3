"""`/orders`: drafting, finding and reading orders.

Numbers and case numbers are looked for by POST: an address with a telephone number in it would stand in every log on
its way.
"""

from datetime import datetime
from typing import Self

from pydantic import Field, model_validator

from gateway.api.v1.fields import Id, Input, Number, Output, PageQuery, ShortText
from gateway.api.v1.order_models import (
    LineOut,
    OrderChange,
    OrderIn,
    OrderOut,
    OrderPage,
    StandingOut,
    merge,
    read_request,
    show_line,
    show_order,
    show_standing,
)
from gateway.api.v1.pages import cut, read_after
from gateway.api.v1.problems import at
from gateway.api.v1.route import Answer, Call, IfMatch, Route
from gateway.domain.e164 import E164
from gateway.domain.errors import StaleVersionError
from gateway.domain.order import Order, OrderState
from gateway.domain.rights import Right
from gateway.register.errors import PurgedOrderError
from gateway.register.order_list import OrderQuery
from gateway.workflows import read_orders
from gateway.workflows.draft_order import draft_order, edit_draft

_TAG = "Orders"


class OrdersQuery(PageQuery):
    """Which orders to list."""

    court: Id | None = None
    district: Id | None = Field(default=None, description="With all districts below it.")
    state: OrderState | None = None
    batch: Id | None = None


class OrderSearch(Input):
    """What to look for: a case number of one court, a line, or both."""

    court: Id | None = None
    case_number: ShortText | None = None
    line: Number | None = None
    limit: int = Field(default=50, ge=1, le=200, strict=True)
    cursor: str | None = Field(default=None, max_length=400)

    @model_validator(mode="after")
    def _is_sought(self) -> Self:
        if self.case_number is None and self.line is None:
            raise ValueError("name a case number or a line")
        if self.case_number is not None and self.court is None:
            raise ValueError("name the court whose case number it is")
        return self


class RemarkOut(Output):
    """What an officer wrote; `about` is the audit trail's tag of what was done."""

    about: str
    text: str
    written_by: str
    at: datetime


class RemarkList(Output):
    """What officers wrote about an order, oldest first."""

    items: list[RemarkOut]


class LineList(Output):
    """The lines of one order."""

    items: list[LineOut]


def list_orders(call: Call, query: OrdersQuery) -> Answer:
    """List orders, newest first."""
    return _page(
        call,
        OrderQuery(
            reach=call.actor.reach(Right.ORDERS_READ),
            court_id=query.court or "",
            district_id=query.district or "",
            state=query.state,
            batch_id=query.batch or "",
            after=read_after(query.cursor) or "",
            limit=query.limit + 1,
        ),
    )


def search_orders(call: Call, body: OrderSearch) -> Answer:
    """Find orders by case number or line; neither may stand in an address, which is logged on its way."""
    with at("/line"):
        line = None if body.line is None else E164.parse(body.line)
    return _page(
        call,
        OrderQuery(
            reach=call.actor.reach(Right.ORDERS_READ),
            court_id=body.court or "",
            case_number=body.case_number or "",
            line=line,
            after=read_after(body.cursor) or "",
            limit=body.limit + 1,
        ),
    )


def post_order(call: Call, body: OrderIn) -> Answer:
    """Draft an order; nothing is heard before a second officer has approved it."""
    order = draft_order(call.desk.office, read_request(body), call.errand)
    model = show_standing(order, call.at)
    return Answer(model=model, version=order.version, location=f"/api/v1/orders/{order.order_id}")


def get_order(call: Call, order_id: str) -> Answer:
    """Show an order with its subject and lines."""
    listed = read_orders.read_order(call.desk.office, order_id, call.errand)
    return Answer(model=show_order(listed, call.at), version=listed.order.version)


def get_lines(call: Call, order_id: str) -> Answer:
    """List the lines of an order."""
    return Answer(
        model=LineList(
            items=[show_line(entry) for entry in read_orders.read_order(call.desk.office, order_id, call.errand).lines]
        )
    )


def get_remarks(call: Call, order_id: str) -> Answer:
    """List what officers wrote when they suspended, resumed or lifted an order."""
    found = read_orders.read_remarks(call.desk.office, order_id, call.errand)
    items = [RemarkOut(about=each.about, text=each.text, written_by=each.written_by, at=each.at) for each in found]
    return Answer(model=RemarkList(items=items))


def patch_order(call: Call, order_id: str, body: OrderChange) -> Answer:
    """Change a draft; who changes it has drafted it, and cannot approve it."""
    listed = read_orders.read_order(call.desk.office, order_id, call.errand)
    present = listed.order
    if not isinstance(present, Order):
        raise PurgedOrderError(order=order_id, at=present.purged_at)
    if call.expected is None or present.version != call.expected:
        raise StaleVersionError(what=f"Order {order_id}")
    request = merge(present, listed.lines, body)
    order = edit_draft(call.desk.office, order_id, request, call.errand, expected=call.expected)
    return Answer(model=show_standing(order, call.at), version=order.version)


def _page(call: Call, query: OrderQuery) -> Answer:
    found = read_orders.list_orders(call.desk.office, query, call.errand)
    page, cursor = cut(found, query.limit - 1, lambda each: (each.order.order_id,))
    return Answer(model=OrderPage(items=[show_order(each, call.at) for each in page], next=cursor), cursor=cursor)


_EXAMPLE = {
    "court": "lakeside",
    "district": "lakeside-north",
    "case_number": "LC-2026-000417",
    "subject": {
        "kind": "organisation",
        "name": "Example Trading Ltd",
        "identifier": {"scheme": "company_gb", "value": "01234567"},
    },
    "lines": [
        {"number": "+442079460110", "zone": "Europe/London", "evidence": "https://example.com/contact, 2026-03-01"}
    ],
    "legal_basis": "Section 12 of the Publication of Judgments Act",
    "document_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "valid_days": 90,
}
ROUTES = (
    Route(
        name="list_orders",
        method="GET",
        path="/orders",
        handler=list_orders,
        tag=_TAG,
        answer=OrderPage,
        query=OrdersQuery,
    ),
    Route(
        name="search_orders",
        method="POST",
        path="/orders/search",
        handler=search_orders,
        tag=_TAG,
        answer=OrderPage,
        body=OrderSearch,
        example={"court": "lakeside", "case_number": "LC-2026-000417"},
    ),
    Route(
        name="draft_order",
        method="POST",
        path="/orders",
        handler=post_order,
        tag=_TAG,
        answer=StandingOut,
        status=201,
        body=OrderIn,
        example=_EXAMPLE,
        refusals=frozenset({404}),
    ),
    Route(
        name="show_order",
        method="GET",
        path="/orders/<id:order_id>",
        handler=get_order,
        tag=_TAG,
        answer=OrderOut,
    ),
    Route(
        name="list_lines",
        method="GET",
        path="/orders/<id:order_id>/lines",
        handler=get_lines,
        tag=_TAG,
        answer=LineList,
    ),
    Route(
        name="list_remarks",
        method="GET",
        path="/orders/<id:order_id>/remarks",
        handler=get_remarks,
        tag=_TAG,
        answer=RemarkList,
    ),
    Route(
        name="edit_draft",
        method="PATCH",
        path="/orders/<id:order_id>",
        handler=patch_order,
        tag=_TAG,
        answer=StandingOut,
        body=OrderChange,
        example={"valid_days": 120},
        if_match=IfMatch.REQUIRED,
        refusals=frozenset({409, 410}),
    ),
)
