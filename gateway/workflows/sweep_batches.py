"""Sweep up behind imports: files of jobs that are over, and batches that nobody finished."""

from datetime import datetime, timedelta

from gateway.domain.rights import GATEWAY
from gateway.register import batches
from gateway.register.batches import Batch, BatchState
from gateway.register.errors import UnknownEntryError
from gateway.workflows.batch_jobs import UPLOAD
from gateway.workflows.change import Errand
from gateway.workflows.office import Office
from gateway.workflows.withdraw_batch import withdraw_batch

KEEP_UNFINISHED = timedelta(days=7)


def sweep_batches(office: Office, now: datetime) -> int:
    """Remove the uploaded files of batches that are over; withdraw batches left loading for a week. Return how many.

    What is uploaded a moment before its batch is known stays.
    """
    removed = 0
    with office.reading.connect() as connection:
        left = batches.left_loading(connection, now - KEEP_UNFINISHED, now)
    for batch_id in left:
        withdraw_batch(office, batch_id, Errand(actor=GATEWAY, at=now))
    for name in sorted(office.vault.names()):
        if name.startswith(UPLOAD):
            batch = _batch(office, name.removeprefix(UPLOAD))
            if batch is not None and batch.state is not BatchState.LOADING:
                office.vault.remove(name)
                removed += 1
    return removed + len(left)


def _batch(office: Office, batch_id: str) -> Batch | None:
    with office.reading.connect() as connection:
        try:
            return batches.get(connection, batch_id)
        except UnknownEntryError:
            return None
