"""Who may say where a court is told, what addresses are taken, and what of them is kept and how."""

import base64

import pytest
from sqlalchemy import select

from gateway.assembly import Parts
from gateway.audit.tables import trail
from gateway.domain.errors import StaleVersionError
from gateway.domain.events import Event
from gateway.domain.rights import GATEWAY, Actor, InCourt, NotAllowedError, Role
from gateway.outbox.address import read_address
from gateway.outbox.errors import UnknownDeliveryError, UnknownWebhookError, WebhookDisabledError, WebhookUrlError
from gateway.outbox.tables import endpoints
from gateway.register.errors import UnknownEntryError
from gateway.workflows.redeliver import deliveries_of, redeliver, redeliver_dead
from gateway.workflows.set_up_webhook import (
    Wish,
    add_webhook,
    change_webhook,
    read_webhook,
    remove_webhook,
    rotate_secret,
    webhooks_of,
)
from tests.blank import COURT, OTHER_COURT
from tests.outbox.mailroom import Mailroom, somebody

URL = "https://court.example.org/hooks?token=a-secret-of-theirs"


@pytest.fixture
def room(blank: Parts) -> Mailroom:
    return Mailroom(blank)


@pytest.mark.parametrize(
    "url",
    [
        "https://court.example.org/hooks",
        "https://10.1.2.3:8443/",
        "http://127.0.0.1:9000/hooks",
        "http://localhost/hooks",
        "http://[::1]:9000/",
        "http://127.8.8.8",
    ],
)
def test_https_is_taken_and_http_only_to_this_machine(url: str) -> None:
    assert read_address(url) == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://court.example.org/hooks", "not https"),
        ("http://127.0.0.1.example.org/", "not https"),
        ("http://localhost.example.org/", "not https"),
        ("http://10.0.0.1/", "not https"),
        ("ftp://court.example.org/", "not https"),
        ("file:///etc/passwd", "no host"),
        ("https://", "no host"),
        ("https://user:pass@court.example.org/", "a user or a password"),
        ("https://user@court.example.org/", "a user or a password"),
        ("https://:@court.example.org/", "a user or a password"),
        ("https://court.example.org:99999/", "not a URL"),
        ("https://court.example.org:0/", "port 0"),
        ("https://[::1/", "not a URL"),
        ("https://court.example.org/#part", "fragment"),
        ("https://court.example.org/a b", "characters"),
        ("https://court.example.org/\r\nhost: x", "characters"),
        ("https://gericht-münchen.example.org/", "characters"),
        ("https://court.example.org/" + "a" * 1000, "longer"),
        ("", "no host"),
    ],
)
def test_what_cannot_take_webhooks_is_refused_and_not_quoted(url: str, why: str) -> None:
    with pytest.raises(WebhookUrlError) as refused:
        read_address(url)
    assert why in str(refused.value)
    assert "pass@" not in str(refused.value)


def test_neither_the_address_nor_a_secret_stands_in_the_clear_in_the_database_or_the_trail(room: Mailroom) -> None:
    made = room.endpoint(URL, Event.ORDER_LIFTED)
    rotated = rotate_secret(room.office, made.endpoint.endpoint_id, room.errand())
    assert made.secret != rotated.secret
    assert made.secret.startswith("whsec_")
    assert len(base64.b64decode(made.secret.removeprefix("whsec_"))) == 32
    with room.parts.reading.connect() as connection:
        stored = repr(connection.execute(select(endpoints)).one()) + repr(connection.execute(select(trail)).all())
    for secret in (URL, "court.example.org", "a-secret-of-theirs", made.secret, rotated.secret):
        assert secret not in stored
        assert secret not in repr(made)


def test_a_removed_endpoint_leaves_neither_address_nor_secret_behind(room: Mailroom) -> None:
    made = room.endpoint(URL)
    rotate_secret(room.office, made.endpoint.endpoint_id, room.errand())
    remove_webhook(room.office, made.endpoint.endpoint_id, room.errand())
    assert webhooks_of(room.office, COURT, GATEWAY) == ()
    with pytest.raises(UnknownWebhookError):
        read_webhook(room.office, made.endpoint.endpoint_id, GATEWAY)
    with room.parts.reading.connect() as connection:
        row = connection.execute(select(endpoints)).one()
    cipher, place = room.office.cipher, made.endpoint.endpoint_id
    assert cipher.decrypt(row.url, place=f"webhook_endpoints.url:{place}") == ""
    assert cipher.decrypt(row.secret, place=f"webhook_endpoints.secret:{place}") == ""
    assert row.previous_secret is None


def test_a_change_says_what_it_changes_and_counts_the_version(room: Mailroom) -> None:
    made = room.endpoint(URL, Event.ORDER_LIFTED)
    name = made.endpoint.endpoint_id
    changed = change_webhook(
        room.office, name, Wish(url="https://new.example.org/", events=frozenset()), room.errand(), expected=1
    )
    assert (changed.url, changed.events, changed.enabled, changed.version) == (
        "https://new.example.org/",
        frozenset(),
        True,
        2,
    )
    assert read_webhook(room.office, name, GATEWAY) == changed
    with pytest.raises(StaleVersionError):
        change_webhook(room.office, name, Wish(enabled=False), room.errand(), expected=1)
    with pytest.raises(StaleVersionError):
        remove_webhook(room.office, name, room.errand(), expected=1)
    assert read_webhook(room.office, name, GATEWAY) == changed


def test_the_trail_tells_of_every_change(room: Mailroom) -> None:
    name = room.endpoint(URL).endpoint.endpoint_id
    change_webhook(room.office, name, Wish(enabled=False), room.errand())
    rotate_secret(room.office, name, room.errand())
    remove_webhook(room.office, name, room.errand())
    with room.parts.reading.connect() as connection:
        rows = connection.execute(select(trail.c.tag, trail.c.subject_id, trail.c.court_id).order_by(trail.c.seq)).all()
    tags = ["office:webhook:added", "office:webhook:changed", "office:webhook:changed", "office:webhook:removed"]
    assert [tuple(row) for row in rows] == [(tag, name, COURT) for tag in tags]


def everything_that_names_it(room: Mailroom, actor: Actor, endpoint_id: str, refusal: type[Exception]) -> None:
    errand = room.errand(actor)
    with pytest.raises(refusal):
        read_webhook(room.office, endpoint_id, actor)
    with pytest.raises(refusal):
        change_webhook(room.office, endpoint_id, Wish(enabled=False), errand)
    with pytest.raises(refusal):
        rotate_secret(room.office, endpoint_id, errand)
    with pytest.raises(refusal):
        remove_webhook(room.office, endpoint_id, errand)
    with pytest.raises(refusal):
        deliveries_of(room.office, endpoint_id, actor)
    with pytest.raises(refusal):
        redeliver_dead(room.office, endpoint_id, errand)


def test_to_an_administrator_of_another_court_an_endpoint_does_not_exist(room: Mailroom) -> None:
    made = room.endpoint(URL)
    room.tell()
    room.office  # noqa: B018  (opened before the stranger asks)
    stranger = somebody(Role.ADMINISTRATOR, InCourt(court_id=OTHER_COURT))
    everything_that_names_it(room, stranger, made.endpoint.endpoint_id, UnknownWebhookError)
    with pytest.raises(UnknownEntryError):
        webhooks_of(room.office, COURT, stranger)
    with pytest.raises(UnknownEntryError):
        add_webhook(room.office, COURT, URL, (), room.errand(stranger))


def test_a_clerk_of_the_court_may_not_manage_its_webhooks(room: Mailroom) -> None:
    made = room.endpoint(URL)
    clerk = somebody(Role.CLERK, InCourt(court_id=COURT))
    everything_that_names_it(room, clerk, made.endpoint.endpoint_id, NotAllowedError)
    with pytest.raises(NotAllowedError):
        webhooks_of(room.office, COURT, clerk)
    with pytest.raises(NotAllowedError):
        add_webhook(room.office, COURT, URL, (), room.errand(clerk))


def test_the_courts_own_administrator_may(room: Mailroom) -> None:
    own = somebody(Role.ADMINISTRATOR, InCourt(court_id=COURT))
    made = add_webhook(room.office, COURT, URL, (), room.errand(own))
    assert webhooks_of(room.office, COURT, own) == (made.endpoint,)


def test_a_delivery_of_another_court_does_not_exist_and_none_goes_to_a_disabled_endpoint(room: Mailroom) -> None:
    made = room.endpoint("http://127.0.0.1:1/")
    room.tell()
    room.deliver()
    delivery = room.only(made).delivery_id
    stranger = somebody(Role.ADMINISTRATOR, InCourt(court_id=OTHER_COURT))
    with pytest.raises(UnknownDeliveryError):
        redeliver(room.office, delivery, room.errand(stranger))
    with pytest.raises(UnknownDeliveryError):
        redeliver(room.office, "dlv_nowhere", room.errand())
    change_webhook(room.office, made.endpoint.endpoint_id, Wish(enabled=False), room.errand())
    with pytest.raises(WebhookDisabledError):
        redeliver(room.office, delivery, room.errand())
    with pytest.raises(WebhookDisabledError):
        redeliver_dead(room.office, made.endpoint.endpoint_id, room.errand())


def test_a_court_that_is_not_there_is_named(room: Mailroom) -> None:
    with pytest.raises(UnknownEntryError):
        room.endpoint(URL, court_id="nowhere")


def test_a_list_of_deliveries_goes_on_where_it_ended(room: Mailroom) -> None:
    made = room.endpoint("http://127.0.0.1:1/")
    for _ in range(5):
        room.tell()
    room.deliver()
    everything = room.deliveries(made)
    name = made.endpoint.endpoint_id
    first = deliveries_of(room.office, name, GATEWAY, most=2)
    rest = deliveries_of(room.office, name, GATEWAY, after=first[-1].cursor)
    assert (*first, *rest) == everything
    assert len(everything) == 5
