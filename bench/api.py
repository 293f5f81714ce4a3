"""The API against a bare Flask view with a Core query: one order, and a page of fifty, each by key and over HTTP."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import select

from bench.data import settings_for
from bench.load import Round, run_round
from bench.servers import Server, peer
from gateway.assembly import put_together
from gateway.clock import utc_now
from gateway.domain.rights import InCourt, Right
from gateway.people.api_keys import KeyDraft
from gateway.register.tables import orders
from gateway.workflows.change import at_the_command_line
from gateway.workflows.issue_api_key import issue_api_key

_LIST, _GET = "/api/v1/orders?limit=50", "/api/v1/orders/"
_REQUESTS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entrant:
    name: str
    server: Server
    requests: Path


def compare_api(ours: Server, folder: Path, scratch: Path, *, rounds: int, seconds: int) -> str:
    """Measure in turns and return the table, as Markdown. Raises LoadError."""
    token, ids = _prepare(folder)
    files = {"list": scratch / "api-list", "get": scratch / "api-get"}
    _write((_request(_LIST, token) for _ in range(_REQUESTS)), files["list"])
    _write((_request(_GET + ids[number % len(ids)], token) for number in range(_REQUESTS)), files["get"])
    with ExitStack() as stack:
        database = settings_for(folder).sqlite_path
        bare = stack.enter_context(peer("flask_core", scratch, BENCH_DATABASE=str(database)))
        entrants = [
            _Entrant(name=f"{who}: {what}", server=server, requests=file)
            for what, file in files.items()
            for who, server in (("ours", ours), ("bare", bare))
        ]
        found: dict[str, list[Round]] = {entrant.name: [] for entrant in entrants}
        for number in range(rounds):
            for place in range(len(entrants)):
                entrant = entrants[(number + place) % len(entrants)]
                found[entrant.name].append(run_round(entrant.server, entrant.requests, seconds))
    return _table(found)


def _prepare(folder: Path) -> tuple[str, list[str]]:
    """Issue a key that reads orders, and return it with the ids of orders to ask for."""
    parts = put_together(settings_for(folder))
    now = utc_now()
    draft = KeyDraft(
        name="bench",
        rights=frozenset({Right.ORDERS_READ}),
        scope=InCourt(court_id="lakeside"),
        expires_at=now + timedelta(days=1),
    )
    desk = parts.people_desk()
    issued = issue_api_key(desk, at_the_command_line(now), draft)
    with parts.reading.connect() as connection:
        ids = list(connection.execute(select(orders.c.order_id).limit(500)).scalars())
    parts.close()
    return issued.token, ids


def _request(path: str, token: str) -> bytes:
    head = f"GET {path} HTTP/1.1\r\nHost: gateway.example.org\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}Accept: application/json\r\n\r\n".encode()


def _write(requests: Iterator[bytes], file: Path) -> None:
    with file.open("wb") as target:
        for each in requests:
            target.write(f"{len(each):010d}".encode() + each)


def _table(found: dict[str, list[Round]]) -> str:
    lines = [
        "| API | p99 ms (median of rounds) | p99 / bare | p50 ms | requests/s |",
        "|---|---|---|---|---|",
    ]
    for name, rounds in found.items():
        bare = found[name.replace("ours", "bare")]
        p99, p50 = (median(getattr(each, which) for each in rounds) for which in ("p99", "p50"))
        ratio = p99 / median(each.p99 for each in bare)
        rate = median(each.rate for each in rounds)
        lines.append(f"| {name} | {p99:.1f} | **{ratio:.2f}** | {p50:.1f} | {rate:,.0f} |")
    return "\n".join(lines) + "\n"
