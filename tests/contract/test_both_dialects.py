"""The same orders, the same decisions and the same evidence, whichever dialect a call comes by: one suite over both."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from gateway.app import Running, create_app
from gateway.clock import utc_now
from gateway.register.tables import notices, renditions, replies
from gateway.settings import DEMO_TOKEN, Settings
from gateway.workflows.change import at_the_command_line
from gateway.workflows.end_order import lift_order
from tests.contract.scene import disputes_in, order_on, parts_of, plays_in, put_at_noon
from tests.contract.ways import Said, Signer, SipWay, TwilioWay, Way
from tests.telephone import Telephone

SECRET = "a-secret-of-the-suite"
ORGANISATION, TWO_LANGUAGES, WARNED, PERSON = "+12025550110", "+442079460110", "+12025550111", "+12025550120"
LIFTED, SWITCHED_OFF, EXPIRED, FREE = "+12025550130", "+12025550140", "+12025550150", "+12025550199"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A gateway that calls come to over one dialect."""

    name: str
    telephone: Telephone
    signer: Signer

    def call(self, line: str) -> Way:
        return TwilioWay(self.telephone, line) if self.name == "twilio" else SipWay(self.signer, line)

    def purposes(self, said: Said) -> list[str]:
        """Return what each file in an answer is: the encoding of a notice or reply that this dialect plays."""
        column = renditions.c.mulaw if self.name == "twilio" else renditions.c.wideband
        known: dict[str, str] = {}
        with parts_of(self.telephone).studio.engine.connect() as connection:
            for table in (notices, replies):
                query = select(column, table.c.purpose).join(table, table.c.rendition_id == renditions.c.rendition_id)
                known |= {row[0]: row[1] for row in connection.execute(query)}
        return [known[sha256] for sha256 in said.files]

    def evidence(self) -> list[tuple[str, str, str | None, str | None, str]]:
        rows = plays_in(self.telephone)
        return [(row.purpose, row.leg, row.key, row.disposition, row.provider) for row in rows]


@pytest.fixture(params=["twilio", "sip"])
def exchange(request: pytest.FixtureRequest, sqlite_settings: Settings) -> Iterator[Exchange]:
    app = create_app(sqlite_settings.model_copy(update={"sip_secret": SecretStr(SECRET)}))
    telephone = Telephone(app=app, origin=sqlite_settings.public_origin, token=DEMO_TOKEN)
    running: Running = app.extensions["notice_gateway"]
    put_at_noon(running.parts, PERSON)
    yield Exchange(name=request.param, telephone=telephone, signer=Signer(app=app, secret=SECRET))
    running.stop()


@pytest.mark.parametrize("key", ["", "1", "9", "#"])
def test_the_caller_hears_a_public_notice_and_may_skip_it(exchange: Exchange, key: str) -> None:
    call = exchange.call(ORGANISATION)
    said = call.comes_in()
    assert exchange.purposes(said) == ["public"]
    after = call.pressed(said, key, by_callee=False)
    assert (after.files, after.connects, after.whisper) == ((), True, "")
    call.ended("completed")
    assert exchange.evidence() == [("public", "A", key or None, "completed", exchange.name)]
    # Twilio does not tell how long a Gather's prompt was heard; the bridge does.
    assert [row.heard_ms for row in plays_in(exchange.telephone)] == [1_500 if exchange.name == "sip" else None]


def test_a_notice_in_two_languages_is_played_in_both(exchange: Exchange) -> None:
    assert exchange.purposes(exchange.call(TWO_LANGUAGES).comes_in()) == ["public", "public"]


def test_an_organisation_is_warned_on_its_own_leg(exchange: Exchange) -> None:
    call = exchange.call(WARNED)
    said = call.comes_in()
    assert (said.files, said.connects) == ((), True)
    warning = call.picked_up(said)
    assert exchange.purposes(warning) == ["warning"]
    assert call.pressed(warning, "", by_callee=True) == Said()
    assert exchange.evidence() == [("warning", "B", None, None, exchange.name)]


KEYS_AND_EVIDENCE = [
    (("",), ["opener"], [("opener", None)], []),
    (("5",), ["opener"], [("opener", "5")], []),
    (("9",), ["opener", "wrong_person"], [("opener", "9")], ["wrong_person"]),
    (("1", ""), ["opener", "private"], [("opener", "1"), ("private", None)], []),
    (("1", "2"), ["opener", "private", "acknowledged"], [("opener", "1"), ("private", "2")], []),
    (("1", "3"), ["opener", "private", "contested"], [("opener", "1"), ("private", "3")], ["contested"]),
    (("1", "9"), ["opener", "private", "wrong_person"], [("opener", "1"), ("private", "9")], ["wrong_person"]),
]


@pytest.mark.parametrize(("keys", "heard", "evidence", "grounds"), KEYS_AND_EVIDENCE)
def test_a_person_hears_what_the_keys_ask_for(
    exchange: Exchange,
    keys: tuple[str, ...],
    heard: list[str],
    evidence: list[tuple[str, str | None]],
    grounds: list[str],
) -> None:
    before = disputes_in(exchange.telephone)
    call = exchange.call(PERSON)
    said = call.comes_in()
    assert said.files == ()
    said = call.picked_up(said)
    told = exchange.purposes(said)
    for key in keys:
        said = call.pressed(said, key, by_callee=True)
        told += exchange.purposes(said)
    assert told == heard
    assert said.heard == ""
    assert [(purpose, key) for purpose, _, key, _, _ in exchange.evidence()] == evidence
    assert disputes_in(exchange.telephone)[len(before) :] == grounds


def test_after_key_3_the_line_is_silent_at_the_next_call(exchange: Exchange) -> None:
    call = exchange.call(PERSON)
    opener = call.picked_up(call.comes_in())
    call.pressed(call.pressed(opener, "1", by_callee=True), "3", by_callee=True)
    assert exchange.call(PERSON).comes_in() == Said(connects=True)


@pytest.mark.parametrize("line", [LIFTED, SWITCHED_OFF, EXPIRED, FREE, "alice", "", "911"])
def test_other_lines_are_connected_in_silence(exchange: Exchange, line: str) -> None:
    said = exchange.call(line).comes_in()
    # Twilio has nothing to dial where nothing was called; over SIP the call goes on to whatever was.
    assert said == Said(connects=bool(line) or exchange.name == "sip")
    assert exchange.evidence() == []


def lifted(exchange: Exchange, line: str) -> Callable[[], object]:
    parts, order = parts_of(exchange.telephone), order_on(exchange.telephone, line)
    return lambda: lift_order(parts.studio.engine, parts.keys, order, at_the_command_line(utc_now()))


def test_a_lift_silences_the_next_call(exchange: Exchange) -> None:
    assert exchange.purposes(exchange.call(ORGANISATION).comes_in()) == ["public"]
    lifted(exchange, ORGANISATION)()
    assert exchange.call(ORGANISATION).comes_in() == Said(connects=True)


def test_an_order_that_is_lifted_while_the_telephone_rings_is_silent_at_pick_up(exchange: Exchange) -> None:
    call = exchange.call(PERSON)
    said = call.comes_in()
    lifted(exchange, PERSON)()
    assert call.picked_up(said) == Said()
    assert exchange.evidence() == []


def test_a_repeated_report_makes_no_second_play(exchange: Exchange) -> None:
    call = exchange.call(ORGANISATION)
    first, again = call.comes_in(), call.comes_in()
    assert exchange.purposes(first) == exchange.purposes(again) == ["public"]
    assert len(exchange.evidence()) == 1


def test_a_fourth_opener_of_a_day_is_not_played(exchange: Exchange) -> None:
    for _ in range(3):
        call = exchange.call(PERSON)
        assert exchange.purposes(call.picked_up(call.comes_in())) == ["opener"]
    assert exchange.call(PERSON).comes_in() == Said(connects=True)
