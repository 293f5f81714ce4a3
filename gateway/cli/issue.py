"""`notice-gateway orders issue`: an order put in the register at once, for two officers who are named."""

from datetime import timedelta
from pathlib import Path

import click

from gateway.cli.context import Tools
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.domain.rights import Right
from gateway.domain.subject import NaturalPerson, Organisation, Subject
from gateway.register.identifiers import read_identifier
from gateway.register.lines import Line
from gateway.register.notices import Officers
from gateway.workflows.access import demand_district
from gateway.workflows.change import Errand, at_the_command_line
from gateway.workflows.issue_order import OrderDraft, issue_order, read_authority
from gateway.workflows.keep_document import keep_document
from gateway.workflows.officers import officer_named
from gateway.workflows.publish_notice import Recording, Source, Text, Wanted


@click.command()
@click.option("--court", required=True, help="The court's id, as `districts list` shows it.")
@click.option("--district", required=True, help="The district's id.")
@click.option("--case", "case_number", required=True, help="The court's docket number.")
@click.option("--organisation", help="The organisation's registered name (publication order: callers hear it).")
@click.option("--identifier", metavar="SCHEME:ID", help="Its registry identifier: lei, uscc, siren, ein, company_gb.")
@click.option("--legal-form", default="", help="As the register gives it (Inc., SARL); for lei, siren and ein.")
@click.option("--person", help="The natural person's name (service order: only the person hears it).")
@click.option("--line", "lines", multiple=True, required=True, metavar="NUMBER[@ZONE]", help="A line. Repeatable.")
@click.option("--line-evidence", default="", help="Where the organisation publishes the line, and when that was seen.")
@click.option("--language", "languages", multiple=True, default=("en",), show_default=True, help="In playing order.")
@click.option("--text", "texts", multiple=True, metavar="LANGUAGE=TEXT", help="Own words for the notice. Repeatable.")
@click.option("--recording", "recordings", multiple=True, metavar="LANGUAGE=FILE", help="Own recording. Repeatable.")
@click.option("--authority", required=True, type=click.Path(path_type=Path), help="The signed order, a PDF.")
@click.option("--legal-basis", required=True, help="The law that allows it.")
@click.option("--drafted-by", required=True, metavar="LOGIN", help="The officer who drafted it.")
@click.option("--approved-by", required=True, metavar="LOGIN", help="The second officer, who approved it.")
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
    line_evidence: str,
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
        --line +12025550160 --line-evidence "www.example.com/contact, 20 Nov 2026" \\
        --authority order.pdf --legal-basis "Rule 69" --drafted-by clerk --approved-by judge
      notice-gateway orders issue --court lakeside --district lakeside-north --case 2026-SV-8 \\
        --person "A. Person" --line +12025550161@America/New_York --language en --language zh \\
        --authority order.pdf --legal-basis "Rule 4" --drafted-by clerk --approved-by judge
    """  # noqa: D301  (the backslash is click's own mark for a paragraph that keeps its lines)
    subject = _subject(organisation, identifier, legal_form, person)
    content = _content(texts, recordings)
    parts, now = tools.parts(), utc_now()
    drafter, approver = (officer_named(parts.office.engine, parts.keys, each) for each in (drafted_by, approved_by))
    draft = OrderDraft(
        court_id=court,
        district_id=district,
        case_number=case_number,
        subject=subject,
        lines=tuple(_line(each, line_evidence) for each in lines),
        authority=read_authority(authority, legal_basis),
        officers=Officers(added_by=drafter.actor_id, approved_by=approver.actor_id),
        valid_for=timedelta(days=valid_days),
        wanted=Wanted(languages=(*languages, *(each for each in content if each not in languages)), content=content),
    )
    with parts.reading.connect() as connection:
        demand_district(connection, drafter, district, Right.ORDERS_DRAFT)
        demand_district(connection, approver, district, Right.ORDERS_APPROVE)
    with authority.open("rb") as file:
        keep_document(parts.office, court, file, Errand(actor=drafter, at=now))
    order = issue_order(parts.studio, draft, at_the_command_line(now))
    state = order.state_at(now).value.replace("_", " ")
    click.echo(f"{order.order_id} is {state}; in force from {order.in_force_from:%Y-%m-%d %H:%M} UTC.")


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


def _line(text: str, evidence: str) -> Line:
    number, _, zone = text.partition("@")
    return Line(number=E164.parse(number), zone=zone, evidence=evidence)


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
