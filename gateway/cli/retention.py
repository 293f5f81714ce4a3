"""`notice-gateway retention`."""

import time

import click
from rich.progress import Progress

from gateway.cli.context import ERR, Tools
from gateway.clock import utc_now
from gateway.workflows.change import at_the_command_line
from gateway.workflows.purge_ended import Purge, list_ended, purge_ended

_REST_SECONDS = 0.02


@click.group()
def retention() -> None:
    """Remove the personal data of orders that are long over."""


@retention.command()
@click.option("--days", type=click.IntRange(30, 3650), help="Days since the end, in place of the setting.")
@click.option("--dry-run", is_flag=True, help="Only name the orders whose data would be removed.")
@click.pass_obj
def run(tools: Tools, *, days: int | None, dry_run: bool) -> None:
    """Purge the orders that were lifted, expired, or never approved so long ago.

    Names, numbers, case numbers, texts, recordings and authority documents go, for good; that there was an order, when
    it was in force and when something was played under it stays. The worker does this once a day by itself.
    """
    parts = tools.parts()
    kept = parts.settings.retention_days if days is None else days
    now = utc_now()
    ended = list_ended(parts.office, now, kept)
    if dry_run:
        for order_id in ended:
            click.echo(order_id)
        ERR.print(f"{len(ended)} orders were over {kept} days ago; nothing was changed.")
        return
    done = Purge()
    with Progress(console=ERR) as progress:
        task = progress.add_task("Purging orders", total=len(ended))
        steps = purge_ended(parts.office, at_the_command_line(now), days=kept, rest=lambda: time.sleep(_REST_SECONDS))
        for done in steps:
            progress.update(task, completed=done.orders)
    click.echo(
        f"{done.orders} orders purged: {done.lines} lines, {done.plays} plays, {done.documents} documents,"
        f" {done.recordings} recordings."
    )
