"""`notice-gateway notices add`: a better notice replaces the old one, and a bad one leaves it."""

import json
from pathlib import Path

import pytest

from gateway.assembly import put_together
from gateway.domain.notice import Purpose
from gateway.register import notices
from gateway.settings import Settings
from tests.cli.command_line import CommandLine

OFFICERS = ("--added-by", "clerk", "--approved-by", "judge")


@pytest.fixture
def order_id(commands: CommandLine) -> str:
    """The order on +12025550110."""
    rows = json.loads(commands.succeed("orders", "list", "--json"))
    return str(next(each["order"] for each in rows if each["case"] == "2026-CV-0110"))


def public_notice(settings: Settings, order_id: str) -> list[tuple[str, str]]:
    """Return language and file of each part of the public notice."""
    parts = put_together(settings)
    with parts.studio.engine.connect() as connection:
        found = notices.parts_of(connection, [order_id])[order_id][Purpose.PUBLIC]
    parts.close()
    return [(each.language, each.mulaw) for each in found]


def test_a_recording_replaces_the_notice_of_its_language(
    commands: CommandLine, sqlite_settings: Settings, order_id: str, recording: Path
) -> None:
    before = public_notice(sqlite_settings, order_id)
    adding = ("notices", "add", order_id, "--purpose", "public", "--language", "en")
    told = commands.succeed(*adding, "--recording", str(recording), *OFFICERS)
    assert told == f"The public notice of {order_id} in en lasts 4.0 s.\n"
    after = public_notice(sqlite_settings, order_id)
    assert [language for language, _ in after] == [language for language, _ in before] == ["en"]
    assert after != before


def test_a_text_in_another_language_comes_after_the_first(
    commands: CommandLine, sqlite_settings: Settings, order_id: str
) -> None:
    adding = ("notices", "add", order_id, "--purpose", "public", "--language", "zh", "--text", "法院公告。")
    assert "in zh lasts" in commands.succeed(*adding, *OFFICERS)
    assert [language for language, _ in public_notice(sqlite_settings, order_id)] == ["en", "zh"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--purpose", "public", "--language", "en", "--recording", "SILENCE"), "silence.wav"),
        (("--purpose", "public", "--language", "en", "--recording", "/nowhere.wav"), "nowhere.wav"),
        (("--purpose", "private", "--language", "en", "--text", "Notice."), "has no private notice"),
        (("--purpose", "opener", "--language", "en", "--text", "Notice."), "opener"),
        (("--purpose", "public", "--language", "en"), "either --text or --recording"),
        (("--purpose", "public", "--language", "en", "--text", "\x00<>"), "nothing that can be spoken"),
        (("--purpose", "public", "--language", "tlh", "--text", "Notice."), "tlh"),
        (("--purpose", "public", "--language", "en", "--text", "Court notice. " * 40), "20 s"),
        (("--purpose", "public", "--language", "en", "--text", "Notice. " * 5000), "Shorten"),
    ],
)
def test_what_cannot_be_a_notice_is_refused_and_the_old_notice_stays(
    commands: CommandLine,
    sqlite_settings: Settings,
    order_id: str,
    silence: Path,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    before = public_notice(sqlite_settings, order_id)
    given = [str(silence) if each == "SILENCE" else each for each in arguments]
    assert said in commands.refuse("notices", "add", order_id, *given, *OFFICERS)
    assert public_notice(sqlite_settings, order_id) == before


def test_one_officer_alone_cannot_replace_a_notice(
    commands: CommandLine, sqlite_settings: Settings, order_id: str, recording: Path
) -> None:
    before = public_notice(sqlite_settings, order_id)
    adding = ("notices", "add", order_id, "--purpose", "public", "--language", "en", "--recording", str(recording))
    assert "orders:approve" in commands.refuse(*adding, "--added-by", "clerk", "--approved-by", "Clerk")
    assert public_notice(sqlite_settings, order_id) == before


def test_an_order_that_is_not_there_gets_no_notice(commands: CommandLine) -> None:
    adding = ("notices", "add", "ord_000000000000", "--purpose", "public", "--language", "en", "--text", "Notice.")
    assert "orders list" in commands.refuse(*adding, *OFFICERS)
