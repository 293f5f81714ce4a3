import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, text, update
from sqlalchemy.exc import IntegrityError

from gateway.assembly import Parts, prepare, put_together
from gateway.audit.tables import plays
from gateway.clock import utc_now
from gateway.domain.court import District
from gateway.domain.e164 import E164
from gateway.domain.notice import MissingNotices, OrganisationNotices, PersonNotices
from gateway.domain.order import OrderState
from gateway.domain.standing import Ground, NoOrders, OrderOnLine, UnderOrders
from gateway.domain.subject import NaturalPerson, Organisation
from gateway.privacy.blind_index import index_line
from gateway.privacy.errors import KeyFileError
from gateway.privacy.field import FieldCipher
from gateway.privacy.keys import derive
from gateway.privacy.ring import KeyRing
from gateway.register import districts, installation, orders
from gateway.register.errors import (
    DuplicateOrderError,
    InvalidLineError,
    KeyMismatchError,
    UnknownEntryError,
    UnknownZoneError,
    UnreadableOrderError,
)
from gateway.register.lines import Line, suspend_line
from gateway.register.lookup import Lookup
from gateway.register.screen import Screen
from gateway.register.screen_keeper import ScreenKeeper
from gateway.register.tables import districts as districts_table
from gateway.register.tables import lines, notices
from gateway.register.tables import orders as orders_table
from gateway.settings import Settings
from gateway.workflows.change import at_the_command_line
from gateway.workflows.end_order import lift_order, suspend_order
from gateway.workflows.switch_district import switch_district
from tests.builders import an_order

IN_FORCE, PERSON = E164("+12025550110"), E164("+442079460120")


def standing(parts: Parts, line: E164) -> OrderOnLine:
    with parts.calls.connect() as connection:
        found = Lookup(parts.keys).standing_of(connection, line)
    assert isinstance(found, UnderOrders)
    return found.orders[0]


def test_a_line_is_found_with_its_order_and_its_notices(parts: Parts) -> None:
    found = standing(parts, IN_FORCE)
    assert isinstance(found.order.subject, Organisation)
    assert isinstance(found.notices, OrganisationNotices)
    assert found.order.state_at(utc_now()) is OrderState.IN_FORCE
    assert next(str(zone) for zone in found.zones) == "Pacific/Honolulu"


def test_a_persons_line_is_found_with_the_zone_that_the_order_states(parts: Parts) -> None:
    found = standing(parts, PERSON)
    assert isinstance(found.notices, PersonNotices)
    assert [str(zone) for zone in found.zones] == ["Europe/London"]


def test_any_other_line_is_under_no_order(parts: Parts) -> None:
    with parts.calls.connect() as connection:
        assert isinstance(Lookup(parts.keys).standing_of(connection, E164("+12025550199")), NoOrders)


def test_a_lift_is_seen_by_the_next_look_up(parts: Parts) -> None:
    found = standing(parts, IN_FORCE)
    lift_order(parts.studio.engine, parts.keys, found.order.order_id, at_the_command_line(utc_now()))
    assert standing(parts, IN_FORCE).order.state_at(utc_now()) is OrderState.LIFTED


def test_a_suspension_is_seen_by_the_next_look_up(parts: Parts) -> None:
    found = standing(parts, IN_FORCE)
    suspend_order(parts.studio.engine, parts.keys, found.order.order_id, at_the_command_line(utc_now()))
    assert standing(parts, IN_FORCE).order.state_at(utc_now()) is OrderState.SUSPENDED


def test_a_district_silences_everything_below_it_however_deep(parts: Parts) -> None:
    now = utc_now()
    with parts.studio.engine.begin() as connection:
        for name, parent in (("deep", "lakeside-north"), ("deeper", "deep")):
            added = District(district_id=name, court_id="lakeside", name=name, parent_id=parent, enabled=True)
            districts.add(connection, added, now)
        connection.execute(
            update(orders_table)
            .where(orders_table.c.order_id == standing(parts, IN_FORCE).order.order_id)
            .values(district_id="deeper")
        )
    assert standing(parts, IN_FORCE).district_enabled
    switch_district(
        parts.studio.engine, parts.studio.keys, "lakeside", at_the_command_line(now), to_enabled=False, reason="test"
    )
    assert not standing(parts, IN_FORCE).district_enabled
    switch_district(
        parts.studio.engine, parts.studio.keys, "lakeside", at_the_command_line(now), to_enabled=True, reason="test"
    )
    assert standing(parts, IN_FORCE).district_enabled


def test_an_order_without_its_notices_is_found_but_has_nothing_to_play(parts: Parts) -> None:
    order_id = standing(parts, IN_FORCE).order.order_id
    with parts.studio.engine.begin() as connection:
        connection.execute(delete(notices).where(notices.c.order_id == order_id, notices.c.purpose == "warning"))
    assert standing(parts, IN_FORCE).notices == MissingNotices()


def test_a_court_has_one_order_for_a_case_number_however_it_is_spelt(parts: Parts) -> None:
    again = replace(an_order(), court_id="lakeside", district_id="lakeside", case_number="2026-cv-0110 ")
    with pytest.raises(DuplicateOrderError, match="2026-cv-0110"), parts.studio.engine.begin() as connection:
        orders.add(connection, again, [Line(number=IN_FORCE)], parts.keys)


def test_an_order_comes_back_from_the_register_as_it_went_in(parts: Parts) -> None:
    order = replace(an_order(), court_id="lakeside", district_id="lakeside", case_number="2026-CV-9")
    with parts.studio.engine.begin() as connection:
        orders.add(connection, order, [Line(number=IN_FORCE)], parts.keys)
    with parts.studio.engine.begin() as connection:
        assert orders.get(connection, order.order_id, parts.keys) == order


@pytest.mark.parametrize("stored", ["", "[]", "{", '{"name": "x", "scheme": "ein", "identifier": "12-3456789"}'])
def test_an_order_that_cannot_be_read_is_silent_and_named(parts: Parts, stored: str) -> None:
    order_id = standing(parts, IN_FORCE).order.order_id
    written = FieldCipher(parts.keys).encrypt(stored, place=f"orders.subject:{order_id}")
    with parts.studio.engine.begin() as connection:
        connection.execute(update(orders_table).where(orders_table.c.order_id == order_id).values(subject=written))
    with pytest.raises(UnreadableOrderError, match=order_id):
        standing(parts, IN_FORCE)


def test_an_unknown_order_is_named(parts: Parts) -> None:
    with pytest.raises(UnknownEntryError, match="ord_unknown"):
        lift_order(parts.studio.engine, parts.keys, "ord_unknown", at_the_command_line(utc_now()))


@pytest.mark.parametrize("number", ["+12025550", "+9991234567", "+4420794601101234"[:15]])
def test_a_number_that_no_subscriber_has_cannot_be_put_under_an_order(number: str) -> None:
    with pytest.raises(InvalidLineError):
        Line(number=E164(number))


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownZoneError, match="Mars/Olympus"):
        Line(number=IN_FORCE, zone="Mars/Olympus")


@pytest.mark.parametrize("audience", ["public", "warning"])
def test_the_database_refuses_a_persons_notice_for_callers(parts: Parts, audience: str) -> None:
    order_id = standing(parts, PERSON).order.order_id
    row = {
        "order_id": order_id,
        "purpose": audience,
        "position": 9,
        "leg": "A" if audience == "public" else "B",
        "added_by": "one",
        "approved_by": "two",
    }
    with parts.calls.connect() as connection:
        rendition = connection.execute(text("SELECT rendition_id FROM renditions LIMIT 1")).scalar()
    for kind in ("natural_person", "organisation"):
        with pytest.raises(IntegrityError), parts.studio.engine.begin() as connection:
            connection.execute(insert(notices).values(**row, subject_kind=kind, rendition_id=rendition))


def test_the_database_refuses_evidence_of_a_persons_notice_on_the_callers_leg(parts: Parts) -> None:
    order_id = standing(parts, PERSON).order.order_id
    for kind in ("natural_person", "organisation"):
        with pytest.raises(IntegrityError), parts.studio.engine.begin() as connection:
            connection.execute(
                insert(plays).values(
                    play_id=f"play_{kind}",
                    call_index=b"c" * 16,
                    order_id=order_id,
                    subject_kind=kind,
                    line_index=index_line(PERSON, parts.keys),
                    purpose="public",
                    leg="A",
                    files="",
                    played_at=utc_now(),
                )
            )


def test_the_database_refuses_one_officer_in_both_places(parts: Parts) -> None:
    order_id = standing(parts, IN_FORCE).order.order_id
    with pytest.raises(IntegrityError), parts.studio.engine.begin() as connection:
        connection.execute(
            update(orders_table)
            .where(orders_table.c.order_id == order_id)
            .values(approved_by=orders_table.c.drafted_by)
        )


def test_the_database_refuses_a_district_that_is_its_own_parent(parts: Parts) -> None:
    with pytest.raises(IntegrityError), parts.studio.engine.begin() as connection:
        connection.execute(
            update(districts_table).where(districts_table.c.district_id == "bayside").values(parent_id="bayside")
        )


def test_the_screen_holds_every_line_of_every_order_and_no_other(parts: Parts) -> None:
    screen = Screen(parts.keys)
    assert not screen.is_loaded
    with parts.calls.connect() as connection:
        screen.refresh(connection)
    assert screen.is_loaded
    assert screen.size == 9
    assert screen.may_hold(IN_FORCE)
    assert not screen.may_hold(E164("+12025550199"))


def test_a_line_added_by_another_process_is_on_the_screen_within_two_seconds(parts: Parts) -> None:
    failures: list[Exception] = []
    screen = Screen(parts.keys)
    keeper = ScreenKeeper(screen, parts.calls, every=0.05, failed=failures.append)
    keeper.start()
    order = replace(an_order(), court_id="lakeside", district_id="lakeside", case_number="2026-CV-9")
    with parts.studio.engine.begin() as connection:
        orders.add(connection, order, [Line(number=E164("+12025550161"))], parts.keys)
    arrived = threading.Event()
    for _ in range(100):
        if screen.may_hold(E164("+12025550161")):
            arrived.set()
            break
        arrived.wait(0.02)
    keeper.stop()
    assert arrived.is_set()
    assert failures == []


def test_the_screen_stays_as_it_was_while_the_database_is_away(sqlite_settings: Settings) -> None:
    parts = put_together(sqlite_settings)
    failures: list[Exception] = []
    screen = Screen(parts.keys)
    keeper = ScreenKeeper(screen, parts.calls, every=0.01, failed=failures.append)
    keeper.start()
    sqlite_settings.sqlite_path.rename(sqlite_settings.data_dir / "away")
    for _ in range(200):
        if failures:
            break
        threading.Event().wait(0.01)
    keeper.stop()
    parts.close()
    assert failures
    assert screen.may_hold(IN_FORCE)


def test_a_gateway_with_another_key_does_not_open_the_register(parts: Parts) -> None:
    other = KeyRing(derive(bytes(range(32))))
    with pytest.raises(KeyMismatchError, match=other.key_id), parts.studio.engine.begin() as connection:
        installation.claim(connection, other)


def test_a_missing_key_file_beside_a_register_in_use_is_not_replaced(demo_settings: Settings) -> None:
    demo_settings.key_file.unlink()
    with pytest.raises(KeyFileError, match="missing"):
        prepare(demo_settings)
    assert not demo_settings.key_file.exists()


@pytest.mark.parametrize(("ground", "silenced"), [(Ground.WRONG_PERSON, 2), (Ground.CONTESTED, 1)])
def test_who_is_the_wrong_person_is_spared_by_every_court_and_who_contests_by_the_one(
    parts: Parts, ground: Ground, silenced: int
) -> None:
    first = standing(parts, PERSON).order
    person = NaturalPerson(name="B. Nobody")
    other = replace(
        an_order(),
        order_id="ord_2",
        court_id="lakeside",
        district_id="lakeside",
        case_number="2026-SV-9",
        subject=person,
    )
    organisation = replace(other, order_id="ord_3", case_number="2026-CV-9", subject=an_order().subject)
    index, now = index_line(PERSON, parts.keys), utc_now()
    with parts.studio.engine.begin() as connection:
        for order in (other, organisation):
            orders.add(connection, order, [Line(number=PERSON)], parts.keys)
        for _ in range(2):
            suspend_line(connection, first.order_id, (index,), ground, (b"c" * 16,), now)
    with parts.calls.connect() as connection:
        found = Lookup(parts.keys).standing_of(connection, PERSON)
        disputed = connection.execute(text("SELECT count(*) FROM disputes")).scalar()
    assert isinstance(found, UnderOrders)
    suspended = {each.order.order_id for each in found.orders if each.line_suspended}
    assert suspended == {first.order_id, *(["ord_2"] if silenced == 2 else [])}
    assert disputed == silenced


def test_a_person_is_a_person_in_the_register(parts: Parts) -> None:
    assert isinstance(standing(parts, PERSON).order.subject, NaturalPerson)
    now = utc_now()
    assert standing(parts, PERSON).order.in_force_from is not None
    assert standing(parts, PERSON).order.state_at(now - timedelta(hours=1)) is OrderState.IN_FORCE
    with parts.calls.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM lines")).scalar() == 9
        assert {row[0] for row in connection.execute(lines.select().with_only_columns(lines.c.ground))} == {None}
