"""`notice-gateway disputes`: the court's inbox at the command line."""

import json

import click
from rich import box
from rich.console import Console
from rich.table import Table

from gateway.cli.context import OUT, Tools
from gateway.clock import utc_now
from gateway.domain.rights import COMMAND_LINE, Right
from gateway.register.disputes import DisputeQuery, Resolution
from gateway.workflows.change import Errand, at_the_command_line
from gateway.workflows.officers import officer_named
from gateway.workflows.read_orders import list_disputes
from gateway.workflows.resolve_dispute import resolve_dispute

_WIDTH = 100
_MOST = 1000


@click.group()
def disputes() -> None:
    """Read and resolve what people said with keys 3 and 9 on a call."""


@disputes.command("list")
@click.option("--court", default="", help="One court's alone.")
@click.option("--all", "all_", is_flag=True, help="Also those that were resolved.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.pass_obj
def list_(tools: Tools, *, court: str, all_: bool, as_json: bool) -> None:
    """Show open disputes, oldest first."""
    query = DisputeQuery(reach=COMMAND_LINE.reach(Right.DISPUTES_READ), court_id=court, open_only=not all_, limit=_MOST)
    found = list_disputes(tools.parts().office, query, at_the_command_line(utc_now()))
    rows = [
        {
            "dispute": each.dispute_id,
            "order": each.order_id,
            "court": each.court_id,
            "ground": each.ground.value,
            "opened": f"{each.opened_at:%Y-%m-%d %H:%M}",
            "resolution": each.resolution.value if each.resolution else "",
        }
        for each in found
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("Dispute", "Order", "Court", "Ground", "Opened (UTC)", "Resolution"):
        table.add_column(heading, no_wrap=True)
    for row in rows:
        table.add_row(*(str(value).replace("wrong_person", "wrong person") for value in row.values()))
    Console(highlight=False, width=max(OUT.width, _WIDTH)).print(table)


@disputes.command()
@click.argument("dispute")
@click.option("--as", "login", required=True, metavar="LOGIN", help="The officer who decides.")
@click.option(
    "--towards",
    required=True,
    type=click.Choice([each.value for each in Resolution]),
    help="resume: the line is heard again; lift: the order ends; remove_line: it was the wrong line.",
)
@click.option("--note", default="", help="Why; kept encrypted, and purged with the order.")
@click.pass_obj
def resolve(tools: Tools, *, dispute: str, login: str, towards: str, note: str) -> None:
    """Resolve DISPUTE."""
    parts = tools.parts()
    errand = Errand(actor=officer_named(parts.office.engine, parts.keys, login), at=utc_now())
    done = resolve_dispute(parts.office, dispute, Resolution(towards), errand, note=note)
    click.echo(f"{done.dispute_id} is resolved: {towards.replace('_', ' ')}.")
