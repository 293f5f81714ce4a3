"""What waits for whom: each list against what the very next act would allow."""

import pytest
from sqlalchemy import delete, insert, update

from gateway.domain.rights import InCourt, InDistrict, Right, Role
from gateway.people.api_keys import KeyDraft, issue
from gateway.register.batches import BatchState
from gateway.register.tables import batches, notices, orders
from gateway.workflows.draft_order import return_order
from gateway.workflows.end_order import lift_order, suspend_order
from gateway.workflows.office import Office
from gateway.workflows.propose_notice import propose_notice
from gateway.workflows.publish_notice import Text
from gateway.workflows.read_home import Home, read_home
from gateway.workflows.switch_district import switch_district
from gateway.workflows.waiting import SHOWN
from tests.builders_office import (
    COURT,
    DAY,
    DISTRICT,
    MINUTE,
    NOON,
    OTHER_COURT,
    SISTER,
    a_dispute,
    a_draft,
    a_line,
    a_person,
    a_submitted_order,
    an_approved_order,
    an_errand,
)

APPROVER, CLERK, OPERATOR = (an_errand(role) for role in (Role.APPROVER, Role.CLERK, Role.OPERATOR))
LISTS = ("to_approve", "drafts", "expiring", "silent", "proposals", "disputes", "batches", "failed_jobs", "districts")


def waits(home: Home, name: str) -> list[str]:
    """Return the ids of the orders that a list shows."""
    return [each.order_id for each in getattr(home, name).first]


def in_a_batch(office: Office, order_id: str, state: BatchState) -> None:
    """Make an order one of a batch of two."""
    values = {"batch_id": "bat_1", "court_id": COURT, "state": state.value, "file_sha256": "0" * 64}
    counts = {"accepted": 2, "known": 0, "refused": 0, "approved": 0, "created_by": "per_clerk", "created_at": NOON}
    with office.engine.begin() as connection:
        connection.execute(insert(batches).values(**values, **counts))
        connection.execute(update(orders).where(orders.c.order_id == order_id).values(batch_id="bat_1"))


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        (Role.CLERK, {"drafts", "expiring", "silent", "disputes", "failed_jobs", "districts"}),
        (
            Role.APPROVER,
            {"to_approve", "expiring", "silent", "proposals", "disputes", "batches", "failed_jobs", "districts"},
        ),
        (Role.OPERATOR, {"districts"}),
        (Role.AUDITOR, {"expiring", "silent", "disputes", "failed_jobs", "districts"}),
        (Role.ADMINISTRATOR, {"districts"}),
    ],
)
def test_each_role_is_shown_the_lists_that_it_can_act_on(office: Office, role: Role, shown: set[str]) -> None:
    home = read_home(office, an_errand(role))
    assert {name for name in LISTS if getattr(home, name) is not None} == shown


def test_a_submitted_order_waits_for_everybody_but_those_who_wrote_it(office: Office) -> None:
    order = a_submitted_order(office)
    assert waits(read_home(office, APPROVER), "to_approve") == [order.order_id]
    author = an_errand(Role.APPROVER, by="PER_clerk")
    assert waits(read_home(office, author), "to_approve") == []
    with office.engine.begin() as connection:
        connection.execute(
            update(orders).where(orders.c.order_id == order.order_id).values(earlier_drafters="|a|Per_Approver|")
        )
    assert waits(read_home(office, APPROVER), "to_approve") == []
    assert waits(read_home(office, an_errand(Role.APPROVER, by="per_2")), "to_approve") == [order.order_id]


def test_what_a_program_wrote_does_not_wait_for_who_issued_its_key(office: Office) -> None:
    order = a_submitted_order(office)
    scope = InCourt(court_id=COURT)
    draft = KeyDraft(name="import", rights=frozenset({Right.ORDERS_DRAFT}), scope=scope, expires_at=NOON + DAY)
    with office.engine.begin() as connection:
        key = issue(connection, office.keys, draft, created_by="per_approver", now=NOON).key.key_id
        connection.execute(update(orders).where(orders.c.order_id == order.order_id).values(drafted_by=key))
    assert waits(read_home(office, APPROVER), "to_approve") == []
    assert waits(read_home(office, an_errand(Role.APPROVER, by="per_2")), "to_approve") == [order.order_id]


def test_nothing_is_shown_beyond_the_askers_reach(office: Office) -> None:
    a_submitted_order(office)
    order = an_approved_order(office, subject=a_person(), case_number="2", valid_for=5 * DAY)
    a_dispute(office, order)
    for scope in (InCourt(court_id=OTHER_COURT), InDistrict(court_id=COURT, district_id=SISTER)):
        home = read_home(office, an_errand(Role.APPROVER, scope=scope))
        assert waits(home, "to_approve") == []
        assert waits(home, "disputes") == []
        assert order.order_id not in waits(home, "expiring")
    inside = read_home(office, an_errand(Role.APPROVER, scope=InDistrict(court_id=COURT, district_id=DISTRICT)))
    assert [inside.to_approve and inside.to_approve.count, inside.disputes and inside.disputes.count] == [1, 1]


def test_own_drafts_wait_those_too_that_were_sent_back(office: Office) -> None:
    first = a_draft(office, an_errand(at=NOON - DAY))
    second = a_submitted_order(office, case_number="2")
    a_draft(office, an_errand(by="per_other"), case_number="3")
    assert waits(read_home(office, CLERK), "drafts") == [first.order_id]
    return_order(office, second.order_id, APPROVER)
    assert waits(read_home(office, CLERK), "drafts") == [second.order_id, first.order_id]


def test_orders_that_end_within_two_weeks_are_shown_until_they_are_lifted(office: Office) -> None:
    soon = an_approved_order(office, valid_for=14 * DAY)
    later = an_approved_order(office, valid_for=15 * DAY, case_number="2", lines=(a_line("+12025550161"),))
    suspended = an_approved_order(office, valid_for=6 * DAY, case_number="3", lines=(a_line("+12025550162"),))
    suspend_order(office.engine, office.keys, suspended.order_id, CLERK)
    shown = waits(read_home(office, CLERK), "expiring")
    assert [each for each in shown if each in {soon.order_id, later.order_id, suspended.order_id}] == [
        suspended.order_id,
        soon.order_id,
    ]
    lift_order(office.engine, office.keys, soon.order_id, CLERK)
    assert soon.order_id not in waits(read_home(office, CLERK), "expiring")


def test_an_order_whose_notice_is_missing_is_shown_as_silent(office: Office) -> None:
    order = an_approved_order(office, subject=a_person())
    assert order.order_id not in waits(read_home(office, CLERK), "silent")
    with office.engine.begin() as connection:
        gone = delete(notices).where(notices.c.order_id == order.order_id, notices.c.purpose == "opener")
        connection.execute(gone)
    assert order.order_id in waits(read_home(office, CLERK), "silent")


def test_a_proposed_notice_waits_for_a_second_officer(office: Office) -> None:
    order = an_approved_order(office)
    propose_notice(office, order.order_id, "en", Text(text="Hear this."), CLERK)
    found = read_home(office, APPROVER).proposals
    assert found is not None
    assert [(each.order.order_id, each.language, each.added_by) for each in found.first] == [
        (order.order_id, "en", "per_clerk")
    ]
    own = read_home(office, an_errand(Role.APPROVER, by="per_clerk")).proposals
    assert own is not None
    assert own.count == 0


def test_the_orders_of_a_ready_batch_wait_with_it_for_who_may_approve_all_of_it(office: Office) -> None:
    order = a_submitted_order(office)
    in_a_batch(office, order.order_id, BatchState.READY)
    home = read_home(office, APPROVER)
    assert home.batches is not None
    assert [each.batch_id for each in home.batches.first] == ["bat_1"]
    assert waits(home, "to_approve") == []
    one_district = read_home(office, an_errand(Role.APPROVER, scope=InDistrict(court_id=COURT, district_id=DISTRICT)))
    assert one_district.batches is not None
    assert one_district.batches.count == 0
    assert waits(one_district, "to_approve") == [order.order_id]


@pytest.mark.parametrize(
    ("state", "shown"), [(BatchState.APPROVED, 1), (BatchState.LOADING, 0), (BatchState.WITHDRAWN, 0)]
)
def test_what_a_batch_left_over_waits_singly_and_what_is_hidden_does_not(
    office: Office, state: BatchState, shown: int
) -> None:
    order = a_submitted_order(office)
    in_a_batch(office, order.order_id, state)
    assert len(waits(read_home(office, APPROVER), "to_approve")) == shown


def test_a_count_goes_on_behind_what_is_shown(office: Office) -> None:
    made = [a_submitted_order(office, an_errand(at=NOON + n * MINUTE), case_number=f"C-{n}") for n in range(SHOWN + 2)]
    found = read_home(office, APPROVER).to_approve
    assert found is not None
    assert (found.count, found.is_more) == (SHOWN + 2, False)
    assert [each.order_id for each in found.first] == [each.order_id for each in made[:SHOWN]]


def test_a_district_that_is_off_is_shown_with_who_switched_it_and_why(office: Office) -> None:
    before = read_home(office, OPERATOR).districts
    switch_district(office.engine, office.keys, DISTRICT, OPERATOR, to_enabled=False, reason="A pause.")
    after = read_home(office, OPERATOR).districts
    assert before is not None
    assert after is not None
    assert (after.heard, after.silent) == (before.heard - 1, before.silent + 1)
    found = next(each for each in after.switched_off if each.district.district_id == DISTRICT)
    assert (found.district.district_id, found.district.reason, found.switched_by) == (
        DISTRICT,
        "A pause.",
        "per_operator",
    )
    assert found.district.switched_at == NOON
