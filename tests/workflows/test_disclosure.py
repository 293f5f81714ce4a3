"""Whoever asks what is held about a line is told all of it, and nothing about anybody else."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from gateway.assembly import Parts
from gateway.audit.tables import trail
from gateway.audit.tags import Tag
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.domain.rights import Actor, ActorKind, Everywhere, Grant, InCourt, InDistrict, Right, Scope
from gateway.domain.standing import Ground
from gateway.privacy.blind_index import index_line
from gateway.register.lines import suspend_line
from gateway.register.tables import lines, orders
from gateway.workflows.change import Errand, at_the_command_line
from gateway.workflows.disclose_line import Disclosure, disclose_line
from gateway.workflows.end_order import lift_order
from tests.cli.command_line import CommandLine, over
from tests.telephone import Telephone, a_call_sid
from tests.workflows.rotating import change_key, rewrite_all

ORGANISATION, PERSON, NOBODY = E164("+12025550110"), E164("+12025550120"), E164("+12025550199")


def an_officer(scope: Scope, right: Right = Right.ORDERS_EXPORT) -> Actor:
    grants = frozenset({Grant(right=right, scope=scope)})
    return Actor(actor_id="per_1", kind=ActorKind.PERSON, grants=grants)


def disclosed(parts: Parts, line: E164, actor: Actor | None = None) -> Disclosure:
    errand = at_the_command_line(utc_now()) if actor is None else Errand(actor=actor, at=utc_now())
    return disclose_line(parts.office, line, errand)


def order_on(parts: Parts, line: E164) -> str:
    with parts.studio.engine.connect() as connection:
        statement = select(lines.c.order_id).where(lines.c.line_index == index_line(line, parts.keys))
        return str(connection.execute(statement).scalar_one())


def listed(part: object) -> list[dict[str, Any]]:
    """Return a list of objects, as JSON has it."""
    assert isinstance(part, list)
    return part


def notes(parts: Parts) -> list[tuple[str, str, str]]:
    with parts.studio.engine.connect() as connection:
        rows = connection.execute(select(trail).where(trail.c.tag == Tag.SUBJECT_ACCESS.value).order_by(trail.c.seq))
        return [(row.subject_id, row.court_id, row.details) for row in rows]


def test_an_order_is_disclosed_with_its_case_its_dates_its_plays_and_its_trail(
    telephone: Telephone, parts: Parts
) -> None:
    telephone.call(ORGANISATION.number, sid=a_call_sid())
    order_id = order_on(parts, ORGANISATION)
    lift_order(parts.studio.engine, parts.keys, order_id, at_the_command_line(utc_now()))
    (found,) = disclosed(parts, ORGANISATION).orders
    assert (found["order"], found["court"], found["case"]) == (order_id, "lakeside", "2026-CV-0110")
    assert (found["subject"], found["state"]) == ("Example Cartage Incorporated", "lifted")
    assert found["lifted_at"] is not None
    (play,) = listed(found["plays"])
    assert (play["purpose"], play["leg"], play["key"]) == ("public", "A", None)
    assert Tag.ORDER_LIFTED.value in {entry["what"] for entry in listed(found["trail"])}


def test_a_line_of_which_nothing_is_known_has_nothing_to_disclose_and_the_search_is_noted(parts: Parts) -> None:
    assert disclosed(parts, NOBODY).orders == []
    assert notes(parts) == [("no-line", "", "{}")]


def test_the_trail_tells_by_ids_what_was_disclosed(parts: Parts) -> None:
    (found,) = disclosed(parts, PERSON).orders
    assert notes(parts) == [
        (found["line_id"], "lakeside", json.dumps({"order": found["order"]}, separators=(",", ":")))
    ]


def test_who_is_the_wrong_person_learns_neither_name_nor_case_of_the_right_one(parts: Parts) -> None:
    order_id = order_on(parts, PERSON)
    indexes = (index_line(PERSON, parts.keys),)
    with parts.studio.engine.begin() as connection:
        suspend_line(connection, order_id, indexes, Ground.WRONG_PERSON, (bytes(16),), utc_now())
    (found,) = disclosed(parts, PERSON).orders
    text = json.dumps(found)
    assert "withheld" in found
    assert "A. Nobody" not in text
    assert "2026-SV-0120" not in text
    (dispute,) = listed(found["disputes"])
    assert dispute["ground"] == "wrong_person"
    assert found["line_suspended_at"] is not None


def test_what_a_line_heard_before_it_was_taken_out_of_its_order_is_disclosed(
    telephone: Telephone, parts: Parts
) -> None:
    telephone.call(ORGANISATION.number, sid=a_call_sid())
    with parts.studio.engine.begin() as connection:
        connection.execute(delete(lines).where(lines.c.line_index == index_line(ORGANISATION, parts.keys)))
    (found,) = disclosed(parts, ORGANISATION).orders
    assert found["line_id"] == ""
    assert len(listed(found["plays"])) == 1


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        (Everywhere(), True),
        (InCourt(court_id="lakeside"), True),
        (InCourt(court_id="bayside"), False),
        (InDistrict(court_id="lakeside", district_id="lakeside-north"), True),
        (InDistrict(court_id="lakeside", district_id="lakeside-south"), False),
    ],
)
def test_an_officer_discloses_what_lies_within_reach(parts: Parts, scope: Scope, *, seen: bool) -> None:
    assert len(disclosed(parts, PERSON, an_officer(scope)).orders) == seen


def test_who_may_read_but_not_export_discloses_nothing(parts: Parts) -> None:
    assert disclosed(parts, PERSON, an_officer(Everywhere(), Right.ORDERS_READ)).orders == []


def test_a_line_is_found_under_an_old_key_and_under_a_new_one(telephone: Telephone, parts: Parts) -> None:
    telephone.call(ORGANISATION.number, sid=a_call_sid())
    before = disclosed(parts, ORGANISATION).orders[0]
    change_key(parts)
    between = disclosed(parts, ORGANISATION).orders[0]
    rewrite_all(parts)
    after = disclosed(parts, ORGANISATION).orders[0]
    for name in ("case", "subject", "plays", "line_id"):
        assert before[name] == between[name] == after[name]
    assert len(listed(before["plays"])) == 1


def test_a_purged_order_is_not_disclosed(parts: Parts) -> None:
    blank = dict.fromkeys(("case_index", "case_number", "subject", "legal_basis"))
    order_id = order_on(parts, PERSON)
    with parts.studio.engine.begin() as connection:
        connection.execute(update(orders).where(orders.c.order_id == order_id).values(**blank, purged_at=utc_now()))
    assert disclosed(parts, PERSON).orders == []


@pytest.fixture
def commands(parts: Parts) -> CommandLine:
    return over(parts.settings.data_dir, parts.settings.database_url)


def test_the_command_writes_a_file_that_is_closed_to_others_and_never_over_another(
    commands: CommandLine, tmp_path: Path
) -> None:
    target = tmp_path / "held.json"
    assert commands.succeed("subject-access", PERSON.number, "--out", str(target)) == ""
    document = json.loads(target.read_text(encoding="utf-8"))
    assert document["line"] == PERSON.number
    assert document["orders"][0]["subject"] == "A. Nobody"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert "held.json" in commands.refuse("subject-access", PERSON.number, "--out", str(target))


def test_the_command_prints_json(commands: CommandLine) -> None:
    assert json.loads(commands.succeed("subject-access", NOBODY.number))["orders"] == []
