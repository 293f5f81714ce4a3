"""A message reaches every endpoint that wants it, signed; what goes wrong is tried again, and at last given up."""

import socket
import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import select
from standardwebhooks.webhooks import WebhookVerificationError

from gateway.assembly import Parts
from gateway.audit.tables import trail
from gateway.clock import utc_now
from gateway.domain.events import Event
from gateway.domain.rights import GATEWAY
from gateway.outbox.ledger import DeliveryState
from gateway.outbox.tables import messages
from gateway.workflows.change import change
from gateway.workflows.deliver_webhooks import DELAYS
from gateway.workflows.redeliver import redeliver, redeliver_dead
from gateway.workflows.set_up_webhook import (
    Secreted,
    Wish,
    change_webhook,
    read_webhook,
    remove_webhook,
    rotate_secret,
)
from tests.blank import COURT, OTHER_COURT
from tests.outbox.mailroom import Mailroom
from tests.receiver import Receiver, Reply, receiving

FIVE_MINUTES = timedelta(minutes=5)


@pytest.fixture
def room(blank: Parts) -> Mailroom:
    return Mailroom(blank)


def a_silent_url() -> str:
    """Return the URL of a port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/hooks"


def test_a_message_is_delivered_once_and_signed_as_standard_webhooks_has_it(room: Mailroom) -> None:
    with receiving() as receiver:
        made = room.endpoint(receiver.url + "?from=gateway")
        room.tell(order="ord_42")
        assert room.deliver() == 1
        assert room.deliver() == 0
        (received,) = receiver.received
    message = received.verified_with(made.secret)
    assert message == {
        "type": "order.lifted",
        "timestamp": room.at.isoformat(),
        "data": {"court": COURT, "order": "ord_42"},
    }
    assert received.path == "/hooks?from=gateway"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["webhook-id"] == room.only(made).message_id
    assert received.headers["webhook-timestamp"] == str(int(room.at.timestamp()))
    with pytest.raises(WebhookVerificationError):
        received.verified_with("whsec_" + "A" * 32)
    assert room.states(made) == [("delivered", 1)]
    assert (room.only(made).last_status, room.only(made).last_error) == (204, None)


def test_an_endpoint_is_told_of_its_own_court_and_its_own_events_only(room: Mailroom) -> None:
    with receiving() as everything, receiving() as disputes, receiving() as elsewhere:
        room.endpoint(everything.url)
        room.endpoint(disputes.url, Event.DISPUTE_OPENED, Event.DISPUTE_RESOLVED)
        room.endpoint(elsewhere.url, court_id=OTHER_COURT)
        room.tell(Event.ORDER_LIFTED)
        room.tell(Event.DISPUTE_OPENED)
        assert room.deliver() == 3
        assert (len(everything.received), len(disputes.received), len(elsewhere.received)) == (2, 1, 0)
        assert b'"type":"dispute.opened"' in disputes.received[0].body


def test_a_change_that_is_rolled_back_leaves_no_message(room: Mailroom) -> None:
    def tell_and_fail() -> None:
        with change(room.office.engine, room.office.keys, room.errand()) as under_way:
            under_way.tell(Event.ORDER_LIFTED, court_id=COURT)
            raise ZeroDivisionError

    with receiving() as receiver:
        room.endpoint(receiver.url)
        with pytest.raises(ZeroDivisionError):
            tell_and_fail()
        assert room.deliver() == 0
        assert receiver.received == []
    with room.parts.reading.connect() as connection:
        assert connection.execute(select(messages)).all() == []


def test_what_happened_before_an_endpoint_was_added_it_is_not_told(room: Mailroom) -> None:
    room.tell()
    room.at += timedelta(seconds=1)
    with receiving() as receiver:
        room.endpoint(receiver.url)
        assert room.deliver() == 0
        assert receiver.received == []


def test_a_failing_receiver_is_tried_ten_times_within_some_three_days_and_then_the_delivery_is_dead(
    room: Mailroom,
) -> None:
    begun = room.at
    with receiving(lambda _before: Reply(status=500)) as receiver:
        made = room.endpoint(receiver.url)
        room.tell()
        room.deliver()
        waits = room.until(made, DeliveryState.DEAD)
        assert len(receiver.received) == 10
        assert len(set(receiver.ids())) == 1
        assert room.after(timedelta(days=30)) == 0
    # The courier's chance says a half, and the jitter is a fifth at most.
    assert waits == [delay * 1.1 for delay in DELAYS]
    assert timedelta(days=3) < sum(waits, timedelta()) < timedelta(days=4)
    assert room.at - begun > timedelta(days=33)
    assert room.states(made) == [("dead", 10)]
    assert (room.only(made).last_status, room.only(made).last_error) == (500, "status")


def test_a_receiver_that_recovers_gets_the_same_message_signed_anew(room: Mailroom) -> None:
    room.at = utc_now() - DELAYS[0] * 1.1 - DELAYS[1] * 1.1
    with receiving(lambda before: Reply(status=500 if before < 2 else 200)) as receiver:
        made = room.endpoint(receiver.url)
        room.tell()
        room.deliver()
        room.until(made, DeliveryState.DELIVERED)
    assert len(set(receiver.ids())) == 1
    assert len({each.headers["webhook-timestamp"] for each in receiver.received}) == 3
    assert len({each.headers["webhook-signature"] for each in receiver.received}) == 3
    assert receiver.received[-1].verified_with(made.secret)["type"] == "order.lifted"


def test_nobody_listening_is_tried_again_and_named(room: Mailroom) -> None:
    made = room.endpoint(a_silent_url())
    room.tell()
    assert room.deliver() == 1
    assert room.states(made) == [("waiting", 1)]
    assert (room.only(made).last_status, room.only(made).last_error) == (None, "unreachable")
    assert room.after(timedelta(seconds=4)) == 0
    assert room.after(timedelta(seconds=2)) == 1


def test_a_receiver_that_says_nothing_is_given_up_after_ten_seconds(room: Mailroom) -> None:
    end = threading.Event()

    def stall(_before: int) -> Reply:
        end.wait(30)
        return Reply()

    with receiving(stall) as receiver:
        made = room.endpoint(receiver.url)
        room.tell()
        begun = time.monotonic()
        room.deliver()
        assert 9 < time.monotonic() - begun < 14
        end.set()
    assert (room.only(made).state, room.only(made).last_error) == (DeliveryState.WAITING, "timeout")


@pytest.mark.parametrize(("status", "error"), [(302, "redirect"), (307, "redirect"), (404, "status"), (199, "cut_off")])
def test_what_is_not_a_success_is_a_failure_and_no_redirect_is_followed(
    room: Mailroom, status: int, error: str
) -> None:
    with (
        receiving() as elsewhere,
        receiving(lambda _before: Reply(status=status, headers={"location": elsewhere.url})) as receiver,
    ):
        made = room.endpoint(receiver.url)
        room.tell()
        room.deliver()
        assert elsewhere.received == []
    assert (room.only(made).state, room.only(made).last_error) == (DeliveryState.WAITING, error)


def test_a_long_answer_is_not_read_to_its_end(room: Mailroom) -> None:
    with receiving(lambda _before: Reply(status=200, body=b"x" * 20_000_000)) as receiver:
        made = room.endpoint(receiver.url)
        room.tell()
        room.deliver()
        assert receiver.cut_off.wait(20)
    assert room.states(made) == [("delivered", 1)]


def test_a_receiver_that_asks_for_patience_gets_it(room: Mailroom) -> None:
    with receiving(lambda _before: Reply(status=429, headers={"retry-after": "3600"})) as receiver:
        made = room.endpoint(receiver.url)
        room.tell()
        room.deliver()
        assert room.only(made).due_at - room.at == timedelta(hours=1)


def test_410_disables_the_endpoint_and_the_trail_says_so(room: Mailroom) -> None:
    with receiving(lambda _before: Reply(status=410)) as receiver:
        made = room.endpoint(receiver.url)
        room.tell()
        room.deliver()
        room.tell()
        assert room.after(timedelta(days=1)) == 0
        assert len(receiver.received) == 1
    assert room.states(made) == [("dead", 1)]
    found = read_webhook(room.office, made.endpoint.endpoint_id, GATEWAY)
    assert (found.enabled, found.version) == (False, 2)
    with room.parts.reading.connect() as connection:
        last = connection.execute(select(trail).order_by(trail.c.seq.desc())).first()
    assert last is not None
    assert (last.tag, last.actor, last.subject_id) == ("office:webhook:changed", "gateway", made.endpoint.endpoint_id)
    assert '"why":"gone"' in last.details


def given_dead(room: Mailroom, receiver: Receiver, count: int = 1) -> Secreted:
    """Return an endpoint with dead deliveries at a receiver that is well from now on."""
    receiver.answer = lambda _before: Reply(status=500)
    made = room.endpoint(receiver.url)
    for _ in range(count):
        room.tell()
    while {each.state for each in room.deliveries(made)} != {DeliveryState.DEAD}:
        room.deliver()
        room.at += timedelta(hours=30)
    receiver.answer = lambda _before: Reply()
    return made


def test_a_dead_delivery_is_sent_again_with_its_own_id_when_somebody_asks(room: Mailroom) -> None:
    with receiving() as receiver:
        made = given_dead(room, receiver)
        dead = room.only(made)
        again = redeliver(room.office, dead.delivery_id, room.errand())
        assert (again.state, again.attempts) == (DeliveryState.WAITING, 0)
        assert room.deliver() == 1
        assert receiver.ids() == [dead.message_id] * 11
    assert room.states(made) == [("delivered", 1)]
    with room.parts.reading.connect() as connection:
        tags = connection.execute(select(trail.c.tag)).scalars().all()
    assert tags[-1] == "office:webhook:redelivered"


def test_all_dead_deliveries_of_an_endpoint_are_sent_again_and_no_others(room: Mailroom) -> None:
    with receiving() as receiver:
        made = given_dead(room, receiver, count=3)
        room.tell()
        room.deliver()
        assert sorted(room.states(made)) == [("dead", 10)] * 3 + [("delivered", 1)]
        before = len(receiver.received)
        assert redeliver_dead(room.office, made.endpoint.endpoint_id, room.errand()) == 3
        assert room.deliver() == 3
        assert len(receiver.received) == before + 3
    assert room.states(made) == [("delivered", 1)] * 4


def test_even_what_was_delivered_is_sent_again_when_the_receiver_lost_it(room: Mailroom) -> None:
    with receiving() as receiver:
        made = room.endpoint(receiver.url)
        room.tell()
        room.deliver()
        redeliver(room.office, room.only(made).delivery_id, room.errand())
        assert room.deliver() == 1
        assert len(set(receiver.ids())) == 1


def test_for_a_day_after_a_rotation_both_secrets_sign_and_then_the_new_one_alone(room: Mailroom) -> None:
    present = room.at
    with receiving() as receiver:
        made = room.endpoint(receiver.url)
        rotated = rotate_secret(room.office, made.endpoint.endpoint_id, room.errand())
        room.tell()
        room.deliver()
        assert receiver.received[0].verified_with(made.secret) == receiver.received[0].verified_with(rotated.secret)
        # A day before now, so that the library takes the second message for a fresh one.
        room.at = present - timedelta(hours=24)
        rotate_secret(room.office, made.endpoint.endpoint_id, room.errand())
        final = rotate_secret(room.office, made.endpoint.endpoint_id, room.errand())
        room.at = present
        room.tell()
        room.deliver()
        assert receiver.received[1].headers["webhook-signature"].count("v1,") == 1
        assert receiver.received[1].verified_with(final.secret)


def test_what_waits_for_a_disabled_endpoint_is_sent_when_it_is_enabled_again(room: Mailroom) -> None:
    with receiving(lambda before: Reply(status=500 if before == 0 else 204)) as receiver:
        made = room.endpoint(receiver.url)
        room.tell()
        room.deliver()
        change_webhook(room.office, made.endpoint.endpoint_id, Wish(enabled=False), room.errand())
        assert room.after(FIVE_MINUTES) == 0
        change_webhook(room.office, made.endpoint.endpoint_id, Wish(enabled=True), room.errand())
        assert room.deliver() == 1
        assert len(receiver.received) == 2


def test_what_waits_for_a_removed_endpoint_is_dropped(room: Mailroom) -> None:
    with receiving(lambda _before: Reply(status=500)) as receiver:
        made = room.endpoint(receiver.url)
        room.tell()
        room.deliver()
        remove_webhook(room.office, made.endpoint.endpoint_id, room.errand())
        assert room.after(timedelta(days=9)) == 0
        assert len(receiver.received) == 1


def test_an_endpoint_whose_secret_does_not_open_is_skipped_and_holds_up_no_other(room: Mailroom) -> None:
    with receiving() as receiver:
        good = room.endpoint(receiver.url)
        broken = room.endpoint(receiver.url)
        with room.office.engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE webhook_endpoints SET secret = url WHERE endpoint_id = "  # noqa: S608  (an id of our own)
                f"'{broken.endpoint.endpoint_id}'"
            )
        room.tell()
        assert room.deliver() == 2
    assert room.states(good) == [("delivered", 1)]
    assert (room.states(broken), room.only(broken).last_error) == ([("waiting", 1)], "unreadable")
