"""Approve what a file brought: each order by itself with its notices, as a second officer would one after the other."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gateway.audit.tags import Tag
from gateway.domain.errors import GatewayError, SameOfficerError
from gateway.domain.events import Event
from gateway.domain.rights import Right
from gateway.register import batches
from gateway.register.batches import Batch, BatchState
from gateway.workflows.approve_order import approve_order
from gateway.workflows.batch_access import batch_for, demand_anywhere
from gateway.workflows.change import Errand, change
from gateway.workflows.office import Office
from gateway.workflows.second_officer import demand_officer

MOST_FAILURES = 1_000
_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An order that could not be approved: a stable code, and the sentence for its officers."""

    order_id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """What came of approving a batch: how many of its orders are approved now, and how many could not be this time."""

    batch: Batch
    approved: int
    failed: int
    failures: tuple[Failure, ...]


def approve_batch(
    office: Office,
    batch_id: str,
    errand: Errand,
    *,
    clock: Callable[[], datetime],
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Approved:
    """Approve every order of a batch that still waits; one that cannot be is noted, and does not stop the others.

    What `progress` raises ends it between two orders, and a second call goes on from there. Raises SameOfficerError,
    NotAPersonError, BatchStateError, UnknownEntryError, NotAllowedError.
    """
    demand_officer(errand)
    with office.engine.begin() as connection:
        batch = batch_for(connection, errand.actor, batch_id, Right.ORDERS_READ, Right.ORDERS_APPROVE)
        demand_anywhere(errand.actor, batch, Right.ORDERS_APPROVE)
        batches.demand(batch, BatchState.READY, verb="approved")
        if batch.created_by == errand.actor.actor_id:
            raise SameOfficerError(officer=errand.actor.actor_id)
        done, left = batches.note_approved(connection, batch_id)
    failures: list[Failure] = []
    total, failed, after = done + left, 0, ""
    while ids := _page(office, batch_id, after):
        for order_id in ids:
            progress(done, total)
            failure = _approve(office, order_id, Errand(actor=errand.actor, at=clock()))
            done += 1
            if failure is not None:
                failed += 1
                failures.extend([failure] if len(failures) < MOST_FAILURES else [])
        after = ids[-1]
    return _end(office, batch_id, Errand(actor=errand.actor, at=clock()), failed, tuple(failures))


def _page(office: Office, batch_id: str, after: str) -> tuple[str, ...]:
    with office.reading.connect() as connection:
        return batches.waiting_ids(connection, batch_id, after=after, most=_PAGE)


def _approve(office: Office, order_id: str, errand: Errand) -> Failure | None:
    try:
        approve_order(office, order_id, errand)
    except GatewayError as error:
        return Failure(order_id=order_id, code=error.code, message=str(error))
    return None


def _end(office: Office, batch_id: str, errand: Errand, failed: int, failures: tuple[Failure, ...]) -> Approved:
    with change(office.engine, office.keys, errand) as under_way:
        connection = under_way.connection
        batch = batches.get(connection, batch_id, lock=True)
        approved, left = batches.note_approved(connection, batch_id)
        if not left and batch.state is BatchState.READY:
            batches.set_state(connection, batch_id, BatchState.APPROVED)
        batch = batches.get(connection, batch_id)
        counts = {"approved": approved, "failed": failed, "left": left}
        under_way.note(Tag.BATCH_APPROVED, batch_id, court_id=batch.court_id, state=batch.state.value, **counts)
        under_way.tell(Event.BATCH_FINISHED, court_id=batch.court_id, batch=batch_id, state=batch.state.value, **counts)
    return Approved(batch=batch, approved=approved, failed=failed, failures=failures)
