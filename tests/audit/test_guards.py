"""The database refuses to change the trail; where somebody makes it do so all the same, `verify` names the row."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway.assembly import Parts
from gateway.audit.faults import Flaw
from gateway.audit.trail import append, head_of
from gateway.audit.verification import verify
from tests.audit.trails import an_entry

GUARDS = {
    "sqlite": ("DROP TRIGGER audit_trail_no_update", "DROP TRIGGER audit_trail_no_delete"),
    "postgresql": ("DROP TRIGGER audit_trail_append_only ON audit_trail",),
}


@pytest.fixture
def last(parts: Parts) -> int:
    """The number of the last of some entries."""
    with parts.studio.engine.begin() as connection:
        return [append(connection, parts.keys, an_entry(number)) for number in range(5)][-1]


@pytest.mark.parametrize(
    "line",
    [
        "UPDATE audit_trail SET actor = 'x'",
        "UPDATE audit_trail SET details = '{}' WHERE seq = 1",
        "DELETE FROM audit_trail",
        "DELETE FROM audit_trail WHERE seq = 1",
        "TRUNCATE audit_trail",
        "TRUNCATE audit_trail CASCADE",
    ],
)
def test_no_statement_changes_or_removes_a_row(parts: Parts, last: int, line: str) -> None:
    engine = parts.studio.engine
    if line.startswith("TRUNCATE") and engine.dialect.name == "sqlite":
        return  # SQLite has no such statement.
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(line))
    with parts.reading.connect() as connection:
        assert head_of(connection)[0] == last
        assert verify(connection, parts.keys).is_sound


@pytest.mark.parametrize("verb", ["REPLACE INTO", "INSERT OR REPLACE INTO", "INSERT OR IGNORE INTO"])
def test_no_row_is_written_over_on_sqlite_by_putting_another_in_its_place(parts: Parts, last: int, verb: str) -> None:
    engine = parts.studio.engine
    if engine.dialect.name != "sqlite":
        return  # What PostgreSQL has instead is an UPDATE.
    columns = "seq, at, 'x', actor_kind, tag, court_id, subject_id, details, key_id, previous, seal"
    line = f"{verb} audit_trail SELECT {columns} FROM audit_trail WHERE seq = {last}"  # noqa: S608
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(line))
    with parts.reading.connect() as connection:
        assert verify(connection, parts.keys).is_sound


def test_a_row_edited_by_hand_is_found_on_either_database(parts: Parts, last: int) -> None:
    with parts.studio.engine.begin() as connection:
        for guard in GUARDS[connection.dialect.name]:
            connection.execute(text(guard))
        connection.execute(text("UPDATE audit_trail SET subject_id = 'ord_other' WHERE seq = :seq"), {"seq": last - 2})
    with parts.reading.connect() as connection:
        (fault,) = verify(connection, parts.keys).faults
    assert (fault.flaw, fault.words) == (Flaw.CHANGED, f"row {last - 2} was changed")


def test_a_row_removed_by_hand_is_found_on_either_database(parts: Parts, last: int) -> None:
    with parts.studio.engine.begin() as connection:
        for guard in GUARDS[connection.dialect.name]:
            connection.execute(text(guard))
        connection.execute(text("DELETE FROM audit_trail WHERE seq = :seq"), {"seq": last - 2})
    with parts.reading.connect() as connection:
        (fault,) = verify(connection, parts.keys).faults
    assert (fault.flaw, fault.words) == (Flaw.REMOVED, f"row {last - 2} is missing")


def test_verifying_does_not_hold_up_who_writes(parts: Parts, last: int) -> None:
    with parts.reading.connect() as reader:
        assert verify(reader, parts.keys).rows == last
        with parts.studio.engine.begin() as writer:
            append(writer, parts.keys, an_entry(9))
        # What was appended meanwhile does not belong to the state that is being looked at.
        assert verify(reader, parts.keys).rows == last
    with parts.reading.connect() as reader:
        assert verify(reader, parts.keys).rows == last + 1
