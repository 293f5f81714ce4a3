"""A rotation writes everything again, and nothing that the register knew is lost by it."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import LargeBinary, Select, func, select, update

from gateway.assembly import Parts
from gateway.audit.tables import plays, trail
from gateway.audit.tags import Tag
from gateway.clock import utc_now
from gateway.db.metadata import metadata
from gateway.domain.e164 import E164
from gateway.privacy import key_file, key_steps
from gateway.privacy.blind_index import index_line
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.register import installation, orders
from gateway.register.errors import KeyMismatchError
from gateway.register.tables import lines
from gateway.register.tables import orders as order_rows
from gateway.workflows import rotate_keys
from gateway.workflows.change import at_the_command_line
from gateway.workflows.load_demo import samples
from gateway.workflows.rotate_keys import SEALED, NotYetRetiredError, Pace, RowsLeftError
from tests.telephone import Telephone, a_call_sid
from tests.workflows.rotating import QUICK, TIMER, change_key, rewrite_all, stands_under

MINUTES = timedelta(minutes=15)
# Bytes that no key sealed and no index was made of: seals and chains of the trail, hashes of secrets and of calls.
NOT_REWRITTEN = {
    "audit_trail": {"previous", "seal"},
    "audit_head": {"seal"},
    "plays": {"call_index", "line_index", "caller_index", "seal"},
    "disputes": {"call_index"},
    "claims": {"claim", "fingerprint"},
    "people": {"enrolment_hash"},
    "passkeys": {"credential_id", "public_key"},
    "sessions": {"token_hash"},
    "api_keys": {"secret_hash"},
    "sign_in_attempts": {"who"},
    "spent_challenges": {"challenge_hash"},
}


def read(parts: Parts) -> object:
    """Return everything that the register says of its orders."""
    with parts.studio.engine.connect() as connection:
        return orders.entries(connection, parts.keys)


def count(parts: Parts, statement: Select[int]) -> int:
    with parts.studio.engine.connect() as connection:
        return connection.execute(statement).scalar_one()


def test_every_column_of_bytes_is_written_again_or_is_known_to_need_no_key() -> None:
    covered: dict[str, set[str]] = {}
    for sealed in SEALED:
        covered.setdefault(sealed.table.name, set()).update(sealed.columns, sealed.indexes)
    for table in metadata.tables.values():
        columns = {column.name for column in table.columns if isinstance(column.type, LargeBinary)}
        named = covered.get(table.name, set()) | NOT_REWRITTEN.get(table.name, set())
        assert columns == named, table.name


def test_after_a_rotation_the_new_key_alone_opens_and_finds_everything(parts: Parts) -> None:
    before = read(parts)
    old, new = change_key(parts)
    steps = rewrite_all(parts)
    assert [step.stuck for step in steps if step.stuck] == []
    assert steps[-1].done == steps[-1].total > 30
    parts.keys.replace(new)
    assert read(parts) == before
    for sample in samples():
        assert stands_under(parts, sample.line.number.number, new)
        assert not stands_under(parts, sample.line.number.number, old)
    with parts.studio.engine.connect() as connection:
        assert orders.find(connection, "lakeside", "2026-CV-0110", new)
        assert not orders.find(connection, "lakeside", "2026-CV-0110", old)


def test_between_two_steps_of_a_rotation_everything_is_readable(parts: Parts) -> None:
    before = read(parts)
    change_key(parts)
    seen = 0
    for _ in rotate_keys.renew(parts.studio.engine, parts.keys, TIMER, QUICK):
        assert read(parts) == before
        seen += 1
    # The demo has rows in half of the tables that hold something sealed.
    assert seen >= len(SEALED) // 2


def test_a_rotation_that_was_broken_off_goes_on_where_it_was(parts: Parts) -> None:
    change_key(parts)
    total = sum(rotate_keys.stale_rows(parts.studio.engine, parts.keys).values())
    broken = rotate_keys.renew(parts.studio.engine, parts.keys, TIMER, QUICK)
    next(broken)
    next(broken)
    broken.close()
    left = sum(rotate_keys.stale_rows(parts.studio.engine, parts.keys).values())
    assert 0 < left < total
    assert rewrite_all(parts)[-1].done == left


def test_the_trail_tells_of_a_rotation_once_however_often_it_is_taken_up(parts: Parts) -> None:
    change_key(parts)
    rewrite_all(parts)
    rewrite_all(parts)
    for each in (Tag.KEYS_ROTATION_BEGUN, Tag.KEYS_ROTATED):
        told = select(func.count()).where(trail.c.tag == each.value, trail.c.subject_id == parts.keys.key_id)
        assert count(parts, told) == 1


def test_the_database_takes_any_key_of_the_ring_and_is_tied_to_the_new_one(parts: Parts) -> None:
    old, new = change_key(parts)
    with parts.studio.engine.begin() as connection:
        installation.claim(connection, parts.keys)
    rewrite_all(parts)
    with parts.studio.engine.begin() as connection:
        installation.claim(connection, new)
        with pytest.raises(KeyMismatchError):
            installation.claim(connection, old)


def test_screens_reload_when_a_rotation_is_over(parts: Parts) -> None:
    change_key(parts)
    with parts.studio.engine.connect() as connection:
        before = installation.generation(connection)
    rewrite_all(parts)
    with parts.studio.engine.connect() as connection:
        assert installation.generation(connection) != before


def test_plays_move_with_their_line_so_that_caps_go_on_counting(telephone: Telephone, parts: Parts) -> None:
    for _ in range(2):
        telephone.call("+12025550110", sid=a_call_sid())
    line = E164("+12025550110")
    here = select(func.count()).where(plays.c.line_index == index_line(line, parts.keys))
    assert count(parts, here) == 2
    change_key(parts)
    rewrite_all(parts)
    assert count(parts, select(func.count()).where(plays.c.line_index == index_line(line, parts.keys))) == 2
    assert count(parts, select(func.count()).select_from(plays)) == 2


def play(number: int, line_index: bytes, order_id: str) -> Mapping[str, object]:
    return {
        "play_id": f"play_{number}",
        "call_index": number.to_bytes(16, "big"),
        "order_id": order_id,
        "subject_kind": "natural_person",
        "line_index": line_index,
        "purpose": "opener",
        "leg": "B",
        "ordinal": 1,
        "files": "",
        "played_at": utc_now(),
    }


def test_two_plays_that_took_one_turn_under_two_keys_both_count(parts: Parts) -> None:
    line = E164("+12025550120")
    old, new = change_key(parts)
    with parts.studio.engine.begin() as connection:
        order_id = connection.execute(
            select(order_rows.c.order_id)
            .join(lines, lines.c.order_id == order_rows.c.order_id)
            .where(lines.c.line_index == index_line(line, old))
        ).scalar_one()
        connection.execute(
            plays.insert(),
            [play(1, index_line(line, old), order_id), play(2, index_line(line, new), order_id)],
        )
    rewrite_all(parts)
    with parts.studio.engine.connect() as connection:
        found = connection.execute(select(plays.c.ordinal).where(plays.c.line_index == index_line(line, new)))
        assert sorted(found.scalars()) == [1, 2]


def test_a_row_that_no_key_opens_is_named_and_the_rest_is_written_again(parts: Parts) -> None:
    with parts.studio.engine.begin() as connection:
        order_id = connection.execute(select(order_rows.c.order_id)).scalars().first()
        connection.execute(
            update(order_rows).where(order_rows.c.order_id == order_id).values(subject=b"\x02broken" + bytes(40))
        )
    change_key(parts)
    steps = list(rotate_keys.renew(parts.studio.engine, parts.keys, TIMER, QUICK))
    assert [name for step in steps for name in step.stuck] == [f"orders {order_id}"]
    assert rotate_keys.stale_rows(parts.studio.engine, parts.keys) == {"orders": 1}
    with pytest.raises(RowsLeftError, match="orders"):
        rotate_keys.complete(parts.studio.engine, parts.keys, at_the_command_line(utc_now()), rows=0)


def test_a_row_whose_like_was_added_under_the_new_key_is_named_and_the_rest_is_written_again(parts: Parts) -> None:
    old, new = change_key(parts)
    with parts.studio.engine.begin() as connection:
        found = connection.execute(
            select(lines).where(lines.c.line_index == index_line(E164("+12025550110"), old))
        ).one()
        cipher = FieldCipher(new)
        twin: dict[str, object] = {"line_id": "line_twin", "line_index": index_line(E164("+12025550110"), new)}
        twin["evidence"] = None
        twin["line"] = cipher.encrypt("+12025550110", place="lines.line:line_twin")
        connection.execute(lines.insert().values({**found._asdict(), **twin}))
    steps = list(rotate_keys.renew(parts.studio.engine, parts.keys, TIMER, Pace(rows=100, rest=0, least_rest=0)))
    assert [name for step in steps for name in step.stuck] == [f"lines {found.line_id}"]
    assert rotate_keys.stale_rows(parts.studio.engine, parts.keys) == {"lines": 1}


def retiring(parts: Parts, *, after: timedelta = MINUTES, anyway: bool = False) -> None:
    now = utc_now() + after
    rotate_keys.demand_unneeded(parts.studio.engine, parts.keys, now, token_lifetime=MINUTES, caps_begin_anew=anyway)


def test_an_old_key_is_kept_while_rows_or_calls_need_it(parts: Parts) -> None:
    change_key(parts)
    with pytest.raises(RowsLeftError):
        retiring(parts)
    rewrite_all(parts)
    with pytest.raises(NotYetRetiredError, match="under way"):
        retiring(parts, after=timedelta(minutes=14))
    retiring(parts)


def test_an_old_key_is_kept_while_plays_on_a_removed_line_count_for_a_cap(parts: Parts) -> None:
    old, _ = change_key(parts)
    with parts.studio.engine.begin() as connection:
        order_id = (
            connection.execute(select(order_rows.c.order_id).where(order_rows.c.subject_kind == "natural_person"))
            .scalars()
            .first()
        )
        connection.execute(plays.insert(), [play(1, index_line(E164("+442079460999"), old), str(order_id))])
    rewrite_all(parts)
    with pytest.raises(NotYetRetiredError, match="1 plays"):
        retiring(parts)
    retiring(parts, anyway=True)
    retiring(parts, after=timedelta(days=32))


def test_of_a_retired_key_the_trail_tells_once(parts: Parts) -> None:
    old, _ = change_key(parts)
    for _ in range(2):
        rotate_keys.note_retired(parts.studio.engine, parts.keys, at_the_command_line(utc_now()), old.key_id)
    assert count(parts, select(func.count()).where(trail.c.tag == Tag.KEYS_RETIRED.value)) == 1


def test_keys_rotate_twice(parts: Parts) -> None:
    before = read(parts)
    first, _ = change_key(parts)
    rewrite_all(parts)
    key_steps.retire(parts.settings.key_file, first.key_id)
    parts.keys.replace(key_file.load(parts.settings.key_file))
    second, third = change_key(parts)
    rewrite_all(parts)
    parts.keys.replace(KeyRing(third.active))
    assert len({first.key_id, second.key_id, third.key_id}) == 3
    assert read(parts) == before
