"""What a page offers is what the workflows allow: nothing that is not offered changes anything."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from gateway.assembly import Parts
from gateway.domain.errors import GatewayError
from gateway.domain.order import Order, OrderState
from gateway.domain.rights import InDistrict, Reach, Role
from gateway.register.order_list import OrderQuery
from gateway.workflows.approve_order import approve_order
from gateway.workflows.change import Errand
from gateway.workflows.draft_order import return_order, submit_order
from gateway.workflows.end_order import lift_order, suspend_order
from gateway.workflows.find_order import NothingFoundError, find_order
from gateway.workflows.office import Office
from gateway.workflows.read_order_acts import (
    OrderAct,
    documents_to_extend_on,
    liftable,
    read_authority_document,
    read_order_acts,
)
from gateway.workflows.read_orders import outline_orders
from gateway.workflows.resume_order import extend_order, resume_order
from tests.builders_office import (
    COURT,
    DAY,
    DISTRICT,
    NOON,
    NUMBER,
    OTHER_COURT,
    PDF,
    SISTER,
    a_document,
    a_draft,
    a_submitted_order,
    an_actor,
    an_approved_order,
    an_errand,
    an_office,
    an_order_in,
    the_order,
)

OTHER = PDF + b" anew"
DO: Mapping[OrderAct, Callable[[Office, str, Errand], Order]] = {
    OrderAct.SUBMIT: submit_order,
    OrderAct.RETURN: return_order,
    OrderAct.APPROVE: approve_order,
    OrderAct.SUSPEND: lambda office, order_id, errand: suspend_order(office.engine, office.keys, order_id, errand),
    OrderAct.RESUME: resume_order,
    OrderAct.LIFT: lambda office, order_id, errand: lift_order(office.engine, office.keys, order_id, errand),
}


def extend_far(office: Office, order_id: str, errand: Errand) -> Order:
    document = a_document(office, OTHER, errand=an_errand(by="per_third"))
    return extend_order(office, order_id, errand, valid_until=NOON + 200 * DAY, document_sha256=document.sha256)


def both_roles(by: str) -> Errand:
    return Errand(actor=an_actor(Role.CLERK, Role.APPROVER, by=by), at=NOON)


@pytest.mark.parametrize("state", [state for state in OrderState if state is not OrderState.APPROVED])
def test_what_is_not_offered_changes_nothing(parts: Parts, state: OrderState) -> None:
    office = an_office(parts)
    order = an_order_in(office, state)
    for errand in (an_errand(Role.CLERK, by="per_b"), an_errand(Role.APPROVER, by="per_c"), both_roles("per_clerk")):
        may = read_order_acts(office, order.order_id, errand).may
        for act, do in {**DO, OrderAct.EXTEND: extend_far}.items():
            if act in may:
                continue
            try:
                changed = do(office, order.order_id, errand)
            except GatewayError:
                changed = order
            assert changed.version == order.version, (act, errand.actor.actor_id)
    assert the_order(office, order.order_id).version == order.version


@pytest.mark.parametrize("state", [state for state in OrderState if state is not OrderState.APPROVED])
def test_what_is_offered_can_be_done(parts: Parts, state: OrderState) -> None:
    office, somebody_else = an_office(parts), both_roles("per_else")
    may = read_order_acts(office, an_order_in(office, state).order_id, somebody_else).may
    for number, act in enumerate(sorted(may - {OrderAct.EDIT}, key=lambda each: each.value)):
        order = an_order_in(office, state, case_number=f"2026-CV-{number + 100}")
        changed = {**DO, OrderAct.EXTEND: extend_far}[act](office, order.order_id, somebody_else)
        assert changed.version > order.version, act


def test_who_drafted_an_order_is_told_of_each_act_that_takes_a_second_officer(parts: Parts) -> None:
    office, drafter = an_office(parts), both_roles("per_clerk")
    submitted = read_order_acts(office, a_submitted_order(office).order_id, drafter)
    assert set(submitted.refused) == {OrderAct.APPROVE}
    assert submitted.refused[OrderAct.APPROVE].code == "same_officer"
    suspended = read_order_acts(office, an_order_in(office, OrderState.SUSPENDED, case_number="2").order_id, drafter)
    assert set(suspended.refused) == {OrderAct.RESUME, OrderAct.EXTEND}


def test_only_orders_within_reach_that_are_not_lifted_can_be_lifted_from_a_list(parts: Parts) -> None:
    office = an_office(parts)
    north, south = a_draft(office, case_number="1"), a_draft(office, case_number="2", district_id=SISTER)
    over = lift_order(office.engine, office.keys, a_draft(office, case_number="3").order_id, an_errand())
    everywhere = replace(an_errand(), at=NOON)
    reach = Reach(everywhere=False, courts=frozenset({COURT}), districts=frozenset())
    listed = outline_orders(office, OrderQuery(reach=reach), everywhere)
    ours = {north.order_id, south.order_id, over.order_id}
    assert liftable(office, listed, everywhere) & ours == {north.order_id, south.order_id}
    in_north = an_errand(scope=InDistrict(court_id=COURT, district_id=DISTRICT))
    assert liftable(office, listed, in_north) & ours == {north.order_id}
    assert not liftable(office, listed, an_errand(Role.AUDITOR))


def test_documents_to_extend_on_are_those_of_others_on_which_nothing_rests(parts: Parts) -> None:
    office, approver = an_office(parts), an_errand(Role.APPROVER)
    order = an_approved_order(office)
    new = a_document(office, OTHER)
    a_document(office, OTHER + b"own", errand=both_roles("per_approver"))
    offered = documents_to_extend_on(office, order.order_id, approver)
    assert [each.document_id for each in offered] == [new.document_id]
    authority = read_authority_document(office, order.order_id, approver)
    assert authority is not None
    assert authority.sha256 == order.authority.document_sha256


def test_a_line_or_a_case_number_finds_what_the_asker_may_read(parts: Parts) -> None:
    office = an_office(parts)
    order = a_draft(office)
    for text in (NUMBER, " 001 202 555 0160 ", "2026-CV-7"):
        assert find_order(office, text, an_errand()).order_id == order.order_id
    a_draft(office, case_number="2026-CV-8")
    assert find_order(office, NUMBER, an_errand()).line == NUMBER
    elsewhere = an_errand(scope=InDistrict(court_id=OTHER_COURT, district_id="thameside"))
    for text in (NUMBER, "2026-CV-7", "2026-CV", ""):
        with pytest.raises(NothingFoundError):
            find_order(office, text, elsewhere if text in {NUMBER, "2026-CV-7"} else an_errand())
