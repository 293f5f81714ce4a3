"""Trying a call in the console: what is heard is shown and played, and no address opens anything to a stranger."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from sqlalchemy import func, select
from werkzeug.test import TestResponse
from wtforms.validators import ValidationError

from gateway.audio.waveform import Verdict
from gateway.clock import utc_now
from gateway.console.try_address import opened, sealed
from gateway.console.try_form import keys_of
from gateway.console.try_words import decided, told, who
from gateway.console.words import word
from gateway.db.metadata import metadata
from gateway.domain.notice import Purpose
from gateway.domain.plan import Decision, Reason
from gateway.domain.rights import InCourt, Role
from gateway.domain.standing import Ground
from gateway.workflows.load_demo import samples
from gateway.workflows.simulate_call import KEYS, KeyPress, Party
from gateway.workflows.try_script import TriedEntry, TryScript, What
from tests.console.scene import Console, Reader, errors_of, text_of

PUBLIC, NOBODY, PERSON = "+12025550110", "+12025550177", "+12025550120"
FORM = {"line": PUBLIC, "caller": "+12025550199", "keys": "", "ring": "2", "zone": "America/New_York"}


@pytest.fixture
def here(sqlite_console: Console) -> Console:
    """A console over the demo on SQLite alone."""
    return sqlite_console


def noon_at_the_person() -> dict[str, str]:
    """Return the fields of a call tomorrow noon where the demo's person in Lakeside lives."""
    local = utc_now().astimezone(ZoneInfo("America/New_York")) + timedelta(days=1)
    return {"day": f"{local:%Y-%m-%d}", "time": "12:00", "zone": "America/New_York"}


def parsed(page: TestResponse) -> Any:  # noqa: ANN401  (lxml's trees are of many types)
    return html.fromstring(page.text)


def tried(reader: Reader, **fields: object) -> TestResponse:
    """Send the form and open the page that it leads to."""
    sent = reader.send("/try", FORM | fields)
    assert sent.status_code == 303, errors_of(sent)
    return reader.client.get(sent.headers["Location"])


def sounds_of(reader: Reader, page: TestResponse) -> tuple[bytes, bytes]:
    """Return what caller and callee hear, from the addresses in the page."""
    caller, callee = parsed(page).xpath("//audio/@src")
    assert ("/caller.wav" in caller, "/callee.wav" in callee) == (True, True)
    answers = [reader.client.get(each) for each in (caller, callee)]
    assert [each.status_code for each in answers] == [200, 200]
    return answers[0].data, answers[1].data


def track_of(page: TestResponse, party: Party) -> str:
    """Return the picture of a party's track, with all that it says."""
    found = re.findall(r'<svg class="track".*?</svg>\s*(?=<p|<audio)', page.text, re.DOTALL)
    (picture,) = (each for each in found if f"track-{party.value}-title" in each)
    return str(picture)


def test_a_call_is_tried_and_both_tracks_are_shown_heard_and_told(console: Console) -> None:
    clerk = console.somebody(Role.CLERK)
    page = tried(clerk, keys="5@0.5")
    text = text_of(page)
    assert "The caller hears the public notice and is then connected." in text
    assert "A publication order is in force on the line." in text
    assert "0.5 Caller Presses 5." in re.sub(r"(?<=\d)(?=Caller)|(?<=Caller)(?=Presses)", " ", text)
    assert ("No call is made" in text, "Only orders that you may see" in text) == (True, True)
    caller, callee = sounds_of(clerk, page)
    assert len(caller) == len(callee) == 44 + 2 * 8000 * 4.5
    assert ">5</text>" in track_of(page, Party.CALLER)
    assert ">5</text>" not in track_of(page, Party.CALLEE)
    assert "Notice to callers" in track_of(page, Party.CALLER)


def test_the_address_holds_the_call_for_a_reload_and_names_no_number(here: Console) -> None:
    clerk = here.somebody(Role.CLERK)
    sent = clerk.send("/try", FORM | {"keys": "1@3, 2@4.5"})
    address = sent.headers["Location"]
    assert "2025550110" not in address
    first, again = (clerk.client.get(address) for _ in range(2))
    assert text_of(first) == text_of(again)
    form = parsed(again).forms[-1]
    assert (form.fields["line"], form.fields["keys"], form.fields["ring"]) == (PUBLIC, "1@3 2@4.5", "2")


def test_nothing_is_written(console: Console) -> None:
    def rows() -> dict[str, int]:
        with console.desk.office.engine.connect() as connection:
            count = {table.name: select(func.count()).select_from(table) for table in metadata.sorted_tables}
            return {name: connection.execute(statement).scalar_one() for name, statement in count.items()}

    clerk = console.somebody(Role.CLERK)
    before = rows()
    sounds_of(clerk, tried(clerk, line=PERSON, keys="9@3", **noon_at_the_person()))
    assert rows() == before


@pytest.mark.parametrize("keys", ["", "1@3", "1@3 2@6", "1@3 3@6", "9@3"])
def test_the_callers_track_of_a_persons_line_carries_nothing_of_it(here: Console, keys: str) -> None:
    clerk, at = here.somebody(Role.CLERK), noon_at_the_person()
    page = tried(clerk, line=PERSON, keys=keys, **at)
    assert "Only who is called is spoken to." in text_of(page)
    caller, callee = sounds_of(clerk, page)
    talk = 2 * 8000 * 2
    rings = (len(caller) - 44 - talk) / 16_000
    nobody, silent = sounds_of(clerk, tried(clerk, line=NOBODY, ring=f"{rings:.6f}", **at))
    # To the sample what is heard where there is no order, by who waits as long.
    assert caller == nobody
    assert callee != silent
    picture = track_of(page, Party.CALLER)
    assert not any(word_ in picture for word_ in ("Opener", "Message", "Answer to"))
    assert "Opener" in track_of(page, Party.CALLEE)


def test_another_courts_order_gives_no_sound_no_name_and_no_link(console: Console) -> None:
    clerk = console.somebody(Role.CLERK)
    console.registry.a_court("hillside")
    foreign = console.somebody(Role.CLERK, scope=InCourt(court_id="hillside"))
    own = tried(clerk)
    address = parsed(own).xpath("//audio/@src")[0]
    script = parse_qs(urlsplit(address).query)["script"][0]
    seen = foreign.get(f"/try?script={script}")
    assert "The line is under no order that you may see." in text_of(seen)
    assert "/console/orders/ord_" not in seen.text
    assert "/console/orders/ord_" in own.text
    plain = sounds_of(foreign, tried(foreign, line=NOBODY))
    assert sounds_of(foreign, seen) == plain
    assert sounds_of(clerk, own)[0] != plain[0]


def test_only_who_reads_orders_somewhere_tries_calls_and_hears_them(here: Console) -> None:
    clerk = here.somebody(Role.CLERK)
    sound = parsed(tried(clerk)).xpath("//audio/@src")[0]
    for role in (Role.OPERATOR, Role.ADMINISTRATOR):
        reader = here.somebody(role)
        assert reader.get("/try").status_code == 403
        assert reader.client.get(sound).status_code == 403
        assert "Try a call" not in reader.get("/").text
    assert here.anybody.get(sound).status_code == 303
    assert "Try a call" in clerk.get("/").text


def test_an_address_that_nobody_sealed_plays_nothing(here: Console) -> None:
    clerk = here.somebody(Role.CLERK)
    for script in ("", "x", "AAAA", "%F0%9F%98%80", "AQ=="):
        assert clerk.get(f"/try/caller.wav?script={script}").status_code == 404
        assert clerk.get(f"/try?script={script}").status_code == 200
    assert "cannot be read any more" in text_of(clerk.get("/try?script=AAAA"))
    good = parse_qs(urlsplit(clerk.send("/try", FORM).headers["Location"]).query)["script"][0]
    assert clerk.get(f"/try/provider.wav?script={good}").status_code == 404
    assert clerk.get(f"/try/caller.wav?script={good}").status_code == 200


def test_sounds_come_in_ranges_and_are_kept_by_nobody(here: Console) -> None:
    clerk = here.somebody(Role.CLERK)
    caller, _ = parsed(tried(clerk)).xpath("//audio/@src")
    whole = clerk.client.get(caller)
    piece = clerk.client.get(caller, headers={"Range": "bytes=44-143"})
    assert (piece.status_code, piece.data) == (206, whole.data[44:144])
    assert {each.headers["Cache-Control"] for each in (whole, piece)} == {"no-store"}


def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(here: Console) -> None:
    clerk = here.somebody(Role.CLERK)
    for name, value, why in (
        ("line", "12", "not a telephone number"),
        ("line", "", "Enter the line"),
        ("caller", "12ab", "not a telephone number"),
        ("keys", "1", "Write each key"),
        ("keys", "12@3", "Write each key"),
        ("keys", "1@999", "first 120 seconds"),
        ("keys", "1@1 " * 21, "at most 20"),
        ("day", "31.3.2026", "year-month-day"),
        ("time", "noon", "hours:minutes"),
        ("zone", "Mars/Olympus", "no such time zone"),
        ("zone", "../../etc/passwd", "no such time zone"),
        ("ring", "61", "0 to 60"),
        ("ring", "nan", "0 to 60"),
    ):
        refused = clerk.send("/try", FORM | {name: value})
        assert refused.status_code == 422, (name, value)
        assert why in errors_of(refused)[0], (name, value, errors_of(refused))
        assert parsed(refused).forms[-1].fields[name].strip() == value.strip()
        assert "<audio" not in refused.text
    far = clerk.send("/try", FORM | {"day": "2024-01-01", "time": "12:00"})
    assert far.status_code == 422
    assert "more than a year away" in errors_of(far)[0]


def test_a_caller_may_withhold_the_number_and_an_emergency_service_is_never_delayed(here: Console) -> None:
    clerk = here.somebody(Role.CLERK)
    assert "from a withheld number" in text_of(tried(clerk, withheld="y"))
    assert "from a withheld number" in text_of(tried(clerk, caller=""))
    never = next(iter(sorted(here.desk.settings.bypass().callers, key=len)), "")
    assert never
    assert "must never be delayed" in text_of(tried(clerk, caller=never))


def test_the_time_is_that_of_the_zone(here: Console) -> None:
    clerk, day = here.somebody(Role.CLERK), f"{utc_now() + timedelta(days=1):%Y-%m-%d}"
    at_night = tried(clerk, line=PERSON, day=day, time="12:00", zone="Asia/Shanghai")
    assert "outside of the hours at which a person may be told" in text_of(at_night)
    assert parsed(at_night).forms[-1].fields["time"] == "12:00"


def test_every_line_of_the_demo_can_be_tried_by_who_sees_all(here: Console) -> None:
    auditor = here.somebody(Role.AUDITOR, scope=None)
    for sample in samples():
        page = tried(auditor, line=sample.line.number.number, keys="1@5 2@9")
        assert len(sounds_of(auditor, page)) == 2
        assert "style=" not in page.text


def test_everything_that_can_happen_or_be_decided_has_words(here: Console) -> None:
    app: Flask = here.app
    with app.test_request_context():
        for kind in (Reason, Decision, Verdict, Party, Purpose, Ground):
            assert [each for each in kind if word(each) == each.value and each is not Verdict.GOOD] == []
            assert len({word(each) for each in kind}) == len(kind)
        assert {len(decided(each)) > 5 for each in Decision} == {True}
        plain = TriedEntry(at=1.0, party=Party.CALLEE, what=What.CALLS, seconds=2.0, digit="7", language="en")
        full = replace(
            plain, purpose=Purpose.OPENER, decision=Decision.CONNECT, reason=Reason.LOOP, ground=Ground.CONTESTED
        )
        sentences = [told(replace(full, what=what)) for what in What]
        assert all(each.endswith(".") and "%(" not in each for each in sentences)
        assert len(set(sentences)) == len(What)
        assert {who(replace(full, party=party)) for party in Party} == {"Caller", "Callee", "Gateway"}


@given(
    st.lists(
        st.builds(KeyPress, digit=st.sampled_from(KEYS), at=st.integers(0, 1200).map(lambda tenths: tenths / 10)),
        max_size=20,
    ),
    st.sampled_from((" ", ", ", "; ", "   ")),
)
def test_keys_are_read_as_they_are_written(keys: list[KeyPress], between: str) -> None:
    assert keys_of(between.join(f"{key.digit}@{key.at:g}" for key in keys)) == tuple(keys)


@pytest.mark.parametrize("text", ["1", "@3", "1@", "a@3", "1@-1", "1@1e3", "1@٣", "1@1@2", "1@3,2@4@"])
def test_keys_that_cannot_be_read_are_refused(text: str, sqlite_console: Console) -> None:
    with sqlite_console.app.test_request_context(), pytest.raises(ValidationError):
        keys_of(text)


def test_an_address_opens_with_our_keys_and_for_its_own_use_alone(here: Console) -> None:
    keys = here.desk.keys
    script = TryScript(
        callee=PUBLIC, at=datetime(2026, 3, 4, 12, tzinfo=UTC), keys=(KeyPress(digit="1", at=3.5),), ring_seconds=2.5
    )
    address = sealed(script, "Europe/London", keys)
    assert opened(address, keys) == (script, "Europe/London")
    assert opened(address[:-8] + "AAAAAAA=", keys) is None
    assert opened("", keys) is None
