"""The court's inbox: the evidence of a real call, and each way of resolving it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from gateway.app import Running
from gateway.clock import utc_now
from gateway.domain.order import OrderState
from gateway.domain.rights import Everywhere, InCourt, Role
from gateway.domain.standing import Ground
from gateway.register.disputes import Resolution
from gateway.workflows.load_demo import person_in_permitted_hours
from gateway.workflows.read_orders import read_dispute
from tests.builders_office import a_dispute, an_errand, lines_of, the_order, trail_of
from tests.console.scene import Console, a_console, errors_of, text_of
from tests.telephone import Telephone
from tests.workflows.test_disputes import is_spoken_to, press_on_a_call, the_dispute

NUMBER = "+442079460110"
DAY = timedelta(days=1)


def _an_order(console: Console, **changes: object) -> str:
    return console.registry.an_approved_order("lakeside", district="lakeside-north", **changes)


def _a_dispute(console: Console, order_id: str, call: str = "1") -> str:
    office = console.desk.office
    return a_dispute(office, the_order(office, order_id), number=NUMBER, call=call)


def _resolution(console: Console, dispute_id: str) -> Resolution | None:
    errand = an_errand(Role.APPROVER, scope=Everywhere(), at=utc_now())
    return read_dispute(console.desk.office, dispute_id, errand).resolution


def test_the_inbox_lists_what_is_open_and_on_demand_what_was_resolved(console: Console) -> None:
    dispute_id = _a_dispute(console, _an_order(console, case_number="HC-INBOX-1"))
    approver = console.somebody(Role.APPROVER)
    text = text_of(approver.get("/disputes"))
    assert "HC-INBOX-1" in text
    assert "Contested" in text
    assert approver.send(f"/disputes/{dispute_id}/resolve/resume", note="").status_code == 303
    assert "No dispute is open." in text_of(approver.get("/disputes"))
    everything = text_of(approver.get("/disputes?state=all&court=lakeside"))
    assert "HC-INBOX-1" in everything
    assert "The line is heard again" in everything
    assert "HC-INBOX-1" not in approver.get("/disputes?state=all&court=thameside").text


def test_a_long_inbox_comes_in_pages(sqlite_console: Console) -> None:
    console = sqlite_console
    order_id = _an_order(console)
    found = {_a_dispute(console, order_id, call=str(number)) for number in range(51)}
    clerk = console.somebody(Role.CLERK)
    first = clerk.get("/disputes")
    after = first.text.partition("after=")[2].partition('"')[0]
    second = clerk.get(f"/disputes?after={after}")
    shown = [{each for each in found if f"/disputes/{each}" in page.text} for page in (first, second)]
    assert [len(each) for each in shown] == [50, 1]
    assert shown[0] | shown[1] == found


def test_a_dispute_is_shown_with_its_call_and_the_next_call_obeys_the_officer(telephone: Telephone) -> None:
    running: Running = telephone.app.extensions["notice_gateway"]
    console = a_console(running.parts)
    number, _city = person_in_permitted_hours(utc_now())
    press_on_a_call(telephone, number, "9")
    dispute_id = the_dispute(console.desk.office)
    approver = console.somebody(Role.APPROVER, scope=Everywhere())
    text = text_of(approver.get(f"/disputes/{dispute_id}"))
    for words in ("Wrong person", "Opener", "Key 9", "Its seal is sound", number, "Silent since"):
        assert words in text
    assert not is_spoken_to(telephone, number)
    assert approver.send(f"/disputes/{dispute_id}/resolve/resume", note="Called back.").status_code == 303
    assert is_spoken_to(telephone, number)
    after = text_of(approver.get(f"/disputes/{dispute_id}"))
    assert "Note: Called back." in after
    assert "Resolve this dispute" not in after


@pytest.mark.parametrize("resolution", Resolution, ids=lambda each: each.value)
def test_each_way_says_what_it_does_and_does_it(console: Console, resolution: Resolution) -> None:
    order_id = _an_order(console)
    dispute_id = _a_dispute(console, order_id)
    approver = console.somebody(Role.APPROVER)
    path = f"/disputes/{dispute_id}/resolve/{resolution.value}"
    assert NUMBER in text_of(approver.get(path))
    assert approver.send(path, note="Looked into.").status_code == 303
    assert _resolution(console, dispute_id) is resolution
    office = console.desk.office
    lifted = the_order(office, order_id).state_at(utc_now()) is OrderState.LIFTED
    assert lifted is (resolution is Resolution.LIFT)
    assert bool(lines_of(office, order_id)) is (resolution is not Resolution.REMOVE_LINE)


def test_two_officers_who_resolve_at_once_are_not_both_right(console: Console) -> None:
    dispute_id = _a_dispute(console, _an_order(console))
    officers = [console.somebody(Role.APPROVER) for _ in range(2)]
    paths = [f"/disputes/{dispute_id}/resolve/{way}" for way in ("resume", "lift")]
    pages = [officer.get(path) for officer, path in zip(officers, paths, strict=True)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(
                lambda each: each[0].send_as_seen(each[1], each[2], note="My words."),
                zip(officers, paths, pages, strict=True),
            )
        )
    assert sorted(each.status_code for each in answers) == [303, 409]
    refused = next(each for each in answers if each.status_code == 409)
    assert "resolved already" in errors_of(refused)[0]
    assert "My words." in refused.text
    assert trail_of(console.desk.office, dispute_id).count("office:dispute:resolved") == 1


def test_a_resolution_that_is_sent_twice_is_carried_out_once(console: Console) -> None:
    dispute_id = _a_dispute(console, _an_order(console))
    approver = console.somebody(Role.APPROVER)
    path = f"/disputes/{dispute_id}/resolve/remove_line"
    page = approver.get(path)
    answers = [approver.send_as_seen(path, page, note="Twice.") for _ in range(2)]
    assert [each.status_code for each in answers] == [303, 303]
    assert answers[0].headers["Location"] == answers[1].headers["Location"] == f"/console/disputes/{dispute_id}"
    assert trail_of(console.desk.office, dispute_id).count("office:dispute:resolved") == 1


def test_a_note_that_is_too_long_is_kept_in_the_form(sqlite_console: Console) -> None:
    dispute_id = _a_dispute(sqlite_console, _an_order(sqlite_console))
    answer = sqlite_console.somebody(Role.APPROVER).send(f"/disputes/{dispute_id}/resolve/lift", note="x" * 2001)
    assert answer.status_code == 422
    assert "x" * 2001 in answer.text
    assert _resolution(sqlite_console, dispute_id) is None


def test_another_courts_dispute_is_not_there(sqlite_console: Console) -> None:
    dispute_id = _a_dispute(sqlite_console, _an_order(sqlite_console))
    other = sqlite_console.somebody(Role.APPROVER, scope=InCourt(court_id="thameside"))
    own = sqlite_console.somebody(Role.APPROVER)
    page = own.get(f"/disputes/{dispute_id}/resolve/lift")
    assert other.get(f"/disputes/{dispute_id}").status_code == 404
    assert other.get(f"/disputes/{dispute_id}/resolve/lift").status_code == 404
    assert dispute_id not in other.get("/disputes?state=all").text
    assert own.get("/disputes/dis_nothing").status_code == 404
    assert own.get(f"/disputes/{dispute_id}/resolve/forget").status_code == 404
    assert page.status_code == 200
    assert _resolution(sqlite_console, dispute_id) is None


def test_a_clerk_reads_disputes_and_resolves_none_and_an_operator_sees_none(sqlite_console: Console) -> None:
    dispute_id = _a_dispute(sqlite_console, _an_order(sqlite_console))
    clerk, operator = sqlite_console.somebody(Role.CLERK), sqlite_console.somebody(Role.OPERATOR)
    page = clerk.get(f"/disputes/{dispute_id}")
    assert page.status_code == 200
    assert "Resolve this dispute" not in page.text
    assert clerk.get(f"/disputes/{dispute_id}/resolve/lift").status_code == 403
    for path in ("/disputes", f"/disputes/{dispute_id}", f"/disputes/{dispute_id}/resolve/lift"):
        assert operator.get(path).status_code == 403


def test_a_line_that_has_left_its_order_cannot_be_heard_again(sqlite_console: Console) -> None:
    order_id = _an_order(sqlite_console)
    first, second = (_a_dispute(sqlite_console, order_id, call=call) for call in ("1", "2"))
    approver = sqlite_console.somebody(Role.APPROVER)
    assert "Let the line be heard again" in text_of(approver.get(f"/disputes/{second}"))
    assert approver.send(f"/disputes/{first}/resolve/remove_line").status_code == 303
    text = text_of(approver.get(f"/disputes/{second}"))
    assert "The line is not under this order any more." in text
    assert "Let the line be heard again" not in text
    assert approver.send(f"/disputes/{second}/resolve/remove_line").status_code == 303


def test_a_wrong_persons_dispute_says_so(sqlite_console: Console) -> None:
    office = sqlite_console.desk.office
    order_id = _an_order(sqlite_console, subject={"kind": "natural_person", "name": "Canary Person"})
    dispute_id = a_dispute(office, the_order(office, order_id), number=NUMBER, ground=Ground.WRONG_PERSON)
    text = text_of(sqlite_console.somebody(Role.AUDITOR).get(f"/disputes/{dispute_id}"))
    assert "Dispute: Wrong person" in text
    assert "No play of this call is on record." in text
