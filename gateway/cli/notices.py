"""`notice-gateway notices`."""

from pathlib import Path

import click

from gateway.cli.context import Tools
from gateway.clock import utc_now
from gateway.domain.notice import Purpose
from gateway.domain.rights import Right
from gateway.register.notices import Officers
from gateway.workflows.access import demand_order
from gateway.workflows.change import at_the_command_line
from gateway.workflows.officers import officer_named
from gateway.workflows.publish_notice import Recording, Source, Text, publish_notice

_PURPOSES = [each.value for each in (Purpose.PUBLIC, Purpose.WARNING, Purpose.PRIVATE)]


@click.group()
def notices() -> None:
    """Give orders their notices."""


@notices.command()
@click.argument("order")
@click.option("--purpose", required=True, type=click.Choice(_PURPOSES), help="Which notice of the order.")
@click.option("--language", required=True, help="Its language: en, zh ...")
@click.option("--text", help="What is to be spoken.")
@click.option("--recording", type=click.Path(path_type=Path), help="A wav, mp3, m4a, ogg, webm or flac file.")
@click.option("--added-by", required=True, metavar="LOGIN", help="The officer who made it.")
@click.option("--approved-by", required=True, metavar="LOGIN", help="The second officer, who approved it.")
@click.pass_obj
def add(
    tools: Tools,
    *,
    order: str,
    purpose: str,
    language: str,
    text: str | None,
    recording: Path | None,
    added_by: str,
    approved_by: str,
) -> None:
    """Replace one language of a notice of ORDER by a recording or a text, or add that language at the end.

    The recording is checked, levelled and encoded; if anything is wrong with it, the sentence says what, and the order
    keeps the notice it has. An opener to a person may only say the court's name and ask for a key, so it is always the
    template's.
    """
    source: Source
    if text is not None and recording is None:
        source = Text(text=text)
    elif recording is not None and text is None:
        source = Recording(path=recording)
    else:
        raise click.UsageError("give either --text or --recording")
    parts, now = tools.parts(), utc_now()
    author, approver = (officer_named(parts.office.engine, parts.keys, each) for each in (added_by, approved_by))
    with parts.reading.connect() as connection:
        demand_order(connection, author, order, Right.ORDERS_DRAFT)
        demand_order(connection, approver, order, Right.ORDERS_APPROVE)
    officers = Officers(added_by=author.actor_id, approved_by=approver.actor_id)
    errand = at_the_command_line(now)
    part = publish_notice(parts.studio, order, Purpose(purpose), (language, source), officers, errand)
    click.echo(f"The {purpose} notice of {order} in {language} lasts {part.rendition.seconds:.1f} s.")
