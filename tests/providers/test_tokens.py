"""Callback tokens carry state and never permission: what is forged, old or another call's is answered in silence."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from tests.providers.private_call import (
    BRIDGE,
    LIFETIME,
    ORGANISATION,
    PERSON,
    WARNED,
    Call,
    a_person,
    is_heard,
    sealed,
)
from tests.telephone import Telephone, xml

WITH_TOKENS = (Event.HEARD, Event.WHISPER, Event.KEY, Event.DIALLED)
# What each event is answered with where its token is refused: connect, bridge or end, in silence.
IN_SILENCE = {Event.HEARD: ["Dial"], Event.WHISPER: BRIDGE, Event.KEY: BRIDGE, Event.DIALLED: ["Hangup"]}


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
