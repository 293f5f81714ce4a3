"""`/batches` and `/exports`: orders that came in a file, and orders in a file to take away."""

from datetime import datetime
from typing import BinaryIO, Literal, cast

from pydantic import Field
from werkzeug.datastructures import FileStorage

from gateway.api.v1.fields import Id, Input, Number, Output, PageQuery, Sha256
from gateway.api.v1.pages import cut, read_instant, write_instant
from gateway.api.v1.problems import at
from gateway.api.v1.route import Answer, Call, Route, Stream, Upload, begun
from gateway.domain.e164 import E164
from gateway.domain.order import OrderState
from gateway.register.batches import Batch, BatchState
from gateway.workflows.batch_jobs import ImportOptions, Started, start_approval, start_import
from gateway.workflows.disclose_line import disclose_line
from gateway.workflows.export_orders import ExportQuery, export_orders
from gateway.workflows.import_orders import Mode
from gateway.workflows.read_batches import batch_errors, list_batches, read_batch
from gateway.workflows.withdraw_batch import withdraw_batch

_TAG = "Files of orders"
_LARGEST_FILE = 200_000_000


class BatchQuery(PageQuery):
    """Which batches to list."""

    court: Id | None = None


class ExportFilter(Input):
    """Which orders to export."""

    court: Id | None = None
    state: OrderState | None = None
    batch: Id | None = None


class ImportForm(Input):
    """How a file is imported: as a whole or row by row, in earnest or to see what would be refused."""

    mode: Literal["all-or-nothing", "per-row"] = "all-or-nothing"
    dry_run: bool = False
    legal_basis: str = Field(default="", max_length=4000, description="For rows that state none.")
    document_sha256: Sha256 | None = Field(default=None, description="For rows that state none.")


class DisclosureIn(Input):
    """The line whose holder asks what is held about it."""

    line: Number


class BatchOut(Output):
    """A file of orders: how many of its rows are new, were known already, were refused, and how many are approved."""

    id: str
    court: str
    state: BatchState
    file_sha256: str
    accepted: int
    known: int
    refused: int
    approved: int
    has_errors: bool
    created_by: str
    created_at: datetime
    finished_at: datetime | None


class BatchPage(Output):
    """A page of batches, newest first."""

    items: list[BatchOut]
    next: str | None


class StartedOut(Output):
    """A job that was begun, and the batch that it works on; `/jobs` tells how far it is."""

    job: str
    batch: str


class WithdrawnOut(Output):
    """A batch that was withdrawn, and how many of its orders were removed."""

    batch: BatchOut
    removed: int


class DisclosureOut(Output):
    """Everything that is held about a line, as the command `subject` writes it."""

    line: str
    at: datetime
    orders: list[dict[str, object]]


def get_batches(call: Call, query: BatchQuery) -> Answer:
    """List the files that were imported, newest first."""
    found = list_batches(
        call.desk.office,
        query.court or "",
        call.errand,
        after=read_instant(query.cursor),
        most=query.limit + 1,
    )
    page, cursor = cut(found, query.limit, lambda each: write_instant(each.cursor))
    return Answer(model=BatchPage(items=[_shown(each) for each in page], next=cursor), cursor=cursor)


def get_batch(call: Call, batch_id: str) -> Answer:
    """Show a batch."""
    return Answer(model=_shown(read_batch(call.desk.office, batch_id, call.errand)))


def get_errors(call: Call, batch_id: str) -> Stream:
    """Download the rows that were refused, with what is wrong and how to mend it, to be mended and imported again."""
    content = batch_errors(call.desk.office, batch_id, call.errand)
    return Stream(chunks=begun(content), media="text/csv", filename=f"{batch_id}-errors.csv")


def post_import(call: Call, court_id: str, file: FileStorage, form: ImportForm) -> Answer:
    """Import orders from a CSV or XLSX file, at most 200 MB, as a job; they wait for approval like any others."""
    options = ImportOptions(
        mode=Mode(form.mode),
        dry_run=form.dry_run,
        legal_basis=form.legal_basis,
        document_sha256=form.document_sha256 or "",
    )
    return _started(start_import(call.desk.office, court_id, cast("BinaryIO", file.stream), options, call.errand))


def post_approval(call: Call, batch_id: str) -> Answer:
    """Approve every order of a batch as its second officer, as a job; one that cannot be does not stop the others."""
    return _started(start_approval(call.desk.office, batch_id, call.errand))


def post_withdrawal(call: Call, batch_id: str) -> Answer:
    """Remove the orders of a batch that nobody has approved."""
    batch, removed = withdraw_batch(call.desk.office, batch_id, call.errand)
    return Answer(model=WithdrawnOut(batch=_shown(batch), removed=removed))


def get_export(call: Call, query: ExportFilter) -> Stream:
    """Download orders as a CSV file with the columns of an import; the audit trail has it."""
    wanted = ExportQuery(court_id=query.court or "", state=query.state, batch_id=query.batch or "")
    content = export_orders(call.desk.office, wanted, call.errand)
    return Stream(chunks=begun(content), media="text/csv", filename="orders.csv")


def post_disclosure(call: Call, body: DisclosureIn) -> Answer:
    """Tell what is held about a line, for its holder who asks; the audit trail has it."""
    with at("/line"):
        line = E164.parse(body.line)
    found = disclose_line(call.desk.office, line, call.errand)
    model = DisclosureOut(line=found.line, at=found.at, orders=[dict(order) for order in found.orders])
    return Answer(model=model)


def _started(started: Started) -> Answer:
    model = StartedOut(job=started.job_id, batch=started.batch_id)
    return Answer(model=model, location=f"/api/v1/jobs/{started.job_id}")


def _shown(batch: Batch) -> BatchOut:
    return BatchOut(
        id=batch.batch_id,
        court=batch.court_id,
        state=batch.state,
        file_sha256=batch.file_sha256,
        accepted=batch.accepted,
        known=batch.known,
        refused=batch.refused,
        approved=batch.approved,
        has_errors=batch.has_errors,
        created_by=batch.created_by,
        created_at=batch.created_at,
        finished_at=batch.finished_at,
    )


ROUTES = (
    Route(
        name="list_batches",
        method="GET",
        path="/batches",
        handler=get_batches,
        tag=_TAG,
        answer=BatchPage,
        query=BatchQuery,
        refusals=frozenset({404}),
    ),
    Route(
        name="show_batch",
        method="GET",
        path="/batches/<id:batch_id>",
        handler=get_batch,
        tag=_TAG,
        answer=BatchOut,
        refusals=frozenset({403}),
    ),
    Route(
        name="download_batch_errors",
        method="GET",
        path="/batches/<id:batch_id>/errors",
        handler=get_errors,
        tag=_TAG,
        media="text/csv",
    ),
    Route(
        name="import_orders",
        method="POST",
        path="/courts/<id:court_id>/imports",
        handler=post_import,
        tag=_TAG,
        answer=StartedOut,
        status=202,
        upload=Upload(
            field="orders", limit=_LARGEST_FILE, what="CSV or XLSX by its content, at most 200 MB.", form=ImportForm
        ),
    ),
    Route(
        name="approve_batch",
        method="POST",
        path="/batches/<id:batch_id>/approve",
        handler=post_approval,
        tag=_TAG,
        answer=StartedOut,
        status=202,
    ),
    Route(
        name="withdraw_batch",
        method="POST",
        path="/batches/<id:batch_id>/withdraw",
        handler=post_withdrawal,
        tag=_TAG,
        answer=WithdrawnOut,
        refusals=frozenset({403}),
    ),
    Route(
        name="export_orders",
        method="GET",
        path="/exports/orders",
        handler=get_export,
        tag=_TAG,
        media="text/csv",
        query=ExportFilter,
        refusals=frozenset({404}),
    ),
    Route(
        name="disclose_line",
        method="POST",
        path="/disclosures",
        handler=post_disclosure,
        tag=_TAG,
        answer=DisclosureOut,
        body=DisclosureIn,
        example={"line": "+442079460110"},
    ),
)
