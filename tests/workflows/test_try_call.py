"""Trying a call: what is heard is what a provider would play, and nothing of it is left anywhere."""

import random
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest
from sqlalchemy import func, select
from werkzeug.wsgi import ClosingIterator

from gateway.app import create_app
from gateway.assembly import Parts, put_together
from gateway.audio.mixdown import TICKS_PER_SECOND, decode_wav, mix, ring_back, to_wav, tone
from gateway.clock import utc_now
from gateway.db.metadata import metadata
from gateway.domain.bypass import BypassList
from gateway.domain.errors import GatewayError, InvalidNumberError, NaiveTimeError
from gateway.domain.plan import Decision, Reason
from gateway.domain.rights import Everywhere, InCourt, InDistrict, NotAllowedError, Role
from gateway.domain.standing import Ground
from gateway.privacy.token import TokenSealer
from gateway.providers.twilio.player import TwilioPlayer
from gateway.rehearsal import SealedExplainer
from gateway.settings import DEMO_TOKEN, Settings
from gateway.workflows.approve_order import approve_order
from gateway.workflows.change import Errand
from gateway.workflows.load_demo import person_in_permitted_hours, samples
from gateway.workflows.office import Office
from gateway.workflows.simulate_call import CallScript, KeyPress, Party
from gateway.workflows.try_call import try_call
from gateway.workflows.try_script import TriedCall, TryScript, UnusableScriptError, What
from gateway.workflows.try_tape import LONGEST_SECONDS
from tests.builders_office import (
    COURT,
    DAY,
    DISTRICT,
    HOUR,
    NOON,
    NUMBER,
    OTHER_COURT,
    OTHER_DISTRICT,
    SISTER,
    a_draft,
    a_line,
    a_person,
    a_submitted_order,
    an_approved_order,
    an_errand,
    an_office,
    heard,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

NOBODY = "+12025550177"
PUBLIC, WARNED, LIFTED, OFF, EXPIRED = (f"+12025550{end}" for end in ("110", "111", "130", "140", "150"))
BILINGUAL = "+442079460110"
SCRIPTS = ("", "1@3", "1@3 2@6", "1@3 3@6", "1@3 9@6", "9@3", "7@0.2 1@3.9 1@4 8@90")


def keys(script: str) -> tuple[KeyPress, ...]:
    """Read "1@3 2@6.5"."""
    return tuple(KeyPress(digit=key[0], at=float(key[2:])) for key in script.split())


def everybody(at: datetime) -> Errand:
    return an_errand(Role.AUDITOR, scope=Everywhere(), at=at)


def tried(office: Office, callee: str, script: str = "", *, at: datetime | None = None, ring: float = 2.0) -> TriedCall:
    now = utc_now()
    wanted = TryScript(callee=callee, at=at or now, keys=keys(script), ring_seconds=ring)
    return try_call(office, wanted, everybody(now))


def whats(call: TriedCall) -> list[What]:
    return [entry.what for entry in call.timeline]


def purposes(call: TriedCall, party: Party) -> list[str]:
    return [each.kind for each in call.heard_by(party)]


def moment_of(call: TriedCall, what: What) -> float:
    return next(entry.at for entry in call.timeline if entry.what is what)


def permitted(number: str) -> datetime:
    """Return the next noon where a person of the demo lives; an organisation may be told at any hour."""
    zone = next(each.line.zone for each in samples() if each.line.number.number == number)
    local = utc_now().astimezone(ZoneInfo(zone or "UTC")) + DAY
    return local.replace(hour=12, minute=0).astimezone(UTC)


def test_each_line_of_the_demo_is_heard_by_whom_it_concerns(parts: Parts) -> None:
    for callee, decision, reason, caller, callee_hears in (
        (PUBLIC, Decision.PUBLIC_NOTICE, Reason.PUBLICATION_ORDER_IN_FORCE, ["public"], []),
        (BILINGUAL, Decision.PUBLIC_NOTICE, Reason.PUBLICATION_ORDER_IN_FORCE, ["public", "public"], []),
        (WARNED, Decision.WARNING, Reason.WARNING_PERIOD, [], ["warning"]),
        (LIFTED, Decision.CONNECT, Reason.ORDER_LIFTED, [], []),
        (OFF, Decision.CONNECT, Reason.DISTRICT_OFF, [], []),
        (EXPIRED, Decision.CONNECT, Reason.ORDER_EXPIRED, [], []),
        (NOBODY, Decision.CONNECT, Reason.NO_ORDER, [], []),
    ):
        call = tried(parts.office, callee)
        assert (call.decision, call.reason) == (decision, reason)
        assert purposes(call, Party.CALLER) == caller
        assert purposes(call, Party.CALLEE) == callee_hears
        assert What.BRIDGES in whats(call)
        assert whats(call)[-1] is What.ENDS
        assert bool(call.order_id) == (reason is not Reason.NO_ORDER)


def test_a_person_hears_the_content_after_key_1_and_what_further_keys_would_do_is_told(parts: Parts) -> None:
    number, _ = person_in_permitted_hours(utc_now())
    at = permitted(number)
    assert purposes(tried(parts.office, number, at=at), Party.CALLEE) == ["opener"]
    told = tried(parts.office, number, "1@3 2@6", at=at)
    assert purposes(told, Party.CALLEE) == ["opener", "private", "acknowledged"]
    assert What.WOULD_ACKNOWLEDGE in whats(told)
    contested = tried(parts.office, number, "1@3 3@6", at=at)
    assert purposes(contested, Party.CALLEE) == ["opener", "private", "contested"]
    assert [entry.ground for entry in contested.timeline if entry.what is What.WOULD_SUSPEND_LINE] == [Ground.CONTESTED]
    wrong = tried(parts.office, number, "9@3", at=at)
    assert purposes(wrong, Party.CALLEE) == ["opener", "wrong_person"]
    assert [entry.ground for entry in wrong.timeline if entry.what is What.WOULD_SUSPEND_LINE] == [Ground.WRONG_PERSON]


def test_any_key_of_the_caller_skips_the_public_notice(parts: Parts) -> None:
    call = tried(parts.office, PUBLIC, "5@0.5")
    (notice,) = call.heard_by(Party.CALLER)
    assert notice.seconds == 0.5
    assert moment_of(call, What.RINGS) == 0.5
    assert [entry.reason for entry in call.timeline if entry.what is What.DECIDES] == [
        Reason.PUBLICATION_ORDER_IN_FORCE,
        Reason.KEY_PRESSED,
    ]


def test_keys_that_nobody_listens_to_are_told_as_such(parts: Parts) -> None:
    call = tried(parts.office, NOBODY, "1@1 2@3 3@80")
    found = [(entry.what, entry.digit, entry.at) for entry in call.timeline if entry.digit]
    assert found == [
        (What.KEY_NOT_LISTENED_TO, "1", 1.0),
        (What.KEY_NOT_LISTENED_TO, "2", 3.0),
        (What.KEY_AFTER_THE_END, "3", 80.0),
    ]
    assert call.seconds == 4.0


def test_both_recordings_last_as_long_as_the_call_to_the_sample(parts: Parts) -> None:
    for callee in (PUBLIC, WARNED, NOBODY):
        call = tried(parts.office, callee)
        lengths = {len(decode_wav(wav)) // 2 for wav in (call.caller_wav, call.callee_wav)}
        assert lengths == {round(call.seconds * 8000)}


def test_whatever_the_keys_and_the_time_callers_hear_public_notices_and_ringing_alone(
    sqlite_settings: Settings,
) -> None:
    parts, dice = put_together(sqlite_settings), random.Random(4)
    now, spoken = utc_now(), set()
    for number in (sample.line.number.number for sample in samples()):
        # Whatever the hour is, each menu is gone through when it may be heard.
        for script in SCRIPTS:
            spoken |= {
                each.kind for each in tried(parts.office, number, script, at=permitted(number)).heard_by(Party.CALLEE)
            }
        for _ in range(25):
            at = now + timedelta(hours=dice.uniform(-96, 24 * 60))
            script = " ".join(
                f"{dice.choice('0123456789*#')}@{dice.uniform(0, 15):.2f}" for _ in range(dice.randrange(6))
            )
            call = tried(parts.office, number, dice.choice((script, *SCRIPTS)), at=at)
            spoken |= {each.kind for each in call.heard_by(Party.CALLEE)}
            assert set(purposes(call, Party.CALLER)) <= {"public"}
            if not call.heard_by(Party.CALLER):
                # To the sample what who calls a line under no order hears, whose telephone rings as long.
                rings = moment_of(call, What.BRIDGES)
                assert call.caller_wav == tried(parts.office, NOBODY, ring=rings, at=at).caller_wav
    parts.close()
    assert spoken == {"warning", "opener", "private", "acknowledged", "contested", "wrong_person"}


def test_nothing_is_written_and_nothing_is_used_up(parts: Parts) -> None:
    def rows() -> dict[str, int]:
        with parts.calls.connect() as connection:
            count = {table.name: select(func.count()).select_from(table) for table in metadata.sorted_tables}
            return {name: connection.execute(statement).scalar_one() for name, statement in count.items()}

    before, number = rows(), person_in_permitted_hours(utc_now())[0]
    at = permitted(number)
    calls = [tried(parts.office, number, script, at=at) for script in ("9@3", "1@3 3@6", "1@3 2@6", "1@3", "1@3")]
    assert rows() == before
    # A line that was suspended, acknowledged or at its cap would not hear the content once more.
    assert purposes(calls[-1], Party.CALLEE) == ["opener", "private"]


def in_process(settings: Settings) -> tuple[httpx.Client, Callable[[], None]]:
    """Return a client of an app in this process, and what stops it."""
    app = create_app(settings)

    def wsgi(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        query = environ.get("QUERY_STRING", "")
        environ["RAW_URI"] = environ["PATH_INFO"] + (f"?{query}" if query else "")
        with closing(ClosingIterator(app.wsgi_app(environ, start_response))) as found:
            return [b"".join(found)]

    client = httpx.Client(transport=httpx.WSGITransport(app=wsgi), trust_env=False)
    return client, app.extensions["notice_gateway"].stop


def test_what_is_heard_is_what_a_provider_plays_to_the_sample(sqlite_settings: Settings) -> None:
    http, stop = in_process(sqlite_settings)
    parts = put_together(sqlite_settings)
    player = TwilioPlayer(sqlite_settings.public_origin, DEMO_TOKEN, SealedExplainer(TokenSealer(parts.keys)), http)
    number, _ = person_in_permitted_hours(utc_now())
    # Each call uses up caps and may suspend the line, so that the later ones are tried over a history.
    todo = [(line.line.number.number, "") for line in samples() if line.line.number.number != number]
    todo += [(number, script) for script in ("", "1@3 7@4", "1@3", "1@2", "9@3", "")] + [(PUBLIC, "4@1.1")]
    decisions = set()
    for callee, script in todo:
        call = tried(parts.office, callee, script)
        played = player.play(CallScript(callee=callee, keys=keys(script), ring_seconds=2.0))
        assert (call.decision.value, call.reason.value) == (played.decision, played.reason)
        assert call.heard == played.heard
        for party, wav in ((Party.CALLER, call.caller_wav), (Party.CALLEE, call.callee_wav)):
            ours, theirs = (
                np.frombuffer(each, "<i2") for each in (wav, to_wav(mix(played.sounds[party], played.ticks)))
            )
            np.testing.assert_array_equal(ours, theirs)
        decisions.add(call.reason)
    http.close()
    stop()
    parts.close()
    assert {Reason.SERVICE_ORDER_IN_FORCE, Reason.CONTENT_CAP, Reason.WARNING_PERIOD} <= decisions


def test_another_instant_decides_about_hours_and_periods(parts: Parts) -> None:
    number, _ = person_in_permitted_hours(utc_now())
    noon = permitted(number)
    assert tried(parts.office, number, at=noon - 9 * HOUR).reason is Reason.OUTSIDE_PERMITTED_HOURS
    assert tried(parts.office, number, at=noon).decision is Decision.PRIVATE_NOTICE
    assert tried(parts.office, WARNED, at=utc_now() + 4 * DAY).decision is Decision.PUBLIC_NOTICE
    assert tried(parts.office, PUBLIC, at=utc_now() - 2 * DAY).decision is Decision.WARNING
    assert tried(parts.office, PUBLIC, at=utc_now() + 100 * DAY).reason is Reason.ORDER_EXPIRED


def test_an_order_out_of_reach_is_as_if_it_did_not_exist(parts: Parts) -> None:
    now = utc_now()
    wanted = TryScript(callee=PUBLIC, at=now, ring_seconds=2.0)
    for scope, sees in (
        (InCourt(court_id=COURT), True),
        (InDistrict(court_id=COURT, district_id=DISTRICT), True),
        (InDistrict(court_id=COURT, district_id=SISTER), False),
        (InCourt(court_id=OTHER_COURT), False),
    ):
        call = try_call(parts.office, wanted, an_errand(Role.CLERK, scope=scope, at=now))
        assert (call.reason is Reason.PUBLICATION_ORDER_IN_FORCE) == sees
        if not sees:
            assert call == tried(parts.office, NOBODY, at=now)


def test_what_was_played_under_an_order_out_of_reach_does_not_show_through(parts: Parts) -> None:
    office, theirs = an_office(parts), InCourt(court_id=OTHER_COURT)
    order = a_submitted_order(
        office,
        an_errand(scope=theirs, at=NOON - DAY),
        court_id=OTHER_COURT,
        district_id=OTHER_DISTRICT,
        subject=a_person(),
    )
    approve_order(office, order.order_id, an_errand(Role.APPROVER, scope=theirs, at=NOON - DAY))
    own = an_approved_order(office, at=NOON - HOUR, subject=a_person(), lines=(a_line(),))
    at = NOON + 3 * HOUR
    for minute in range(3):
        assert heard(parts, NUMBER, order.order_id, at + timedelta(minutes=minute)) == ("B:opener",)
    later = at + HOUR
    wanted = TryScript(callee=NUMBER, at=later)
    assert try_call(office, wanted, an_errand(scope=theirs, at=later)).reason is Reason.OPENER_CAP
    ours = try_call(office, wanted, an_errand(at=later))
    assert (ours.reason, ours.order_id) == (Reason.SERVICE_ORDER_IN_FORCE, own.order_id)


def test_a_draft_is_silent_and_says_why(parts: Parts) -> None:
    office = an_office(parts)
    a_draft(office)
    call = try_call(office, TryScript(callee=NUMBER, at=NOON), an_errand())
    assert (call.reason, call.heard) == (Reason.ORDER_NOT_APPROVED, ())


def test_who_may_read_no_orders_may_try_no_call(parts: Parts) -> None:
    for role in (Role.OPERATOR, Role.ADMINISTRATOR):
        with pytest.raises(NotAllowedError, match="orders:read"):
            try_call(parts.office, TryScript(callee=PUBLIC, at=NOON), an_errand(role))


def test_a_caller_who_is_never_delayed_is_connected_at_once(parts: Parts) -> None:
    bypass = BypassList.of(short_codes=["112"], country_codes=[], numbers=["+12025550188"])
    now = utc_now()
    for caller in ("112", "+12025550188"):
        call = try_call(parts.office, TryScript(callee=PUBLIC, caller=caller, at=now), everybody(now), bypass)
        assert (call.reason, call.heard) == (Reason.NEVER_DELAY, ())
    withheld = try_call(parts.office, TryScript(callee=PUBLIC, caller="", at=now), everybody(now), bypass)
    assert withheld.decision is Decision.PUBLIC_NOTICE


def test_a_sound_that_is_damaged_or_missing_costs_no_call(parts: Parts) -> None:
    (notice,) = tried(parts.office, PUBLIC).heard
    path = parts.studio.library.path_of(notice.prompt, "wav")
    assert path is not None
    for spoil in (lambda: path.write_bytes(b"RIFF"), path.unlink):
        spoil()
        call = tried(parts.office, PUBLIC)
        assert call.heard == ()
        assert {What.SOUND_MISSING, What.BRIDGES} <= set(whats(call))


def test_a_notice_without_end_is_cut_off(parts: Parts) -> None:
    (warning,) = tried(parts.office, WARNED).heard
    path = parts.studio.library.path_of(warning.prompt, "wav")
    assert path is not None
    path.write_bytes(to_wav(tone((200.0,), 400 * TICKS_PER_SECOND)))
    call = tried(parts.office, WARNED)
    assert call.seconds == LONGEST_SECONDS
    assert whats(call)[-1] is What.IS_CUT_OFF
    assert [each.seconds for each in call.heard_by(Party.CALLEE)] == [LONGEST_SECONDS - 2]
    assert call.caller_wav == to_wav(ring_back(int(LONGEST_SECONDS) * TICKS_PER_SECOND))


def test_a_script_that_makes_no_sense_is_refused(sqlite_settings: Settings) -> None:
    parts = put_together(sqlite_settings)
    refused: tuple[tuple[TryScript, type[GatewayError]], ...] = (
        (TryScript(callee="911", at=NOON), InvalidNumberError),
        (TryScript(callee="", at=NOON), InvalidNumberError),
        (TryScript(callee=PUBLIC, caller="Bob", at=NOON), InvalidNumberError),
        (TryScript(callee=PUBLIC, at=NOON.replace(tzinfo=None)), NaiveTimeError),
        (TryScript(callee=PUBLIC, at=NOON + 367 * DAY), UnusableScriptError),
        (TryScript(callee=PUBLIC, at=NOON - 367 * DAY), UnusableScriptError),
        (TryScript(callee=PUBLIC, at=NOON, keys=21 * keys("1@1")), UnusableScriptError),
        (TryScript(callee=PUBLIC, at=NOON, keys=keys("A@1")), UnusableScriptError),
        (TryScript(callee=PUBLIC, at=NOON, keys=(KeyPress(digit="12", at=1),)), UnusableScriptError),
        (TryScript(callee=PUBLIC, at=NOON, keys=keys("1@120.5")), UnusableScriptError),
        (TryScript(callee=PUBLIC, at=NOON, keys=keys("1@-1")), UnusableScriptError),
        (TryScript(callee=PUBLIC, at=NOON, keys=keys("1@nan")), UnusableScriptError),
        (TryScript(callee=PUBLIC, at=NOON, ring_seconds=61), UnusableScriptError),
    )
    for wanted, error in refused:
        with pytest.raises(error):
            try_call(parts.office, wanted, everybody(NOON))
    parts.close()


def test_no_number_shows_in_what_a_log_would_hold_of_a_script() -> None:
    assert "5550" not in repr(TryScript(callee=PUBLIC, at=NOON))
