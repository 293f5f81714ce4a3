"""Look at what was sent to an endpoint, and send it again."""

from datetime import datetime

from gateway.audit.tags import Tag
from gateway.domain.rights import Actor
from gateway.outbox import ledger
from gateway.outbox.endpoints import Endpoint
from gateway.outbox.errors import UnknownDeliveryError, UnknownWebhookError, WebhookDisabledError
from gateway.outbox.ledger import Delivery, DeliveryState
from gateway.workflows.change import Errand, change
from gateway.workflows.office import Office
from gateway.workflows.set_up_webhook import held, reachable

PAGE = 100


def deliveries_of(
    office: Office,
    endpoint_id: str,
    actor: Actor,
    *,
    state: DeliveryState | None = None,
    after: tuple[datetime, str] | None = None,
    most: int = PAGE,
) -> tuple[Delivery, ...]:
    """Return an endpoint's deliveries, the newest first. Raises UnknownWebhookError, NotAllowedError."""
    with office.reading.connect() as connection:
        reachable(connection, actor, endpoint_id, office.cipher)
        return ledger.of_endpoint(connection, endpoint_id, state=state, after=after, most=most)


def redeliver(office: Office, delivery_id: str, errand: Errand) -> Delivery:
    """Send one delivery again, whatever became of it: the same message with the same id, and all attempts anew.

    Raises UnknownDeliveryError, NotAllowedError, WebhookDisabledError, UnderWayError.
    """
    with change(office.engine, office.keys, errand) as under_way:
        found = ledger.get(under_way.connection, delivery_id)
        try:
            endpoint = held(under_way, found.endpoint_id, office.cipher)
        except UnknownWebhookError as error:
            raise UnknownDeliveryError(shown=delivery_id) from error
        _demand_enabled(endpoint)
        ledger.send_again(under_way.connection, delivery_id, errand.at)
        under_way.note(
            Tag.WEBHOOK_REDELIVERED, endpoint.endpoint_id, court_id=endpoint.court_id, delivery=delivery_id, count=1
        )
        return ledger.get(under_way.connection, delivery_id)


def redeliver_dead(office: Office, endpoint_id: str, errand: Errand) -> int:
    """Send every dead delivery of an endpoint again and return how many there are.

    Raises UnknownWebhookError, NotAllowedError, WebhookDisabledError.
    """
    with change(office.engine, office.keys, errand) as under_way:
        endpoint = held(under_way, endpoint_id, office.cipher)
        _demand_enabled(endpoint)
        count = ledger.send_dead_again(under_way.connection, endpoint_id, errand.at)
        under_way.note(Tag.WEBHOOK_REDELIVERED, endpoint_id, court_id=endpoint.court_id, count=count)
        return count


def _demand_enabled(endpoint: Endpoint) -> None:
    if not endpoint.enabled:
        raise WebhookDisabledError(endpoint=endpoint.endpoint_id)
