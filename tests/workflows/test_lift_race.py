"""Promise 2 at its narrowest: a lift that is being written while a call to its line is under way."""

from datetime import timedelta
from threading import Thread, Timer

import pytest
from sqlalchemy import func, select

from gateway.assembly import Parts, put_together
from gateway.audit.evidence import Past
from gateway.audit.tables import plays
from gateway.clock import utc_now
from gateway.domain.decide import decide
from gateway.domain.e164 import E164
from gateway.domain.facts import Arriving, CallFacts, Capability, Telephone
from gateway.domain.order import lift
from gateway.domain.plan import CallPlan, Connect, Reason
from gateway.domain.standing import UnderOrders
from gateway.register import orders
from gateway.register.screen import Screen
from gateway.settings import Settings
from gateway.workflows.call_desk import CallDesk, Turn, ask, keep_evidence, make_call_desk
from gateway.workflows.change import at_the_command_line
from gateway.workflows.end_order import lift_order, suspend_order
from gateway.workflows.switch_district import switch_district

LINE = E164("+12025550110")
FACTS = CallFacts(
    provider="twilio",
    provider_call_id="CA1",
    caller=E164("+12025550188"),
    callee=LINE,
    destination=Telephone(number=LINE.number),
    capabilities=frozenset(Capability),
    moment=Arriving(),
)


@pytest.fixture
def desk(parts: Parts) -> CallDesk:
    """A desk over the demo, on each database."""
    return a_desk(parts)


def a_desk(parts: Parts) -> CallDesk:
    screen = Screen(parts.keys)
    with parts.calls.connect() as connection:
        screen.refresh(connection)
    return make_call_desk(engine=parts.calls, office=parts.studio.engine, screen=screen, keys=parts.keys)


def decided(turn: Turn) -> tuple[CallPlan, str]:
    """Return a plan that plays, decided before anything ends the order, and the order's id."""
    asked = ask(turn, FACTS, utc_now())
    assert isinstance(asked.standing, UnderOrders)
    plan = decide(FACTS, asked.standing, utc_now())
    assert plan.reason is Reason.PUBLICATION_ORDER_IN_FORCE
    return plan, plan.order_id


def kept(turn: Turn, plan: CallPlan) -> CallPlan:
    """Record the plays of a plan; with the turn of the decision it is done on the very connection that has looked."""
    with turn:
        return keep_evidence(turn, FACTS, plan, Past(), utc_now())


def assert_silent(desk: CallDesk, kept: CallPlan) -> None:
    assert kept.reason is Reason.ENDED_MEANWHILE
    assert kept.steps == (Connect(destination=FACTS.destination),)
    with desk.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(plays)) == 0


@pytest.mark.parametrize("ending", ["lift", "suspend", "district"])
def test_what_ends_between_the_decision_and_the_record_is_not_played(desk: CallDesk, parts: Parts, ending: str) -> None:
    turn = desk.turn()
    plan, order_id = decided(turn)
    match ending:
        case "lift":
            lift_order(parts.studio.engine, parts.keys, order_id, at_the_command_line(utc_now()))
        case "suspend":
            suspend_order(parts.studio.engine, parts.keys, order_id, at_the_command_line(utc_now()))
        case _:
            switch_district(
                parts.studio.engine,
                parts.studio.keys,
                "lakeside",
                at_the_command_line(utc_now()),
                to_enabled=False,
                reason="test",
            )
    assert_silent(desk, kept(turn, plan))


def test_a_repeated_webhook_that_comes_after_the_lift_is_silent_and_what_was_played_stays_proven(
    desk: CallDesk, parts: Parts
) -> None:
    turn = desk.turn()
    plan, order_id = decided(turn)
    assert kept(turn, plan) == plan
    lift_order(parts.studio.engine, parts.keys, order_id, at_the_command_line(utc_now()))
    again = kept(desk.turn(), plan)
    assert again.reason is Reason.ENDED_MEANWHILE
    with desk.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(plays)) == 1


def test_a_call_that_waits_for_the_lift_to_be_written_is_silent(sqlite_settings: Settings) -> None:
    # On SQLite alone: PostgreSQL does not make a record wait for a lift.
    parts = put_together(sqlite_settings)
    desk = a_desk(parts)
    turn = desk.turn()
    plan, order_id = decided(turn)
    found: list[CallPlan] = []
    call = Thread(target=lambda: found.append(kept(turn, plan)))
    with parts.studio.engine.begin() as connection:
        order = orders.get(connection, order_id, parts.keys)
        orders.save(connection, lift(order, utc_now() - timedelta(seconds=1)))
        call.start()
        waited = Timer(0.1, lambda: None)
        waited.start()
        waited.join()
        assert call.is_alive()
    call.join()
    assert_silent(desk, found[0])
    parts.close()


def test_what_still_stands_is_played_and_recorded(desk: CallDesk) -> None:
    turn = desk.turn()
    plan, _ = decided(turn)
    assert kept(turn, plan) == plan
    with desk.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(plays)) == 1
