"""The 99th percentile of a call's time with ten million lines in the register, by that with ten thousand.

The lines are put in with one statement on PostgreSQL, in the order of their index, under one order in force. They are
nobody's: their index is a hash of a number, and their ciphertext a byte. The database is dropped at the end.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import psycopg

from bench.calls import Scenario
from bench.checks import check_documents
from bench.contest import Entrant, Rounds, Size, hold
from bench.data import Register
from bench.load import Round
from bench.servers import gateway
from tests.postgres import Postgres

_PATIENCE_SECONDS = 300
# Other calls than those of the rounds before: no CallSid is used twice, in any register.
_SEED = 10_000
_SCENARIOS = (Scenario.WITHOUT_ORDER, Scenario.WITH_ORDER)
# Foreign keys are not checked ten million times, and a sort that fits into memory is done there.
_SETTINGS = ("SET session_replication_role = replica", "SET work_mem = '1GB'", "SET synchronous_commit = off")
_INSERT = """
INSERT INTO lines (line_id, order_id, line_index, line, zone)
SELECT 'bench-' || hash, one.order_id, decode(hash, 'hex'), '\\x00', ''
FROM (SELECT md5('bench line ' || number) AS hash FROM generate_series(1, %s) AS number) AS made,
     (SELECT min(order_id) AS order_id FROM orders WHERE approved_at IS NOT NULL) AS one
ORDER BY hash COLLATE "C"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """What came of it; times in seconds, rounds by how many lines and which calls."""

    few: int
    many: int
    insert_seconds: float
    start_seconds: float
    rounds: Rounds

    @property
    def ratio(self) -> float:
        """Return the p99 with many lines by that with few, calls to lines without an order."""
        few, many = (self._p99(name) for name in (_name(self.few), _name(self.many)))
        return many / few

    def spread(self) -> tuple[float, float]:
        """Return the smallest and largest quotient within one round."""
        few, many = (self.rounds[_name(count), Scenario.WITHOUT_ORDER] for count in (self.few, self.many))
        quotients = [one.p99 / other.p99 for one, other in zip(many, few, strict=True)]
        return min(quotients), max(quotients)

    def _p99(self, name: str) -> float:
        return median(each.p99 for each in self.rounds[name, Scenario.WITHOUT_ORDER])


def compare_sizes(few: Register, scratch: Path, server: Postgres, size: Size) -> Grown:
    """Measure both registers in turns; `few` is on PostgreSQL, and nothing is connected to it. Raises CheckError."""
    many = few.copied(scratch / "many", server)
    began = time.monotonic()
    _insert(many.database_url, size.lines)
    inserted = time.monotonic()
    try:
        with (
            gateway(few.folder, scratch, database_url=few.database_url) as small,
            gateway(many.folder, scratch, database_url=many.database_url, patience=_PATIENCE_SECONDS) as large,
        ):
            started = time.monotonic()
            check_documents(large, (), (), many.orders)
            servers = {_name(few.orders): small, _name(size.lines): large}
            entrants = [
                Entrant(program=name, server=each, scenario=scenario)
                for scenario in _SCENARIOS
                for name, each in servers.items()
            ]
            rounds = hold(entrants, replace(size, orders=few.orders), scratch, seed=_SEED)
    finally:
        server.drop(many.database_url.rpartition("/")[2])
    return Grown(
        few=few.orders,
        many=size.lines,
        insert_seconds=inserted - began,
        start_seconds=started - inserted,
        rounds=rounds,
    )


def table(grown: Grown) -> str:
    """Return the comparison as a table in Markdown."""
    took = (
        f"{grown.many:,} lines were put in within {grown.insert_seconds:.0f} s; both gateways had started"
        f" {grown.start_seconds:.0f} s later."
    )
    lines = [
        "| lines in the register | calls | p99 ms (smallest to largest) | p50 ms | requests/s |",
        "|---|---|---|---|---|",
        *(_row(name, scenario, rounds) for (name, scenario), rounds in grown.rounds.items()),
        "",
        took,
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, scenario: Scenario, rounds: list[Round]) -> str:
    p99s = [each.p99 for each in rounds]
    p50, rate = median(each.p50 for each in rounds), median(each.rate for each in rounds)
    p99 = f"{median(p99s):.1f} ({min(p99s):.1f} to {max(p99s):.1f})"
    return f"| {name} | {scenario.value} | {p99} | {p50:.1f} | {rate:,.0f} |"


def _name(lines: int) -> str:
    return f"{lines:,}"


def _insert(database_url: str, lines: int) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        for setting in _SETTINGS:
            connection.execute(setting.encode())
        connection.execute(_INSERT.encode(), (lines,))
        connection.execute("VACUUM ANALYZE lines")
