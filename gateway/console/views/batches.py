"""Orders in a file: sending one to be checked or imported, following it, and deciding on the whole of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from itertools import chain
from typing import Any, BinaryIO, cast

from flask import Response, request
from flask_babel import gettext
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as Answer
from wtforms.fields.choices import SelectChoice

from gateway.console.beside import beside
from gateway.console.form import ConsoleForm
from gateway.console.page import Page, Visit, fragment, seen_at, shown
from gateway.console.views.batch_form import CHECK, ImportForm, chosen
from gateway.console.views.draft_places import read_places
from gateway.console.zones import UTC
from gateway.domain.rights import Right
from gateway.errands.jobs import Job, JobState
from gateway.register.batches import Batch, BatchState
from gateway.register.order_list import ListedOrder, OrderQuery
from gateway.workflows.access import covers_court
from gateway.workflows.batch_jobs import IMPORT, ImportOptions, start_approval, start_import
from gateway.workflows.import_orders import Mode
from gateway.workflows.keep_document import keep_document
from gateway.workflows.read_batch_jobs import jobs_of_batches
from gateway.workflows.read_batches import batch_errors, read_batch
from gateway.workflows.read_batches import list_batches as batches_of
from gateway.workflows.read_courts import read_courts
from gateway.workflows.read_names import read_names
from gateway.workflows.read_orders import list_orders
from gateway.workflows.withdraw_batch import withdraw_batch

LARGEST_FILE = 200_000_000
# The authority document comes with the file.
_LIMIT = LARGEST_FILE + 52_000_000
_PAGE, _PREVIEW, _ERRORS = 50, 10, 50
# htmx stops polling at this status.
_STOP_POLLING = 286


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSeen:
    """A batch with the jobs that worked on it, and what the reader may do with it."""

    batch: Batch
    jobs: tuple[Job, ...]

    @property
    def is_check(self) -> bool:
        """Tell whether the file was only checked."""
        return any(job.kind == IMPORT and job.payload.get("dry_run") for job in self.jobs)

    @property
    def at_work(self) -> Job | None:
        """Return the job that is not over, if there is one."""
        return next((job for job in self.jobs if job.state in {JobState.WAITING, JobState.RUNNING}), None)

    @property
    def imported(self) -> Job | None:
        """Return the job that read the file, once it is over."""
        return next((job for job in self.jobs if job.kind == IMPORT and job != self.at_work), None)

    @property
    def approval(self) -> Job | None:
        """Return the last job that approved the batch, once it is over."""
        return next((job for job in self.jobs if job.kind != IMPORT and job != self.at_work), None)


def show_batches(visit: Visit) -> Answer:
    """List the files that were sent, newest first."""
    found = batches_of(visit.desk.office, "", visit.errand, after=_after(), most=_PAGE + 1)
    page = found[:_PAGE]
    jobs = jobs_of_batches(visit.desk.office, page, visit.errand)
    return shown(
        "batches/list.html",
        batches=[BatchSeen(batch=batch, jobs=jobs.get(batch.batch_id, ())) for batch in page],
        after=f"{page[-1].created_at.isoformat()} {page[-1].batch_id}" if len(found) > _PAGE else "",
        courts=read_courts(visit.desk.office, visit.errand),
        names=read_names(visit.desk.office, {batch.created_by for batch in page}, visit.errand),
        may_import=not visit.actor.reach(Right.ORDERS_DRAFT).is_empty,
    )


def begin_import(_visit: Visit) -> dict[str, Any]:
    """Begin with what does no harm."""
    return {"how": CHECK}


def ready_import(visit: Visit, form: ImportForm) -> None:
    """Fill in the courts that the reader may draft in."""
    courts = {place.court_id: place.court_name for place in read_places(visit).values() if place.may_draft}
    none = [SelectChoice("", gettext("Choose"))] if len(courts) != 1 else []
    form.court.choices = [*none, *(SelectChoice(court_id, name) for court_id, name in courts.items())]


def show_import(_visit: Visit, form: ImportForm) -> Answer:
    """Ask for the file."""
    return shown("batches/new.html", form=form)


def send_import(visit: Visit, form: ImportForm) -> Answer:
    """Put the file in the queue, and go where it can be followed."""
    office, court_id = visit.desk.office, str(form.court.data)
    file, document = chosen(form.orders), chosen(form.document)
    sha256 = ""
    if document is not None:
        with beside("document"):
            # The form's claim is for the import; the same document again is the one that is there.
            errand = replace(visit, claim=None).errand
            sha256 = keep_document(office, court_id, cast("BinaryIO", document.stream), errand).sha256
    options = ImportOptions(
        mode=Mode.PER_ROW if form.how.data in {CHECK, Mode.PER_ROW.value} else Mode.ALL_OR_NOTHING,
        dry_run=form.how.data == CHECK,
        legal_basis=str(form.legal_basis.data or ""),
        document_sha256=sha256,
    )
    with beside("orders"):
        content = cast("BinaryIO", cast("FileStorage", file).stream)
        started = start_import(office, court_id, content, options, visit.errand)
    return seen_at("show_batch", batch_id=started.batch_id)


def show_batch(visit: Visit, batch_id: str) -> Answer:
    """Show a file: how far it is, what came of it, and what can be done with it."""
    return shown("batches/batch.html", **_seen(visit, batch_id))


def show_progress(visit: Visit, batch_id: str) -> Answer:
    """Show the part of the page that moves; once nothing does any more, the page is told to stop asking."""
    values = _seen(visit, batch_id)
    answer = fragment("batches/state.html", **values)
    if values["seen"].at_work is None:
        answer.status_code = _STOP_POLLING
    return answer


def show_errors(visit: Visit, batch_id: str) -> Answer:
    """Download the rows that were refused, with what is wrong and how to mend it."""
    content = _begun(batch_errors(visit.desk.office, batch_id, visit.errand))
    answer = Response(content, HTTPStatus.OK, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f"attachment; filename={batch_id}-errors.csv"
    return answer


def show_decision(visit: Visit, batch_id: str, form: ConsoleForm) -> Answer:
    """Say what the decision does, and ask for it."""
    return shown("batches/decide.html", form=form, **_seen(visit, batch_id))


def send_approval(visit: Visit, batch_id: str, form: ConsoleForm) -> Answer:  # noqa: ARG001  (every form is handed over)
    """Put the approval in the queue, and go where it can be followed."""
    start_approval(visit.desk.office, batch_id, visit.errand)
    return seen_at("show_batch", batch_id=batch_id)


def send_withdrawal(visit: Visit, batch_id: str, form: ConsoleForm) -> Answer:  # noqa: ARG001  (as above)
    """Remove what nobody approved."""
    withdraw_batch(visit.desk.office, batch_id, visit.errand)
    return seen_at("show_batch", batch_id=batch_id)


def _seen(visit: Visit, batch_id: str) -> dict[str, Any]:
    office, errand = visit.desk.office, visit.errand
    batch = read_batch(office, batch_id, errand)
    seen = BatchSeen(batch=batch, jobs=jobs_of_batches(office, [batch], errand).get(batch_id, ()))
    court = read_courts(office, errand).get(batch.court_id)
    return {
        "seen": seen,
        "batch": batch,
        "court": court,
        "zone": court.zone if court else UTC,
        "names": read_names(office, [batch.created_by], errand),
        "preview": _preview(visit, batch),
        "errors": seen.imported.result.get("errors", [])[:_ERRORS] if seen.imported else [],
        "may_draft": _may(visit, Right.ORDERS_DRAFT, batch),
        "may_approve": _may(visit, Right.ORDERS_APPROVE, batch),
        "is_own": batch.created_by == visit.actor.actor_id,
        "at": visit.at,
        "endpoint": request.endpoint,
    }


def _preview(visit: Visit, batch: Batch) -> tuple[ListedOrder, ...]:
    """Return the first orders as the import understood them, of those that the reader may read."""
    if batch.state not in {BatchState.READY, BatchState.APPROVED}:
        return ()
    query = OrderQuery(reach=visit.actor.reach(Right.ORDERS_READ), batch_id=batch.batch_id, limit=_PREVIEW)
    return list_orders(visit.desk.office, query, visit.errand)


def _may(visit: Visit, right: Right, batch: Batch) -> bool:
    """Tell whether to show a button; the workflow judges."""
    return any(grant.right is right and covers_court(grant.scope, batch.court_id) for grant in visit.actor.grants)


def _after() -> tuple[datetime, str] | None:
    at, _, batch_id = request.args.get("after", "").partition(" ")
    try:
        since = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (since, batch_id) if since.tzinfo is not None else None


def _begun(content: Iterator[bytes]) -> Iterator[bytes]:
    """Open the file before the answer begins, so that one that cannot be opened is an error and not half an answer."""
    return chain((next(content, b""),), content)


PAGES = (
    Page(name="list_batches", path="/batches", show=show_batches),
    Page(
        name="new_batch",
        path="/batches/new",
        show=show_import,
        form=ImportForm,
        begin=begin_import,
        ready=ready_import,
        send=send_import,
        limit=_LIMIT,
    ),
    Page(name="show_batch", path="/batches/<batch_id>", show=show_batch),
    Page(name="batch_progress", path="/batches/<batch_id>/progress", show=show_progress),
    Page(name="download_batch_errors", path="/batches/<batch_id>/errors", show=show_errors),
    Page(
        name="approve_batch",
        path="/batches/<batch_id>/approve",
        show=show_decision,
        form=ConsoleForm,
        send=send_approval,
    ),
    Page(
        name="withdraw_batch",
        path="/batches/<batch_id>/withdraw",
        show=show_decision,
        form=ConsoleForm,
        send=send_withdrawal,
    ),
)
