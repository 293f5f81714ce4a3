"""Tell the gateway where a court wants to be told: add, change, disable and remove endpoints, renew their secrets."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from gateway.audit.tags import Tag
from gateway.domain.errors import StaleVersionError
from gateway.domain.events import Event
from gateway.domain.rights import Actor, Right
from gateway.outbox import endpoints
from gateway.outbox.address import read_address
from gateway.outbox.endpoints import Endpoint
from gateway.outbox.errors import UnknownWebhookError
from gateway.privacy.field import FieldCipher
from gateway.workflows.access import demand_court, sees_court
from gateway.workflows.change import Change, Errand, change
from gateway.workflows.office import Office


@dataclass(frozen=True, slots=True, kw_only=True)
class Secreted:
    """An endpoint with a secret that was just made: it is shown once, here, and never again."""

    endpoint: Endpoint
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to change of an endpoint; what is None stays."""

    url: str | None = None
    events: frozenset[Event] | None = None
    enabled: bool | None = None


def add_webhook(office: Office, court_id: str, url: str, events: Iterable[Event], errand: Errand) -> Secreted:
    """Add an endpoint for `events`, or for all. Raises WebhookUrlError, UnknownEntryError, NotAllowedError."""
    secret = endpoints.new_secret()
    endpoint = Endpoint(
        endpoint_id=f"whk_{secrets.token_hex(6)}",
        court_id=court_id,
        url=read_address(url),
        events=frozenset(events),
        enabled=True,
        version=1,
        added_by=errand.actor.actor_id,
        added_at=errand.at,
        previous_until=None,
    )
    with change(office.engine, office.keys, errand) as under_way:
        demand_court(under_way.connection, errand.actor, court_id, Right.WEBHOOKS_MANAGE)
        endpoints.add(under_way.connection, endpoint, secret, office.cipher)
        _note(under_way, Tag.WEBHOOK_ADDED, endpoint)
    return Secreted(endpoint=endpoint, secret=secret)


def change_webhook(
    office: Office, endpoint_id: str, wish: Wish, errand: Errand, *, expected: int | None = None
) -> Endpoint:
    """Change an endpoint; what waits for one that is disabled goes on waiting until it is enabled again.

    Raises WebhookUrlError, UnknownWebhookError, NotAllowedError, StaleVersionError.
    """
    url = None if wish.url is None else read_address(wish.url)
    cipher = office.cipher
    with change(office.engine, office.keys, errand) as under_way:
        present = held(under_way, endpoint_id, cipher)
        _demand_version(present, expected)
        changed = replace(
            present,
            url=present.url if url is None else url,
            events=present.events if wish.events is None else wish.events,
            enabled=present.enabled if wish.enabled is None else wish.enabled,
            version=present.version + 1,
        )
        endpoints.save(under_way.connection, changed, cipher)
        _note(under_way, Tag.WEBHOOK_CHANGED, changed, url_changed=changed.url != present.url)
    return changed


def remove_webhook(office: Office, endpoint_id: str, errand: Errand, *, expected: int | None = None) -> None:
    """Remove an endpoint with its address and secrets; what waited for it is dropped. Raises as `change_webhook`."""
    cipher = office.cipher
    with change(office.engine, office.keys, errand) as under_way:
        present = held(under_way, endpoint_id, cipher)
        _demand_version(present, expected)
        endpoints.remove(under_way.connection, endpoint_id, cipher, errand.at)
        _note(under_way, Tag.WEBHOOK_REMOVED, replace(present, enabled=False))


def rotate_secret(office: Office, endpoint_id: str, errand: Errand) -> Secreted:
    """Give an endpoint a new secret; for 24 hours the one before it signs too. Raises as `change_webhook`."""
    cipher = office.cipher
    secret = endpoints.new_secret()
    with change(office.engine, office.keys, errand) as under_way:
        present = held(under_way, endpoint_id, cipher)
        endpoints.rotate(under_way.connection, present, secret, cipher, errand.at)
        rotated = endpoints.get(under_way.connection, endpoint_id, cipher)
        _note(under_way, Tag.WEBHOOK_CHANGED, rotated, secret_rotated=True)
    return Secreted(endpoint=rotated, secret=secret)


def webhooks_of(office: Office, court_id: str, actor: Actor) -> tuple[Endpoint, ...]:
    """Return the endpoints of a court. Raises NotAllowedError, UnknownEntryError."""
    with office.reading.connect() as connection:
        demand_court(connection, actor, court_id, Right.WEBHOOKS_MANAGE)
        return endpoints.of_court(connection, court_id, office.cipher)


def read_webhook(office: Office, endpoint_id: str, actor: Actor) -> Endpoint:
    """Return one endpoint. Raises UnknownWebhookError, NotAllowedError."""
    with office.reading.connect() as connection:
        return reachable(connection, actor, endpoint_id, office.cipher)


def reachable(connection: Connection, actor: Actor, endpoint_id: str, cipher: FieldCipher) -> Endpoint:
    """Return an endpoint that `actor` may manage; to who may not even see its court there is no such endpoint.

    Raises UnknownWebhookError, NotAllowedError.
    """
    found = endpoints.get(connection, endpoint_id, cipher)
    if not sees_court(actor, found.court_id):
        raise UnknownWebhookError(shown=endpoint_id)
    demand_court(connection, actor, found.court_id, Right.WEBHOOKS_MANAGE)
    return found


def held(under_way: Change, endpoint_id: str, cipher: FieldCipher) -> Endpoint:
    """Return an endpoint as `reachable` does, while others who want to change it wait."""
    endpoints.hold(under_way.connection, endpoint_id)
    return reachable(under_way.connection, under_way.errand.actor, endpoint_id, cipher)


def _demand_version(endpoint: Endpoint, expected: int | None) -> None:
    if expected not in {None, endpoint.version}:
        raise StaleVersionError(what=f"Webhook endpoint {endpoint.endpoint_id}")


def _note(under_way: Change, tag: Tag, endpoint: Endpoint, **more: bool) -> None:
    """Write the trail: what the endpoint is told of, and never where it is, for the URL may hold a secret."""
    events = ",".join(sorted(each.value for each in endpoint.events)) or "all"
    court_id = endpoint.court_id
    under_way.note(tag, endpoint.endpoint_id, court_id=court_id, events=events, enabled=endpoint.enabled, **more)
