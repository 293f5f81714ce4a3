"""The console's pages against a bare Flask view that runs the same statements and shows nothing of what they find.

Both run in this process, in turns, over the same register; a page's own statements are noted while it is rendered once.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from statistics import median
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import CompoundSelect, Engine, Select, event, select

from bench.checks import CheckError
from bench.import_orders import a_register, import_file, write_file
from gateway import log
from gateway.assembly import Parts
from gateway.clock import utc_now
from gateway.console.app import make_console
from gateway.console.cookies import session_cookie
from gateway.console.desk import Desk
from gateway.domain.rights import Everywhere, Role
from gateway.people import sessions
from gateway.people.roles import RoleHeld
from gateway.people.sessions import Method
from gateway.register.tables import orders
from gateway.workflows.add_person import PersonDraft, add_person
from gateway.workflows.change import at_the_command_line
from tests.postgres import running_postgres

_PATHS = (
    "/",
    "/orders",
    "/orders?court=lakeside&state=submitted",
    "/orders/{order}",
    "/orders/{order}/notices",
    "/districts",
    "/disputes",
    "/batches",
    "/audit",
)
_WARM, _TURNS = 3, 15
PAGE_ROWS = 100_000
Statement = tuple[Select[Any] | CompoundSelect[Any], Any]


class PageBenchError(CheckError):
    """A page of the console did not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One page on one database: medians in milliseconds, and how many statements it made."""

    database: str
    path: str
    page: float
    bare: float
    statements: int


def measured(scratch: Path, rows: int = PAGE_ROWS) -> str:
    """Time the pages and return the table. Raises PageBenchError."""
    return table(rows, time_pages(scratch, rows))


def time_pages(scratch: Path, rows: int) -> tuple[Timed, ...]:
    """Time each page over `rows` imported orders on each database. Raises PageBenchError."""
    scratch.mkdir()
    file = scratch / "orders.csv"
    write_file(file, rows)
    found = list(_time_all("SQLite", a_register(scratch / "sqlite"), file, rows))
    with running_postgres() as server:
        parts = a_register(scratch / "postgres", server.url(server.create()))
        found.extend(_time_all("PostgreSQL", parts, file, rows))
    return tuple(found)


def table(rows: int, found: tuple[Timed, ...]) -> str:
    """Return the pages as a table in Markdown."""
    lines = [
        f"| console, {rows:,} orders | page / its bare statements | page, ms | bare, ms | statements |",
        "|---|---|---|---|---|",
    ]
    lines.extend(
        f"| {each.database}: `{each.path}` | **{each.page / each.bare:.2f}** | {each.page:.1f} | {each.bare:.1f} |"
        f" {each.statements} |"
        for each in found
    )
    return "\n".join(lines) + "\n"


def _time_all(database: str, parts: Parts, file: Path, rows: int) -> Iterator[Timed]:
    import_file(parts, file, rows)
    with parts.studio.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
        order_id = connection.execute(select(orders.c.order_id).limit(1)).scalar_one()
    # The log is written as in production, and goes to /dev/null, as that of the servers does.
    with Path(os.devnull).open("w") as nowhere, redirect_stderr(nowhere):
        log.configure(parts.settings.log_level)
        client = _reader(parts)
        found = [_time(database, parts, client, path.format(order=order_id), shown=path) for path in _PATHS]
    parts.close()
    yield from found


def _time(database: str, parts: Parts, client: FlaskClient, path: str, *, shown: str) -> Timed:
    def page() -> None:
        answer = client.get("/console" + path)
        if answer.status_code != HTTPStatus.OK:
            raise PageBenchError(f"{path} answered {answer.status_code}")

    with _noted(parts.reading) as statements:
        page()
    bare = _bare(parts.reading, statements)
    times: dict[str, list[float]] = {"page": [], "bare": []}
    for turn in range(_WARM + _TURNS):
        for name, run in (("page", page), ("bare", bare)):
            seconds = _seconds(run)
            if turn >= _WARM:
                times[name].append(seconds * 1000)
    return Timed(
        database=database,
        path=shown,
        page=median(times["page"]),
        bare=median(times["bare"]),
        statements=len(statements),
    )


def _bare(engine: Engine, statements: list[Statement]) -> Callable[[], None]:
    """Return the request of a Flask view that runs the statements on one connection and counts their rows."""
    app = Flask("bare", static_folder=None)

    @app.get("/")
    def view() -> str:
        with engine.connect() as connection:
            count = sum(len(connection.execute(statement, values).all()) for statement, values in statements)
        return str(count)

    client = app.test_client()
    return lambda: _demand(client.get("/").status_code)


def _demand(status: int) -> None:
    if status != HTTPStatus.OK:
        raise PageBenchError(f"the bare view answered {status}")


@contextmanager
def _noted(engine: Engine) -> Iterator[list[Statement]]:
    """Note what is asked, as statements of SQLAlchemy Core: the bench of the API compares with the same."""
    found: list[Statement] = []

    def note(_connection: object, statement: object, many: Any, values: Any, *_: object) -> None:  # noqa: ANN401  (an event's)
        if isinstance(statement, Select | CompoundSelect):
            found.append((statement, values or many))

    event.listen(engine, "before_execute", note)
    yield found
    event.remove(engine, "before_execute", note)


def _reader(parts: Parts) -> FlaskClient:
    """Return a browser of somebody who may see everything."""
    now: datetime = utc_now()
    desk = Desk(office=parts.office, people=parts.people_desk(), settings=parts.settings)
    held = tuple(RoleHeld(role=role, scope=Everywhere()) for role in Role)
    draft = PersonDraft(login="bench@example.org", name="The bench", roles=held)
    person_id = add_person(desk.people, at_the_command_line(now), draft).person.person_id
    with parts.studio.engine.begin() as connection:
        token = sessions.open_(connection, parts.keys, person_id, Method.PASSWORD, now).token
    client = make_console(desk).test_client()
    client.set_cookie(session_cookie(desk), token)
    return client


def _seconds(run: Callable[[], None]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began
