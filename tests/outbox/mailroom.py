"""A court's outbox with a clock that the test turns, and a courier that uses it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.assembly import Parts
from gateway.clock import utc_now
from gateway.domain.events import Event
from gateway.domain.rights import GATEWAY, Actor, ActorKind, Grant, Role, Scope, grants_of
from gateway.outbox.ledger import Delivery, DeliveryState
from gateway.outbox.send import trust
from gateway.workflows.change import Errand, change
from gateway.workflows.deliver_webhooks import Courier, deliver_due
from gateway.workflows.office import Office
from gateway.workflows.redeliver import deliveries_of
from gateway.workflows.set_up_webhook import Secreted, add_webhook
from tests.blank import COURT


def somebody(role: Role, scope: Scope) -> Actor:
    grants: frozenset[Grant] = grants_of(role, scope)
    return Actor(actor_id="per_1", kind=ActorKind.PERSON, grants=grants)


@dataclass(slots=True)
class Mailroom:
    """`at` is what the clock says; deliveries are made only by `deliver`."""

    parts: Parts
    at: datetime = field(default_factory=utc_now)

    @property
    def office(self) -> Office:
        return self.parts.office

    @property
    def courier(self) -> Courier:
        office = self.office
        return Courier(
            engine=office.engine, keys=office.keys, trusted=trust(), clock=lambda: self.at, chance=lambda: 0.5
        )

    def errand(self, actor: Actor = GATEWAY) -> Errand:
        return Errand(actor=actor, at=self.at)

    def endpoint(self, url: str, *events: Event, court_id: str = COURT) -> Secreted:
        return add_webhook(self.office, court_id, url, events, self.errand())

    def tell(self, event: Event = Event.ORDER_LIFTED, *, court_id: str = COURT, order: str = "ord_1") -> None:
        with change(self.office.engine, self.office.keys, self.errand()) as under_way:
            under_way.tell(event, court_id=court_id, order=order)

    def deliver(self) -> int:
        return deliver_due(self.courier)

    def after(self, wait: timedelta) -> int:
        """Turn the clock and deliver what is due then."""
        self.at += wait
        return self.deliver()

    def deliveries(self, made: Secreted) -> tuple[Delivery, ...]:
        return deliveries_of(self.office, made.endpoint.endpoint_id, GATEWAY)

    def states(self, made: Secreted) -> list[tuple[str, int]]:
        return [(each.state.value, each.attempts) for each in self.deliveries(made)]

    def only(self, made: Secreted) -> Delivery:
        (found,) = self.deliveries(made)
        return found

    def until(self, made: Secreted, state: DeliveryState, check: Callable[[], None] = lambda: None) -> list[timedelta]:
        """Turn the clock to each next attempt until the only delivery is in `state`; return the waits in between."""
        waits: list[timedelta] = []
        while self.only(made).state is not state:
            check()
            wait = self.only(made).due_at - self.at
            waits.append(wait)
            assert self.after(wait - timedelta(microseconds=1)) == 0
            assert self.after(timedelta(microseconds=1)) == 1
        return waits
