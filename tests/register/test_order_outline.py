"""Orders in a list say what the orders themselves say, and nothing is decrypted that the list does not show."""

import pytest
from sqlalchemy import event

from gateway.assembly import Parts
from gateway.domain.e164 import E164
from gateway.domain.order import Order, OrderState
from gateway.domain.rights import Reach
from gateway.domain.subject import SubjectKind, kind_of
from gateway.register import order_list, order_outline
from gateway.register.errors import UnreadableOrderError
from gateway.register.lines import Line
from gateway.register.order_list import OrderQuery
from gateway.register.order_outline import SHOWN_LINES, OrderOutline
from gateway.register.tables import orders as order_rows
from gateway.workflows.office import Office
from tests.builders_office import (
    DAY,
    NOON,
    a_company,
    a_dispute,
    a_draft,
    a_person,
    an_approved_order,
    an_office,
    an_order_in,
    lines_of,
)

EVERYWHERE = Reach(everywhere=True, courts=frozenset(), districts=frozenset())
QUERY = OrderQuery(reach=EVERYWHERE, limit=100)


def outlined(office: Office, query: OrderQuery = QUERY) -> dict[str, OrderOutline]:
    with office.reading.begin() as connection:
        return {each.order_id: each for each in order_outline.outlined(connection, query, office.keys, NOON)}


@pytest.mark.parametrize("subject", [a_company(), a_person()])
def test_an_outline_says_what_the_order_says_in_every_state(parts: Parts, subject: object) -> None:
    office = an_office(parts)
    for number, state in enumerate(OrderState):
        about = a_person() if subject == a_person() else a_company(f"Company {number}")
        an_order_in(office, state, subject=about, case_number=f"2026-CV-{number}")
    with office.reading.begin() as connection:
        listed = order_list.listed(connection, QUERY, office.keys, NOON)
    found = outlined(office)
    assert list(found) == [each.order.order_id for each in listed]
    for each in listed:
        order, outline = each.order, found[each.order.order_id]
        assert isinstance(order, Order)
        assert (outline.case_number, outline.name, outline.kind) == (
            order.case_number,
            order.subject.name,
            kind_of(order.subject),
        )
        assert (outline.state, outline.drafted_at) == (order.state_at(NOON), order.drafted_at)
        assert (outline.court_id, outline.district_id) == (order.court_id, order.district_id)


def test_only_the_first_lines_are_read_and_the_others_are_counted(parts: Parts) -> None:
    office = an_office(parts)
    on = tuple(Line(number=E164(f"+120255501{number}")) for number in range(60, 65))
    order = a_draft(office, subject=a_person(), lines=on)
    found = outlined(office)[order.order_id]
    known = [each.line.number.number for each in lines_of(office, order.order_id)]
    assert (found.numbers, found.lines) == (tuple(known[:SHOWN_LINES]), len(on))


def test_open_disputes_are_counted(parts: Parts) -> None:
    office = an_office(parts)
    order = an_approved_order(office, at=NOON - 10 * DAY)
    a_dispute(office, order)
    assert outlined(office)[order.order_id].open_disputes == 1


def test_what_is_left_of_a_purged_order_has_no_name_and_no_lines(parts: Parts) -> None:
    office = an_office(parts)
    order = a_draft(office)
    gone = {"purged_at": NOON, "case_index": None, "case_number": None, "subject": None, "legal_basis": None}
    with office.engine.begin() as connection:
        connection.execute(order_rows.update().where(order_rows.c.order_id == order.order_id).values(**gone))
    found = outlined(office)[order.order_id]
    assert found.is_purged
    assert (found.case_number, found.name, found.kind) == ("", "", SubjectKind.ORGANISATION)


def test_a_list_asks_for_no_legal_basis_and_no_evidence(parts: Parts) -> None:
    office = an_office(parts)
    a_draft(office)
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(office.reading.engine, "before_cursor_execute", note)
    outlined(office)
    event.remove(office.reading.engine, "before_cursor_execute", note)
    assert asked
    assert not [each for each in asked if "legal_basis" in each or "evidence" in each]


def test_a_subject_that_cannot_be_read_is_refused(parts: Parts) -> None:
    office = an_office(parts)
    order = a_draft(office)
    broken = office.cipher.encrypt("[]", place=f"orders.subject:{order.order_id}")
    with office.engine.begin() as connection:
        connection.execute(order_rows.update().where(order_rows.c.order_id == order.order_id).values(subject=broken))
    with pytest.raises(UnreadableOrderError):
        outlined(office)
