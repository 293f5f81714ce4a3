"""Whose business an order is: every workflow, asked by another court or district, without the right, by a program.

A thing of another court is answered as one that does not exist, whatever is asked of it.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pytest

from gateway.assembly import Parts
from gateway.domain.court import Court, District
from gateway.domain.errors import GatewayError
from gateway.domain.rights import Everywhere, InCourt, InDistrict, NotAllowedError, Right, Role
from gateway.register.disputes import DisputeQuery, Resolution
from gateway.register.errors import UnknownEntryError
from gateway.register.order_list import OrderQuery
from gateway.workflows.approve_order import approve_order
from gateway.workflows.change import Errand
from gateway.workflows.count_orders import StatisticsQuery, count
from gateway.workflows.draft_order import draft_order, edit_draft, return_order, submit_order
from gateway.workflows.end_order import lift_order, satisfy_order, suspend_order
from gateway.workflows.keep_document import keep_document, read_document
from gateway.workflows.office import Office
from gateway.workflows.propose_notice import approve_notice, propose_notice
from gateway.workflows.publish_notice import Text
from gateway.workflows.read_orders import (
    list_disputes,
    list_orders,
    read_dispute,
    read_notices,
    read_order,
    read_remarks,
)
from gateway.workflows.resolve_dispute import resolve_dispute
from gateway.workflows.resume_order import extend_order, resume_order
from gateway.workflows.second_officer import NotAPersonError
from gateway.workflows.set_up_court import add_court, add_district, change_court
from gateway.workflows.switch_district import switch_district
from tests.builders_office import (
    COURT,
    DAY,
    DISTRICT,
    NOON,
    OTHER_COURT,
    PDF,
    SISTER,
    a_dispute,
    a_document,
    a_draft,
    a_person,
    a_submitted_order,
    an_api_key,
    an_approved_order,
    an_errand,
    an_office,
    an_order_request,
    by_whom,
    lines_of,
    trail_of,
)

Ask = Callable[[Errand], object]
READS, ALL = frozenset({Right.ORDERS_READ}), frozenset(Right)
DAYS = StatisticsQuery(court_id=COURT, since=NOON.date(), until=NOON.date())
HILLSIDE = Court(court_id="hillside", name="Hillside Court", zone="Europe/London")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """An order in each state that a workflow needs, all of one district, with what hangs on them."""

    office: Office
    draft: str
    submitted: str
    approved: str
    suspended: str
    dispute: str
    document: str
    later: str


@pytest.fixture
def scene(parts: Parts) -> Scene:
    office = an_office(parts)
    approved = an_approved_order(office, case_number="3", subject=a_person())
    suspended = an_approved_order(office, case_number="4", subject=a_person())
    suspend_order(office.engine, office.keys, suspended.order_id, an_errand(), reason="Appealed.")
    propose_notice(office, approved.order_id, "en", Text(text="It owes a debt."), an_errand())
    return Scene(
        office=office,
        draft=a_draft(office, case_number="1").order_id,
        submitted=a_submitted_order(office, case_number="2").order_id,
        approved=approved.order_id,
        suspended=suspended.order_id,
        dispute=a_dispute(office, approved),
        document=a_document(office).document_id,
        later=a_document(office, b"%PDF-later").sha256,
    )


def changes(scene: Scene) -> Mapping[str, tuple[Right, Ask]]:
    """Return every workflow that changes an order, a dispute or what belongs to one, with the right it takes."""
    office, engine, keys = scene.office, scene.office.engine, scene.office.keys
    request = an_order_request(case_number="1")
    words, until = Text(text="It owes another debt."), NOON + 200 * DAY
    return {
        "edit": (Right.ORDERS_DRAFT, lambda by: edit_draft(office, scene.draft, request, by, expected=1)),
        "submit": (Right.ORDERS_DRAFT, lambda by: submit_order(office, scene.draft, by)),
        "return": (Right.ORDERS_APPROVE, lambda by: return_order(office, scene.submitted, by)),
        "approve": (Right.ORDERS_APPROVE, lambda by: approve_order(office, scene.submitted, by)),
        "suspend": (Right.ORDERS_END, lambda by: suspend_order(engine, keys, scene.approved, by)),
        "resume": (Right.ORDERS_APPROVE, lambda by: resume_order(office, scene.suspended, by)),
        "extend": (
            Right.ORDERS_APPROVE,
            lambda by: extend_order(office, scene.approved, by, valid_until=until, document_sha256=scene.later),
        ),
        "propose": (Right.ORDERS_DRAFT, lambda by: propose_notice(office, scene.approved, "en", words, by)),
        "approve notice": (Right.ORDERS_APPROVE, lambda by: approve_notice(office, scene.approved, "en", by)),
        "resolve": (Right.DISPUTES_RESOLVE, lambda by: resolve_dispute(office, scene.dispute, Resolution.RESUME, by)),
        "lift": (Right.ORDERS_END, lambda by: lift_order(engine, keys, scene.approved, by)),
        "satisfy": (
            Right.SATISFACTION_REPORT,
            lambda by: satisfy_order(engine, keys, scene.approved, by, reference="1"),
        ),
    }


def questions(scene: Scene) -> Mapping[str, Ask]:
    """Return every workflow that reads one thing."""
    office = scene.office
    return {
        "order": lambda by: read_order(office, scene.draft, by),
        "notices": lambda by: read_notices(office, scene.approved, by),
        "remarks": lambda by: read_remarks(office, scene.suspended, by),
        "dispute": lambda by: read_dispute(office, scene.dispute, by),
        "document": lambda by: read_document(office, scene.document, by),
    }


def of_the_court(scene: Scene) -> Mapping[str, tuple[Right, Ask]]:
    """Return every workflow about a court or a district as such."""
    office, engine, keys = scene.office, scene.office.engine, scene.office.keys
    here = Court(court_id=COURT, name="Lakeside", zone="America/New_York")
    north = District(district_id="north-east", court_id=COURT, name="North-East", parent_id=DISTRICT, enabled=True)
    request = an_order_request(case_number="9")
    return {
        "draft": (Right.ORDERS_DRAFT, lambda by: draft_order(office, request, by)),
        "upload": (Right.ORDERS_DRAFT, lambda by: keep_document(office, COURT, io.BytesIO(PDF), by)),
        "count": (Right.STATISTICS_READ, lambda by: count(office, DAYS, by)),
        "change court": (Right.COURTS_MANAGE, lambda by: change_court(engine, keys, here, by, expected=1)),
        "add district": (Right.COURTS_MANAGE, lambda by: add_district(engine, keys, north, by)),
        "switch": (
            Right.DISTRICTS_SWITCH,
            lambda by: switch_district(engine, keys, DISTRICT, by, to_enabled=False, reason="Flood"),
        ),
    }


def refusals_of(asked: Mapping[str, Ask], by: Errand) -> dict[str, type[GatewayError] | None]:
    """Ask everything; return how each was refused, None for what was not."""
    found: dict[str, type[GatewayError] | None] = {}
    for name, ask in asked.items():
        try:
            ask(by)
        except GatewayError as error:
            found[name] = type(error)
        else:
            found[name] = None
    return found


def everything(scene: Scene) -> dict[str, Ask]:
    return {
        **{name: ask for name, (_right, ask) in changes(scene).items()},
        **questions(scene),
        **{name: ask for name, (_right, ask) in of_the_court(scene).items()},
    }


def test_what_belongs_to_another_court_is_answered_as_if_it_did_not_exist(scene: Scene) -> None:
    before = trail_of(scene.office)
    abroad = by_whom(*ALL, scope=InCourt(court_id=OTHER_COURT))
    asked = everything(scene)
    assert refusals_of(asked, abroad) == dict.fromkeys(asked, UnknownEntryError)
    assert trail_of(scene.office) == before


def test_what_does_not_exist_is_answered_in_the_same_words(scene: Scene) -> None:
    abroad = by_whom(*ALL, scope=InCourt(court_id=OTHER_COURT))
    nowhere = replace(
        scene, draft="ord_0", submitted="ord_0", approved="ord_0", suspended="ord_0", dispute="dis_0", document="doc_0"
    )
    orders = {name: ask for name, (_right, ask) in changes(scene).items()} | dict(questions(scene))
    missing = {name: ask for name, (_right, ask) in changes(nowhere).items()} | dict(questions(nowhere))
    for name, ask in orders.items():
        with pytest.raises(UnknownEntryError) as hidden:
            ask(abroad)
        with pytest.raises(UnknownEntryError) as absent:
            missing[name](abroad)
        assert hidden.value.details.keys() == absent.value.details.keys()
        assert {**hidden.value.details, "shown": ""} == {**absent.value.details, "shown": ""}, name


def test_a_district_is_no_business_of_another_district(scene: Scene) -> None:
    beside = by_whom(*ALL, scope=InDistrict(court_id=COURT, district_id=SISTER))
    asked = {name: ask for name, (_right, ask) in changes(scene).items()} | dict(questions(scene))
    assert refusals_of(asked, beside) == dict.fromkeys(asked, UnknownEntryError)
    court = {name: ask for name, (_right, ask) in of_the_court(scene).items()}
    # A document is the whole court's to upload, and who counts counts what lies in the own district.
    assert refusals_of(court, beside) == {**dict.fromkeys(court, NotAllowedError), "upload": None, "count": None}


def test_whoever_lacks_a_right_is_told_which(scene: Scene) -> None:
    asked = {**changes(scene), **of_the_court(scene)}
    before = trail_of(scene.office)
    for name, (right, ask) in asked.items():
        lacking = by_whom(*(ALL - {right}))
        if name == "upload":
            lacking = by_whom(*(ALL - {Right.ORDERS_DRAFT, Right.ORDERS_APPROVE}))
        with pytest.raises(NotAllowedError, match=right.value):
            pytest.fail(f"{name} was done: {ask(lacking)}")
    assert trail_of(scene.office) == before


def test_who_reads_no_orders_learns_of_none(scene: Scene) -> None:
    stranger = by_whom(Right.STATISTICS_READ, Right.DISTRICTS_SWITCH)
    asked = {name: ask for name, (_right, ask) in changes(scene).items()} | dict(questions(scene))
    assert refusals_of(asked, stranger) == dict.fromkeys(asked, UnknownEntryError)


def test_who_reads_orders_but_no_disputes_is_told_so(scene: Scene) -> None:
    reader = by_whom(Right.ORDERS_READ)
    with pytest.raises(NotAllowedError, match="disputes:read"):
        read_dispute(scene.office, scene.dispute, reader)
    with pytest.raises(NotAllowedError, match="disputes:read"):
        resolve_dispute(scene.office, scene.dispute, Resolution.LIFT, reader)


def test_exactly_the_right_that_is_asked_for_suffices(scene: Scene) -> None:
    done = []
    for name, (right, ask) in {**changes(scene), **of_the_court(scene)}.items():
        if name in {"approve", "resume"}:  # What the next step needs is gone once the step before was done.
            continue
        ask(by_whom(right, Right.ORDERS_READ, Right.DISPUTES_READ, by=f"per_{name}"))
        done.append(name)
    assert len(done) == 16
    assert [each.line_id for each in lines_of(scene.office, scene.approved)] != []


def test_a_program_never_does_what_a_person_must_answer_for(scene: Scene) -> None:
    before = trail_of(scene.office)
    by_persons = ("approve", "resume", "extend", "approve notice", "resolve")
    asked = {name: changes(scene)[name][1] for name in by_persons}
    assert refusals_of(asked, an_api_key()) == dict.fromkeys(asked, NotAPersonError)
    assert trail_of(scene.office) == before


def test_a_clerk_of_a_district_works_below_it_and_nowhere_else(scene: Scene) -> None:
    office = scene.office
    top = District(district_id="north-east", court_id=COURT, name="North-East", parent_id=DISTRICT, enabled=True)
    add_district(office.engine, office.keys, top, by_whom(Right.COURTS_MANAGE))
    clerk = an_errand(scope=InDistrict(court_id=COURT, district_id=DISTRICT))
    below = a_draft(office, clerk, case_number="10", district_id="north-east")
    assert read_order(office, below.order_id, clerk).order == below
    for district_id in ("lakeside", SISTER):
        with pytest.raises(NotAllowedError):
            draft_order(office, an_order_request(case_number="11", district_id=district_id), clerk)
    moved = an_order_request(case_number="10", district_id=SISTER)
    with pytest.raises(NotAllowedError):
        edit_draft(office, below.order_id, moved, clerk, expected=1)
    edit_draft(office, below.order_id, moved, an_errand(), expected=1)
    with pytest.raises(UnknownEntryError):
        submit_order(office, below.order_id, clerk)


def test_lists_show_what_lies_within_reach_whatever_reach_is_asked_for(scene: Scene) -> None:
    office = scene.office
    everywhere = by_whom(*ALL, scope=Everywhere())
    all_orders = OrderQuery(reach=everywhere.actor.reach(Right.ORDERS_READ), limit=200)
    all_disputes = DisputeQuery(reach=everywhere.actor.reach(Right.DISPUTES_READ))
    north = by_whom(*READS, Right.DISPUTES_READ, scope=InDistrict(court_id=COURT, district_id=DISTRICT))
    south = by_whom(*READS, Right.DISPUTES_READ, scope=InDistrict(court_id=COURT, district_id=SISTER))
    nothing = by_whom(Right.STATISTICS_READ, scope=Everywhere())
    found = {each.order.order_id for each in list_orders(office, all_orders, north)}
    assert {scene.draft, scene.submitted, scene.approved, scene.suspended} <= found
    assert all(each.order.district_id == SISTER for each in list_orders(office, all_orders, south))
    assert [each.dispute_id for each in list_disputes(office, all_disputes, north)] == [scene.dispute]
    assert list_disputes(office, all_disputes, south) == ()
    assert (list_orders(office, all_orders, nothing), list_disputes(office, all_disputes, nothing)) == ((), ())


def test_a_court_is_added_by_who_manages_all_courts(scene: Scene) -> None:
    office = scene.office
    with pytest.raises(NotAllowedError):
        add_court(office.engine, office.keys, HILLSIDE, an_errand(Role.ADMINISTRATOR))
    add_court(office.engine, office.keys, HILLSIDE, an_errand(Role.ADMINISTRATOR, scope=Everywhere()))
    assert trail_of(office, "hillside") == ["office:court:added"]
