"""How far the files are: each batch's own jobs, found among all those of its court."""

import io
from datetime import timedelta

import pytest

from gateway.assembly import Parts
from gateway.domain.rights import InDistrict, Right
from gateway.errands import jobs
from gateway.register import batches
from gateway.register.batches import Batch
from gateway.workflows.batch_jobs import APPROVE, ImportOptions, start_import
from gateway.workflows.change import Errand
from gateway.workflows.read_batch_jobs import jobs_of_batches
from tests.builders_office import COURT, DISTRICT, NOON, by_whom

CLERK = by_whom(Right.ORDERS_READ, Right.ORDERS_DRAFT, by="per_clerk")
COLLEAGUE = by_whom(Right.ORDERS_READ, by="per_colleague")
IN_NORTH = by_whom(Right.ORDERS_READ, by="per_north", scope=InDistrict(court_id=COURT, district_id=DISTRICT))


def a_batch(parts: Parts) -> Batch:
    """Send a file, as a clerk does."""
    started = start_import(parts.office, COURT, io.BytesIO(b"case_number\n1\n"), ImportOptions(), CLERK)
    with parts.office.reading.connect() as connection:
        return batches.get(connection, started.batch_id)


def kinds(parts: Parts, batch: Batch, errand: Errand) -> list[str]:
    return [job.kind for job in jobs_of_batches(parts.office, [batch], errand)[batch.batch_id]]


def test_a_batch_has_its_own_jobs_the_newest_first(parts: Parts) -> None:
    first, second = a_batch(parts), a_batch(parts)
    with parts.office.engine.begin() as connection:
        payload = {"batch": first.batch_id}
        jobs.add(connection, parts.keys, APPROVE, payload, COURT, "per_colleague", NOON + timedelta(minutes=1))
        jobs.add(connection, parts.keys, "something else", payload, COURT, "per_clerk", NOON + timedelta(minutes=2))
    assert kinds(parts, first, CLERK) == ["approve_batch", "import"]
    assert kinds(parts, second, CLERK) == ["import"]
    assert set(jobs_of_batches(parts.office, [first, second], CLERK)) == {first.batch_id, second.batch_id}


@pytest.mark.parametrize(("errand", "expected"), [(COLLEAGUE, ["import"]), (IN_NORTH, [])])
def test_only_jobs_that_the_asker_may_see_are_told_of(parts: Parts, errand: Errand, expected: list[str]) -> None:
    assert kinds(parts, a_batch(parts), errand) == expected


def test_a_job_is_found_below_many_newer_ones(parts: Parts) -> None:
    batch = a_batch(parts)
    with parts.office.engine.begin() as connection:
        for minute in range(1, 121):
            jobs.add(connection, parts.keys, "noise", {}, COURT, "per_clerk", NOON + timedelta(minutes=minute))
    assert kinds(parts, batch, CLERK) == ["import"]


def test_no_batches_have_no_jobs(parts: Parts) -> None:
    assert jobs_of_batches(parts.office, [], CLERK) == {}
