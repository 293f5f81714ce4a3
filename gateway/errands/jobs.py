"""Jobs: work that outlasts a request, taken by one worker at a time under a lease that it must go on renewing.

A worker that dies leaves its lease behind; after it another takes the job, up to MOST_ATTEMPTS times. So what carries a
job out must bear being done again from the start. Payload and result are encrypted: a clerk's file may speak of people.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select, update

from gateway.domain.errors import GatewayError
from gateway.errands.tables import jobs
from gateway.privacy.errors import WrongKeyError
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing

LEASE = timedelta(minutes=2)
MOST_ATTEMPTS = 3
GAVE_UP = "gave_up"
_PAGE = 50


class UnknownJobError(GatewayError):
    """There is no job {shown!r}."""

    code = "unknown_job"


class LostJobError(GatewayError):
    """Job {job} is no longer this worker's: its lease ended, and another worker may have begun it anew."""

    code = "lost_job"


class JobState(Enum):
    """How far a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job; `error` is the stable code of what failed it, and `result` then holds `message`, the sentence to show."""

    job_id: str
    kind: str
    court_id: str
    payload: Mapping[str, Any] = field(repr=False)
    state: JobState
    done: int
    total: int
    attempts: int
    due_at: datetime
    result: Mapping[str, Any] = field(repr=False)
    error: str | None
    created_by: str
    created_at: datetime
    finished_at: datetime | None

    @property
    def cursor(self) -> tuple[datetime, str]:
        """Return where a list goes on after this one."""
        return self.created_at, self.job_id


def add(  # noqa: PLR0917  (a job is nothing but these)
    connection: Connection,
    ring: KeyRing,
    kind: str,
    payload: Mapping[str, Any],
    court_id: str,
    created_by: str,
    now: datetime,
) -> str:
    """Add a job in the caller's transaction and return its id; `payload` is what JSON can hold."""
    job_id = f"job_{secrets.token_hex(12)}"
    connection.execute(
        jobs.insert().values(
            job_id=job_id,
            kind=kind,
            court_id=court_id,
            payload=FieldCipher(ring).encrypt(json.dumps(dict(payload)), place=payload_place(job_id)),
            state=JobState.WAITING.value,
            done=0,
            total=0,
            attempts=0,
            due_at=now,
            created_by=created_by,
            created_at=now,
        )
    )
    return job_id


def get(connection: Connection, ring: KeyRing, job_id: str) -> Job:
    """Return one job. Raises UnknownJobError."""
    row = connection.execute(select(jobs).where(jobs.c.job_id == job_id)).one_or_none()
    if row is None:
        raise UnknownJobError(shown=job_id)
    return _read(row, FieldCipher(ring))


def of_court(
    connection: Connection,
    ring: KeyRing,
    court_id: str,
    *,
    after: tuple[datetime, str] | None = None,
    most: int = _PAGE,
) -> tuple[Job, ...]:
    """Return the jobs of a court, the newest first; `after` is the cursor of the last one that was seen."""
    return listed(connection, ring, jobs.c.court_id == court_id, after=after, most=most)


def listed(
    connection: Connection,
    ring: KeyRing,
    which: ColumnElement[bool],
    *,
    after: tuple[datetime, str] | None = None,
    most: int = _PAGE,
) -> tuple[Job, ...]:
    """Return a page of the jobs that `which` selects, the newest first."""
    asked = select(jobs).where(which)
    if after is not None:
        at, job_id = after
        asked = asked.where(or_(jobs.c.created_at < at, and_(jobs.c.created_at == at, jobs.c.job_id < job_id)))
    cipher = FieldCipher(ring)
    newest = asked.order_by(jobs.c.created_at.desc(), jobs.c.job_id.desc()).limit(most)
    return tuple(_read(row, cipher) for row in connection.execute(newest))


def is_anything_due(connection: Connection, now: datetime) -> bool:
    """Tell whether a job waits to be taken; takes no lock."""
    return connection.execute(_due(now).limit(1)).first() is not None


def claim(connection: Connection, ring: KeyRing, now: datetime) -> Job | None:
    """Take the job that is due first, or None.

    A job whose last worker died, or that cannot be opened with these keys, is failed instead: it would stop the queue.
    """
    asked = _due(now).order_by(jobs.c.due_at, jobs.c.job_id).limit(1).with_for_update(skip_locked=True)
    while (row := connection.execute(asked).one_or_none()) is not None:
        this = jobs.c.job_id == row.job_id
        error = GAVE_UP if row.attempts >= MOST_ATTEMPTS else _unreadable(connection, ring, row.job_id)
        if error is not None:
            failed = {"state": JobState.FAILED.value, "error": error, "leased_until": None, "finished_at": now}
            connection.execute(update(jobs).where(this).values(**failed))
            continue
        taken = {"state": JobState.RUNNING.value, "attempts": row.attempts + 1, "leased_until": now + LEASE}
        connection.execute(update(jobs).where(this).values(**taken))
        return get(connection, ring, row.job_id)
    return None


def heartbeat(connection: Connection, job: Job, now: datetime, *, done: int, total: int) -> None:
    """Renew the lease of a job and write how far it is. Raises LostJobError."""
    _change(connection, job, {"leased_until": now + LEASE, "done": done, "total": total})


def finish(connection: Connection, ring: KeyRing, job: Job, result: Mapping[str, Any], now: datetime) -> None:
    """Write that a job is done, with its result. Raises LostJobError."""
    values = {"state": JobState.DONE.value, "leased_until": None, "error": None, "finished_at": now}
    _change(connection, job, {**values, "result": _sealed(ring, job.job_id, result)})


def fail(connection: Connection, ring: KeyRing, job: Job, *, code: str, message: str, now: datetime) -> None:
    """Write that a job failed for good: a stable code, and the sentence for who made it. Raises LostJobError."""
    values = {"state": JobState.FAILED.value, "leased_until": None, "error": code, "finished_at": now}
    _change(connection, job, {**values, "result": _sealed(ring, job.job_id, {"message": message})})


def put_back(connection: Connection, job: Job, *, due_at: datetime, counts: bool) -> None:
    """Let a job wait until `due_at`; `counts` says whether this attempt was one. Raises LostJobError."""
    attempts = job.attempts if counts else job.attempts - 1
    values = {"state": JobState.WAITING.value, "leased_until": None, "due_at": due_at, "attempts": attempts}
    _change(connection, job, values)


def payload_place(job_id: str) -> str:
    """Return the place that an encrypted payload is bound to."""
    return f"jobs.payload:{job_id}"


def result_place(job_id: str) -> str:
    """Return the place that an encrypted result is bound to."""
    return f"jobs.result:{job_id}"


def _unreadable(connection: Connection, ring: KeyRing, job_id: str) -> str | None:
    try:
        get(connection, ring, job_id)
    except WrongKeyError as error:
        return error.code
    return None


def _due(now: datetime) -> Select[Any]:
    waiting = and_(jobs.c.state == JobState.WAITING.value, jobs.c.due_at <= now)
    left_behind: ColumnElement[bool] = and_(jobs.c.state == JobState.RUNNING.value, jobs.c.leased_until <= now)
    return select(jobs.c.job_id, jobs.c.attempts).where(or_(waiting, left_behind))


def _change(connection: Connection, job: Job, values: Mapping[str, Any]) -> None:
    mine = and_(jobs.c.job_id == job.job_id, jobs.c.state == JobState.RUNNING.value, jobs.c.attempts == job.attempts)
    if not connection.execute(update(jobs).where(mine).values(**values)).rowcount:
        raise LostJobError(job=job.job_id)


def _sealed(ring: KeyRing, job_id: str, result: Mapping[str, Any]) -> bytes:
    return FieldCipher(ring).encrypt(json.dumps(dict(result)), place=result_place(job_id))


def _read(row: Row[*tuple[Any, ...]], cipher: FieldCipher) -> Job:
    sealed = row.result
    return Job(
        job_id=row.job_id,
        kind=row.kind,
        court_id=row.court_id,
        payload=json.loads(cipher.decrypt(row.payload, place=payload_place(row.job_id))),
        state=JobState(row.state),
        done=row.done,
        total=row.total,
        attempts=row.attempts,
        due_at=row.due_at,
        result={} if sealed is None else json.loads(cipher.decrypt(sealed, place=result_place(row.job_id))),
        error=row.error,
        created_by=row.created_by,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
