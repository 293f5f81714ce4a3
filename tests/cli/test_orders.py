"""`notice-gateway orders`: what is issued, and what is refused, each refusal with its sentence."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from gateway.assembly import put_together
from gateway.register.tables import lines, notices
from gateway.register.tables import orders as orders_table
from gateway.settings import Settings
from tests.cli.command_line import CommandLine

ORGANISATION = {
    "--organisation": "Example Haulage Inc",
    "--identifier": "ein:12-3456789",
    "--legal-form": "Inc.",
    "--line-evidence": "www.example.com/contact, seen 2026-11-20",
}
PERSON = {"--person": "A. Person"}
# A check digit per ISO 7064, MOD 97-10: well formed, and nobody's.
A_LEI = "00000000000000000098"


def issuing(document: Path, subject: Mapping[str, str], **changed: str) -> list[str]:
    """Return the arguments of a good `orders issue`; `changed` replaces or adds options, empty text drops one."""
    options = {
        "--court": "lakeside",
        "--district": "lakeside-north",
        "--case": "2026-CV-7",
        "--line": "+12025550160@America/New_York",
        "--authority": str(document),
        "--legal-basis": "Rule 69",
        "--drafted-by": "clerk",
        "--approved-by": "judge",
        **subject,
        **{f"--{name.replace('_', '-')}": value for name, value in changed.items()},
    }
    return ["orders", "issue", *(part for name, value in options.items() if value for part in (name, value))]


def listed(commands: CommandLine) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(commands.succeed("orders", "list", "--json", "--show-numbers"))
    return rows


def written(settings: Settings) -> list[int]:
    """Count the rows of the register that an order is made of."""
    parts = put_together(settings)
    with parts.studio.engine.connect() as connection:
        counts = [connection.scalar(select(func.count()).select_from(each)) for each in (orders_table, lines, notices)]
    parts.close()
    return [count or 0 for count in counts]


def test_an_organisations_order_is_issued_with_its_own_text_and_warns_for_three_days(
    commands: CommandLine, authority: Path
) -> None:
    text = "en=The court of Lakeside gives notice."
    told = commands.succeed(*issuing(authority, ORGANISATION, text=text))
    order_id = told.partition(" ")[0]
    assert "is warned; in force from " in told
    row = next(each for each in listed(commands) if each["order"] == order_id)
    assert (row["case"], row["kind"], row["state"], row["lines"]) == ("2026-CV-7", "public", "warned", ["+12025550160"])


def test_a_persons_order_is_issued_at_once_in_force_and_is_private(commands: CommandLine, authority: Path) -> None:
    told = commands.succeed(*issuing(authority, PERSON))
    assert "is in force; in force from " in told
    row = next(each for each in listed(commands) if each["case"] == "2026-CV-7")
    assert (row["kind"], row["state"], row["subject"]) == ("private", "in_force", "natural_person")


def test_an_order_is_issued_with_a_recording_of_the_courts_own(
    commands: CommandLine, authority: Path, recording: Path
) -> None:
    commands.succeed(*issuing(authority, ORGANISATION, recording=f"en={recording}"))
    assert any(each["case"] == "2026-CV-7" for each in listed(commands))


REFUSED: tuple[tuple[str, Mapping[str, str], dict[str, str], tuple[str, ...]], ...] = (
    ("the same officer twice", ORGANISATION, {"approved_by": "Clerk"}, ("second officer",)),
    ("an LEI that is too short", ORGANISATION, {"identifier": f"lei:{A_LEI[1:]}"}, ("LEI", "valid")),
    ("an LEI with a wrong check digit", ORGANISATION, {"identifier": f"lei:{A_LEI[:-1]}7"}, ("LEI", "valid")),
    ("a sole trader's USCC", ORGANISATION, {"identifier": "uscc:92330106MA27XJ1X0T"}, ("USCC",)),
    ("a SIREN of zeros", ORGANISATION, {"identifier": "siren:000000000"}, ("SIREN", "000000000")),
    ("an unknown register", ORGANISATION, {"identifier": "vat:123"}, ("known schemes are", "lei")),
    ("no scheme", ORGANISATION, {"identifier": "12-3456789"}, ("SCHEME:ID", "ein:12-3456789")),
    ("no identifier", ORGANISATION, {"identifier": ""}, ("--identifier",)),
    ("an organisation that is a person too", ORGANISATION, {"person": "A. Person"}, ("either",)),
    ("nobody", {}, {}, ("--organisation", "--person")),
    ("a person with an identifier", PERSON, {"identifier": "ein:12-3456789"}, ("natural person",)),
    ("a line that is no number", PERSON, {"line": "reception"}, ("E.164", "+442079460110")),
    ("a line that is too short", PERSON, {"line": "+1202555"}, ("Line", "short")),
    ("a country code that is not in use", PERSON, {"line": "+9991234567"}, ("Line",)),
    ("a time zone that does not exist", PERSON, {"line": "+12025550160@Lakeside/North"}, ("Lakeside/North", "IANA")),
    ("an unknown court", PERSON, {"court": "hillside"}, ("hillside",)),
    ("an unknown district", PERSON, {"district": "hillside"}, ("hillside", "districts list")),
    ("another court's district", PERSON, {"district": "thameside"}, ("thameside", "lakeside")),
    ("a case that is there already", PERSON, {"case": "2026-CV-0110"}, ("2026-CV-0110", "already")),
    ("the same case in other letters", PERSON, {"case": " 2026-cv-0110 "}, ("already",)),
    ("no case number", PERSON, {"case": " "}, ("case number",)),
    ("no legal basis", PERSON, {"legal_basis": " "}, ("legal basis",)),
    ("an authority that is no PDF", PERSON, {"authority": __file__}, ("PDF",)),
    ("an authority that is not there", PERSON, {"authority": "/nowhere/order.pdf"}, ("/nowhere/order.pdf", "PDF")),
    ("a validity that ends in the warning period", ORGANISATION, {"valid_days": "2"}, ("later end",)),
    ("a validity of ten years", PERSON, {"valid_days": "3650"}, ("400",)),
    ("a text without its language", ORGANISATION, {"text": "Notice."}, ("LANGUAGE=",)),
    ("a text of nothing that can be said", ORGANISATION, {"text": "en=..."}, ("nothing that can be spoken",)),
    ("a recording that is not there", ORGANISATION, {"recording": "en=/nowhere/notice.wav"}, ("notice.wav",)),
    ("a recording that is none", ORGANISATION, {"recording": f"en={__file__}"}, ("test_orders.py", "WAV")),
    ("a language without wording", PERSON, {"language": "tlh"}, ("tlh", "prompts")),
)


@pytest.mark.parametrize(("subject", "changed", "said"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED])
def test_what_cannot_be_an_order_is_refused_with_its_reason_and_nothing_is_written(
    commands: CommandLine,
    sqlite_settings: Settings,
    authority: Path,
    subject: Mapping[str, str],
    changed: dict[str, str],
    said: tuple[str, ...],
) -> None:
    before = written(sqlite_settings)
    why = commands.refuse(*issuing(authority, subject, **changed))
    for words in said:
        assert words in why
    assert written(sqlite_settings) == before


def test_a_public_notice_over_twenty_seconds_is_refused_and_nothing_is_half_written(
    commands: CommandLine, sqlite_settings: Settings, authority: Path
) -> None:
    before = written(sqlite_settings)
    text = "en=" + "The court of Lakeside gives notice to all who call this line. " * 8
    why = commands.refuse(*issuing(authority, ORGANISATION, text=text))
    assert "callers wait at most 20 s" in why
    assert written(sqlite_settings) == before
    # Nothing is in the way of the same case with a shorter text.
    commands.succeed(*issuing(authority, ORGANISATION, text="en=The court gives notice."))


def test_orders_are_listed_with_masked_lines_unless_asked_for(commands: CommandLine) -> None:
    table = commands.succeed("orders", "list")
    assert "2026-CV-0110" in table
    assert "+12025550110" not in table
    assert "+12025550110" in commands.succeed("orders", "list", "--show-numbers")
    states = {each["case"]: each["state"] for each in listed(commands)}
    assert states["2026-CV-0111"] == "warned"
    assert states["2026-CV-0130"] == "lifted"
    assert states["2026-CV-0150"] == "expired"
    assert states["2026-SV-0120"] == "in_force"


def test_an_order_is_suspended_and_then_lifted_for_good(commands: CommandLine) -> None:
    order_id = next(each["order"] for each in listed(commands) if each["case"] == "2026-CV-0110")
    assert "is suspended since" in commands.succeed("orders", "suspend", order_id)
    first = commands.succeed("orders", "suspend", order_id)
    assert first == commands.succeed("orders", "suspend", order_id)
    lifted = commands.succeed("orders", "lift", order_id)
    assert lifted == commands.succeed("orders", "lift", order_id)
    assert "cannot be suspended" in commands.refuse("orders", "suspend", order_id)
    assert next(each["state"] for each in listed(commands) if each["order"] == order_id) == "lifted"


@pytest.mark.parametrize("verb", ["lift", "suspend"])
def test_an_order_that_is_not_there_cannot_be_ended(commands: CommandLine, verb: str) -> None:
    assert "orders list" in commands.refuse("orders", verb, "ord_000000000000")
