"""`/orders/{id}/...`: what officers, and a court's payment system, do to an order. Each is a verb of its own."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from gateway.api.v1.fields import Input, LongText, Sha256, ShortText
from gateway.api.v1.order_models import StandingOut, show_standing
from gateway.api.v1.route import Answer, Call, IfMatch, Route
from gateway.domain.order import Order
from gateway.workflows.approve_order import approve_order
from gateway.workflows.draft_order import return_order, submit_order
from gateway.workflows.end_order import lift_order, satisfy_order, suspend_order
from gateway.workflows.resume_order import extend_order, resume_order

_TAG = "Orders"


class ReasonIn(Input):
    """Why, in words that are kept encrypted with the order; it may be left out."""

    reason: Annotated[LongText, Field(max_length=2000)] | None = None


class ExtensionIn(Input):
    """Until when, and the new authority document that another officer uploaded."""

    valid_until: AwareDatetime
    document_sha256: Sha256


class SatisfactionIn(Input):
    """The payment's reference in the court's own books; it is kept as a keyed hash."""

    reference: ShortText


def post_submission(call: Call, order_id: str) -> Answer:
    """Hand a draft to the approvers."""
    return _standing(call, submit_order(call.desk.office, order_id, call.errand, expected=call.expected))


def post_return(call: Call, order_id: str) -> Answer:
    """Hand a submitted order back to who drafted it."""
    return _standing(call, return_order(call.desk.office, order_id, call.errand, expected=call.expected))


def post_approval(call: Call, order_id: str) -> Answer:
    """Approve a submitted order as its second officer; its warning period begins now."""
    return _standing(call, approve_order(call.desk.office, order_id, call.errand, expected=call.expected))


def post_suspension(call: Call, order_id: str, body: ReasonIn) -> Answer:
    """Silence an order; once this has answered, no call plays its notice."""
    office = call.desk.office
    return _standing(call, suspend_order(office.engine, office.keys, order_id, call.errand, reason=body.reason or ""))


def post_resumption(call: Call, order_id: str, body: ReasonIn) -> Answer:
    """Let a suspended order go on, as its second officer."""
    order = resume_order(call.desk.office, order_id, call.errand, expected=call.expected, reason=body.reason or "")
    return _standing(call, order)


def post_lift(call: Call, order_id: str, body: ReasonIn) -> Answer:
    """End an order for good; once this has answered, no call plays its notice. Lifting twice changes nothing."""
    office = call.desk.office
    return _standing(call, lift_order(office.engine, office.keys, order_id, call.errand, reason=body.reason or ""))


def post_extension(call: Call, order_id: str, body: ExtensionIn) -> Answer:
    """Let an order run longer, on a new document that another officer uploaded."""
    until: datetime = body.valid_until
    order = extend_order(
        call.desk.office,
        order_id,
        call.errand,
        valid_until=until,
        document_sha256=body.document_sha256,
        expected=call.expected,
    )
    return _standing(call, order)


def post_satisfaction(call: Call, order_id: str, body: SatisfactionIn) -> Answer:
    """Lift an order because its debt is paid, as a court's payment system reports it."""
    office = call.desk.office
    order = satisfy_order(office.engine, office.keys, order_id, call.errand, reference=body.reference)
    return _standing(call, order)


def _standing(call: Call, order: Order) -> Answer:
    return Answer(model=show_standing(order, call.at), version=order.version)


_OTHER = frozenset({410})
_REASON: dict[str, object] = {"reason": "The enforcement court asked for it."}
ROUTES = (
    Route(
        name="submit_order",
        method="POST",
        path="/orders/<id:order_id>/submit",
        handler=post_submission,
        tag=_TAG,
        answer=StandingOut,
        if_match=IfMatch.OPTIONAL,
        refusals=_OTHER,
    ),
    Route(
        name="return_order",
        method="POST",
        path="/orders/<id:order_id>/return",
        handler=post_return,
        tag=_TAG,
        answer=StandingOut,
        if_match=IfMatch.OPTIONAL,
        refusals=_OTHER,
    ),
    Route(
        name="approve_order",
        method="POST",
        path="/orders/<id:order_id>/approve",
        handler=post_approval,
        tag=_TAG,
        answer=StandingOut,
        if_match=IfMatch.REQUIRED,
        refusals=_OTHER,
    ),
    Route(
        name="suspend_order",
        method="POST",
        path="/orders/<id:order_id>/suspend",
        handler=post_suspension,
        tag=_TAG,
        answer=StandingOut,
        body=ReasonIn,
        example=_REASON,
        refusals=_OTHER,
    ),
    Route(
        name="resume_order",
        method="POST",
        path="/orders/<id:order_id>/resume",
        handler=post_resumption,
        tag=_TAG,
        answer=StandingOut,
        body=ReasonIn,
        example=_REASON,
        if_match=IfMatch.REQUIRED,
        refusals=_OTHER,
    ),
    Route(
        name="lift_order",
        method="POST",
        path="/orders/<id:order_id>/lift",
        handler=post_lift,
        tag=_TAG,
        answer=StandingOut,
        body=ReasonIn,
        example=_REASON,
        refusals=_OTHER,
    ),
    Route(
        name="extend_order",
        method="POST",
        path="/orders/<id:order_id>/extend",
        handler=post_extension,
        tag=_TAG,
        answer=StandingOut,
        body=ExtensionIn,
        example={"valid_until": "2026-12-31T00:00:00+00:00", "document_sha256": "0" * 64},
        if_match=IfMatch.REQUIRED,
        refusals=_OTHER,
    ),
    Route(
        name="report_satisfaction",
        method="POST",
        path="/orders/<id:order_id>/satisfaction",
        handler=post_satisfaction,
        tag=_TAG,
        answer=StandingOut,
        body=SatisfactionIn,
        example={"reference": "PAY-2026-81724"},
        refusals=_OTHER,
    ),
)
