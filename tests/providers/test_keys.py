"""Keys, caps and repetitions are judged by the register, whatever comes at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from gateway.providers.dialect import Event
from tests.contract.scene import (
    ANSWERED,
    counted,
    disputes_in,
    move_to_noon,
    plays_in,
    verbs,
)
from tests.providers.private_call import (
    BRIDGE,
    ORGANISATION,
    PERSON,
    Call,
    a_person,
    age_plays,
    is_heard,
    token_in,
    without_tokens,
)
from tests.telephone import Telephone, xml


def test_a_repeated_webhook_gets_the_same_answer_and_leaves_one_play(telephone: Telephone) -> None:
    """ "one retry by default": the second delivery must not count, nor be turned away by the first one's own play."""
    call = a_person(telephone)
    first, again = call.comes_in(), call.comes_in()
    assert without_tokens(first) == without_tokens(again)
    opener, repeated = telephone.answer(first, call.sid), telephone.answer(first, call.sid)
    assert is_heard(opener)
    assert without_tokens(opener) == without_tokens(repeated)
    content, told_again = call.pressed(opener, "1"), call.pressed(repeated, "1")
    assert is_heard(content)
    assert without_tokens(content) == without_tokens(told_again)
    assert [row.purpose for row in plays_in(telephone)] == ["opener", "private"]


def test_a_repeated_public_notice_leaves_one_play(telephone: Telephone) -> None:
    call = Call(telephone=telephone, line=ORGANISATION)
    answers = {without_tokens(call.comes_in()) for _ in range(3)}
    assert len(answers) == 1
    (play,) = plays_in(telephone)
    assert (play.purpose, play.leg) == ("public", "A")


def test_repetitions_at_once_leave_one_play(telephone: Telephone) -> None:
    call = a_person(telephone)
    ringing = call.comes_in()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: telephone.answer(ringing, call.sid), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(plays_in(telephone, "opener")) == 1


def test_a_line_hears_the_opener_three_times_a_day_and_not_once_more(telephone: Telephone) -> None:
    heard = [a_person(telephone).hears() for _ in range(5)]
    assert heard == [True, True, True, False, False]
    assert len(plays_in(telephone, "opener")) == 3
    assert counted(telephone, ANSWERED, reason="opener_cap") >= 2
    age_plays(telephone, timedelta(hours=24, seconds=1))
    assert a_person(telephone).hears()


def test_a_line_hears_the_content_once_a_day_and_three_times_in_thirty_days(telephone: Telephone) -> None:
    days = []
    for _ in range(5):
        days.append(a_person(telephone).hears("1"))
        assert verbs(a_person(telephone).comes_in()) == ["Dial"]
        age_plays(telephone, timedelta(days=1, seconds=1))
    assert days == [True, True, True, False, False]
    assert len(plays_in(telephone, "private")) == 3


def test_an_opener_already_heard_does_not_open_content_that_another_call_has_taken(telephone: Telephone) -> None:
    one, other = a_person(telephone), a_person(telephone)
    one_opener, other_opener = one.picked_up(), other.picked_up()
    assert is_heard(one.pressed(one_opener, "1"))
    assert verbs(other.pressed(other_opener, "1")) == BRIDGE
    assert len(plays_in(telephone, "private")) == 1


def test_calls_at_once_cannot_pass_the_caps(telephone: Telephone) -> None:
    move_to_noon(telephone, PERSON)
    calls = [Call(telephone=telephone, caller=f"+120255501{number:02}") for number in range(60, 76)]
    ringing = [call.comes_in() for call in calls]
    assert all(xml(each).xpath("//Number/@url") for each in ringing)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(telephone.answer, ringing, [call.sid for call in calls]))
    heard = [(call, answer) for call, answer in zip(calls, answers, strict=True) if is_heard(answer)]
    assert 1 <= len(heard) <= 3
    assert len(plays_in(telephone, "opener")) == len(heard)
    with ThreadPoolExecutor(8) as pool:
        contents = list(pool.map(lambda each: each[0].pressed(each[1], "1"), heard))
    assert sum(map(is_heard, contents)) == len(plays_in(telephone, "private")) <= 1


def test_key_1_then_2_acknowledges_and_the_line_is_left_in_peace_for_seven_days(telephone: Telephone) -> None:
    assert verbs(a_person(telephone).keys("1", "2")) == ["Play"]
    assert [(row.purpose, row.key) for row in plays_in(telephone)] == [("opener", "1"), ("private", "2")]
    assert disputes_in(telephone) == []
    age_plays(telephone, timedelta(days=6, hours=23))
    assert verbs(a_person(telephone).comes_in()) == ["Dial"]
    assert counted(telephone, ANSWERED, reason="acknowledged") >= 1
    age_plays(telephone, timedelta(hours=2))
    assert a_person(telephone).hears()


def test_key_1_then_3_contests_and_the_line_is_suspended_at_once(telephone: Telephone) -> None:
    call = a_person(telephone)
    content = call.keys("1")
    assert verbs(call.pressed(content, "3")) == ["Play"]
    assert verbs(call.pressed(content, "3")) == ["Play"]
    assert disputes_in(telephone) == ["contested"]
    age_plays(telephone, timedelta(days=2))
    assert not xml(a_person(telephone).comes_in()).xpath("//Number/@url")
    assert counted(telephone, ANSWERED, reason="line_suspended") == 1


@pytest.mark.parametrize("before", [(), ("1",)], ids=["at the opener", "at the content"])
def test_key_9_says_wrong_person_and_the_line_is_suspended_at_once(
    telephone: Telephone, before: tuple[str, ...]
) -> None:
    call, ringing = a_person(telephone), a_person(telephone)
    dialled = ringing.comes_in()
    listening = call.keys(*before)
    assert verbs(call.pressed(listening, "9")) == ["Play"]
    assert verbs(call.pressed(listening, "9")) == ["Play"]
    assert disputes_in(telephone) == ["wrong_person"]
    assert verbs(telephone.answer(dialled, ringing.sid)) == BRIDGE
    assert not xml(a_person(telephone).comes_in()).xpath("//Number/@url")


def test_keys_pressed_at_once_make_one_dispute(telephone: Telephone) -> None:
    call = a_person(telephone)
    opener = call.picked_up()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: call.pressed(opener, "9"), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert disputes_in(telephone) == ["wrong_person"]


@pytest.mark.parametrize("key", ["", "0", "2", "3", "4", "#", "*", "x"])
def test_any_other_key_or_none_at_the_opener_bridges_and_changes_nothing(sqlite_telephone: Telephone, key: str) -> None:
    call = a_person(sqlite_telephone)
    opener = call.picked_up()
    assert verbs(call.pressed(opener, key)) == BRIDGE
    assert verbs(call.pressed(opener, key)) == BRIDGE
    assert disputes_in(sqlite_telephone) == []
    assert a_person(sqlite_telephone).hears()


@pytest.mark.parametrize("key", ["", "0", "1", "#", "*", "x"])
def test_any_other_key_or_none_at_the_content_bridges_and_changes_nothing(
    sqlite_telephone: Telephone, key: str
) -> None:
    call = a_person(sqlite_telephone)
    content = call.keys("1")
    assert verbs(call.pressed(content, key)) == BRIDGE
    assert verbs(call.pressed(content, key)) == BRIDGE
    assert disputes_in(sqlite_telephone) == []
    age_plays(sqlite_telephone, timedelta(days=1, seconds=1))
    assert a_person(sqlite_telephone).hears()


def test_a_key_for_the_content_is_not_taken_at_the_opener_with_the_openers_token(sqlite_telephone: Telephone) -> None:
    call = a_person(sqlite_telephone)
    opener = call.picked_up()
    token = token_in(opener, "//Gather/@action")
    assert verbs(call.posted(Event.KEY, token, Digits="3")) == BRIDGE
    assert disputes_in(sqlite_telephone) == []
