"""What the peers look up: one plain table, as their communities would make it, with the register's lines."""

import psycopg

from bench.data import ORIGIN, ordered_line
from gateway.settings import DEMO_TOKEN
from tests.postgres import Postgres

_TABLE = """
CREATE TABLE peer_notices (
    line text PRIMARY KEY,
    notice_url text NOT NULL,
    in_force boolean NOT NULL
)
"""
_COPY = "COPY peer_notices (line, notice_url, in_force) FROM STDIN"
# As long as the address of a rendition of ours.
_NOTICE_URL = f"{ORIGIN}/prompts/{'0' * 64}.wav"


def make_peer_notices(server: Postgres, orders: int) -> dict[str, str]:
    """Make a database with the table, and return what a peer needs in its environment."""
    url = server.url(server.create())
    with psycopg.connect(url) as connection:
        connection.execute(_TABLE)
        with connection.cursor().copy(_COPY) as copy:
            for number in range(orders):
                copy.write_row((ordered_line(number), _NOTICE_URL, True))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE peer_notices")
    return {"BENCH_DATABASE": url, "BENCH_ORIGIN": ORIGIN, "TWILIO_AUTH_TOKEN": DEMO_TOKEN}
