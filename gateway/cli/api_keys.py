"""`notice-gateway api-keys`."""

import json
from datetime import timedelta
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from gateway.cli.context import OUT, Tools
from gateway.cli.people import WIDTH, read_scope, show_scope
from gateway.clock import utc_now
from gateway.domain.rights import API_KEY_RIGHTS, COMMAND_LINE, Right
from gateway.people.api_keys import ApiKey, KeyDraft
from gateway.workflows.change import Errand
from gateway.workflows.issue_api_key import issue_api_key, list_api_keys, revoke_api_key
from gateway.workflows.people_desk import MOST_ON_A_PAGE

_RIGHTS = sorted(right.value for right in API_KEY_RIGHTS)


@click.group("api-keys")
def api_keys() -> None:
    """Issue, list and revoke the API keys of programs."""


@api_keys.command()
@click.option("--name", required=True, help="Which program it is for.")
@click.option("--right", "rights", multiple=True, required=True, type=click.Choice(_RIGHTS), help="Repeatable.")
@click.option("--at", "place", required=True, metavar="PLACE", help="everywhere, COURT or COURT/DISTRICT.")
@click.option("--days", default=90, show_default=True, type=click.IntRange(1, 366), help="How long it lasts.")
@click.pass_obj
def issue(tools: Tools, *, name: str, rights: tuple[str, ...], place: str, days: int) -> None:
    """Issue a key and print it. It is shown this once, and kept nowhere.

    \b
    Example:
      notice-gateway api-keys issue --name "payment system" --right satisfaction:report --at lakeside
    """  # noqa: D301  (the backslash is click's own mark for a paragraph that keeps its lines)
    now = utc_now()
    draft = KeyDraft(
        name=name,
        rights=frozenset(Right(each) for each in rights),
        scope=read_scope(place),
        expires_at=now + timedelta(days=days),
    )
    issued = issue_api_key(tools.parts().people_desk(), Errand(actor=COMMAND_LINE, at=now), draft)
    click.echo(f"{issued.key.key_id} expires on {issued.key.expires_at:%Y-%m-%d}. The key, shown this once:")
    click.echo(issued.token)


@api_keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.pass_obj
def list_(tools: Tools, *, as_json: bool) -> None:
    """Show every key, without its secret."""
    desk = tools.parts().people_desk()
    found: list[ApiKey] = []
    after = ""
    while True:
        page = list_api_keys(desk, COMMAND_LINE, after=after, limit=MOST_ON_A_PAGE)
        found += page.keys
        after = page.next_after
        if not after:
            break
    rows = [_row(each) for each in found]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("Key", "Name", "Place", "Rights", "State", "Until", "Last used"):
        table.add_column(heading, no_wrap=heading != "Name")
    for row in rows:
        table.add_row(
            row["key"], row["name"], row["place"], "\n".join(row["rights"]), row["state"], row["until"], row["used"]
        )
    Console(highlight=False, width=max(OUT.width, WIDTH)).print(table)


@api_keys.command()
@click.argument("key")
@click.pass_obj
def revoke(tools: Tools, *, key: str) -> None:
    """Revoke KEY: its next request is refused."""
    revoked = revoke_api_key(tools.parts().people_desk(), Errand(actor=COMMAND_LINE, at=utc_now()), key)
    click.echo(f"{revoked.key_id} is revoked.")


def _row(key: ApiKey) -> dict[str, Any]:
    expired = "expired" if utc_now() >= key.expires_at else "in force"
    return {
        "key": key.key_id,
        "name": key.name,
        "place": show_scope(key.scope),
        "rights": sorted(right.value for right in key.rights),
        "state": expired if key.revoked_at is None else "revoked",
        "until": f"{key.expires_at:%Y-%m-%d}",
        "used": f"{key.used_at:%Y-%m-%d %H:00}" if key.used_at else "",
    }
