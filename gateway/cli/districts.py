"""`notice-gateway districts`."""

import json

import click
from rich.table import Table

from gateway.cli.context import OUT, Tools
from gateway.clock import utc_now
from gateway.domain.court import District
from gateway.register import districts as register
from gateway.workflows.change import at_the_command_line
from gateway.workflows.set_up_court import add_district
from gateway.workflows.switch_district import switch_district


@click.group()
def districts() -> None:
    """Add and list districts, and switch them on or off."""


@districts.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.pass_obj
def list_(tools: Tools, *, as_json: bool) -> None:
    """Show the tree of districts. One below a district that is off is silent too, whatever its own switch says."""
    parts = tools.parts()
    with parts.studio.engine.connect() as connection:
        tree = register.tree(connection)
    if as_json:
        rows = [
            {
                "district": each.district_id,
                "court": each.court_id,
                "parent": each.parent_id,
                "name": each.name,
                "enabled": each.enabled,
                "heard": heard,
                "reason": each.reason,
            }
            for each, heard in tree
        ]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table("District", "Court", "Below", "Switch", "Notices", "Reason")
    for each, heard in tree:
        switch = "on" if each.enabled else "off"
        table.add_row(
            each.district_id, each.court_id, each.parent_id or "", switch, "heard" if heard else "silent", each.reason
        )
    OUT.print(table)


@districts.command()
@click.argument("district")
@click.option("--court", required=True, help="The court it belongs to.")
@click.option("--name", required=True, help="How people call it.")
@click.option("--parent", help="The district above it; switching that one off silences this one too.")
@click.pass_obj
def add(tools: Tools, *, district: str, court: str, name: str, parent: str | None) -> None:
    """Add DISTRICT, an id of small letters, digits and hyphens, below --parent or at the top. It is on."""
    added = District(district_id=district, court_id=court, name=name, parent_id=parent, enabled=True)
    parts = tools.parts()
    add_district(parts.studio.engine, parts.keys, added, at_the_command_line(utc_now()))
    click.echo(f"{district} is in the register, and on.")


@districts.command("on")
@click.argument("district")
@click.option("--reason", required=True, help="Why; the record keeps it.")
@click.pass_obj
def on(tools: Tools, district: str, reason: str) -> None:
    """Let notices of DISTRICT be heard again, unless a district above it is off."""
    _switch(tools, district, reason, to_enabled=True)


@districts.command("off")
@click.argument("district")
@click.option("--reason", required=True, help="Why; the record keeps it.")
@click.pass_obj
def off(tools: Tools, district: str, reason: str) -> None:
    """Silence DISTRICT and everything below it, from the next call on."""
    _switch(tools, district, reason, to_enabled=False)


def _switch(tools: Tools, district: str, reason: str, *, to_enabled: bool) -> None:
    now = utc_now()
    parts = tools.parts()
    errand = at_the_command_line(now)
    switch_district(parts.studio.engine, parts.keys, district, errand, to_enabled=to_enabled, reason=reason)
    click.echo(f"{district} is {'on' if to_enabled else 'off'} since {now:%Y-%m-%d %H:%M:%S} UTC.")
