"""What a rotation of keys writes again in the outbox: where courts want to be told, and what signs it."""

from gateway.outbox.tables import endpoints
from gateway.privacy.rewrite import Sealed

SEALED = (Sealed(table=endpoints, name="webhook_endpoints", columns=("url", "secret", "previous_secret")),)
