"""Promise 3 as a property: no response on the caller's leg carries, links or hints at a notice about a person."""

import base64
import io
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.test import TestResponse

from gateway.app import Running, create_app
from gateway.clock import utc_now
from gateway.privacy.keys import derive
from gateway.privacy.ring import KeyRing
from gateway.privacy.token import TokenSealer
from gateway.providers.dialect import Event
from gateway.providers.entrance import EXPLAIN_HEADER, EXPLANATION_HEADER
from gateway.register import orders
from gateway.register.tables import notices, renditions, replies
from gateway.settings import DEMO_TOKEN, Settings
from gateway.workflows.load_demo import samples
from tests.contract.scene import move_to_noon, order_on, parts_of, plays_in
from tests.telephone import CALLER, Telephone, a_call_sid, arriving, child, prompts_in, xml

PERSONS = ("+12025550120", "+442079460120", "+61255500120")
ORGANISATION, WARNED, FREE = "+12025550110", "+12025550111", "+12025550199"
LINES = tuple(sample.line.number.number for sample in samples())
CALLERS_LEG = (Event.CALL, Event.HEARD, Event.DIALLED, Event.STATUS)
PURPOSES = ("public", "warning", "opener", "private", "acknowledged", "contested", "wrong_person")
STATUSES = ("completed", "busy", "no-answer", "failed", "canceled")
LIFETIME = timedelta(minutes=15)


@pytest.fixture
def noon_telephone(sqlite_telephone: Telephone) -> Telephone:
    """A telephone to the demo, with every person's line inside permitted hours."""
    for line in PERSONS:
        move_to_noon(sqlite_telephone, line)
    return sqlite_telephone


def kept_from_callers(telephone: Telephone) -> set[str]:
    """Return the name of every rendition that no caller may hear: all but those of public notices alone."""
    sha256 = (renditions.c.mulaw, renditions.c.alaw, renditions.c.wideband)
    of_notices = select(notices.c.purpose, *sha256).join(notices, notices.c.rendition_id == renditions.c.rendition_id)
    of_replies = select(replies.c.purpose, *sha256).join(replies, replies.c.rendition_id == renditions.c.rendition_id)
    with parts_of(telephone).studio.engine.connect() as connection:
        rows = [*connection.execute(of_notices), *connection.execute(of_replies)]
    return {digest for row in rows if row[0] != "public" for digest in row[1:]}


def secrets_of_cases(telephone: Telephone) -> set[str]:
    """Return every name and case number in the register."""
    parts = parts_of(telephone)
    with parts.studio.engine.connect() as connection:
        entries = orders.entries(connection, parts.keys)
    return {text for entry in entries for text in (entry.order.subject.name, entry.order.case_number)}


def everything_in(response: TestResponse) -> str:
    return response.text + "\n" + "\n".join(f"{name}: {value}" for name, value in response.headers.items())


def assert_says_nothing_private(response: TestResponse, kept: set[str], names: set[str]) -> None:
    told = everything_in(response)
    assert not {digest for digest in kept if digest in told}
    assert not {name for name in names if name.casefold() in told.casefold()}
    for word in PURPOSES[1:]:
        assert word not in told
    assert EXPLANATION_HEADER not in response.headers


def tokens_in(response: TestResponse) -> Iterator[str]:
    for url in (*xml(response).iter("Gather", "Dial", "Number", "Sip"),):
        for value in url.attrib.values():
            _, found, token = str(value).partition("?t=")
            if found:
                yield token


def a_token(telephone: Telephone, line: str, sid: str, event: Event, purpose: str) -> str:
    """Seal a good token for any event, as if the gateway had handed it out."""
    order = order_on(telephone, line) if line in LINES else "ord_none"
    state = {"call": sid, "callee": line, "order": order, "purpose": purpose}
    sealer = TokenSealer(parts_of(telephone).keys)
    return sealer.seal(state, use=event.value, now=utc_now(), lifetime=LIFETIME)


def leaves_of(line: str) -> Iterator[tuple[Event, dict[str, str], bool]]:
    """Return every event on the caller's leg, with every key or status, with a good token and without one."""
    yield Event.CALL, {}, False
    for key, with_token in product(("", "1", "2", "3", "9", "#"), (True, False)):
        yield Event.HEARD, {"Digits": key, "To": line}, with_token
    for status, with_token in product(STATUSES, (True, False)):
        yield Event.DIALLED, {"DialCallStatus": status}, with_token
        yield Event.STATUS, {"CallStatus": status}, with_token


@pytest.mark.parametrize("line", [*LINES, FREE])
def test_no_event_on_the_callers_leg_of_any_line_tells_of_a_private_matter(
    noon_telephone: Telephone, line: str
) -> None:
    kept, names = kept_from_callers(noon_telephone), secrets_of_cases(noon_telephone)
    assert len(kept) >= 3
    assert "A. Nobody" in names
    sid = a_call_sid()
    for event, fields, with_token in leaves_of(line):
        token = a_token(noon_telephone, line, sid, event, "private") if with_token else ""
        target = f"/twilio/{event.value}" + (f"?t={token}" if token else "")
        answer = noon_telephone.post(target, {**arriving(line, sid=sid), **fields})
        assert answer.status_code in {200, 204}
        assert_says_nothing_private(answer, kept, names)
        if answer.status_code == 200 and line in PERSONS:
            assert prompts_in(answer) == []


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """A webhook on the caller's leg in which nothing need fit together."""

    line: str
    event: Event
    made_for: Event | None
    purpose: str
    key: str
    status: str
    meddled: dict[str, str]


MIXTURES = st.builds(
    Mixture,
    line=st.sampled_from([*LINES, FREE]),
    event=st.sampled_from(CALLERS_LEG),
    made_for=st.sampled_from([*Event, None]),
    purpose=st.sampled_from(PURPOSES),
    key=st.sampled_from(["", *"0123456789*#"]),
    status=st.sampled_from(STATUSES),
    meddled=st.dictionaries(
        st.sampled_from(["From", "Called", "ParentCallSid", "SipHeader_X-Notice-Gateway", "CallStatus"]),
        st.sampled_from(["", *PERSONS, ORGANISATION, "private", "CA1"]),
        max_size=3,
    ),
)


def test_no_mixture_of_fields_and_tokens_brings_a_private_matter_to_the_callers_leg(noon_telephone: Telephone) -> None:
    kept, names = kept_from_callers(noon_telephone), secrets_of_cases(noon_telephone)

    @settings(max_examples=100, deadline=None)
    @given(MIXTURES)
    def holds(mixture: Mixture) -> None:
        sid = a_call_sid()
        made_for = mixture.made_for
        token = a_token(noon_telephone, mixture.line, sid, made_for, mixture.purpose) if made_for else ""
        usual = {**arriving(mixture.line, sid=sid), "Digits": mixture.key, "DialCallStatus": mixture.status}
        answer = noon_telephone.post(f"/twilio/{mixture.event.value}?t={token}", {**usual, **mixture.meddled})
        assert_says_nothing_private(answer, kept, names)

    holds()


def test_the_callers_leg_stays_silent_while_the_callee_hears_the_whole_of_it(noon_telephone: Telephone) -> None:
    kept, names = kept_from_callers(noon_telephone), secrets_of_cases(noon_telephone)
    sid = a_call_sid()
    dialled = noon_telephone.call(PERSONS[0], sid=sid)
    opener = noon_telephone.answer(dialled, sid)
    content = noon_telephone.press(opener, "1", child(sid))
    noon_telephone.press(content, "2", child(sid))
    assert set(prompts_in(opener)) | set(prompts_in(content)) <= kept
    assert {row.leg for row in plays_in(noon_telephone)} == {"B"}
    action = str(xml(dialled).xpath("string(//Dial/@action)"))
    for status in STATUSES:
        ended = noon_telephone.post(action, {**arriving(PERSONS[0], sid=sid), "DialCallStatus": status})
        assert_says_nothing_private(ended, kept, names)
        assert prompts_in(ended) == []


def test_a_whispers_url_says_nothing_on_a_leg_of_another_call(noon_telephone: Telephone) -> None:
    sid = a_call_sid()
    dialled = noon_telephone.call(WARNED, sid=sid)
    whisper = str(xml(dialled).xpath("string(//Number/@url)"))
    answer = noon_telephone.post(whisper, arriving(WARNED, sid=a_call_sid()))
    assert prompts_in(answer) == []


def test_the_two_kinds_of_callee_notice_look_alike_on_the_callers_leg(noon_telephone: Telephone) -> None:
    """What is asked for at pick-up is told by sealed tokens alone: not even their length tells one kind from another.

    An eavesdropper on the provider's side of the caller's leg sees that somebody is spoken to, and not about what.
    """
    shapes = set()
    for line in (WARNED, "+12025550120"):
        answer = noon_telephone.call(line)
        text = answer.text.replace(line, "LINE")
        for token in tokens_in(answer):
            text = text.replace(token, f"{len(token)} characters")
        shapes.add(text)
    assert len(shapes) == 1


@pytest.mark.parametrize("line", [ORGANISATION, WARNED, *PERSONS])
def test_a_token_in_a_url_reveals_nothing_of_what_it_holds(noon_telephone: Telephone, line: str) -> None:
    sid = a_call_sid()
    answers = [noon_telephone.call(line, sid=sid)]
    if line != ORGANISATION:
        answers.append(noon_telephone.answer(answers[0], sid))
        answers.append(noon_telephone.press(answers[1], "1", child(sid)))
    tokens = [token for answer in answers for token in tokens_in(answer)]
    assert len(tokens) >= 1
    hidden = [order_on(noon_telephone, line), line[1:], line[-7:], sid, sid[2:], *PURPOSES, "order", "callee", "call"]
    for token in tokens:
        sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        for text in hidden:
            assert text.encode() not in sealed
            assert base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") not in token or len(text) < 5
            assert bytes.fromhex(text.encode().hex())[::-1] not in sealed or len(text) < 5
    assert len(set(tokens)) == len(tokens)


def test_the_same_state_is_never_sealed_twice_alike(noon_telephone: Telephone) -> None:
    sid = a_call_sid()
    tokens = [token for _ in range(5) for token in tokens_in(noon_telephone.call(PERSONS[0], sid=sid))]
    assert len(set(tokens)) == len(tokens) == 10


def test_neither_log_nor_metrics_ever_name_a_number_a_person_a_case_or_a_call(sqlite_settings: Settings) -> None:
    stream = io.StringIO()
    with redirect_stderr(stream):
        app = create_app(sqlite_settings)
    telephone = Telephone(app=app, origin=sqlite_settings.public_origin, token=DEMO_TOKEN)
    for line in PERSONS:
        move_to_noon(telephone, line)
    names = secrets_of_cases(telephone)
    sids = [_lively_call(telephone, line) for line in (*LINES, FREE)]
    refused = telephone.post_raw("/twilio/call?t=x", b"To=%2B12025550120&CallSid=CA00000000000000000000000000000007")
    assert refused.status_code == 403
    sqlite_settings.sqlite_path.rename(sqlite_settings.data_dir / "away")
    sids += [_lively_call(telephone, line) for line in (PERSONS[0], ORGANISATION)]
    log, metrics = stream.getvalue(), telephone.app.test_client().get("/metrics").text
    running: Running = app.extensions["notice_gateway"]
    running.stop()
    assert log.count('"event": "webhook"') > 30
    for reason in ("register_unavailable", "internal_error", "bad_token", "acknowledged"):
        assert reason in log
        assert reason in metrics
    numbers = {number[1:] for number in (*LINES, FREE, CALLER)}
    assert not {text for text in (*numbers, *names, *sids, "CA0000000") if text in log}
    assert not {text for text in (*numbers, *names, *sids, "CA0000000") if text in metrics}


def _lively_call(telephone: Telephone, line: str) -> str:
    """Make a call with everything in it: keys, repetitions, endings, a bad token and one of another release."""
    sid = a_call_sid()
    dialled = telephone.call(line, sid=sid)
    if xml(dialled).xpath("//Number/@url"):
        opener = telephone.answer(dialled, sid)
        listening = opener
        for key in ("1", "2"):
            if xml(listening).xpath("//Gather"):
                listening = telephone.press(listening, key, child(sid))
        telephone.call(line)
        if xml(opener).xpath("//Gather"):
            telephone.press(opener, "9", child(sid))
    sealer = TokenSealer(parts_of(telephone).keys)
    of_another_release = sealer.seal(
        {"call": sid, "callee": line, "order": "ord", "purpose": "song"}, use="key", now=utc_now(), lifetime=LIFETIME
    )
    telephone.post(f"/twilio/key?t={of_another_release}", child(sid))
    telephone.post("/twilio/heard?t=forged", arriving(line, sid=sid))
    telephone.post("/twilio/dialled", {**arriving(line, sid=sid), "DialCallStatus": "completed"})
    telephone.post("/twilio/status", {**arriving(line, sid=sid), "CallStatus": "completed"})
    return sid


def explained(telephone: Telephone, asked: str, line: str = PERSONS[0]) -> str:
    """Return the explanation that comes with an answer, empty where none does."""
    answer = telephone.post("/twilio/call", arriving(line), headers={EXPLAIN_HEADER: asked})
    assert answer.status_code == 200
    return answer.headers.get(EXPLANATION_HEADER, "")


def test_only_who_has_the_keys_is_told_why_and_that_under_seal(noon_telephone: Telephone) -> None:
    sealer, now = TokenSealer(parts_of(noon_telephone).keys), utc_now()
    told = explained(noon_telephone, sealer.seal({}, use="explain", now=now, lifetime=LIFETIME))
    assert sealer.open(told, use="explanation", now=utc_now()) == {
        "decision": "private_notice",
        "reason": "service_order_in_force",
        "order": order_on(noon_telephone, PERSONS[0]),
        "prompts": "{}",
    }
    sealed = base64.urlsafe_b64decode(told + "=" * (-len(told) % 4))
    for text in ("decision", "private", "reason", "service", order_on(noon_telephone, PERSONS[0])):
        assert text not in told
        assert text.encode() not in sealed


@pytest.mark.parametrize("use", ["explanation", "call", "heard", "whisper", "key", "dialled", ""])
def test_a_token_for_another_use_explains_nothing(noon_telephone: Telephone, use: str) -> None:
    token = TokenSealer(parts_of(noon_telephone).keys).seal({}, use=use, now=utc_now(), lifetime=LIFETIME)
    assert explained(noon_telephone, token) == ""


def test_a_forged_expired_or_foreign_token_explains_nothing(noon_telephone: Telephone) -> None:
    now, sealer = utc_now(), TokenSealer(parts_of(noon_telephone).keys)
    expired = sealer.seal({}, use="explain", now=now - LIFETIME, lifetime=LIFETIME)
    foreign = TokenSealer(KeyRing(derive(bytes(range(32))))).seal({}, use="explain", now=now, lifetime=LIFETIME)
    for token in ("", "1", "true", "é", "x" * 10_000, expired, foreign, expired[:-4]):
        assert explained(noon_telephone, token) == ""


def test_a_refused_webhook_is_explained_to_nobody(noon_telephone: Telephone) -> None:
    token = TokenSealer(parts_of(noon_telephone).keys).seal({}, use="explain", now=utc_now(), lifetime=LIFETIME)
    answer = noon_telephone.post_raw("/twilio/call", b"To=%2B12025550120", headers={EXPLAIN_HEADER: token})
    assert answer.status_code == 403
    assert EXPLANATION_HEADER not in answer.headers
    assert "Set-Cookie" not in answer.headers
