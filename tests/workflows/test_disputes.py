"""Keys 3 and 9 on a real call, the court's inbox, and what an officer makes of it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from gateway.app import Running
from gateway.assembly import Parts
from gateway.clock import utc_now
from gateway.domain.rights import InCourt, Right, Role
from gateway.domain.standing import Ground
from gateway.outbox.tables import messages
from gateway.register.disputes import DisputeQuery, Resolution
from gateway.register.errors import UnknownEntryError
from gateway.register.tables import disputes, lines
from gateway.workflows.draft_order import edit_draft
from gateway.workflows.end_order import lift_order
from gateway.workflows.load_demo import person_in_permitted_hours
from gateway.workflows.office import Office
from gateway.workflows.read_orders import list_disputes, read_dispute
from gateway.workflows.resolve_dispute import AlreadyResolvedError, resolve_dispute
from tests.builders_office import (
    NOON,
    NUMBER,
    a_dispute,
    a_draft,
    a_line,
    a_person,
    an_approved_order,
    an_errand,
    an_office,
    an_order_request,
    details_of,
    heard,
    lines_of,
    the_order,
    told_of,
    trail_of,
)
from tests.telephone import Telephone, a_call_sid, child, prompts_in, xml

APPROVER = an_errand(Role.APPROVER)
# Noon in New York, where the line is: a person may be spoken to.
DAYTIME = NOON + timedelta(hours=5)


def the_dispute(office: Office) -> str:
    """Return the id of the only dispute there is."""
    with office.engine.connect() as connection:
        return str(connection.execute(select(disputes.c.dispute_id)).scalar_one())


def press_on_a_call(telephone: Telephone, number: str, keys: str) -> None:
    """Ring a line, have it picked up, and press one key after the other; each must be asked for."""
    sid = a_call_sid()
    answer = telephone.answer(telephone.call(number, sid=sid), sid)
    for key in keys:
        assert prompts_in(answer)
        answer = telephone.press(answer, key, child(sid))


def is_spoken_to(telephone: Telephone, number: str) -> bool:
    """Ring a line and tell whether whoever picks up hears anything."""
    sid = a_call_sid()
    answer = telephone.call(number, sid=sid)
    assert prompts_in(answer) == []
    whispering = [noun for noun in (*xml(answer).iter("Number"), *xml(answer).iter("Sip")) if noun.get("url")]
    return bool(whispering) and bool(prompts_in(telephone.answer(answer, sid)))


@pytest.mark.parametrize(("keys", "ground"), [("9", "wrong_person"), ("13", "contested"), ("19", "wrong_person")])
def test_a_key_on_a_call_silences_the_line_opens_a_dispute_and_tells_the_court(
    telephone: Telephone, keys: str, ground: str
) -> None:
    running: Running = telephone.app.extensions["notice_gateway"]
    office = an_office(running.parts)
    number, _city = person_in_permitted_hours(utc_now())
    press_on_a_call(telephone, number, keys)
    assert not is_spoken_to(telephone, number)
    dispute_id = the_dispute(office)
    with office.engine.connect() as connection:
        order_id = connection.execute(select(disputes.c.order_id)).scalar_one()
        line_id = connection.execute(select(lines.c.line_id).where(lines.c.suspended_at.is_not(None))).scalar_one()
        told = connection.execute(select(messages.c.court_id).where(messages.c.event == "dispute.opened")).all()
    assert [row.court_id for row in told] == [the_order(office, order_id).court_id]
    assert told_of(office, order_id)[-1] == "dispute.opened"
    assert trail_of(office, line_id) == ["call:line:suspended"]
    assert trail_of(office, dispute_id) == ["call:dispute:opened"]
    assert details_of(office, dispute_id) == [{"order": order_id, "line": line_id, "ground": ground}]


RESOLVED = {Resolution.RESUME: True, Resolution.REMOVE_LINE: False, Resolution.LIFT: False}


@pytest.mark.parametrize("resolution", RESOLVED, ids=lambda resolution: resolution.value)
def test_what_an_officer_decides_holds_from_the_next_call_on(telephone: Telephone, resolution: Resolution) -> None:
    running: Running = telephone.app.extensions["notice_gateway"]
    office = an_office(running.parts)
    number, _city = person_in_permitted_hours(utc_now())
    press_on_a_call(telephone, number, "9")
    assert not is_spoken_to(telephone, number)
    dispute_id = the_dispute(office)
    with office.engine.connect() as connection:
        order_id = str(connection.execute(select(disputes.c.order_id)).scalar_one())
    court_id = the_order(office, order_id).court_id
    officer = an_errand(Role.APPROVER, scope=InCourt(court_id=court_id), at=utc_now())
    resolved = resolve_dispute(office, dispute_id, resolution, officer, note="Called back; it is the right person.")
    assert (resolved.resolution, resolved.resolved_by) == (resolution, officer.actor.actor_id)
    for _ in range(2):
        assert is_spoken_to(telephone, number) is RESOLVED[resolution]
    assert read_dispute(office, dispute_id, officer).note == "Called back; it is the right person."
    assert "Called back" not in str(details_of(office, dispute_id))
    assert told_of(office, order_id).count("dispute.resolved") == 1
    assert told_of(office, order_id).count("order.lifted") == (1 if resolution is Resolution.LIFT else 0)
    with pytest.raises(AlreadyResolvedError, match=resolution.value):
        resolve_dispute(office, dispute_id, Resolution.RESUME, officer)


def test_a_line_is_heard_again_only_after_the_last_open_dispute_about_it(parts: Parts, office: Office) -> None:
    order = an_approved_order(office, at=DAYTIME, subject=a_person())
    first, second = (a_dispute(office, order, call=call) for call in ("one", "two"))
    resolve_dispute(office, first, Resolution.RESUME, APPROVER)
    assert heard(parts, NUMBER, order.order_id, DAYTIME) == ()
    resolve_dispute(office, second, Resolution.RESUME, APPROVER)
    assert heard(parts, NUMBER, order.order_id, DAYTIME) == ("B:opener",)
    line_id = lines_of(office, order.order_id)[0].line_id
    assert trail_of(office, line_id) == ["office:line:resumed"]


@pytest.mark.parametrize("resolution", [Resolution.REMOVE_LINE, Resolution.LIFT])
def test_a_second_dispute_about_a_line_that_left_can_still_be_closed(office: Office, resolution: Resolution) -> None:
    order = an_approved_order(office, subject=a_person())
    first, second, third = (a_dispute(office, order, call=call) for call in ("one", "two", "three"))
    resolve_dispute(office, first, Resolution.REMOVE_LINE, APPROVER)
    with pytest.raises(UnknownEntryError, match="line"):
        resolve_dispute(office, second, Resolution.RESUME, APPROVER)
    assert read_dispute(office, second, APPROVER).resolution is None
    for dispute in (second, third):
        assert resolve_dispute(office, dispute, resolution, APPROVER).resolution is resolution
    assert (the_order(office, order.order_id).lifted_at is not None) is (resolution is Resolution.LIFT)
    assert trail_of(office, order.order_id).count("office:order:lifted") == (1 if resolution is Resolution.LIFT else 0)


def test_a_dispute_about_an_order_that_is_over_is_closed_without_ending_it_again(office: Office) -> None:
    order = an_approved_order(office, subject=a_person())
    dispute = a_dispute(office, order)
    lifted = lift_order(office.engine, office.keys, order.order_id, an_errand())
    resolve_dispute(office, dispute, Resolution.LIFT, APPROVER)
    assert the_order(office, order.order_id) == lifted
    assert told_of(office, order.order_id).count("order.lifted") == 1


def test_an_edit_of_a_draft_does_not_bring_back_a_line_that_a_key_silenced(office: Office) -> None:
    """Who said "wrong person" on another court's call is spared by this draft too, whatever its clerk changes."""
    order = a_draft(office, subject=a_person(), lines=(a_line(), a_line("+12025550161")))
    dispute = a_dispute(office, order, ground=Ground.WRONG_PERSON)
    silenced = next(each for each in lines_of(office, order.order_id) if each.suspended_at)
    request = an_order_request(subject=a_person(), lines=(a_line("+12025550162"), a_line(zone="America/Chicago")))
    edit_draft(office, order.order_id, request, an_errand(), expected=1)
    left = {each.line.number.number: each for each in lines_of(office, order.order_id)}
    assert set(left) == {NUMBER, "+12025550162"}
    assert (left[NUMBER].line_id, left[NUMBER].ground) == (silenced.line_id, Ground.WRONG_PERSON)
    assert left[NUMBER].line.zone == "America/Chicago"
    assert left["+12025550162"].suspended_at is None
    resolve_dispute(office, dispute, Resolution.RESUME, APPROVER)
    assert all(each.suspended_at is None for each in lines_of(office, order.order_id))


def test_the_inbox_lists_each_dispute_once_page_by_page_and_closed_ones_on_demand(office: Office) -> None:
    order = an_approved_order(office, subject=a_person())
    # All were opened at the same instant.
    opened = {a_dispute(office, order, call=str(number)) for number in range(7)}
    closed = sorted(opened)[3]
    resolve_dispute(office, closed, Resolution.RESUME, APPROVER)
    for open_only, expected in ((False, opened), (True, opened - {closed})):
        found: list[str] = []
        while page := list_disputes(
            office,
            DisputeQuery(
                reach=APPROVER.actor.reach(Right.DISPUTES_READ),
                order_id=order.order_id,
                open_only=open_only,
                after=found[-1] if found else "",
                limit=2,
            ),
            APPROVER,
        ):
            found += [each.dispute_id for each in page]
        assert found == sorted(expected)
