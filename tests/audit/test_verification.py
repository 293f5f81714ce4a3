"""`verify` finds every tampering with the trail, says which row, and accuses no other."""

import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from gateway.audit.faults import Flaw, Report
from gateway.audit.trail import append
from gateway.audit.verification import verify
from gateway.privacy.keys import derive
from gateway.privacy.ring import KeyRing
from tests.audit.trails import KEYS, NEXT_KEYS, RING, a_long_trail, a_trail, an_entry, tamper

COLUMNS = ("actor", "actor_kind", "tag", "court_id", "subject_id", "details", "key_id", "at", "previous", "seal")
VALUES = ", ".join(COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tampering:
    """Something done to a trail of `length` rows, and the rows that a report must and may name."""

    what: str
    length: int
    do: Callable[[Connection], None]
    named: frozenset[int]


def statements(*lines: tuple[str, dict[str, object]]) -> Callable[[Connection], None]:
    def do(connection: Connection) -> None:
        for line, values in lines:
            tamper(connection, line, **values)

    return do


def edit(length: int, seq: int, column: str, value: object) -> Tampering:
    line = f"UPDATE audit_trail SET {column} = :value WHERE seq = :seq"  # noqa: S608  (a column of ours)
    do = statements((line, {"value": value, "seq": seq}))
    return Tampering(what=f"{column} of row {seq}", length=length, do=do, named=frozenset({seq}))


def delete(length: int, first: int, last: int) -> Tampering:
    do = statements(("DELETE FROM audit_trail WHERE seq BETWEEN :a AND :b", {"a": first, "b": last}))
    return Tampering(what=f"delete {first} to {last}", length=length, do=do, named=frozenset(range(first, last + 1)))


def swap(length: int, one: int, other: int) -> Tampering:
    renumber = "UPDATE audit_trail SET seq = :to WHERE seq = :at"
    do = statements(
        (renumber, {"at": one, "to": -7}),
        (renumber, {"at": other, "to": one}),
        (renumber, {"at": -7, "to": other}),
    )
    return Tampering(what=f"swap {one} and {other}", length=length, do=do, named=frozenset({one, other}))


def append_copy(length: int, of: int, at: int) -> Tampering:
    copy = f"INSERT INTO audit_trail (seq, {VALUES}) SELECT :at, {VALUES} FROM audit_trail WHERE seq = :of"  # noqa: S608
    do = statements((copy, {"of": of, "at": at}))
    return Tampering(what=f"copy {of} as {at}", length=length, do=do, named=frozenset({at}))


def squeeze_copy_in(length: int, of: int, at: int) -> Tampering:
    """Put a copy between two rows and renumber everything behind it, and the head."""
    copy = f"INSERT INTO audit_trail (seq, {VALUES}) SELECT 0, {VALUES} FROM audit_trail WHERE seq = :of"  # noqa: S608
    do = statements(
        (copy, {"of": of}),
        ("UPDATE audit_trail SET seq = -seq WHERE seq >= :at", {"at": at}),
        ("UPDATE audit_trail SET seq = 1 - seq WHERE seq < 0", {}),
        ("UPDATE audit_trail SET seq = :at WHERE seq = 0", {"at": at}),
        ("UPDATE audit_head SET seq = seq + 1", {}),
    )
    return Tampering(
        what=f"copy {of} squeezed in as {at}", length=length, do=do, named=frozenset(range(at, length + 2))
    )


def renumber(length: int, seq: int, to: int) -> Tampering:
    do = statements(("UPDATE audit_trail SET seq = :to WHERE seq = :seq", {"seq": seq, "to": to}))
    return Tampering(what=f"row {seq} as {to}", length=length, do=do, named=frozenset({seq, to}))


@st.composite
def tamperings(draw: st.DrawFn) -> Tampering:
    length = draw(st.integers(1, 9))
    row = st.integers(1, length)
    one, other = draw(row), draw(row)
    beyond = draw(st.integers(length + 1, length + 9) | st.integers(-9, 0))
    word = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=9)
    changed = {
        "at": st.integers(-(2**62), 2**62),
        "previous": st.binary(min_size=1, max_size=33),
        "seal": st.binary(min_size=1, max_size=33),
    }
    column = draw(st.sampled_from(COLUMNS))
    return draw(
        st.sampled_from(
            [
                edit(length, one, column, draw(changed.get(column, word))),
                delete(length, min(one, other), max(one, other)),
                delete(length, one, length),
                append_copy(length, one, beyond),
                squeeze_copy_in(length, one, other),
                renumber(length, one, beyond),
                *([swap(length, one, other)] if one != other else []),
            ]
        )
    )


def rows_named(report: Report) -> set[int]:
    return {seq for fault in report.faults for seq in range(fault.first, fault.last + 1)}


# How long it takes says nothing on a machine that others use too.
@settings(deadline=None)
@given(tampering=tamperings())
def test_any_single_tampering_is_found_and_laid_to_the_right_rows(tampering: Tampering) -> None:
    with a_trail(tampering.length) as connection:
        assert verify(connection, RING).is_sound
        before = connection.execute(text("SELECT * FROM audit_trail ORDER BY seq")).all()
        tampering.do(connection)
        if connection.execute(text("SELECT * FROM audit_trail ORDER BY seq")).all() == before:
            return
        report = verify(connection, RING)
    assert not report.is_sound, tampering.what
    named = rows_named(report)
    assert named & tampering.named, (tampering.what, report)
    assert named <= tampering.named, (tampering.what, report)


def faults_after(*done: Tampering, length: int = 9) -> list[tuple[Flaw, int, int]]:
    with a_trail(length) as connection:
        for each in done:
            each.do(connection)
        report = verify(connection, RING)
    return [(fault.flaw, fault.first, fault.last) for fault in report.faults]


@pytest.mark.parametrize(
    ("done", "found"),
    [
        (edit(9, 5, "subject_id", "ord_x"), (Flaw.CHANGED, 5, 5)),
        (edit(9, 5, "previous", bytes(32)), (Flaw.CHANGED, 5, 5)),
        (edit(9, 9, "seal", bytes(32)), (Flaw.CHANGED, 9, 9)),
        (edit(9, 5, "at", "yesterday"), (Flaw.CHANGED, 5, 5)),
        (edit(9, 5, "key_id", "0" * 12), (Flaw.UNKNOWN_KEY, 5, 5)),
        (delete(9, 3, 5), (Flaw.REMOVED, 3, 5)),
        (delete(9, 1, 2), (Flaw.REMOVED, 1, 2)),
        (delete(9, 8, 9), (Flaw.CUT_OFF, 8, 9)),
        (append_copy(9, 3, 12), (Flaw.INSERTED, 12, 12)),
        (renumber(9, 9, 12), (Flaw.MOVED, 12, 12)),
    ],
    ids=lambda each: each.what if isinstance(each, Tampering) else "",
)
def test_each_kind_of_tampering_is_called_by_its_name(done: Tampering, found: tuple[Flaw, int, int]) -> None:
    assert faults_after(done) == [found]


def test_rows_that_changed_places_are_both_named_with_where_they_came_from() -> None:
    with a_trail(9) as connection:
        swap(9, 3, 7).do(connection)
        words = [fault.words for fault in verify(connection, RING).faults]
    assert words == ["row 3 was moved: written as row 7", "row 7 was moved: written as row 3"]


def test_a_row_squeezed_in_is_told_apart_from_those_it_pushed_back() -> None:
    with a_trail(9) as connection:
        squeeze_copy_in(9, 2, 5).do(connection)
        report = verify(connection, RING)
    found = {(fault.flaw, fault.words) for fault in report.faults}
    assert (Flaw.INSERTED, "row 5 was put in: a copy of row 2") in found
    assert (Flaw.MOVED, "rows 6 to 10 were moved: written as rows 5 to 9") in found


def test_a_row_overwritten_with_another_is_said_to_be_its_copy() -> None:
    with a_trail(9) as connection:
        tamper(connection, "DELETE FROM audit_trail WHERE seq = 7")
        append_copy(9, 3, 7).do(connection)
        (fault,) = verify(connection, RING).faults
    assert (fault.flaw, fault.words) == (Flaw.CHANGED, "row 7 was replaced by a copy of row 3")


def test_the_first_fault_does_not_hide_the_ones_behind_it() -> None:
    done = (edit(9, 2, "actor", "x"), delete(9, 4, 4), edit(9, 6, "tag", "x"), edit(9, 7, "tag", "x"), delete(9, 9, 9))
    assert sorted(faults_after(*done), key=lambda each: each[1]) == [
        (Flaw.CHANGED, 2, 2),
        (Flaw.REMOVED, 4, 4),
        (Flaw.CHANGED, 6, 7),
        (Flaw.CUT_OFF, 9, 9),
    ]


def test_a_letter_that_moves_from_one_column_into_the_next_is_a_change() -> None:
    with a_trail(3) as connection:
        tamper(connection, "UPDATE audit_trail SET actor = 'command-lin', actor_kind = 'ecommand_line' WHERE seq = 2")
        assert [(fault.flaw, fault.first) for fault in verify(connection, RING).faults] == [(Flaw.CHANGED, 2)]


def test_a_value_that_is_stored_as_another_kind_is_a_change() -> None:
    with a_trail(3) as connection:
        tamper(connection, "UPDATE audit_trail SET tag = CAST(tag AS BLOB) WHERE seq = 2")
        assert [(fault.flaw, fault.first) for fault in verify(connection, RING).faults] == [(Flaw.CHANGED, 2)]


@pytest.mark.parametrize(
    "line",
    [
        "UPDATE audit_head SET seq = 4",
        "UPDATE audit_head SET seal = x'00'",
        "UPDATE audit_head SET seq = 'nine'",
        "DELETE FROM audit_head",
    ],
)
def test_a_changed_or_removed_head_is_found(line: str) -> None:
    with a_trail(9) as connection:
        tamper(connection, line)
        assert [fault.flaw for fault in verify(connection, RING).faults] == [Flaw.HEAD]


def test_rows_of_two_trails_cannot_be_joined_though_each_is_sound() -> None:
    with a_trail(5) as other:
        append(other, RING, an_entry(99))
        rows = other.execute(text(f"SELECT seq, {VALUES} FROM audit_trail WHERE seq = 6")).mappings().all()  # noqa: S608
        head = other.execute(text("SELECT * FROM audit_head")).mappings().one()
    with a_trail(9) as connection:
        # From row 6 on, what the other trail went on with; rows 7 to 9 are this one's.
        tamper(connection, "DELETE FROM audit_trail WHERE seq = 6")
        insert = f"INSERT INTO audit_trail (seq, {VALUES}) VALUES (:seq, {', '.join(f':{each}' for each in COLUMNS)})"  # noqa: S608
        tamper(connection, insert, **dict(rows[0]))
        assert head["seq"] == 6
        assert [(fault.flaw, fault.first) for fault in verify(connection, RING).faults] == [(Flaw.FORKED, 7)]


def test_rows_sealed_before_the_keys_were_changed_and_after_are_one_trail() -> None:
    both = KeyRing(NEXT_KEYS, others=(KEYS,))
    retired = KeyRing(NEXT_KEYS, retired={KEYS.key_id: KEYS.audit})
    with a_trail(4) as connection:
        for number in range(5, 9):
            append(connection, both, an_entry(number))
        assert verify(connection, both).is_sound
        assert verify(connection, retired).is_sound
        lost = verify(connection, KeyRing(NEXT_KEYS)).faults
        assert [(fault.flaw, fault.first, fault.last) for fault in lost] == [(Flaw.UNKNOWN_KEY, 1, 4)]
        tamper(connection, "UPDATE audit_trail SET actor = 'x' WHERE seq = 2")
        assert [fault.flaw for fault in verify(connection, retired).faults] == [Flaw.CHANGED]


def test_who_has_another_key_cannot_write_a_row_that_passes() -> None:
    forged = KeyRing(derive(b"a forger's key, of 32 bytes too."))
    with a_trail(4) as connection:
        append(connection, forged, an_entry(5))
        assert [fault.flaw for fault in verify(connection, RING).faults] == [Flaw.UNKNOWN_KEY]
        tamper(connection, "UPDATE audit_trail SET key_id = :key_id WHERE seq = 5", key_id=KEYS.key_id)
        assert [(fault.flaw, fault.first) for fault in verify(connection, RING).faults] == [(Flaw.CHANGED, 5)]


def test_an_empty_trail_is_sound() -> None:
    with a_trail(0) as connection:
        assert verify(connection, RING) == Report(rows=0, plays=0, checkpoints=0, unsealed=0, faults=())


def test_a_long_trail_is_streamed_in_little_memory(tmp_path: Path) -> None:
    with a_long_trail(10_000, tmp_path) as connection:
        verify(connection, RING)
        tracemalloc.start()
        report = verify(connection, RING)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert report.is_sound
    assert report.rows == 10_000
    # Held all at once, the rows alone would take ten megabytes.
    assert most < 3_000_000
