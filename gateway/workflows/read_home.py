"""Read what waits for somebody: each list only where the right to act on it was granted, and within its reach."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.domain.order import Order
from gateway.domain.rights import Right
from gateway.errands.jobs import Job
from gateway.register.batches import Batch
from gateway.register.disputes import Dispute
from gateway.workflows import waiting_lists, waiting_orders
from gateway.workflows.change import Errand
from gateway.workflows.office import Office
from gateway.workflows.read_districts import DistrictNode, read_districts
from gateway.workflows.waiting import SHOWN, Desk, Waiting, WaitingProposal

SOON = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class DistrictStates:
    """How many districts are heard and how many are silent; those that were switched off, the latest first."""

    heard: int
    silent: int
    switched_off: tuple[DistrictNode, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """What waits; None where the asker has no right to act on it anywhere.

    `silent` are orders that would be heard but lack a notice, `proposals` are notices of approved orders that wait for
    a second officer. Orders that a ready batch brought wait with it, in `batches`, for who may approve all of it.
    """

    to_approve: Waiting[Order] | None = None
    drafts: Waiting[Order] | None = None
    expiring: Waiting[Order] | None = None
    silent: Waiting[Order] | None = None
    proposals: Waiting[WaitingProposal] | None = None
    disputes: Waiting[Dispute] | None = None
    batches: Waiting[Batch] | None = None
    failed_jobs: Waiting[Job] | None = None
    districts: DistrictStates | None = None


def read_home(office: Office, errand: Errand) -> Home:
    """Return what waits for the asker; every list is bounded."""
    actor = errand.actor
    approves = not actor.reach(Right.ORDERS_APPROVE).is_empty
    reads = not actor.reach(Right.ORDERS_READ).is_empty
    states = None if actor.reach(Right.COURTS_READ).is_empty else _states(office, errand)
    with office.reading.begin() as connection:
        desk = Desk.of(connection, office.keys, errand)
        return Home(
            to_approve=waiting_orders.to_approve(desk) if approves else None,
            drafts=None if actor.reach(Right.ORDERS_DRAFT).is_empty else waiting_orders.drafts(desk),
            expiring=waiting_orders.expiring(desk, SOON) if reads else None,
            silent=waiting_orders.silent(desk) if reads else None,
            proposals=waiting_lists.proposed(desk) if approves else None,
            disputes=None if actor.reach(Right.DISPUTES_READ).is_empty else waiting_lists.disputed(desk),
            batches=waiting_lists.imported(desk) if approves else None,
            failed_jobs=waiting_lists.failed(desk) if reads else None,
            districts=states,
        )


def _states(office: Office, errand: Errand) -> DistrictStates:
    found = read_districts(office, errand, counting=False)
    heard = sum(each.is_heard for each in found)
    off = sorted((each for each in found if not each.district.enabled), key=_switched_at, reverse=True)
    return DistrictStates(heard=heard, silent=len(found) - heard, switched_off=tuple(off[:SHOWN]))


def _switched_at(node: DistrictNode) -> tuple[datetime, str]:
    at = node.district.switched_at
    return (node.read_at if at is None else at), node.district.district_id
