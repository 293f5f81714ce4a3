"""What the outbox refuses."""

from gateway.domain.errors import GatewayError


class WebhookUrlError(GatewayError):
    """This URL cannot take webhooks: {why}. Write for example https://court.example.org/hooks."""

    code = "webhook_url"


class UnknownWebhookError(GatewayError):
    """There is no webhook endpoint {shown!r}; `notice-gateway webhooks list` shows those of a court."""

    code = "unknown_webhook"


class UnknownDeliveryError(GatewayError):
    """There is no delivery {shown!r}; `notice-gateway webhooks deliveries` shows those of an endpoint."""

    code = "unknown_delivery"


class WebhookDisabledError(GatewayError):
    """Webhook endpoint {endpoint} is disabled, and nothing is sent to it; enable it first."""

    code = "webhook_disabled"


class UnderWayError(GatewayError):
    """Delivery {delivery} is under way at this moment; look at it again in a minute."""

    code = "delivery_under_way"
