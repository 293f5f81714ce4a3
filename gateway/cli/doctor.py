"""`notice-gateway doctor`."""

from collections.abc import Iterator
from dataclasses import replace

import click
from rich.table import Table
from rich.text import Text

from gateway.cli.context import OUT, Tools
from gateway.clock import utc_now
from gateway.domain.errors import GatewayError
from gateway.workflows.doctor import examine_register, examine_running, examine_settings
from gateway.workflows.examine import Finding, Verdict

_STYLES = {Verdict.GOOD: "green", Verdict.WARNING: "yellow", Verdict.BAD: "red"}


@click.command()
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Check settings, signature, database, keys, prompts and voices, and say what to do. Exit code 1 if one is bad."""
    tools: Tools = ctx.obj
    findings = list(_findings(tools))
    table = Table("What", "Verdict")
    for heading in ("Found", "What to do"):
        table.add_column(heading, overflow="fold")
    for each in findings:
        verdict = Text(each.verdict.value, style=_STYLES[each.verdict])
        table.add_row(each.subject, verdict, Text(each.found), Text(each.cure))
    OUT.print(table)
    if any(each.verdict is Verdict.BAD for each in findings):
        ctx.exit(1)


def _findings(tools: Tools) -> Iterator[Finding]:
    try:
        settings = tools.settings()
    except GatewayError as error:
        yield Finding(subject="settings", verdict=Verdict.BAD, found=str(error), cure="correct it and run doctor again")
        return
    yield from examine_settings(settings, lambda: tools.signature_works(settings))
    try:
        parts = tools.parts()
    except GatewayError as error:
        yield Finding(subject="keys", verdict=Verdict.BAD, found=str(error), cure="restore the key file from backup")
        return
    except OSError as error:
        found = f"{error.filename}: {error.strerror}"
        yield Finding(subject="data folder", verdict=Verdict.BAD, found=found, cure="set NOTICE_GATEWAY_DATA_DIR")
        return
    # Looking through every order takes its time; an engine that only reads lets writers go on meanwhile.
    yield from examine_register(replace(parts.studio, engine=parts.reading), utc_now())
    yield from examine_running(settings)
