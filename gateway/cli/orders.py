"""`notice-gateway orders`."""

import json
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from gateway.cli.context import OUT, Tools
from gateway.cli.teaching import LateCommand
from gateway.clock import utc_now
from gateway.domain.e164 import mask
from gateway.domain.order import OrderState
from gateway.domain.subject import Organisation, kind_of
from gateway.register import orders as register
from gateway.register.orders import OrderEntry
from gateway.workflows.approve_order import approve_order
from gateway.workflows.change import Errand, at_the_command_line
from gateway.workflows.end_order import lift_order, suspend_order
from gateway.workflows.officers import officer_named
from gateway.workflows.resume_order import resume_order

_WIDTH = 100


@click.group()
def orders() -> None:
    """Issue, approve, list, suspend, resume and lift orders."""


# These load what reads documents, sheets and batches, which the commands below do without (as gateway.cli.main has it).
_LATE = {
    "issue": ("issue:issue", "Put an approved order with its notices in the register."),
    "import": (
        "import_orders:import_",
        "Import orders from FILE, a table as .csv or .xlsx; docs/import.md describes its columns.",
    ),
    "export": ("import_orders:export", "Write orders to FILE as CSV, with the columns of an import."),
    "batches": ("import_orders:batches", "Show the newest batches: what became of each imported file."),
    "approve-batch": ("import_orders:approve", "Approve every order of BATCH that waits, with its notices."),
    "withdraw-batch": ("import_orders:withdraw", "Remove the orders of BATCH that nobody approved."),
}
for _name, (_origin, _sentence) in _LATE.items():
    orders.add_command(LateCommand(_name, f"gateway.cli.{_origin}", _sentence))


@orders.command()
@click.argument("order")
@click.option("--reason", default="", help="Why; kept encrypted, and purged with the order.")
@click.pass_obj
def lift(tools: Tools, order: str, reason: str) -> None:
    """End ORDER for good: no call after this command has returned plays its notice."""
    parts = tools.parts()
    lifted = lift_order(parts.office.engine, parts.keys, order, at_the_command_line(utc_now()), reason=reason)
    click.echo(f"{lifted.order_id} is lifted since {lifted.lifted_at:%Y-%m-%d %H:%M:%S} UTC.")


@orders.command()
@click.argument("order")
@click.option("--reason", default="", help="Why; kept encrypted, and purged with the order.")
@click.pass_obj
def suspend(tools: Tools, order: str, reason: str) -> None:
    """Silence ORDER without ending it: no call after this command has returned plays its notice."""
    parts = tools.parts()
    suspended = suspend_order(parts.office.engine, parts.keys, order, at_the_command_line(utc_now()), reason=reason)
    click.echo(f"{suspended.order_id} is suspended since {suspended.suspended_at:%Y-%m-%d %H:%M:%S} UTC.")


@orders.command()
@click.argument("order")
@click.option("--as", "login", required=True, metavar="LOGIN", help="The officer who decides; not the one who drafted.")
@click.option("--reason", default="", help="Why; kept encrypted, and purged with the order.")
@click.pass_obj
def resume(tools: Tools, order: str, login: str, reason: str) -> None:
    """Let a suspended ORDER go on. Lines that a key suspended stay silent until their dispute is resolved."""
    parts = tools.parts()
    errand = Errand(actor=officer_named(parts.office.engine, parts.keys, login), at=utc_now())
    resumed = resume_order(parts.office, order, errand, reason=reason)
    click.echo(f"{resumed.order_id} is {_words(resumed.state_at(errand.at))} again.")


@orders.command()
@click.argument("order")
@click.option("--as", "login", required=True, metavar="LOGIN", help="The second officer; not the one who drafted.")
@click.pass_obj
def approve(tools: Tools, order: str, login: str) -> None:
    """Approve a submitted ORDER with its notices: the warning period begins."""
    parts = tools.parts()
    errand = Errand(actor=officer_named(parts.office.engine, parts.keys, login), at=utc_now())
    approved = approve_order(parts.office, order, errand)
    begins = f"{approved.in_force_from:%Y-%m-%d %H:%M} UTC"
    click.echo(f"{approved.order_id} is {_words(approved.state_at(errand.at))}; in force from {begins}.")


@orders.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.option("--show-numbers", is_flag=True, help="Show lines in full; they are masked otherwise.")
@click.pass_obj
def list_(tools: Tools, *, as_json: bool, show_numbers: bool) -> None:
    """Show every order with its state, its lines and the disputes that keys on calls opened."""
    parts = tools.parts()
    with parts.studio.engine.connect() as connection:
        found = register.entries(connection, parts.keys)
    rows = [_row(each, show_numbers=show_numbers) for each in found]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("Order", "Case", "Kind", "State", "Until", "Lines", "Disputes"):
        table.add_column(heading, no_wrap=True)
    for row in rows:
        state = row["state"].replace("_", " ")
        until = row["valid_until"][:10]
        lines = "\n".join(row["lines"])
        table.add_row(row["order"], row["case"], row["kind"], state, until, lines, str(row["disputes"]))
    # An order id that is cut short is of no use to who wants to lift it: a narrow terminal wraps instead.
    Console(highlight=False, width=max(OUT.width, _WIDTH)).print(table)


def _words(state: OrderState) -> str:
    return state.value.replace("_", " ")


def _row(entry: OrderEntry, *, show_numbers: bool) -> dict[str, Any]:
    order = entry.order
    return {
        "order": order.order_id,
        "court": order.court_id,
        "district": order.district_id,
        "case": order.case_number,
        "subject": kind_of(order.subject).value,
        "kind": "public" if isinstance(order.subject, Organisation) else "private",
        "state": order.state_at(utc_now()).value,
        "in_force_from": f"{order.in_force_from:%Y-%m-%d %H:%M}" if order.in_force_from else "",
        "valid_until": f"{order.valid_until:%Y-%m-%d %H:%M}" if order.valid_until else "",
        "lines": [each.number.number if show_numbers else mask(each.number.number) for each in entry.lines],
        "disputes": entry.disputes,
    }
