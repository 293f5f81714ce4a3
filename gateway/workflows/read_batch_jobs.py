"""Read the jobs that worked on batches: how far an import or an approval is, and what came of it."""

from collections.abc import Collection, Mapping

from gateway.errands.jobs import Job
from gateway.register.batches import Batch
from gateway.workflows.batch_jobs import APPROVE, IMPORT
from gateway.workflows.change import Errand
from gateway.workflows.office import Office
from gateway.workflows.read_jobs import read_jobs

_PAGE = 50
# A batch's jobs are found among a court's; beyond so many newer ones, how far they are is history.
_MOST_READ = 500


def jobs_of_batches(office: Office, batches: Collection[Batch], errand: Errand) -> Mapping[str, tuple[Job, ...]]:
    """Return the jobs of batches by their ids, the newest first: those that the asker may see and that are kept still.

    What an import was given and what came of it is encrypted; each job within reach is opened to find its batch.
    """
    found: dict[str, list[Job]] = {batch.batch_id: [] for batch in batches}
    if not batches:
        return {}
    earliest = min(batch.created_at for batch in batches)
    courts = {batch.court_id for batch in batches}
    court_id = next(iter(courts)) if len(courts) == 1 else ""
    after, read = None, 0
    while read < _MOST_READ:
        page = read_jobs(office, errand, court_id, after=after, most=_PAGE)
        for job in page:
            of = job.payload.get("batch", "") if job.kind in {IMPORT, APPROVE} else ""
            if of in found:
                found[of].append(job)
        if len(page) < _PAGE or page[-1].created_at < earliest:
            break
        after, read = page[-1].cursor, read + len(page)
    return {key: tuple(jobs) for key, jobs in found.items()}
