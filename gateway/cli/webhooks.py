"""`notice-gateway webhooks`."""

import json
from datetime import datetime

import click
from rich import box
from rich.console import Console
from rich.table import Table

from gateway.cli.context import OUT, Tools
from gateway.clock import utc_now
from gateway.domain.events import Event
from gateway.domain.rights import COMMAND_LINE
from gateway.outbox.endpoints import Endpoint
from gateway.outbox.ledger import Delivery, DeliveryState
from gateway.workflows import redeliver as again
from gateway.workflows import set_up_webhook as workflow
from gateway.workflows.change import Errand
from gateway.workflows.set_up_webhook import Secreted, Wish

_WIDTH = 100
_ID_WIDTH = 28


@click.group()
def webhooks() -> None:
    """Tell courts' own systems what happens, by signed webhooks (https://www.standardwebhooks.com).

    A message is sent until it is answered with 200 to 299: ten times within some three days, then its delivery is dead
    until `redeliver` is run. It may come twice (the webhook-id says so) and in any order.
    """


@webhooks.command()
@click.argument("url")
@click.option("--court", required=True, help="The court that is told.")
@click.option(
    "--event", "events", multiple=True, type=click.Choice([each.value for each in Event]), help="Only this. Repeatable."
)
@click.pass_obj
def add(tools: Tools, *, url: str, court: str, events: tuple[str, ...]) -> None:
    """Send a court's messages to URL, which is https, or http to this machine itself. Prints the secret, once."""
    chosen = [Event(each) for each in events]
    _show_secret(workflow.add_webhook(tools.parts().office, court, url, chosen, _errand()))


@webhooks.command("list")
@click.option("--court", required=True, help="The court that is told.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.pass_obj
def list_(tools: Tools, *, court: str, as_json: bool) -> None:
    """Show where a court is told of what."""
    found = workflow.webhooks_of(tools.parts().office, court, COMMAND_LINE)
    if as_json:
        click.echo(json.dumps([_endpoint_row(each) for each in found]))
        return
    table = _table("Endpoint", "State", "Events", "URL")
    for each in found:
        events = ", ".join(sorted(event.value for event in each.events)) or "all"
        table.add_row(each.endpoint_id, "on" if each.enabled else "disabled", events, each.url)
    _print(table)


@webhooks.command()
@click.argument("endpoint")
@click.option("--url", help="The new URL.")
@click.option("--event", "events", multiple=True, type=click.Choice([each.value for each in Event]), help="Only these.")
@click.option("--all-events", is_flag=True, help="All events, of later releases too.")
@click.pass_obj
def change(tools: Tools, *, endpoint: str, url: str | None, events: tuple[str, ...], all_events: bool) -> None:
    """Change where ENDPOINT is or what it is told of."""
    if all_events and events:
        raise click.UsageError("give either --event or --all-events")
    if not (url or events or all_events):
        raise click.UsageError("say what to change: --url, --event or --all-events")
    chosen = frozenset(Event(each) for each in events) if events or all_events else None
    workflow.change_webhook(tools.parts().office, endpoint, Wish(url=url, events=chosen), _errand())
    click.echo(f"{endpoint} is changed.")


@webhooks.command()
@click.argument("endpoint")
@click.pass_obj
def disable(tools: Tools, endpoint: str) -> None:
    """Send nothing to ENDPOINT. What waits for it goes on waiting; what happens meanwhile it is not told."""
    workflow.change_webhook(tools.parts().office, endpoint, Wish(enabled=False), _errand())
    click.echo(f"{endpoint} is disabled.")


@webhooks.command()
@click.argument("endpoint")
@click.pass_obj
def enable(tools: Tools, endpoint: str) -> None:
    """Send to ENDPOINT again, what waits for it first."""
    workflow.change_webhook(tools.parts().office, endpoint, Wish(enabled=True), _errand())
    click.echo(f"{endpoint} is on.")


@webhooks.command()
@click.argument("endpoint")
@click.pass_obj
def remove(tools: Tools, endpoint: str) -> None:
    """Remove ENDPOINT with its URL and secret. What waits for it is dropped."""
    workflow.remove_webhook(tools.parts().office, endpoint, _errand())
    click.echo(f"{endpoint} is removed.")


@webhooks.command("rotate-secret")
@click.argument("endpoint")
@click.pass_obj
def rotate_secret(tools: Tools, endpoint: str) -> None:
    """Give ENDPOINT a new secret and print it, once. For 24 hours messages are signed with both."""
    _show_secret(workflow.rotate_secret(tools.parts().office, endpoint, _errand()))


@webhooks.command()
@click.argument("endpoint")
@click.option("--state", type=click.Choice([each.value for each in DeliveryState]), help="Only those.")
@click.option("--most", default=again.PAGE, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.pass_obj
def deliveries(tools: Tools, *, endpoint: str, state: str | None, most: int, as_json: bool) -> None:
    """Show what was sent to ENDPOINT and what came of it, the newest first."""
    wanted = DeliveryState(state) if state else None
    found = again.deliveries_of(tools.parts().office, endpoint, COMMAND_LINE, state=wanted, most=most)
    if as_json:
        click.echo(json.dumps([_delivery_row(each) for each in found]))
        return
    table = _table("Delivery", "Event", "State", "Attempts", "Answer", "Last attempt", "Next attempt")
    for each in found:
        answer = str(each.last_status or each.last_error or "")
        following = each.due_at if each.state is DeliveryState.WAITING else None
        attempts = (str(each.attempts), answer, _shown(each.last_attempt_at), _shown(following))
        table.add_row(each.delivery_id, each.event, each.state.value, *attempts)
    _print(table)


@webhooks.command()
@click.argument("delivery", required=False)
@click.option("--dead-of", metavar="ENDPOINT", help="Every dead delivery of this endpoint.")
@click.pass_obj
def redeliver(tools: Tools, *, delivery: str | None, dead_of: str | None) -> None:
    """Send DELIVERY again, or all that are dead: the same message with the same id."""
    if (delivery is None) == (dead_of is None):
        raise click.UsageError("give either a DELIVERY or --dead-of ENDPOINT")
    office = tools.parts().office
    if delivery is not None:
        again.redeliver(office, delivery, _errand())
        click.echo(f"{delivery} is sent again within a second, where a worker runs.")
    elif dead_of is not None:
        count = again.redeliver_dead(office, dead_of, _errand())
        click.echo(f"{count} dead deliveries are sent again, where a worker runs.")


def _errand() -> Errand:
    return Errand(actor=COMMAND_LINE, at=utc_now())


def _show_secret(made: Secreted) -> None:
    click.echo(f"endpoint  {made.endpoint.endpoint_id}")
    click.echo(f"secret    {made.secret}")
    click.echo("Give the secret to who verifies the messages. It is not shown again.", err=True)


def _endpoint_row(endpoint: Endpoint) -> dict[str, object]:
    return {
        "endpoint": endpoint.endpoint_id,
        "court": endpoint.court_id,
        "url": endpoint.url,
        "events": sorted(each.value for each in endpoint.events),
        "enabled": endpoint.enabled,
        "added_by": endpoint.added_by,
        "added_at": _written(endpoint.added_at),
        "previous_secret_until": _written(endpoint.previous_until),
    }


def _delivery_row(delivery: Delivery) -> dict[str, object]:
    return {
        "delivery": delivery.delivery_id,
        "message": delivery.message_id,
        "event": delivery.event,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "status": delivery.last_status,
        "error": delivery.last_error,
        "last_attempt_at": _written(delivery.last_attempt_at),
        "due_at": _written(delivery.due_at),
    }


def _written(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")


def _shown(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M}"


def _table(first: str, *headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    # An id that is cut in two cannot be copied, and a URL that is cut short is of no use: a narrow terminal wraps.
    table.add_column(first, no_wrap=True, min_width=_ID_WIDTH)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _print(table: Table) -> None:
    Console(highlight=False, width=max(OUT.width, _WIDTH)).print(table)
