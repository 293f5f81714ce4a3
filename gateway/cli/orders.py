"""`notice-gateway orders`."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from gateway.cli.context import OUT, Tools
from gateway.clock import utc_now
from gateway.domain.e164 import E164, mask
from gateway.domain.subject import NaturalPerson, Organisation, Subject, kind_of
from gateway.register import orders as register
from gateway.register.identifiers import read_identifier
from gateway.register.notices import Officers
from gateway.register.orders import Line, OrderEntry
from gateway.workflows.end_order import lift_order, suspend_order
from gateway.workflows.issue_order import OrderDraft, issue_order, read_authority
from gateway.workflows.publish_notice import Recording, Source, Text, Wanted

_WIDTH = 100


@click.group()
def orders() -> None:
    """Issue, list, suspend and lift orders."""


@orders.command()
@click.option("--court", required=True, help="The court's id, as `districts list` shows it.")
@click.option("--district", required=True, help="The district's id.")
@click.option("--case", "case_number", required=True, help="The court's docket number.")
@click.option("--organisation", help="The organisation's registered name (publication order: callers hear it).")
@click.option("--identifier", metavar="SCHEME:ID", help="Its registry identifier: lei, uscc, siren, ein, company_gb.")
@click.option("--legal-form", default="", help="As the register gives it (Inc., SARL); for lei, siren and ein.")
@click.option("--person", help="The natural person's name (service order: only the person hears it).")
@click.option("--line", "lines", multiple=True, required=True, metavar="NUMBER[@ZONE]", help="A line. Repeatable.")
@click.option("--language", "languages", multiple=True, default=("en",), show_default=True, help="In playing order.")
@click.option("--text", "texts", multiple=True, metavar="LANGUAGE=TEXT", help="Own words for the notice. Repeatable.")
@click.option("--recording", "recordings", multiple=True, metavar="LANGUAGE=FILE", help="Own recording. Repeatable.")
@click.option("--authority", required=True, type=click.Path(path_type=Path), help="The signed order, a PDF.")
@click.option("--legal-basis", required=True, help="The law that allows it.")
@click.option("--drafted-by", required=True, help="The officer who drafted it.")
@click.option("--approved-by", required=True, help="The second officer, who approved it.")
@click.option("--valid-days", default=90.0, show_default=True, type=click.FloatRange(0.001, 400), help="How long.")
@click.pass_obj
def issue(  # noqa: PLR0913  (one parameter for each option is how click hands them over)
    tools: Tools,
    *,
    court: str,
    district: str,
    case_number: str,
    organisation: str | None,
    identifier: str | None,
    legal_form: str,
    person: str | None,
    lines: tuple[str, ...],
    languages: tuple[str, ...],
    texts: tuple[str, ...],
    recordings: tuple[str, ...],
    authority: Path,
    legal_basis: str,
    drafted_by: str,
    approved_by: str,
    valid_days: float,
) -> None:
    """Put an approved order with its notices in the register.

    An organisation is warned on its own line for the court's warning period, and only then do its callers hear the
    notice. A natural person's order is told to nobody but that person, on the person's own leg, after key 1.

    \b
    Examples:
      notice-gateway orders issue --court lakeside --district lakeside-north --case 2026-CV-7 \\
        --organisation "Example Haulage Inc" --identifier ein:12-3456789 --legal-form Inc. \\
        --line +12025550160 \\
        --authority order.pdf --legal-basis "Rule 69" --drafted-by clerk --approved-by judge
      notice-gateway orders issue --court lakeside --district lakeside-north --case 2026-SV-8 \\
        --person "A. Person" --line +12025550161@America/New_York --language en --language zh \\
        --authority order.pdf --legal-basis "Rule 4" --drafted-by clerk --approved-by judge
    """  # noqa: D301  (the backslash is click's own mark for a paragraph that keeps its lines)
    subject = _subject(organisation, identifier, legal_form, person)
    content = _content(texts, recordings)
    draft = OrderDraft(
        court_id=court,
        district_id=district,
        case_number=case_number,
        subject=subject,
        lines=tuple(_line(each) for each in lines),
        authority=read_authority(authority, legal_basis),
        officers=Officers(added_by=drafted_by, approved_by=approved_by),
        valid_for=timedelta(days=valid_days),
        wanted=Wanted(languages=(*languages, *(each for each in content if each not in languages)), content=content),
    )
    now = utc_now()
    order = issue_order(tools.parts().studio, draft, now)
    state = order.state_at(now).value.replace("_", " ")
    click.echo(f"{order.order_id} is {state}; in force from {order.in_force_from:%Y-%m-%d %H:%M} UTC.")


@orders.command()
@click.argument("order")
@click.pass_obj
def lift(tools: Tools, order: str) -> None:
    """End ORDER for good: no call after this command has returned plays its notice."""
    now = utc_now()
    parts = tools.parts()
    lifted = lift_order(parts.studio.engine, parts.keys, order, now)
    click.echo(f"{lifted.order_id} is lifted since {lifted.lifted_at:%Y-%m-%d %H:%M:%S} UTC.")


@orders.command()
@click.argument("order")
@click.pass_obj
def suspend(tools: Tools, order: str) -> None:
    """Silence ORDER without ending it: no call after this command has returned plays its notice."""
    now = utc_now()
    parts = tools.parts()
    suspended = suspend_order(parts.studio.engine, parts.keys, order, now)
    click.echo(f"{suspended.order_id} is suspended since {suspended.suspended_at:%Y-%m-%d %H:%M:%S} UTC.")


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


def _subject(organisation: str | None, identifier: str | None, legal_form: str, person: str | None) -> Subject:
    if (organisation is None) == (person is None):
        raise click.UsageError("give either --organisation with --identifier, or --person")
    if person is not None:
        if identifier is not None:
            raise click.UsageError("--identifier belongs to --organisation; a natural person has none")
        return NaturalPerson(name=person)
    if organisation is None or identifier is None or ":" not in identifier:
        raise click.UsageError("--organisation needs --identifier SCHEME:ID, for example ein:12-3456789")
    scheme, _, text = identifier.partition(":")
    return Organisation(name=organisation, identifier=read_identifier(scheme, text, legal_form))


def _line(text: str) -> Line:
    number, _, zone = text.partition("@")
    return Line(number=E164.parse(number), zone=zone)


def _content(texts: tuple[str, ...], recordings: tuple[str, ...]) -> dict[str, Source]:
    content: dict[str, Source] = {}
    for given, make in ((texts, _text), (recordings, _recording)):
        for each in given:
            language, equals, value = each.partition("=")
            if not equals or not value:
                raise click.UsageError(f"{each!r} is not LANGUAGE=...; write for example en=notice.wav")
            if language in content:
                raise click.UsageError(f"two contents are given for {language}; give one")
            content[language] = make(value)
    return content


def _text(value: str) -> Source:
    return Text(text=value)


def _recording(value: str) -> Source:
    return Recording(path=Path(value))
