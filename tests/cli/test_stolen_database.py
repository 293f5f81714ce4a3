"""Promise 5: who steals the database learns no line, no name, no case and no caller."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData, select

from gateway.assembly import Parts, put_together
from gateway.settings import Settings
from gateway.workflows.load_demo import samples
from tests.postgres import Postgres
from tests.telephone import CALLER, Telephone, a_call_sid


@pytest.fixture
def used(telephone: Telephone, demo_settings: Settings) -> Iterator[Parts]:
    """The demo's database after calls to each of its lines, and a key on some."""
    for sample in samples():
        sid = a_call_sid()
        answer = telephone.call(sample.line.number.number, sid=sid)
        if b"/twilio/whisper" in answer.data:
            telephone.answer(answer, sid)
    parts = put_together(demo_settings)
    yield parts
    parts.close()


def secrets() -> set[str]:
    """Return everything of the demo's orders that names somebody, in every spelling that a column might hold."""
    found = {CALLER.removeprefix("+")}
    for sample in samples():
        number = sample.line.number.number
        # Without its country code too, as people write it.
        found |= {number.removeprefix("+"), number[3:], sample.subject.name, sample.case_number}
        identifier = getattr(sample.subject, "identifier", None)
        found |= {identifier.value} if identifier is not None else set()
    assert len(found) > 25
    return found


def names_somebody(dump: bytes) -> list[str]:
    """Return the secrets that stand in `dump`, as they are or in hexadecimal."""
    lowered = dump.lower()
    return [
        each
        for each in sorted(secrets())
        if each.lower().encode() in lowered or each.encode().hex().encode() in lowered
    ]


def test_no_value_in_any_table_names_anybody(used: Parts) -> None:
    engine = used.studio.engine
    metadata = MetaData()
    metadata.reflect(engine)
    assert {"orders", "lines", "plays", "disputes", "notices"} <= set(metadata.tables)
    values = []
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            values += [value for row in connection.execute(select(table)) for value in row]
    dump = b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)
    assert b"lakeside-north" in dump
    assert names_somebody(dump) == []


def test_a_copy_of_the_database_names_nobody(used: Parts, request: pytest.FixtureRequest) -> None:
    settings = used.settings
    if not settings.database_url:
        files = [path.read_bytes() for path in sorted(settings.data_dir.glob("register.sqlite3*"))]
        dump = b"".join(files)
        assert dump.startswith(b"SQLite format 3")
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        dump = pg_dump(postgres.programs, settings.database_url)
        assert b"COPY public.orders" in dump
    assert names_somebody(dump) == []


def pg_dump(programs: Path, url: str) -> bytes:
    return subprocess.run([programs / "pg_dump", url], check=True, capture_output=True).stdout


def test_the_search_itself_would_find_what_it_looks_for() -> None:
    assert names_somebody(b"... +12025550110 ...") == ["025550110", "12025550110"]
    assert names_somebody(b"\\x" + b"A. Nobody".hex().encode()) == ["A. Nobody"]
