"""`/jobs`: work that outlasts a request, such as an import; whoever began it asks here how far it is."""

from datetime import datetime
from typing import Any

from gateway.api.v1.fields import Output
from gateway.api.v1.route import Answer, Call, Route
from gateway.domain.rights import Place, Right
from gateway.errands import jobs
from gateway.errands.jobs import Job, JobState, UnknownJobError


class JobOut(Output):
    """A job; `error` is the stable code of what failed it, and `result` what came of it."""

    id: str
    kind: str
    court: str
    state: JobState
    done: int
    total: int
    attempts: int
    result: dict[str, Any]
    error: str | None
    created_by: str
    created_at: datetime
    finished_at: datetime | None


def get_job(call: Call, job_id: str) -> Answer:
    """Show how far a job is, to who began it and to who may read the court's orders."""
    with call.desk.reading.connect() as connection:
        job = jobs.get(connection, call.desk.keys, job_id)
    its_own = job.created_by == call.actor.actor_id
    if not its_own and not call.actor.may(Right.ORDERS_READ, Place(court_id=job.court_id)):
        raise UnknownJobError(shown=job_id)
    return Answer(model=_shown(job))


def _shown(job: Job) -> JobOut:
    return JobOut(
        id=job.job_id,
        kind=job.kind,
        court=job.court_id,
        state=job.state,
        done=job.done,
        total=job.total,
        attempts=job.attempts,
        result=dict(job.result),
        error=job.error,
        created_by=job.created_by,
        created_at=job.created_at,
        finished_at=job.finished_at,
    )


ROUTES = (
    Route(
        name="show_job",
        method="GET",
        path="/jobs/<id:job_id>",
        handler=get_job,
        tag="Files of orders",
        answer=JobOut,
    ),
)
