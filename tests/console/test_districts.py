"""The switches of districts: what a page says before and after, and that calls obey it at once."""

import pytest

from gateway.app import Running
from gateway.clock import utc_now
from gateway.domain.rights import Everywhere, InCourt, InDistrict, Role
from gateway.workflows.load_demo import person_in_permitted_hours
from gateway.workflows.read_districts import DistrictNode, read_districts
from tests.builders_office import an_errand, trail_of
from tests.console.scene import Console, a_console, errors_of, text_of
from tests.telephone import Telephone
from tests.workflows.test_disputes import is_spoken_to

NORTH = "/districts/lakeside-north"
REASON = "The notices are being checked."


def _node(console: Console, district_id: str) -> DistrictNode:
    found = read_districts(console.desk.office, an_errand(Role.OPERATOR, scope=Everywhere(), at=utc_now()))
    return next(node for node in found if node.district.district_id == district_id)


def _switched(console: Console, district_id: str) -> list[str]:
    return [tag for tag in trail_of(console.desk.office, district_id) if "switched" in tag]


def test_the_tree_shows_what_is_silent_and_because_of_what(console: Console) -> None:
    operator = console.somebody(Role.OPERATOR)
    assert operator.send("/districts/lakeside/switch", reason=REASON).status_code == 303
    text = text_of(operator.get("/districts"))
    assert "North below Lakeside Silent because Lakeside is off" in text
    assert "Switch on Lakeside" in text
    assert "Thameside" not in text


def test_switching_says_first_what_it_silences_and_afterwards_since_when(console: Console) -> None:
    operator = console.somebody(Role.OPERATOR)
    number = _node(console, "lakeside-north").in_force
    assert number
    before = text_of(operator.get(f"{NORTH}/switch"))
    assert f"{number} order" in before
    assert "will fall silent from the next call on" in before
    sent = operator.send(f"{NORTH}/switch", reason=REASON)
    assert (sent.status_code, sent.headers["Location"]) == (303, "/console/districts/lakeside-north")
    page = text_of(operator.get(NORTH))
    assert "Off Switched off" in page
    assert "Somebody" in page
    assert f"Reason: {REASON}" in page
    assert "will be heard again" in text_of(operator.get(f"{NORTH}/switch"))
    assert operator.send(f"{NORTH}/switch", reason="All is well.").status_code == 303
    assert _node(console, "lakeside-north").is_heard
    history = text_of(operator.get(NORTH)).partition("History")[2]
    assert history.index("All is well.") < history.index(REASON)


def test_the_very_next_call_obeys_the_switch(telephone: Telephone) -> None:
    running: Running = telephone.app.extensions["notice_gateway"]
    console = a_console(running.parts)
    number, _city = person_in_permitted_hours(utc_now())
    operator = console.somebody(Role.OPERATOR, scope=Everywhere())
    assert is_spoken_to(telephone, number)
    for district_id in ("lakeside", "thameside", "bayside"):
        assert operator.send(f"/districts/{district_id}/switch", reason=REASON).status_code == 303
    assert not is_spoken_to(telephone, number)
    for district_id in ("lakeside", "thameside", "bayside"):
        assert operator.send(f"/districts/{district_id}/switch", reason=REASON).status_code == 303
    assert is_spoken_to(telephone, number)


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_switch_without_a_reason_is_not_turned(sqlite_console: Console, reason: str) -> None:
    answer = sqlite_console.somebody(Role.OPERATOR).send(f"{NORTH}/switch", reason=reason)
    assert answer.status_code == 422
    assert errors_of(answer)
    assert _node(sqlite_console, "lakeside-north").district.enabled


def test_a_switch_that_somebody_else_has_turned_meanwhile_is_not_turned_again(console: Console) -> None:
    first, second = console.somebody(Role.OPERATOR), console.somebody(Role.OPERATOR)
    page = first.get(f"{NORTH}/switch")
    assert second.send(f"{NORTH}/switch", reason="I was faster.").status_code == 303
    answer = first.send_as_seen(f"{NORTH}/switch", page, reason="These are my words.")
    assert answer.status_code == 412
    assert errors_of(answer)
    assert "These are my words." in answer.text
    assert "Begin again from the present state" in text_of(answer)
    assert _switched(console, "lakeside-north") == ["office:district:switched_off"]


def test_a_form_whose_version_was_taken_out_turns_nothing(sqlite_console: Console) -> None:
    answer = sqlite_console.somebody(Role.OPERATOR).send(f"{NORTH}/switch", reason=REASON, version="")
    assert answer.status_code == 412
    assert _switched(sqlite_console, "lakeside-north") == []


def test_a_switch_that_is_sent_twice_is_turned_once(console: Console) -> None:
    operator = console.somebody(Role.OPERATOR)
    page = operator.get(f"{NORTH}/switch")
    answers = [operator.send_as_seen(f"{NORTH}/switch", page, reason=REASON) for _ in range(2)]
    assert [each.status_code for each in answers] == [303, 303]
    assert _switched(console, "lakeside-north") == ["office:district:switched_off"]


def test_a_district_under_one_that_is_off_is_said_to_stay_silent(sqlite_console: Console) -> None:
    operator = sqlite_console.somebody(Role.OPERATOR)
    assert operator.send("/districts/lakeside/switch", reason=REASON).status_code == 303
    text = text_of(operator.get(f"{NORTH}/switch"))
    assert "No call will sound different: Lakeside above it is off" in text
    assert "because Lakeside above it is off" in text_of(operator.get(NORTH))


def test_another_courts_district_is_not_there(sqlite_console: Console) -> None:
    operator = sqlite_console.somebody(Role.OPERATOR, scope=InCourt(court_id="thameside"))
    for path in (NORTH, f"{NORTH}/switch", "/districts/nowhere", "/districts/nowhere/switch"):
        assert operator.get(path).status_code == 404
    assert "Lakeside" not in operator.get("/districts").text


def test_only_who_may_switch_is_offered_it_and_let_do_it(sqlite_console: Console) -> None:
    console = sqlite_console
    clerk = console.somebody(Role.CLERK)
    assert "Switch off" not in text_of(clerk.get("/districts"))
    assert clerk.get(f"{NORTH}/switch").status_code == 403
    south = InDistrict(court_id="lakeside", district_id="lakeside-south")
    operator = console.somebody(Role.OPERATOR, scope=south)
    assert "Only who works in this district" in text_of(operator.get(NORTH))
    assert operator.get(f"{NORTH}/switch").status_code == 403
    page = operator.get("/districts/lakeside-south/switch")
    forced = operator.send_as_seen(f"{NORTH}/switch", page, reason=REASON, version="1", turn="off")
    assert forced.status_code == 403
    assert _node(console, "lakeside-north").district.enabled
    assert console.somebody(scope=None).get("/districts").status_code == 403
