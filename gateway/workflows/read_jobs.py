"""Read jobs: how far they are, for who began them and for who may read the court's orders."""

from datetime import datetime

from sqlalchemy import or_, true

from gateway.domain.rights import Actor, Place, Right
from gateway.errands import jobs
from gateway.errands.jobs import Job, UnknownJobError
from gateway.errands.tables import jobs as job_rows
from gateway.register import courts
from gateway.workflows.access import sees_court
from gateway.workflows.change import Errand
from gateway.workflows.office import Office


def read_job(office: Office, job_id: str, errand: Errand) -> Job:
    """Return one job. Raises UnknownJobError."""
    with office.reading.begin() as connection:
        job = jobs.get(connection, office.keys, job_id)
    if not _may_read(errand.actor, job):
        raise UnknownJobError(shown=job_id)
    return job


def read_jobs(
    office: Office, errand: Errand, court_id: str = "", *, after: tuple[datetime, str] | None = None, most: int = 50
) -> tuple[Job, ...]:
    """Return a page of the jobs that the asker may see, the newest first; without a court, of all courts.

    `after` is the cursor of the last one that was seen. Raises UnknownEntryError for a court that is none of theirs.
    """
    actor = errand.actor
    reach = actor.reach(Right.ORDERS_READ)
    # A job is a whole court's: who reads one district's orders sees only what they themselves began.
    which = or_(
        job_rows.c.created_by == actor.actor_id,
        true() if reach.everywhere else job_rows.c.court_id.in_(reach.courts),
    )
    with office.reading.begin() as connection:
        if court_id:
            courts.get(connection, court_id)
            if not sees_court(actor, court_id):
                raise courts.unknown(court_id)
            which &= job_rows.c.court_id == court_id
        return jobs.listed(connection, office.keys, which, after=after, most=most)


def _may_read(actor: Actor, job: Job) -> bool:
    return job.created_by == actor.actor_id or actor.may(Right.ORDERS_READ, Place(court_id=job.court_id))
