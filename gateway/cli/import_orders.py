"""`notice-gateway orders import`, `export`, `batches`, `approve-batch` and `withdraw-batch`: orders by the file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from gateway.assembly import Parts
from gateway.cli.context import ERR, OUT, Tools
from gateway.clock import utc_now
from gateway.domain.order import OrderState
from gateway.register.batches import BatchState
from gateway.workflows.approve_batch import approve_batch
from gateway.workflows.change import Errand, at_the_command_line
from gateway.workflows.export_orders import ExportQuery, export_orders
from gateway.workflows.import_orders import Imported, ImportRequest, Mode, import_orders
from gateway.workflows.import_refusals import RowError
from gateway.workflows.import_source import Source
from gateway.workflows.issue_order import read_authority
from gateway.workflows.keep_document import keep_document
from gateway.workflows.officers import officer_named
from gateway.workflows.read_batches import list_batches
from gateway.workflows.withdraw_batch import withdraw_batch

_SHOWN = 20
_WIDTH = 120
_WORDS = {"check": "Checking", "write": "Writing", "take back": "Taking back", "approve": "Approving"}


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--court", required=True, help="The court's id, as `districts list` shows it.")
@click.option("--authority", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A PDF for all rows.")
@click.option("--legal-basis", default="", help="The law, for rows that do not state their own.")
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    default=Mode.ALL_OR_NOTHING.value,
    show_default=True,
    help="Whether one refused row refuses the file, or itself alone.",
)
@click.option("--dry-run", is_flag=True, help="Check every row and write nothing.")
@click.option("--errors", type=click.Path(dir_okay=False, path_type=Path), help="Where to write the refused rows.")
@click.option("--as", "login", default="", metavar="LOGIN", help="The officer who drafts; not the one who approves.")
@click.pass_obj
def import_(  # noqa: PLR0913  (one parameter for each option is how click hands them over)
    tools: Tools,
    *,
    file: Path,
    court: str,
    authority: Path | None,
    legal_basis: str,
    mode: str,
    dry_run: bool,
    errors: Path | None,
    login: str,
) -> None:
    """Import orders from FILE, a table as .csv or .xlsx; docs/import.md describes its columns.

    They wait for a second officer, as drafts do: see `orders approve-batch`. Importing a file again changes nothing;
    where an import was interrupted, it goes on. Refused rows can be mended in the file that --errors names, and that
    file imported.

    \b
    Examples:
      notice-gateway orders import july.xlsx --court lakeside --dry-run --errors refused.csv
      notice-gateway orders import july.csv --court lakeside --authority order.pdf --legal-basis "Rule 69"
    """  # noqa: D301  (the backslash is click's own mark for a paragraph that keeps its lines)
    parts = tools.parts()
    errand = _errand(parts, login)
    request = ImportRequest(
        court_id=court,
        source=Source(name=file.name, opened=lambda: file.open("rb")),
        mode=Mode(mode),
        dry_run=dry_run,
        legal_basis=legal_basis,
        document_sha256=_document(parts, court, authority, errand, dry_run=dry_run),
        document_at_hand=authority is not None,
    )
    with _bar() as (bar, task):

        def progress(stage: str, done: int, total: int) -> None:
            bar.update(task, description=_WORDS[stage], completed=done, total=total or None)

        done = import_orders(parts.office, request, errand, clock=utc_now, progress=progress)
    if errors is not None and done.refused_rows:
        _write_private(errors, iter([done.refused_rows]))
    _tell(done, errors, dry_run=dry_run)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--court", default="", help="Only this court's orders.")
@click.option("--state", type=click.Choice([state.value for state in OrderState]), help="Only orders in this state.")
@click.option("--batch", default="", help="Only orders of this batch.")
@click.option("--as", "login", default="", metavar="LOGIN", help="The officer who asks.")
@click.pass_obj
def export(tools: Tools, *, file: Path, court: str, state: str | None, batch: str, login: str) -> None:
    """Write orders to FILE as CSV, with the columns of an import. FILE names people: it is closed to other users."""
    parts = tools.parts()
    query = ExportQuery(court_id=court, state=None if state is None else OrderState(state), batch_id=batch)
    _write_private(file, export_orders(parts.office, query, _errand(parts, login)))
    click.echo(f"The orders are in {file}.")


@click.command()
@click.option("--court", default="", help="Only this court's batches.")
@click.pass_obj
def batches(tools: Tools, court: str) -> None:
    """Show the newest batches: what became of each imported file."""
    parts = tools.parts()
    found = list_batches(parts.office, court, at_the_command_line(utc_now()))
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("Batch", "Court", "State", "Begun (UTC)", "Accepted", "Known", "Refused", "Approved"):
        table.add_column(heading, no_wrap=True)
    for each in found:
        begun = f"{each.created_at:%Y-%m-%d %H:%M}"
        counts = (each.accepted, each.known, each.refused, each.approved)
        table.add_row(each.batch_id, each.court_id, each.state.value, begun, *map(str, counts))
    Console(highlight=False, width=max(OUT.width, _WIDTH)).print(table)


@click.command("approve-batch")
@click.argument("batch")
@click.option("--as", "login", required=True, metavar="LOGIN", help="The second officer; not the one who imported.")
@click.pass_obj
def approve(tools: Tools, batch: str, login: str) -> None:
    """Approve every order of BATCH that waits, with its notices. Interrupted, it goes on when given again."""
    parts = tools.parts()
    with _bar() as (bar, task):

        def progress(done: int, total: int) -> None:
            bar.update(task, description=_WORDS["approve"], completed=done, total=total)

        done = approve_batch(parts.office, batch, _errand(parts, login), clock=utc_now, progress=progress)
    for each in done.failures[:_SHOWN]:
        click.echo(f"{each.order_id}: {each.message}", err=True)
    click.echo(f"{batch} is {done.batch.state.value}: {done.approved} approved, {done.failed} not.")
    if done.failed:
        raise click.exceptions.Exit(1)


@click.command("withdraw-batch")
@click.argument("batch")
@click.option("--as", "login", default="", metavar="LOGIN", help="The officer who withdraws it.")
@click.pass_obj
def withdraw(tools: Tools, batch: str, login: str) -> None:
    """Remove the orders of BATCH that nobody approved. Approved ones stay, to be lifted one by one."""
    parts = tools.parts()
    done, removed = withdraw_batch(parts.office, batch, _errand(parts, login))
    click.echo(f"{batch} is withdrawn: {removed} orders removed, {done.approved} approved ones stay.")


def _errand(parts: Parts, login: str) -> Errand:
    if not login:
        return at_the_command_line(utc_now())
    return Errand(actor=officer_named(parts.office.engine, parts.keys, login), at=utc_now())


def _document(parts: Parts, court: str, authority: Path | None, errand: Errand, *, dry_run: bool) -> str:
    """Keep the authority document and return its hash; a dry run keeps nothing."""
    if authority is None:
        return ""
    if dry_run:
        return read_authority(authority, "a dry run").document_sha256
    with authority.open("rb") as source:
        return keep_document(parts.office, court, source, errand).sha256


@contextmanager
def _bar() -> Iterator[tuple[Progress, TaskID]]:
    """Show a bar where somebody can see it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=ERR, transient=True, disable=not ERR.is_terminal) as bar:
        yield bar, bar.add_task("Reading", total=None)


def _write_private(path: Path, chunks: Iterator[bytes]) -> None:
    """Write a file that only its owner may read; a file that is there already is replaced when all of it is written."""
    draft = path.with_name(f".{path.name}.part")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
            for chunk in chunks:
                target.write(chunk)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _tell(done: Imported, errors: Path | None, *, dry_run: bool) -> None:
    if done.errors:
        _show(done.errors[:_SHOWN])
        more = done.flaws - min(len(done.errors), _SHOWN)
        if more:
            click.echo(f"... and {more} more.", err=True)
        where = f"They are in {errors}" if errors else "--errors FILE writes them to a file"
        click.echo(f"{where}; mend them there and import that file.", err=True)
    counts = done.counts
    told = f"{counts.accepted} orders new, {counts.known} known before, {counts.refused} rows refused"
    if done.state is BatchState.REFUSED:
        would = "would be" if dry_run else "was"
        raise click.ClickException(f"nothing {would} imported: {told}.")
    if dry_run:
        click.echo(f"A dry run: {told}. Nothing was written.")
    else:
        click.echo(f"{done.batch_id} is ready for approval: {told}.")


def _show(errors: tuple[RowError, ...]) -> None:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("Row", "Column", "What is wrong", "How to fix it"):
        table.add_column(heading)
    for each in errors:
        table.add_row(str(each.row), each.column, each.what, each.cure)
    Console(stderr=True, highlight=False, markup=False, width=max(ERR.width, _WIDTH)).print(table)
