"""Read what became of imported files: batches, and the rows that were refused."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import true

from gateway.domain.rights import Right
from gateway.register import batches
from gateway.register.batches import Batch
from gateway.register.tables import batches as batch_rows
from gateway.workflows.access import demand_court
from gateway.workflows.batch_access import batch_for
from gateway.workflows.change import Errand
from gateway.workflows.office import Office


def read_batch(office: Office, batch_id: str, errand: Errand) -> Batch:
    """Return one batch. Raises UnknownEntryError, NotAllowedError."""
    with office.reading.begin() as connection:
        return batch_for(connection, errand.actor, batch_id, Right.ORDERS_READ, Right.ORDERS_DRAFT)


def list_batches(
    office: Office, court_id: str, errand: Errand, *, after: tuple[datetime, str] | None = None, most: int = 50
) -> tuple[Batch, ...]:
    """Return a page of a court's batches, the newest first; without a court, of all of them.

    Raises UnknownEntryError, NotAllowedError.
    """
    with office.reading.begin() as connection:
        if court_id:
            demand_court(connection, errand.actor, court_id, Right.ORDERS_READ)
            return batches.listed(connection, batch_rows.c.court_id == court_id, after=after, most=most)
        reach = errand.actor.reach(Right.ORDERS_READ)
        which = true() if reach.everywhere else batch_rows.c.court_id.in_(reach.courts)
        return batches.listed(connection, which, after=after, most=most)


def batch_errors(office: Office, batch_id: str, errand: Errand) -> Iterator[bytes]:
    """Return the file of refused rows, in chunks. Raises UnknownEntryError, NotAllowedError, SealedFileError."""
    with office.reading.begin() as connection:
        batch_for(connection, errand.actor, batch_id, Right.ORDERS_DRAFT)
        key = batches.errors_key(connection, batch_id, office.keys)
    return office.vault.read(batch_id, key)
