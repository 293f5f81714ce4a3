"""`notice-gateway districts` and `courts`: the tree, its switches, and what is refused."""

import json

import pytest

from tests.cli.command_line import CommandLine


def heard(commands: CommandLine) -> dict[str, bool]:
    return {each["district"]: each["heard"] for each in json.loads(commands.succeed("districts", "list", "--json"))}


def test_switching_a_district_off_silences_everything_below_it_until_it_is_on_again(commands: CommandLine) -> None:
    before = heard(commands)
    assert before == {
        "lakeside": True,
        "lakeside-north": True,
        "lakeside-south": False,
        "thameside": True,
        "bayside": True,
    }
    assert "lakeside is off since" in commands.succeed("districts", "off", "lakeside", "--reason", "flood")
    assert {name for name, is_heard in heard(commands).items() if is_heard} == {"thameside", "bayside"}
    rows = json.loads(commands.succeed("districts", "list", "--json"))
    assert next(each["reason"] for each in rows if each["district"] == "lakeside") == "flood"
    assert "flood" in commands.succeed("districts", "list")
    commands.succeed("districts", "on", "lakeside", "--reason", "the flood is over")
    assert heard(commands) == before


@pytest.mark.parametrize("switch", ["on", "off"])
def test_a_switch_needs_a_reason_and_a_district_that_is_there(commands: CommandLine, switch: str) -> None:
    assert "--reason" in commands.refuse("districts", switch, "lakeside")
    assert "needs a reason" in commands.refuse("districts", switch, "lakeside", "--reason", "  ")
    assert "hillside" in commands.refuse("districts", switch, "hillside", "--reason", "flood")


def test_courts_and_districts_are_added_once_and_below_their_own_court(commands: CommandLine) -> None:
    court = ("courts", "add", "hillside", "--name", "Hillside Court", "--zone", "Europe/London")
    commands.succeed(*court)
    assert "Hillside Court" in commands.succeed("courts", "list")
    assert "already" in commands.refuse(*court)
    commands.succeed("districts", "add", "hillside-east", "--court", "hillside", "--name", "East")
    assert "already" in commands.refuse("districts", "add", "hillside-east", "--court", "hillside", "--name", "East")
    below = ("--court", "hillside", "--name", "West", "--parent", "lakeside")
    assert "lakeside" in commands.refuse("districts", "add", "hillside-west", *below)
    assert "nowhere" in commands.refuse("districts", "add", "west", "--court", "nowhere", "--name", "West")
    assert heard(commands)["hillside-east"] is True


@pytest.mark.parametrize(
    ("court", "zone", "days", "said"),
    [
        ("Hill Side", "Europe/London", "3", "small letters"),
        ("hillside", "Europe/Hillside", "3", "IANA"),
        ("hillside", "Europe/London", "0", "1 to 60"),
        ("hillside", "Europe/London", "61", "1 to 60"),
        ("hillside", "/etc/passwd", "3", "IANA"),
    ],
)
def test_what_cannot_be_a_court_is_refused(commands: CommandLine, court: str, zone: str, days: str, said: str) -> None:
    adding = ("courts", "add", court, "--name", "Hillside", "--zone", zone, "--warning-days", days)
    assert said in commands.refuse(*adding)
    assert "Hillside" not in commands.succeed("courts", "list")
