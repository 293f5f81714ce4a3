"""`notice-gateway courts`."""

import click
from rich.table import Table

from gateway.cli.context import OUT, Tools
from gateway.clock import utc_now
from gateway.domain.court import Court
from gateway.register import courts as register
from gateway.workflows.change import at_the_command_line
from gateway.workflows.set_up_court import add_court


@click.group()
def courts() -> None:
    """Add and list courts."""


@courts.command()
@click.argument("court")
@click.option("--name", required=True, help="As it is spoken in notices.")
@click.option("--zone", required=True, help="Its IANA time zone, for example Europe/London.")
@click.option(
    "--warning-days", default=3, show_default=True, help="How long organisations are warned before callers hear."
)
@click.pass_obj
def add(tools: Tools, *, court: str, name: str, zone: str, warning_days: int) -> None:
    """Add COURT, an id of small letters, digits and hyphens, to the register; creates the register if it is new.

    \b
    Example:
      notice-gateway courts add hillside --name "Hillside County Court" --zone America/New_York
      notice-gateway districts add hillside-north --court hillside --name North
    """  # noqa: D301  (the backslash is click's own mark for a paragraph that keeps its lines)
    parts = tools.prepared()
    added = Court(court_id=court, name=name, zone=zone, warning_days=warning_days)
    add_court(parts.studio.engine, parts.keys, added, at_the_command_line(utc_now()))
    click.echo(f"{court} is in the register.")


@courts.command("list")
@click.pass_obj
def list_(tools: Tools) -> None:
    """Show every court."""
    parts = tools.parts()
    table = Table("Court", "Name", "Zone", "Warning days")
    with parts.studio.engine.connect() as connection:
        for court_id in register.ids(connection):
            court = register.get(connection, court_id)
            table.add_row(court.court_id, court.name, court.zone, str(court.warning_days))
    OUT.print(table)
