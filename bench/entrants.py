"""Who takes part in the rounds, with which calls; every server is started here, on one machine and at one time."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.calls import Scenario
from bench.checks import check_documents, check_evidence, check_no_database
from bench.contest import Entrant
from bench.data import Register
from bench.peer_notices import make_peer_notices
from bench.servers import Server, gateway, node_peer, peer, uvicorn_peer
from tests.postgres import Postgres

OURS_SQLITE, OURS_POSTGRES = "ours on SQLite", "ours on PostgreSQL"
WSGI, FLASK = "bare WSGI limit", "constant Flask view"
TUTORIAL, NODE, FASTAPI = "Flask tutorial", "Node.js", "FastAPI"
OURS, CONSTANT, ASKING = (OURS_SQLITE, OURS_POSTGRES), (FLASK, WSGI), (TUTORIAL, NODE, FASTAPI)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """The servers by name, and the registers of ours."""

    servers: dict[str, Server]
    registers: dict[str, Register]

    def entrants(self) -> tuple[Entrant, ...]:
        """Return who runs: a constant answer does not depend on the call, so it is measured with one kind."""
        return tuple(
            Entrant(program=name, server=server, scenario=scenario)
            for name, server in self.servers.items()
            for scenario in ((Scenario.WITHOUT_ORDER,) if name in CONSTANT else tuple(Scenario))
        )

    def check(self, server: Postgres) -> None:
        """Demand that each answers what it should, and asks what it may. Raises CheckError."""
        of = self.servers
        asking = [of[name] for name in ASKING if name in of]
        for name, register in self.registers.items():
            check_documents(of[name], [of[each] for each in CONSTANT], asking, register.orders)
            check_evidence(of[name], register)
            check_no_database(of[name], register, server)


@contextmanager
def lined_up(
    sqlite: Register, postgres: Register, scratch: Path, server: Postgres, *, with_asking_peers: bool, workers: int
) -> Iterator[Field]:
    """Start everybody; the peers that ask a database, and need Node.js, only where they are wanted."""
    with ExitStack() as stack:
        servers = {
            OURS_SQLITE: stack.enter_context(gateway(sqlite.folder, scratch, workers=workers)),
            FLASK: stack.enter_context(peer("flask_constant", scratch)),
            WSGI: stack.enter_context(peer("wsgi_constant", scratch)),
            OURS_POSTGRES: stack.enter_context(
                gateway(postgres.folder, scratch, database_url=postgres.database_url, workers=workers)
            ),
        }
        if with_asking_peers:
            told = make_peer_notices(server, postgres.orders)
            servers |= {
                TUTORIAL: stack.enter_context(peer("flask_tutorial", scratch, **told)),
                NODE: stack.enter_context(node_peer(scratch, **told)),
                FASTAPI: stack.enter_context(uvicorn_peer("fastapi_asyncpg", scratch, **told)),
            }
        yield Field(servers=servers, registers={OURS_SQLITE: sqlite, OURS_POSTGRES: postgres})
