"""What a rotation of keys writes again in the register."""

from sqlalchemy import Connection, Select, select, update

from gateway.domain.e164 import E164
from gateway.privacy.blind_index import case_index, line_index
from gateway.privacy.keys import Keys
from gateway.privacy.rewrite import Found, Opened, Sealed
from gateway.register.tables import (
    batches,
    disputes,
    documents,
    installation,
    lines,
    notices,
    orders,
    own_words,
    proposals,
    remarks,
)


def _case(row: Found, opened: Opened, keys: Keys) -> bytes:
    return case_index(row.court_id, opened["case_number"], keys)


def _line(_row: Found, opened: Opened, keys: Keys) -> bytes:
    return line_index(E164(opened["line"]), keys)


LINES = Sealed(table=lines, name="lines", columns=("line", "evidence"), indexes={"line_index": _line})
SEALED = (
    LINES,
    Sealed(
        table=orders,
        name="orders",
        columns=("case_number", "subject", "legal_basis"),
        indexes={"case_index": _case},
    ),
    Sealed(table=notices, name="notices", columns=("text",)),
    Sealed(table=proposals, name="proposals", columns=("text",), placed_by=("order_id", "language")),
    Sealed(table=own_words, name="own_words", columns=("text",)),
    Sealed(table=batches, name="batches", columns=("errors_key",)),
    Sealed(table=remarks, name="remarks", columns=("text",)),
    Sealed(table=documents, name="documents", columns=("file_key",)),
    Sealed(table=disputes, name="disputes", columns=("note",)),
)


def tied_to(connection: Connection) -> str:
    """Return the id of the key that the database is tied to, locked until commit; empty where it is to none."""
    statement = select(installation.c.key_id).with_for_update()
    return str(connection.execute(statement).scalar() or "")


def tie_to(connection: Connection, key_id: str) -> None:
    """Tie the database to another key: a gateway that does not know it refuses to start from now on."""
    connection.execute(update(installation).values(key_id=key_id))


def known_lines() -> Select[bytes]:
    """Return the statement that finds the index of every line under an order."""
    return select(lines.c.line_index)
