"""Whose business a job is: who began it, and who may read all orders of its court."""

from datetime import timedelta

import pytest

from gateway.assembly import Parts
from gateway.domain.rights import Everywhere, InDistrict, Right
from gateway.errands import jobs
from gateway.errands.jobs import Job, UnknownJobError
from gateway.register.errors import UnknownEntryError
from gateway.workflows.change import Errand
from gateway.workflows.read_jobs import read_job, read_jobs
from tests.builders_office import COURT, DISTRICT, NOON, OTHER_COURT, by_whom

IN_NORTH = InDistrict(court_id=COURT, district_id=DISTRICT)
MINE, OURS, THEIRS = "mine", "ours", "theirs"


@pytest.fixture
def begun(parts: Parts) -> dict[str, str]:
    """Jobs, begun a minute after one another: by per_mine and by another at one court, by a third at the other."""
    with parts.studio.engine.begin() as connection:
        return {
            name: jobs.add(
                connection, parts.keys, "import", {"of": name}, court, f"per_{name}", NOON + timedelta(minutes=minute)
            )
            for minute, (name, court) in enumerate({MINE: COURT, OURS: COURT, THEIRS: OTHER_COURT}.items())
        }


def seen(found: tuple[Job, ...]) -> list[str]:
    return [each.payload["of"] for each in found]


READS = by_whom(Right.ORDERS_READ, by="per_mine")
EVERYWHERE = by_whom(Right.ORDERS_READ, scope=Everywhere())
OWN_ONLY = by_whom(Right.ORDERS_READ, Right.ORDERS_DRAFT, by="per_mine", scope=IN_NORTH)
OPERATOR = by_whom(Right.DISTRICTS_SWITCH, by="per_operator")


@pytest.mark.parametrize(
    ("errand", "court_id", "expected"),
    [
        (READS, "", [OURS, MINE]),
        (READS, COURT, [OURS, MINE]),
        (EVERYWHERE, "", [THEIRS, OURS, MINE]),
        (EVERYWHERE, OTHER_COURT, [THEIRS]),
        (OWN_ONLY, "", [MINE]),
        (OWN_ONLY, COURT, [MINE]),
        (OPERATOR, "", []),
        (OPERATOR, COURT, []),
    ],
)
@pytest.mark.usefixtures("begun")
def test_a_list_has_what_the_asker_may_see_the_newest_first(
    parts: Parts, errand: Errand, court_id: str, expected: list[str]
) -> None:
    assert seen(read_jobs(parts.office, errand, court_id)) == expected


@pytest.mark.usefixtures("begun")
def test_a_court_that_is_none_of_theirs_does_not_exist(parts: Parts) -> None:
    for court_id in (OTHER_COURT, "nowhere"):
        with pytest.raises(UnknownEntryError):
            read_jobs(parts.office, READS, court_id)


def test_one_job_is_shown_to_who_would_find_it_in_the_list(parts: Parts, begun: dict[str, str]) -> None:
    for errand in (READS, EVERYWHERE, OWN_ONLY, OPERATOR):
        visible = seen(read_jobs(parts.office, errand))
        for name, job_id in begun.items():
            if name in visible:
                assert read_job(parts.office, job_id, errand).job_id == job_id
            else:
                with pytest.raises(UnknownJobError):
                    read_job(parts.office, job_id, errand)
    with pytest.raises(UnknownJobError):
        read_job(parts.office, "job_nowhere", EVERYWHERE)


def test_a_list_shows_how_far_a_job_is_and_goes_on_page_by_page(parts: Parts, begun: dict[str, str]) -> None:
    with parts.studio.engine.begin() as connection:
        claimed = jobs.claim(connection, parts.keys, NOON)
        assert claimed is not None
        jobs.heartbeat(connection, claimed, NOON, done=3, total=10)
    first = read_jobs(parts.office, EVERYWHERE, most=2)
    rest = read_jobs(parts.office, EVERYWHERE, after=first[-1].cursor, most=2)
    assert [each.job_id for each in (*first, *rest)] == list(reversed(begun.values()))
    assert (rest[0].done, rest[0].total) == (3, 10)
