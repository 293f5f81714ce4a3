"""Retention of errands: jobs that are long done."""

from datetime import datetime

from sqlalchemy import Connection, delete

from gateway.errands.tables import jobs


def forget_jobs(connection: Connection, cutoff: datetime) -> int:
    """Remove jobs that were finished by `cutoff`, with what they were given and what came of it; return how many."""
    return connection.execute(delete(jobs).where(jobs.c.finished_at <= cutoff)).rowcount
