"""Importing orders, against the least that could be done with the very same rows: executemany, and COPY.

Both sides begin with a database of the same courts and no orders. What the peers insert is what our import wrote: the
encrypted rows are read back, and go into a second, fresh database in one transaction, their reading not counted.
"""

import csv
import io
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import text

from bench.checks import CheckError
from gateway.assembly import Parts, prepare
from gateway.clock import utc_now
from gateway.register import courts, districts
from gateway.settings import load
from gateway.workflows.change import at_the_command_line
from gateway.workflows.import_orders import Imported, ImportRequest, import_orders
from gateway.workflows.import_source import Source
from gateway.workflows.keep_document import keep_document
from gateway.workflows.load_demo import COURTS, DISTRICTS
from tests.postgres import Postgres, running_postgres

FULL_ROWS, SHORT_ROWS = 200_000, 20_000
_HEADING = ("case_number", "district", "subject_kind", "name", "identifier", "legal_form", "lines", "zone")
_TABLES = ("orders", "lines")
_PDF = b"%PDF-1.7 a bench: no law, no court, no debt"

Rows = list[tuple[object, ...]]
Content = dict[str, tuple[tuple[str, ...], Rows]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """One database: rows a second of ours and of the bare insert, and the longest that others waited, in seconds."""

    database: str
    rows: int
    ours: float
    bare: float
    longest_hold: float

    @property
    def ratio(self) -> float:
        """Return our rate as a share of the bare one."""
        return self.ours / self.bare


class ImportBenchError(CheckError):
    """An import did not do what the bench measures."""


def race(scratch: Path, rows: int) -> tuple[Race, ...]:
    """Import and insert `rows` orders on each database. Raises ImportBenchError."""
    scratch.mkdir()
    file = scratch / "orders.csv"
    write_file(file, rows)
    sqlite = _race_sqlite(scratch, file, rows)
    with running_postgres() as server:
        return sqlite, _race_postgres(scratch, server, file, rows)


def table(races: tuple[Race, ...]) -> str:
    """Return the races as a table in Markdown."""
    lines = [
        "| import into | orders | ours / bare | ours, rows/s | bare insert, rows/s | longest write lock |",
        "|---|---|---|---|---|---|",
    ]
    lines.extend(
        f"| {each.database} | {each.rows:,} | {each.ratio:.2f} | {each.ours:,.0f} | {each.bare:,.0f} |"
        f" {each.longest_hold * 1000:.0f} ms |"
        for each in races
    )
    return "\n".join(lines) + "\n"


def _race_sqlite(scratch: Path, file: Path, rows: int) -> Race:
    ours = a_register(scratch / "sqlite")
    done, seconds = import_file(ours, file, rows)
    content = _content(ours)
    ours.close()
    peer = a_register(scratch / "sqlite-bare")
    path = peer.settings.sqlite_path
    peer.close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=FULL")
    began = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    for name, (columns, values) in content.items():
        marks = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", values)  # noqa: S608
    connection.execute("COMMIT")
    bare = time.perf_counter() - began
    connection.close()
    return Race(
        database="SQLite, against executemany",
        rows=rows,
        ours=rows / seconds,
        bare=rows / bare,
        longest_hold=done.longest_hold,
    )


def _race_postgres(scratch: Path, server: Postgres, file: Path, rows: int) -> Race:
    ours = a_register(scratch / "postgres", server.url(server.create()))
    done, seconds = import_file(ours, file, rows)
    content = _content(ours)
    ours.close()
    url = server.url(server.create())
    a_register(scratch / "postgres-bare", url).close()
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        began = time.perf_counter()
        for name, (columns, values) in content.items():
            with cursor.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN".encode()) as copy:
                for row in values:
                    copy.write_row(row)
        connection.commit()
        bare = time.perf_counter() - began
    return Race(
        database="PostgreSQL, against COPY",
        rows=rows,
        ours=rows / seconds,
        bare=rows / bare,
        longest_hold=done.longest_hold,
    )


def a_register(folder: Path, database_url: str = "") -> Parts:
    """Make a register with the demo's courts and no order; the peer's has the batch that its rows belong to."""
    now = utc_now()
    parts = prepare(load(data_dir=folder, database_url=database_url, master_key=None))
    with parts.studio.engine.begin() as connection:
        for court in COURTS:
            courts.add(connection, court)
        for district in DISTRICTS:
            districts.add(connection, district, now)
    return parts


def import_file(parts: Parts, file: Path, rows: int) -> tuple[Imported, float]:
    """Import a file whole, and return how long that took: parsing, checking, encrypting, indexing, writing."""
    errand = at_the_command_line(utc_now())
    document = keep_document(parts.office, "lakeside", io.BytesIO(_PDF), errand)
    request = ImportRequest(
        court_id="lakeside",
        source=Source(name=file.name, opened=lambda: file.open("rb")),
        legal_basis="Bench only: no law, no court, no debt.",
        document_sha256=document.sha256,
    )
    began = time.perf_counter()
    done = import_orders(parts.office, request, errand, clock=utc_now)
    seconds = time.perf_counter() - began
    if done.counts.accepted != rows:
        raise ImportBenchError(f"{done.counts.accepted} of {rows} orders were imported")
    return done, seconds


def _content(parts: Parts) -> Content:
    """Read back every row that the import wrote, as the driver takes it."""
    found: Content = {}
    with parts.reading.connect() as connection:
        for name in _TABLES:
            rows = connection.execute(text(f"SELECT * FROM {name}"))  # noqa: S608  (the two names above)
            found[name] = (tuple(rows.keys()), [tuple(row) for row in rows])
    return found


def write_file(path: Path, rows: int) -> None:
    """Write a file of `rows` orders to import."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((*_HEADING, "line_evidence"))
        writer.writerows(_cells(rows))


def _cells(rows: int) -> Iterator[tuple[str, ...]]:
    """Make organisations and natural persons by turns, one line each."""
    for number in range(rows):
        case, line = f"BENCH-{number:06d}", f"+1202{2_000_000 + number}"
        place = (line, "America/New_York")
        if number % 2:
            yield case, "lakeside-north", "natural_person", f"Person {number}", "", "", *place, ""
        else:
            organisation = (f"Bench {number} Inc.", f"ein:12-{number + 1:07d}", "Inc.")
            yield case, "lakeside-north", "organisation", *organisation, *place, "a bench: published nowhere"
