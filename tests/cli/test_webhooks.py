"""`notice-gateway webhooks`: what there is to do where nobody uses the API."""

import json
from typing import Any

import pytest

from gateway.assembly import put_together
from gateway.clock import utc_now
from gateway.settings import Settings
from tests.cli.command_line import CommandLine
from tests.outbox.mailroom import Mailroom
from tests.receiver import Reply, receiving

URL = "https://court.example.org/hooks"


def added(commands: CommandLine, url: str = URL, *more: str) -> tuple[str, str]:
    """Return the new endpoint and its secret."""
    words = commands.succeed("webhooks", "add", url, "--court", "lakeside", *more).split()
    assert words[0::2] == ["endpoint", "secret"]
    return words[1], words[3]


def listed(commands: CommandLine) -> list[dict[str, Any]]:
    return list(json.loads(commands.succeed("webhooks", "list", "--court", "lakeside", "--json")))


def test_an_endpoint_is_added_listed_changed_disabled_and_removed(commands: CommandLine) -> None:
    name, secret = added(commands, URL, "--event", "order.lifted")
    assert secret.startswith("whsec_")
    (row,) = listed(commands)
    assert (row["endpoint"], row["url"], row["events"], row["enabled"]) == (name, URL, ["order.lifted"], True)
    table = commands.succeed("webhooks", "list", "--court", "lakeside")
    assert name in table
    assert secret not in table
    commands.succeed("webhooks", "change", name, "--url", URL + "/new", "--all-events")
    assert (listed(commands)[0]["url"], listed(commands)[0]["events"]) == (URL + "/new", [])
    commands.succeed("webhooks", "disable", name)
    assert listed(commands)[0]["enabled"] is False
    commands.succeed("webhooks", "enable", name)
    assert listed(commands)[0]["enabled"] is True
    rotated = commands.succeed("webhooks", "rotate-secret", name)
    assert "whsec_" in rotated
    assert secret not in rotated
    commands.succeed("webhooks", "remove", name)
    assert listed(commands) == []


def test_a_dead_delivery_is_seen_and_sent_again(commands: CommandLine, sqlite_settings: Settings) -> None:
    parts = put_together(sqlite_settings)
    room = Mailroom(parts)
    with receiving(lambda _before: Reply(status=500)) as receiver:
        name, secret = added(commands, receiver.url)
        room.at = utc_now()
        room.tell(court_id="lakeside")
        for _ in range(10):
            room.deliver()
            room.at = room.at.replace(year=room.at.year + 1)
        (row,) = json.loads(commands.succeed("webhooks", "deliveries", name, "--state", "dead", "--json"))
        assert (row["state"], row["attempts"], row["status"], row["error"]) == ("dead", 10, 500, "status")
        assert row["delivery"] in commands.succeed("webhooks", "deliveries", name)
        receiver.answer = lambda _before: Reply()
        assert "1 dead" in commands.succeed("webhooks", "redeliver", "--dead-of", name)
        room.deliver()
        (row,) = json.loads(commands.succeed("webhooks", "deliveries", name, "--json"))
        assert row["state"] == "delivered"
        assert row["delivery"] in commands.succeed("webhooks", "redeliver", row["delivery"])
        room.deliver()
        assert receiver.ids() == [row["message"]] * 12
        assert secret
    parts.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "http://court.example.org/", "--court", "lakeside"), "not https"),
        (("add", URL, "--court", "nowhere"), "nowhere"),
        (("add", URL, "--court", "lakeside", "--event", "order.burnt"), "order.burnt"),
        (("list", "--court", "nowhere"), "nowhere"),
        (("disable", "whk_nowhere"), "whk_nowhere"),
        (("change", "whk_nowhere"), "say what to change"),
        (("change", "whk_nowhere", "--all-events", "--event", "order.lifted"), "either"),
        (("change", "whk_nowhere", "--url", URL), "whk_nowhere"),
        (("remove", "whk_nowhere"), "whk_nowhere"),
        (("rotate-secret", "whk_nowhere"), "whk_nowhere"),
        (("deliveries", "whk_nowhere"), "whk_nowhere"),
        (("redeliver", "dlv_nowhere"), "dlv_nowhere"),
        (("redeliver",), "either"),
        (("redeliver", "dlv_nowhere", "--dead-of", "whk_nowhere"), "either"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(
    commands: CommandLine, arguments: tuple[str, ...], said: str
) -> None:
    assert said in commands.refuse("webhooks", *arguments)
