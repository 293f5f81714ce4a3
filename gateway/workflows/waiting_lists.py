"""What waits on the home page besides orders: proposed notices, disputes, ready batches, and jobs that failed."""

from datetime import timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, bindparam, func, or_, select, true

from gateway.db.metadata import Instant
from gateway.domain.notice import Purpose
from gateway.domain.rights import Right
from gateway.errands import jobs
from gateway.errands.jobs import Job, JobState
from gateway.errands.tables import jobs as job_rows
from gateway.register import batches as register
from gateway.register import disputes
from gateway.register.batches import Batch, BatchState
from gateway.register.disputes import Dispute, DisputeQuery
from gateway.register.orders import read_order
from gateway.register.reach import within
from gateway.register.tables import batches, orders, proposals
from gateway.register.tables import disputes as dispute_rows
from gateway.workflows.waiting import (
    ASKERS,
    MOST_COUNTED,
    NOW,
    SHOWN,
    Asker,
    Desk,
    Listing,
    Waiting,
    WaitingProposal,
    listing,
)

_JOBS_SHOWN_FOR = timedelta(days=14)


def proposed(desk: Desk) -> Waiting[WaitingProposal]:
    """Return notices that somebody else proposed for an approved order; with an unapproved one, they wait in it."""
    cipher = desk.cipher

    def read(row: Row[Any]) -> WaitingProposal:
        return WaitingProposal(
            order=read_order(row, cipher),
            purpose=Purpose(row.purpose),
            language=row.language,
            added_by=row.added_by,
            added_at=row.added_at,
        )

    return desk.waiting(_proposed(desk.asker), read)


@lru_cache(maxsize=ASKERS)
def _proposed(asker: Asker) -> Listing:
    wanted = (
        select(orders, proposals.c.purpose, proposals.c.language, proposals.c.added_by, proposals.c.added_at)
        .join(proposals, proposals.c.order_id == orders.c.order_id)
        .where(
            orders.c.approved_at.is_not(None),
            orders.c.lifted_at.is_(None),
            # Written so that SQLite begins with the proposals, which are few, and not with the orders.
            (orders.c.valid_until > NOW).is_(true()),
            asker.reached(Right.ORDERS_APPROVE),
            asker.is_others(proposals.c.added_by),
        )
    )
    return listing(wanted, proposals.c.added_at, orders.c.order_id, proposals.c.language)


def disputed(desk: Desk) -> Waiting[Dispute]:
    """Return open disputes, the oldest first."""
    reach = desk.errand.actor.reach(Right.DISPUTES_READ)
    first = disputes.listed(desk.connection, DisputeQuery(reach=reach, open_only=True, limit=SHOWN), desk.keys)
    if len(first) < SHOWN:
        return Waiting(count=len(first), first=first)
    some = (
        select(dispute_rows.c.dispute_id)
        .join(orders, orders.c.order_id == dispute_rows.c.order_id)
        .where(dispute_rows.c.resolved_at.is_(None), within(reach))
        .limit(MOST_COUNTED)
        .subquery()
    )
    count = desk.connection.execute(select(func.count()).select_from(some)).scalar() or 0
    return Waiting(count=count, first=first)


def imported(desk: Desk) -> Waiting[Batch]:
    """Return batches of others that wait for approval in courts that are wholly the asker's, the oldest first."""
    return desk.waiting(_imported(desk.asker), register.read)


def failed(desk: Desk) -> Waiting[Job]:
    """Return jobs that failed in the last two weeks, the latest first: own ones, and those of courts one may read."""

    def read(row: Row[Any]) -> Job:
        return jobs.get(desk.connection, desk.keys, row.job_id)

    return desk.waiting(_failed(desk.asker), read, since=desk.errand.at - _JOBS_SHOWN_FOR)


@lru_cache(maxsize=ASKERS)
def _imported(asker: Asker) -> Listing:
    reach = asker.actor.reach(Right.ORDERS_APPROVE)
    wanted = select(batches).where(
        batches.c.state == BatchState.READY.value,
        true() if reach.everywhere else batches.c.court_id.in_(reach.courts),
        asker.is_others(batches.c.created_by),
    )
    return listing(wanted, batches.c.created_at, batches.c.batch_id)


@lru_cache(maxsize=ASKERS)
def _failed(asker: Asker) -> Listing:
    reach = asker.actor.reach(Right.ORDERS_READ)
    wanted = select(job_rows.c.job_id).where(
        job_rows.c.state == JobState.FAILED.value,
        job_rows.c.finished_at > bindparam("since", type_=Instant()),
        or_(
            job_rows.c.created_by == asker.actor.actor_id,
            true() if reach.everywhere else job_rows.c.court_id.in_(reach.courts),
        ),
    )
    return listing(wanted, job_rows.c.finished_at.desc(), job_rows.c.job_id)
