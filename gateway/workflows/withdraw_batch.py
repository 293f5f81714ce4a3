"""Withdraw what a file brought and nobody approved: it is hidden at once, and then removed."""

from collections.abc import Callable

from gateway.audit.tags import Tag
from gateway.domain.rights import Right
from gateway.register import batches
from gateway.register.batches import Batch, BatchState
from gateway.workflows.batch_access import batch_for
from gateway.workflows.change import Errand, change
from gateway.workflows.import_writing import remove_waiting
from gateway.workflows.office import Office

_OPEN = (BatchState.LOADING, BatchState.READY, BatchState.WITHDRAWN)


def withdraw_batch(
    office: Office, batch_id: str, errand: Errand, *, progress: Callable[[int], None] = lambda _done: None
) -> tuple[Batch, int]:
    """Remove the orders of a batch that are not approved; return the batch, and how many there were.

    Approved orders stay: they are lifted one by one. An import that is loading the batch stops at its next portion.
    A withdrawal that was interrupted is finished by another. Raises BatchStateError, UnknownEntryError,
    NotAllowedError.
    """
    rights = (Right.ORDERS_DRAFT, Right.ORDERS_APPROVE)
    with change(office.engine, office.keys, errand) as under_way:
        connection = under_way.connection
        batch = batch_for(connection, errand.actor, batch_id, *rights, lock=True)
        batches.demand(batch, *_OPEN, verb="withdrawn")
        if batch.state is not BatchState.WITHDRAWN:
            batches.set_state(connection, batch_id, BatchState.WITHDRAWN)
            approved, left = batches.note_approved(connection, batch_id)
            under_way.note(
                Tag.BATCH_WITHDRAWN,
                batch_id,
                court_id=batch.court_id,
                was=batch.state.value,
                approved=approved,
                withdrawn=left,
            )
    removed = remove_waiting(office.engine, batch_id, progress)
    with office.reading.connect() as connection:
        return batches.get(connection, batch_id), removed
