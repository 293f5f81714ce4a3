"""Callback tokens carry state and never permission; keys, caps and repetitions are judged by the register."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from werkzeug.test import TestResponse

from gateway.audit.tables import plays
from gateway.clock import utc_now
from gateway.privacy.keys import derive
from gateway.privacy.ring import KeyRing
from gateway.privacy.token import TokenSealer
from gateway.providers.dialect import Event
from gateway.workflows.change import at_the_command_line
from gateway.workflows.end_order import lift_order, suspend_order
from gateway.workflows.switch_district import switch_district
from tests.contract.scene import (
    ANSWERED,
    TOKENS_REFUSED,
    counted,
    disputes_in,
    move_to_noon,
    order_on,
    parts_of,
    plays_in,
    verbs,
)
from tests.telephone import Telephone, a_call_sid, arriving, child, prompts_in, xml

PERSON, ORGANISATION, WARNED = "+442079460120", "+12025550110", "+12025550111"
CALLER = "+12025550188"
BRIDGE: list[str] = []
LIFETIME = timedelta(minutes=15)
WITH_TOKENS = (Event.HEARD, Event.WHISPER, Event.KEY, Event.DIALLED)
# What each event is answered with where its token is refused: connect, bridge or end, in silence.
IN_SILENCE = {Event.HEARD: ["Dial"], Event.WHISPER: BRIDGE, Event.KEY: BRIDGE, Event.DIALLED: ["Hangup"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call to a line, whose callee may pick up and press keys."""

    telephone: Telephone
    line: str = PERSON
    caller: str = CALLER
    sid: str = field(default_factory=a_call_sid)

    def comes_in(self) -> TestResponse:
        return self.telephone.call(self.line, caller=self.caller, sid=self.sid)

    def picked_up(self) -> TestResponse:
        return self.telephone.answer(self.comes_in(), self.sid)

    def hears(self, *keys: str) -> bool:
        """Tell whether the callee, picking up and pressing these keys, hears something last."""
        if not xml(self.comes_in()).xpath("//Number/@url"):
            return False
        return is_heard(self.keys(*keys))

    def pressed(self, gathering: TestResponse, key: str) -> TestResponse:
        return self.telephone.press(gathering, key, child(self.sid))

    def keys(self, *keys: str) -> TestResponse:
        """Pick up and press one key after another, as long as somebody listens."""
        answer = self.picked_up()
        for key in keys:
            answer = self.pressed(answer, key)
        return answer

    def posted(self, event: Event, token: str, **fields: str) -> TestResponse:
        """Post a callback of this call with any token."""
        legs = child(self.sid) if event in {Event.WHISPER, Event.KEY} else arriving(self.line, sid=self.sid)
        return self.telephone.post(f"/twilio/{event.value}?t={token}", {**legs, **fields})


def a_person(telephone: Telephone, **fields: str) -> Call:
    """Return a call to the person's line, at noon there."""
    move_to_noon(telephone, PERSON)
    return Call(telephone=telephone, **fields)


def sealed(call: Call, event: Event, *, purpose: str = "opener", at: datetime | None = None) -> str:
    """Seal what the gateway itself would, with its own key."""
    state = {"call": call.sid, "callee": call.line, "order": order_on(call.telephone, call.line), "purpose": purpose}
    sealer = TokenSealer(parts_of(call.telephone).keys)
    return sealer.seal(state, use=event.value, now=at or utc_now(), lifetime=LIFETIME)


def token_in(response: TestResponse, path: str) -> str:
    url = str(xml(response).xpath(f"string({path})"))
    return url.partition("?t=")[2]


def without_tokens(response: TestResponse) -> str:
    return re.sub(r"\?t=[\w-]+", "?t=TOKEN", response.text)


def is_heard(response: TestResponse) -> bool:
    return len(prompts_in(response)) > 0


def age_plays(telephone: Telephone, by: timedelta) -> None:
    """Let every play have been so much longer ago."""
    rows = plays_in(telephone)
    with parts_of(telephone).studio.engine.begin() as connection:
        for row in rows:
            aged = {"played_at": row.played_at - by, "keyed_at": row.keyed_at and row.keyed_at - by}
            connection.execute(update(plays).where(plays.c.play_id == row.play_id).values(**aged))


def test_a_sealed_token_opens_with_what_was_put_in() -> None:
    sealer, now = TokenSealer(KeyRing(derive(bytes(range(32))))), utc_now()

    @settings(max_examples=50, deadline=None)
    @given(st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=4), st.text(max_size=8))
    def holds(state: dict[str, str], use: str) -> None:
        assert sealer.open(sealer.seal(state, use=use, now=now, lifetime=LIFETIME), use=use, now=now) == state

    holds()


@pytest.mark.parametrize("event", WITH_TOKENS)
def test_a_forged_or_damaged_token_is_answered_in_silence(sqlite_telephone: Telephone, event: Event) -> None:
    call = a_person(sqlite_telephone)
    good = sealed(call, event)
    stranger = TokenSealer(KeyRing(derive(bytes(range(32))))).seal(
        {"call": call.sid, "callee": PERSON, "order": "x", "purpose": "opener"},
        use=event.value,
        now=utc_now(),
        lifetime=LIFETIME,
    )
    forged = ["x", "-", "%00", "%FF", "=" * 40, "A" * 5000, stranger, good + "AAAA", "AAAA" + good, good[::-1]]
    truncated = [good[:length] for length in (1, 4, 16, 17, len(good) // 2, len(good) - 4)]
    flipped = [good[:at] + ("B" if good[at] == "A" else "A") + good[at + 1 :] for at in range(0, len(good) - 1, 9)]
    for token in (*forged, *truncated, *flipped):
        answer = call.posted(event, token, Digits="1", DialCallStatus="failed")
        assert answer.status_code == 200
        assert verbs(answer) == IN_SILENCE[event]
    tried = len(forged) + len(truncated) + len(flipped)
    assert counted(sqlite_telephone, TOKENS_REFUSED, why="forged") == tried
    assert counted(sqlite_telephone, ANSWERED, reason="bad_token") == tried
    assert plays_in(sqlite_telephone) == []
    assert disputes_in(sqlite_telephone) == []


@pytest.mark.parametrize("event", WITH_TOKENS)
def test_an_expired_token_is_answered_in_silence(sqlite_telephone: Telephone, event: Event) -> None:
    call = a_person(sqlite_telephone)
    token = sealed(call, event, at=utc_now() - LIFETIME)
    assert verbs(call.posted(event, token, Digits="1")) == IN_SILENCE[event]
    assert counted(sqlite_telephone, TOKENS_REFUSED, why="expired") == 1
    assert plays_in(sqlite_telephone) == []


@pytest.mark.parametrize("event", WITH_TOKENS)
def test_a_token_of_another_call_is_answered_in_silence(sqlite_telephone: Telephone, event: Event) -> None:
    call, other = a_person(sqlite_telephone), Call(telephone=sqlite_telephone)
    answer = other.posted(event, sealed(call, event), Digits="1", DialCallStatus="failed")
    assert verbs(answer) == IN_SILENCE[event]
    assert counted(sqlite_telephone, TOKENS_REFUSED, why="another call's") == 1
    assert plays_in(sqlite_telephone) == []


@pytest.mark.parametrize("event", WITH_TOKENS)
def test_a_token_for_another_use_is_answered_in_silence(sqlite_telephone: Telephone, event: Event) -> None:
    call = a_person(sqlite_telephone)
    for other in WITH_TOKENS:
        if other is not event:
            assert verbs(call.posted(event, sealed(call, other), Digits="9")) == IN_SILENCE[event]
    assert disputes_in(sqlite_telephone) == []
    assert plays_in(sqlite_telephone) == []


def test_a_missing_token_is_answered_in_silence_and_a_plain_dial_needs_none(sqlite_telephone: Telephone) -> None:
    call = a_person(sqlite_telephone)
    for event in (Event.HEARD, Event.WHISPER, Event.KEY):
        assert verbs(call.posted(event, "")) == IN_SILENCE[event]
    assert counted(sqlite_telephone, TOKENS_REFUSED, why="missing") == 3
    assert verbs(call.posted(Event.DIALLED, "", DialCallStatus="completed")) == ["Hangup"]
    assert counted(sqlite_telephone, TOKENS_REFUSED) == 3


@pytest.mark.parametrize("event", WITH_TOKENS)
def test_a_token_of_another_release_is_answered_in_silence(sqlite_telephone: Telephone, event: Event) -> None:
    """Falls open: what an older or newer release sealed may lack a word of this one's, or have another."""
    call = a_person(sqlite_telephone)
    sealer = TokenSealer(parts_of(sqlite_telephone).keys)
    odd = {"call": call.sid, "callee": PERSON, "order": order_on(sqlite_telephone, PERSON), "purpose": "song"}
    for state in ({}, {"call": call.sid}, {"call": call.sid, "callee": "x"}, odd):
        token = sealer.seal(state, use=event.value, now=utc_now(), lifetime=LIFETIME)
        answer = call.posted(event, token, Digits="1")
        assert answer.status_code == 200
        assert not is_heard(answer) or state is odd
    assert disputes_in(sqlite_telephone) == []


def test_a_replayed_token_of_an_order_that_does_not_name_the_line_says_nothing(sqlite_telephone: Telephone) -> None:
    call = a_person(sqlite_telephone)
    state = {"call": call.sid, "callee": PERSON, "order": order_on(sqlite_telephone, WARNED), "purpose": ""}
    sealer = TokenSealer(parts_of(sqlite_telephone).keys)
    token = sealer.seal(state, use="whisper", now=utc_now(), lifetime=LIFETIME)
    assert verbs(call.posted(Event.WHISPER, token)) == BRIDGE


def _lift(telephone: Telephone, line: str) -> None:
    parts = parts_of(telephone)
    lift_order(parts.studio.engine, parts.keys, order_on(telephone, line), at_the_command_line(utc_now()))


def _suspend(telephone: Telephone, line: str) -> None:
    parts = parts_of(telephone)
    suspend_order(parts.studio.engine, parts.keys, order_on(telephone, line), at_the_command_line(utc_now()))


@pytest.mark.parametrize("silence", [_lift, _suspend])
@pytest.mark.parametrize("line", [PERSON, WARNED])
def test_an_order_that_ends_while_the_telephone_rings_is_already_silent(
    telephone: Telephone, line: str, silence: Callable[[Telephone, str], None]
) -> None:
    move_to_noon(telephone, line)
    call = Call(telephone=telephone, line=line)
    ringing = call.comes_in()
    assert xml(ringing).xpath("//Number/@url")
    silence(telephone, line)
    assert verbs(telephone.answer(ringing, call.sid)) == BRIDGE
    assert plays_in(telephone) == []
    assert not xml(call.comes_in()).xpath("//Number/@url")


def test_an_order_lifted_during_its_opener_does_not_tell_its_content(telephone: Telephone) -> None:
    call = a_person(telephone)
    opener = call.picked_up()
    assert is_heard(opener)
    _lift(telephone, PERSON)
    assert verbs(call.pressed(opener, "1")) == BRIDGE
    assert plays_in(telephone, "private") == []


def test_a_public_notice_is_silent_for_the_call_after_it_was_lifted(telephone: Telephone) -> None:
    assert verbs(Call(telephone=telephone, line=ORGANISATION).comes_in()) == ["Gather", "Dial"]
    _lift(telephone, ORGANISATION)
    assert verbs(Call(telephone=telephone, line=ORGANISATION).comes_in()) == ["Dial"]


def test_a_district_switched_off_while_the_telephone_rings_is_already_silent(sqlite_telephone: Telephone) -> None:
    call = a_person(sqlite_telephone)
    ringing = call.comes_in()
    parts = parts_of(sqlite_telephone)
    errand = at_the_command_line(utc_now())
    switch_district(parts.studio.engine, parts.keys, "thameside", errand, to_enabled=False, reason="a test")
    assert verbs(sqlite_telephone.answer(ringing, call.sid)) == BRIDGE


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
