"""Who may do what with a batch: its court's officers, and whoever imported it."""

from sqlalchemy import Connection

from gateway.domain.rights import Actor, NotAllowedError, Place, Right
from gateway.register import batches
from gateway.register.batches import Batch
from gateway.workflows.access import covers_court


def batch_for(connection: Connection, actor: Actor, batch_id: str, *rights: Right, lock: bool = False) -> Batch:
    """Return a batch to which `actor` has one of `rights`: for the whole court, or anywhere in it for an own batch.

    Raises UnknownEntryError, NotAllowedError.
    """
    batch = batches.get(connection, batch_id, lock=lock)
    if not _has_anywhere(actor, batch.court_id, (Right.ORDERS_READ, *rights)):
        raise batches.unknown(batch_id)
    place = Place(court_id=batch.court_id)
    own = batch.created_by == actor.actor_id and _has_anywhere(actor, batch.court_id, rights)
    if not own and not any(actor.may(right, place) for right in rights):
        raise NotAllowedError(right=rights[0].value, where=f"court {batch.court_id}")
    return batch


def demand_anywhere(actor: Actor, batch: Batch, right: Right) -> None:
    """Raise NotAllowedError where `actor` has a right nowhere in the batch's court."""
    if not _has_anywhere(actor, batch.court_id, (right,)):
        raise NotAllowedError(right=right.value, where=f"court {batch.court_id}")


def _has_anywhere(actor: Actor, court_id: str, rights: tuple[Right, ...]) -> bool:
    return any(grant.right in rights and covers_court(grant.scope, court_id) for grant in actor.grants)
