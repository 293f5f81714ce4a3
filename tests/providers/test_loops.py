"""Calls that come back to us are ended; nobody who merely rings often, and nobody who shows no number, is refused."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.app import Running, create_app
from gateway.assembly import put_together
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.domain.facts import CallerListened, CallFacts, Looping, Opaque, SipUri
from gateway.domain.facts import Telephone as ByTelephone
from gateway.domain.plan import End, Reason
from gateway.providers.dialect import Event
from gateway.register.screen import Screen
from gateway.settings import DEMO_TOKEN, Settings
from gateway.workflows.answer_call import answer_call
from gateway.workflows.call_desk import make_call_desk
from gateway.workflows.loop_guard import FASTEST_TURN, MOST_CALLS, WINDOW, LoopGuard
from tests.builders import CALLEE, CALLER, NOW, a_call
from tests.contract.dialects import a_twilio, params_of
from tests.contract.scene import parts_of, plays_in, verbs
from tests.telephone import Telephone, arriving, xml

LINE, UNDER_ORDER = "+12025550199", "+12025550110"
SECOND = timedelta(seconds=1)
# What carriers and Twilio put in `From` for a withheld number: a word spelt on a telephone's keypad (ANONYMOUS,
# RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE). All who withhold theirs share it.
KEYPAD_WORDS = ("+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253")


def calls(number: int, *, caller: E164 | Opaque = CALLER, callee: E164 = CALLEE, sid: str = "CA") -> list[CallFacts]:
    """Return so many different calls of one caller to one line, which is connected by dialling it."""
    destination = ByTelephone(number=callee.number)
    return [
        a_call(caller=caller, callee=callee, destination=destination, provider_call_id=f"{sid}{turn}")
        for turn in range(number)
    ]


def rung(guard: LoopGuard, facts: list[CallFacts]) -> list[bool]:
    """Let calls come in one a second, and tell which of them are taken for turns of a circle."""
    return [guard.is_loop(each, NOW + turn * SECOND) for turn, each in enumerate(facts)]


@pytest.fixture
def trunk_telephone(sqlite_settings: Settings) -> Iterator[Telephone]:
    """A telephone to an app that connects over a SIP trunk."""
    config = sqlite_settings.data_dir / "config"
    config.mkdir()
    (config / "routes.toml").write_text('default = "sip:{line}@trunk.example.net"\n', encoding="utf-8")
    settings = sqlite_settings.model_copy(update={"config_dir": config})
    app = create_app(settings)
    yield Telephone(app=app, origin=settings.public_origin, token=DEMO_TOKEN)
    running: Running = app.extensions["notice_gateway"]
    running.stop()


def test_one_caller_who_rings_one_line_again_and_again_within_a_minute_is_a_circle() -> None:
    assert rung(LoopGuard(), calls(MOST_CALLS + 3)) == [False] * MOST_CALLS + [True] * 3


def test_a_circle_that_goes_on_is_refused_at_every_turn_and_forgotten_once_it_has_stopped() -> None:
    guard = LoopGuard()
    turns = 2 * MOST_CALLS
    assert rung(guard, calls(turns))[MOST_CALLS:] == [True] * MOST_CALLS
    (later,) = calls(1, sid="CAlater")
    assert not guard.is_loop(later, NOW + turns * SECOND + WINDOW)


def test_the_same_calls_spread_over_more_than_the_window_are_no_circle() -> None:
    guard = LoopGuard()
    apart = WINDOW / (MOST_CALLS - 1)
    assert not any(guard.is_loop(each, NOW + turn * apart) for turn, each in enumerate(calls(50)))


def test_a_provider_that_repeats_a_webhook_is_not_counted_twice() -> None:
    guard = LoopGuard()
    repeated = [each for each in calls(MOST_CALLS) for _ in range(4)]
    assert not any(guard.is_loop(each, NOW + turn // 4 * SECOND) for turn, each in enumerate(repeated))


def test_a_repeated_webhook_of_a_refused_call_is_refused_again() -> None:
    """The answer to a repetition is the answer to the first delivery: half a circle would keep going round."""
    guard = LoopGuard()
    rung(guard, calls(MOST_CALLS))
    (refused,) = calls(1, sid="CArefused")
    assert [guard.is_loop(refused, NOW + MOST_CALLS * SECOND) for _ in range(3)] == [True] * 3


def test_different_callers_of_one_line_and_different_lines_of_one_caller_are_not_confused() -> None:
    guard = LoopGuard()
    callers = [E164(f"+1202555{number:04}") for number in range(100, 200)]
    assert not any(rung(guard, [calls(1, caller=each, sid=each.number)[0] for each in callers]))
    assert not any(rung(guard, [calls(1, callee=each, sid=each.number)[0] for each in callers]))


@pytest.mark.parametrize("caller", ["", "Anonymous", "anonymous", "Restricted", "911", "client:alice"])
def test_a_caller_who_shows_no_number_is_never_refused(caller: str) -> None:
    assert not any(rung(LoopGuard(), calls(100, caller=Opaque(caller))))


@pytest.mark.parametrize("written", KEYPAD_WORDS)
def test_callers_whose_withheld_number_is_a_word_are_never_refused(written: str) -> None:
    """A hundred callers who withhold their numbers are a hundred people."""
    params = params_of(CallSid="CA1", From=written, To=CALLEE.number)
    caller = a_twilio().read(Event.CALL, params, "", NOW).caller
    assert not any(rung(LoopGuard(), calls(100, caller=caller)))


def test_a_crowd_behind_one_number_is_no_circle() -> None:
    """Calls that come faster than a call can be set up do not follow from one another."""
    guard = LoopGuard()
    faster = FASTEST_TURN * 0.9
    assert not any(guard.is_loop(each, NOW + turn * faster) for turn, each in enumerate(calls(500)))


@pytest.mark.parametrize(
    "facts",
    [
        a_call(destination=ByTelephone(number="+442079460910")),
        a_call(destination=ByTelephone(number=CALLEE.number, trunk_sid="BY" + "0" * 32)),
        a_call(destination=SipUri(uri="sip:desk@pbx.example.net")),
        a_call(CallerListened(order_id="order-1", key="")),
        a_call(Looping()),
    ],
    ids=["routed elsewhere", "over a trunk", "over SIP", "a later webhook", "marked"],
)
def test_what_cannot_come_back_is_not_counted(facts: CallFacts) -> None:
    guard = LoopGuard()
    every = [replace(facts, provider_call_id=f"CA{turn}") for turn in range(100)]
    assert not any(rung(guard, every))


def test_the_guard_forgets_the_oldest_pairs_rather_than_grow() -> None:
    guard = LoopGuard()
    rung(guard, calls(MOST_CALLS))
    crowd = [E164(f"+1303{number:07}") for number in range(10_000)]
    assert not any(guard.is_loop(calls(1, caller=each)[0], NOW) for each in crowd)
    (forgotten,) = calls(1, sid="CAnew")
    assert not guard.is_loop(forgotten, NOW + MOST_CALLS * SECOND)


@pytest.mark.parametrize("line", [LINE, UNDER_ORDER])
def test_a_circle_is_ended_and_hears_nothing_whatever_the_line(sqlite_settings: Settings, line: str) -> None:
    parts = put_together(sqlite_settings)
    screen = Screen(parts.keys)
    with parts.calls.connect() as connection:
        screen.refresh(connection)
    desk = make_call_desk(engine=parts.calls, office=parts.studio.engine, screen=screen, keys=parts.keys)
    now = utc_now()
    facts = calls(MOST_CALLS + 2, callee=E164(line))
    plans = [answer_call(desk, each, now + turn * SECOND) for turn, each in enumerate(facts)]
    someone_else = answer_call(desk, replace(facts[0], caller=E164("+12025550177"), provider_call_id="CAx"), now)
    parts.close()
    assert {plan.reason for plan in plans[:MOST_CALLS]} == {someone_else.reason}
    assert {plan.reason for plan in plans[MOST_CALLS:]} == {Reason.LOOP}
    assert all(plan.steps == (End(),) for plan in plans[MOST_CALLS:])


def test_our_own_call_over_sip_that_comes_back_is_rejected_at_once(trunk_telephone: Telephone) -> None:
    out = trunk_telephone.call(LINE)
    uri = str(xml(out).findtext("Dial/Sip"))
    address, _, header = uri.partition("?")
    name, _, mark = header.partition("=")
    assert address == f"sip:{LINE}@trunk.example.net"
    assert mark == parts_of(trunk_telephone).keys.key_id
    back = trunk_telephone.post("/twilio/call", {**arriving(UNDER_ORDER), f"SipHeader_{name}": mark})
    assert verbs(back) == ["Reject"]
    assert xml(back)[0].get("reason") == "busy"
    assert plays_in(trunk_telephone) == []


def test_a_strangers_mark_changes_nothing(trunk_telephone: Telephone) -> None:
    for mark in ("", "0" * 12, "x"):
        marked = {**arriving(LINE), "SipHeader_X-Notice-Gateway": mark}
        assert verbs(trunk_telephone.post("/twilio/call", marked)) == ["Dial"]
