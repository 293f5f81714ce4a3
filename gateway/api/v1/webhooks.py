"""`/webhooks`: where a court's own systems are told of its orders, and what became of each telling."""

from datetime import datetime

from pydantic import Field

from gateway.api.v1.fields import Input, Output, PageQuery, Switch
from gateway.api.v1.pages import cut, read_instant, write_instant
from gateway.api.v1.problems import at
from gateway.api.v1.route import Answer, Call, IfMatch, Route
from gateway.domain.events import Event
from gateway.outbox.endpoints import Endpoint
from gateway.outbox.ledger import Delivery, DeliveryState
from gateway.workflows.redeliver import deliveries_of, redeliver, redeliver_dead
from gateway.workflows.set_up_webhook import (
    Secreted,
    Wish,
    add_webhook,
    change_webhook,
    read_webhook,
    remove_webhook,
    rotate_secret,
    webhooks_of,
)

_TAG = "Webhooks"


class WebhookIn(Input):
    """A new endpoint; without `events` it is told of all."""

    url: str = Field(min_length=1, max_length=1000, description="https, or http to the gateway's own machine.")
    events: list[Event] = Field(default_factory=list, max_length=50)


class WebhookChange(Input):
    """What is to be different; what is left out stays."""

    url: str | None = Field(default=None, min_length=1, max_length=1000)
    events: list[Event] | None = Field(default=None, max_length=50)
    enabled: Switch | None = None


class WebhookOut(Output):
    """An endpoint; an empty list of events means all. While `old_secret_until` lasts, two secrets sign."""

    id: str
    court: str
    url: str
    events: list[Event]
    enabled: bool
    added_by: str
    added_at: datetime
    old_secret_until: datetime | None
    version: int


class SecretOut(Output):
    """An endpoint with its new secret, which is shown this once."""

    webhook: WebhookOut
    secret: str


class WebhookList(Output):
    """The endpoints of a court."""

    items: list[WebhookOut]


class DeliveryQuery(PageQuery):
    """Which deliveries to list."""

    state: DeliveryState | None = None


class DeliveryOut(Output):
    """One message to one endpoint. `dead` was given up after its last attempt."""

    id: str
    webhook: str
    message: str
    event: str
    state: DeliveryState
    attempts: int
    created_at: datetime
    due_at: datetime
    last_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None


class DeliveryPage(Output):
    """A page of deliveries, newest first."""

    items: list[DeliveryOut]
    next: str | None


class CountOut(Output):
    """How many."""

    count: int


def list_webhooks(call: Call, court_id: str) -> Answer:
    """List a court's endpoints."""
    found = webhooks_of(call.desk.office, court_id, call.actor)
    return Answer(model=WebhookList(items=[_shown(each) for each in found]))


def post_webhook(call: Call, court_id: str, body: WebhookIn) -> Answer:
    """Add an endpoint; its secret is shown once, in this answer."""
    with at("/url"):
        made = add_webhook(call.desk.office, court_id, body.url, body.events, call.errand)
    return _secreted(made)


def get_webhook(call: Call, webhook_id: str) -> Answer:
    """Show an endpoint."""
    return _answer(read_webhook(call.desk.office, webhook_id, call.actor))


def patch_webhook(call: Call, webhook_id: str, body: WebhookChange) -> Answer:
    """Change an endpoint, or switch it off and on; what waits for it meanwhile is kept."""
    wish = Wish(
        url=body.url,
        events=None if body.events is None else frozenset(body.events),
        enabled=body.enabled,
    )
    return _answer(change_webhook(call.desk.office, webhook_id, wish, call.errand, expected=call.expected))


def delete_webhook(call: Call, webhook_id: str) -> Answer:
    """Remove an endpoint with its address and secrets; what waited for it is dropped."""
    remove_webhook(call.desk.office, webhook_id, call.errand, expected=call.expected)
    return Answer()


def post_secret(call: Call, webhook_id: str) -> Answer:
    """Give an endpoint a new secret; for 24 hours the one before it signs too."""
    return _secreted(rotate_secret(call.desk.office, webhook_id, call.errand))


def list_deliveries(call: Call, webhook_id: str, query: DeliveryQuery) -> Answer:
    """List an endpoint's deliveries, newest first."""
    found = deliveries_of(
        call.desk.office,
        webhook_id,
        call.actor,
        state=query.state,
        after=read_instant(query.cursor),
        most=query.limit + 1,
    )
    page, cursor = cut(found, query.limit, lambda each: write_instant(each.cursor))
    return Answer(model=DeliveryPage(items=[_shown_delivery(each) for each in page], next=cursor), cursor=cursor)


def post_redelivery(call: Call, delivery_id: str) -> Answer:
    """Send one delivery again, with the same message id."""
    found = redeliver(call.desk.office, delivery_id, call.errand)
    return Answer(model=_shown_delivery(found))


def post_redelivery_of_dead(call: Call, webhook_id: str) -> Answer:
    """Send every dead delivery of an endpoint again."""
    return Answer(model=CountOut(count=redeliver_dead(call.desk.office, webhook_id, call.errand)))


def _answer(endpoint: Endpoint) -> Answer:
    return Answer(model=_shown(endpoint), version=endpoint.version)


def _secreted(made: Secreted) -> Answer:
    return Answer(
        model=SecretOut(webhook=_shown(made.endpoint), secret=made.secret),
        location=f"/api/v1/webhooks/{made.endpoint.endpoint_id}",
    )


def _shown(endpoint: Endpoint) -> WebhookOut:
    return WebhookOut(
        id=endpoint.endpoint_id,
        court=endpoint.court_id,
        url=endpoint.url,
        events=sorted(endpoint.events, key=lambda event: event.value),
        enabled=endpoint.enabled,
        added_by=endpoint.added_by,
        added_at=endpoint.added_at,
        old_secret_until=endpoint.previous_until,
        version=endpoint.version,
    )


def _shown_delivery(delivery: Delivery) -> DeliveryOut:
    return DeliveryOut(
        id=delivery.delivery_id,
        webhook=delivery.endpoint_id,
        message=delivery.message_id,
        event=delivery.event,
        state=delivery.state,
        attempts=delivery.attempts,
        created_at=delivery.created_at,
        due_at=delivery.due_at,
        last_attempt_at=delivery.last_attempt_at,
        last_status=delivery.last_status,
        last_error=delivery.last_error,
    )


_ONE = "/webhooks/<id:webhook_id>"
ROUTES = (
    Route(
        name="list_webhooks",
        method="GET",
        path="/courts/<id:court_id>/webhooks",
        handler=list_webhooks,
        tag=_TAG,
        answer=WebhookList,
    ),
    Route(
        name="add_webhook",
        method="POST",
        path="/courts/<id:court_id>/webhooks",
        handler=post_webhook,
        tag=_TAG,
        answer=SecretOut,
        status=201,
        body=WebhookIn,
        example={"url": "https://court.example.org/hooks", "events": ["order.lifted", "dispute.opened"]},
    ),
    Route(name="show_webhook", method="GET", path=_ONE, handler=get_webhook, tag=_TAG, answer=WebhookOut),
    Route(
        name="change_webhook",
        method="PATCH",
        path=_ONE,
        handler=patch_webhook,
        tag=_TAG,
        answer=WebhookOut,
        body=WebhookChange,
        example={"enabled": False},
        if_match=IfMatch.REQUIRED,
    ),
    Route(
        name="remove_webhook",
        if_match=IfMatch.OPTIONAL,
        method="DELETE",
        path=_ONE,
        handler=delete_webhook,
        tag=_TAG,
        status=204,
    ),
    Route(
        name="rotate_webhook_secret",
        method="POST",
        path=f"{_ONE}/rotate-secret",
        handler=post_secret,
        tag=_TAG,
        answer=SecretOut,
    ),
    Route(
        name="list_deliveries",
        method="GET",
        path=f"{_ONE}/deliveries",
        handler=list_deliveries,
        tag=_TAG,
        answer=DeliveryPage,
        query=DeliveryQuery,
    ),
    Route(
        name="redeliver_dead",
        method="POST",
        path=f"{_ONE}/redeliver-dead",
        handler=post_redelivery_of_dead,
        tag=_TAG,
        answer=CountOut,
    ),
    Route(
        name="redeliver",
        method="POST",
        path="/deliveries/<id:delivery_id>/redeliver",
        handler=post_redelivery,
        tag=_TAG,
        answer=DeliveryOut,
    ),
)
