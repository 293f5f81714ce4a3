"""`notice-gateway audit`."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.assembly import Parts
from gateway.audit.faults import Report
from gateway.audit.reading import TrailEntry, TrailQuery, entries
from gateway.audit.tags import Tag
from gateway.cli.context import Tools
from gateway.clock import utc_now
from gateway.domain.rights import COMMAND_LINE, Right
from gateway.workflows.change import Errand
from gateway.workflows.checkpoint_audit import Ledger, checkpoint_of_the_day, checkpoint_to
from gateway.workflows.verify_audit import Proofs, export_audit, verify_audit, verify_export

_TAGS = click.Choice([tag.value for tag in Tag])
_FILE = click.Path(dir_okay=False, path_type=Path)
_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
_TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def audit() -> None:
    """Read the trail of what was done, and prove that nobody has changed it."""


@audit.command("list")
@click.option("--since", type=_TIME, help="From this time on (UTC).")
@click.option("--until", type=_TIME, help="Before this time (UTC).")
@click.option("--court", default="", help="Of one court, by its id.")
@click.option("--subject", default="", help="About one thing, by its id: an order, a line, a person...")
@click.option("--tag", type=_TAGS, metavar="TAG", help="Of one kind, for example office:order:lifted.")
@click.option("--actor", default="", help="By one actor, by its id.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="So many, newest first.")
@click.option("--after", type=click.IntRange(0), default=0, help="Go on behind this entry, by its number.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.pass_obj
def list_(tools: Tools, /, *, since: datetime | None, until: datetime | None, as_json: bool, **filters: object) -> None:
    """Show what was done, newest first: number, time (UTC), kind, what it was done to, and by whom."""
    query = _query(since, until, filters)
    with tools.parts().reading.connect() as connection:
        found = entries(connection, query)
    if as_json:
        click.echo(json.dumps([_document(each) for each in found], ensure_ascii=False))
        return
    for each in found:
        where = f" in court {each.court_id}" if each.court_id else ""
        click.echo(f"{each.seq:>8}  {each.at:%Y-%m-%d %H:%M:%S}  {each.tag}  {each.subject_id}{where}, by {each.actor}")
        if each.details:
            click.echo(" " * 10 + ", ".join(f"{name} {value}" for name, value in each.details.items()))


@audit.command()
@click.option("--checkpoint", "checkpoints", type=_EXISTING, multiple=True, help="One kept elsewhere. Repeatable.")
@click.option("--public-key", "public_keys", multiple=True, metavar="HEX", help="One that you vouch for. Repeatable.")
@click.option("--export", "exported", type=_EXISTING, help="Verify this exported trail, away from its database.")
@click.pass_context
def verify(
    ctx: click.Context, *, checkpoints: tuple[Path, ...], public_keys: tuple[str, ...], exported: Path | None
) -> None:
    """Look for rows changed, removed, inserted or reordered, and say which. Exit code 1 where there is a fault."""
    tools: Tools = ctx.obj
    parts = tools.parts()
    keys = tuple(key.lower() for key in public_keys)
    proofs = Proofs(folder=parts.settings.checkpoints_dir, files=checkpoints, public_keys=keys)
    if exported is None:
        report = verify_audit(parts.reading, parts.keys, proofs)
    else:
        report = verify_export(exported, parts.keys, proofs)
    _tell(report)
    if not report.is_sound:
        ctx.exit(1)


@audit.command()
@click.option("--out", type=_FILE, help="Make one now, in this new file; without it, the day's, in the data folder.")
@click.pass_obj
def checkpoint(tools: Tools, *, out: Path | None) -> None:
    """Sign where the trail stands. Keep the file where nobody who runs this gateway can change it."""
    ledger, errand = _ledger(tools.parts()), Errand(actor=COMMAND_LINE, at=utc_now())
    if out is None:
        made = checkpoint_of_the_day(ledger, errand)
    else:
        _demand_new(out)
        made = checkpoint_to(ledger, out, errand)
    stated = made.checkpoint.statement
    click.echo(f"{made.path}: {stated.count} entries, the last is {stated.seq}, of {stated.at:%Y-%m-%d %H:%M:%S} UTC.")
    click.echo(f"public key {made.checkpoint.public_key}")
    if not made.is_new:
        click.echo("It was there already; --out FILE makes another one now.")


@audit.command()
@click.argument("file", type=_FILE)
@click.pass_obj
def export(tools: Tools, file: Path) -> None:
    """Write the whole trail to FILE, a new one: a JSON object a line. `audit verify --export FILE` checks it."""
    _demand_new(file)
    count = export_audit(tools.parts().reading, file)
    click.echo(f"{file}: {count} entries.")


def _query(since: datetime | None, until: datetime | None, filters: dict[str, object]) -> TrailQuery:
    tag = filters["tag"]
    return TrailQuery(
        reach=COMMAND_LINE.reach(Right.AUDIT_READ),
        since=since and since.replace(tzinfo=UTC),
        until=until and until.replace(tzinfo=UTC),
        court_id=str(filters["court"]),
        subject_id=str(filters["subject"]),
        actor=str(filters["actor"]),
        tag=None if tag is None else Tag(tag),
        after_seq=int(str(filters["after"])),
        limit=int(str(filters["limit"])),
    )


def _document(entry: TrailEntry) -> dict[str, object]:
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "actor_kind": entry.actor_kind,
        "tag": entry.tag,
        "court": entry.court_id,
        "subject": entry.subject_id,
        "details": dict(entry.details),
        "key_id": entry.key_id,
        "seal": entry.seal.hex(),
    }


def _ledger(parts: Parts) -> Ledger:
    return Ledger(
        office=parts.studio.engine,
        reading=parts.reading,
        keys=parts.keys,
        folder=parts.settings.checkpoints_dir,
    )


def _tell(report: Report) -> None:
    seen = f"{report.rows} entries, {report.plays} plays, {report.checkpoints} checkpoints"
    if report.unsealed:
        seen += f" ({report.unsealed} plays are older than the trail and have no seal)"
    if report.is_sound:
        click.echo(f"Nothing is wrong: {seen}.")
        return
    for fault in report.faults:
        click.echo(f"{fault.flaw.value}: {fault.words}")
    if report.untold:
        click.echo(f"and {report.untold} more.")
    click.echo(f"{len(report.faults) + report.untold} faults in {seen}.", err=True)


def _demand_new(path: Path) -> None:
    if path.exists():
        raise click.ClickException(f"{path} is there already; give a new file, for none is written over")
