"""How many statements a call makes: none without an order, and as many with one however large the register is.

PostgreSQL writes every statement into its log, where nothing can be missed. On SQLite the app runs in this process, and
the driver reports what it executes. What threads and rounds of the gateway's own do is not counted: it happens a few
times in a second, and not with each call.
"""

import os
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection as SqliteConnection

import psycopg
from flask import Flask
from psycopg import sql
from sqlalchemy import Engine, event

from bench.calls import PATH, Scenario, calls
from bench.checks import answer_of, demand, verbs
from bench.data import Register, end_connections
from bench.servers import Server
from gateway.app import Running, create_app
from tests.postgres import Postgres

_SAMPLE, _WARM = 200, 40
_LOGGED = re.compile(r"LOG:  (?:statement|execute [^:]+): (.*)")
# SQLite's driver reports a statement with its values filled in.
_VALUES = re.compile(r"x?'[^']*'|\b\d+\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The statements of one call, in one register."""

    with_order: int
    without_order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The statements of one call, in registers of two sizes."""

    database: str
    orders: tuple[int, int]
    with_order: tuple[int, int]
    without_order: int


def judge(few: tuple[Register, Asked], many: tuple[Register, Asked]) -> Counted:
    """Compare two registers. Raises CheckError where a call without an order asks, or where the number grows."""
    (small, at_few), (large, at_many) = few, many
    none = max(at_few.without_order, at_many.without_order)
    demand(none == 0, f"{large.name}: a call without an order made {none} statements")
    demand(at_few.with_order > 0, f"{large.name}: no statement of a call was seen; mend bench/statements.py")
    few_made, many_made = at_few.with_order, at_many.with_order
    grew = f"{large.name}: {few_made} statements at {small.orders} orders, {many_made} at {large.orders}"
    demand(few_made == many_made, grew)
    return Counted(
        database=large.name,
        orders=(small.orders, large.orders),
        with_order=(few_made, many_made),
        without_order=none,
    )


def table(found: Sequence[Counted]) -> str:
    """Return the counts as a table in Markdown."""
    lines = [
        "| statements of a call | line without an order | line under an order | the same in a larger register |",
        "|---|---|---|---|",
    ]
    lines.extend(
        f"| {each.database} | **{each.without_order}** | {each.with_order[0]} at {each.orders[0]:,} orders |"
        f" **{each.with_order[1]}** at {each.orders[1]:,} |"
        for each in found
    )
    return "\n".join(lines) + "\n"


def start_logging(register: Register, server: Postgres) -> None:
    """Let PostgreSQL log every statement of the connections to this database that are opened from now on."""
    _set_logging(register, server, sql.SQL("SET log_statement = 'all'"))


def stop_logging(register: Register, server: Postgres) -> None:
    """End that, and the connections that log."""
    _set_logging(register, server, sql.SQL("RESET log_statement"))
    end_connections(server, register.database_url)


def _set_logging(register: Register, server: Postgres, what: sql.SQL) -> None:
    name = sql.Identifier(register.database_url.rpartition("/")[2])
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} {}").format(name, what))


def count_in_log(register: Register, ours: Server, server: Postgres) -> Asked:
    """Count over a running gateway, whose connections PostgreSQL logs. Raises CheckError."""
    log = server.folder / "log"
    return Asked(
        with_order=_logged(ours, log, Scenario.WITH_ORDER, register.orders),
        without_order=_logged(ours, log, Scenario.WITHOUT_ORDER, register.orders),
    )


def _logged(ours: Server, log: Path, scenario: Scenario, orders: int) -> int:
    for call in calls(scenario, _WARM, seed=-5, orders=orders):
        answer_of(ours, call)
    before = log.stat().st_size
    _demand_kind(scenario, [answer_of(ours, call) for call in calls(scenario, _SAMPLE, seed=-6, orders=orders)])
    with log.open("rb") as file:
        file.seek(before)
        return _of_each_call(_LOGGED.findall(file.read().decode(errors="replace")))


def count_in_driver(register: Register) -> Asked:
    """Count over an app in this process. Raises CheckError."""
    # The app's log is written as in production, and goes nowhere.
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):
        app = create_app(register.settings)
        running: Running = app.extensions["notice_gateway"]
        try:
            return _noted(app, running.parts.calls, register.orders)
        finally:
            running.stop()


def _noted(app: Flask, engine: Engine, orders: int) -> Asked:
    noted: list[str] = []

    def listen(connection: SqliteConnection, _entry: object) -> None:
        connection.set_trace_callback(noted.append)

    def count(scenario: Scenario) -> int:
        noted.clear()
        sample = calls(scenario, _SAMPLE, seed=-6, orders=orders)
        _demand_kind(scenario, [client.post(PATH, data=call.body, headers=call.headers()).data for call in sample])
        return _of_each_call([_VALUES.sub("?", text) for text in noted])

    event.listen(engine, "connect", listen)
    # The connections that were opened before have nobody who listens.
    engine.dispose()
    client = app.test_client()
    return Asked(with_order=count(Scenario.WITH_ORDER), without_order=count(Scenario.WITHOUT_ORDER))


def _demand_kind(scenario: Scenario, documents: list[bytes]) -> None:
    """Demand that the calls were of their kind; on a busy machine a few may be silent, for the register was late."""
    wanted = ["Gather", "Dial"] if scenario is Scenario.WITH_ORDER else ["Dial"]
    found = sum(verbs(document) == wanted for document in documents)
    demand(found > _SAMPLE * 3 // 4, f"{scenario.value}: only {found} of {_SAMPLE} calls were answered as they should")


def _of_each_call(statements: list[str]) -> int:
    """Return how many of the statements were made once with each call, or several times."""
    return sum(round(times / _SAMPLE) for times in Counter(statements).values())
