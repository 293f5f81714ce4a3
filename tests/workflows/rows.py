"""How many rows there are of what a change of an order could leave behind."""

from sqlalchemy import func, select

from gateway.audit.tables import trail
from gateway.errands.tables import claims
from gateway.outbox.tables import messages
from gateway.register.tables import lines, orders, proposals
from gateway.workflows.office import Office


def row_counts(office: Office) -> tuple[int | None, ...]:
    """Count everything that a change could leave behind."""
    tables = (orders, lines, proposals, trail, messages, claims)
    with office.engine.connect() as connection:
        return tuple(connection.scalar(select(func.count()).select_from(table)) for table in tables)
