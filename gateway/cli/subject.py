"""`notice-gateway subject-access`."""

import json
import os
from pathlib import Path

import click

from gateway.cli.context import ERR, Tools
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.workflows.change import at_the_command_line
from gateway.workflows.disclose_line import disclose_line


@click.command("subject-access")
@click.argument("number")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.json", help="Write it to a file.")
@click.pass_obj
def subject_access(tools: Tools, *, number: str, out: Path | None) -> None:
    """Print everything that is held about the line NUMBER: orders, plays, disputes, and what was done to them.

    It is meant for the line's holder: make sure of who asks. The trail notes that it was disclosed.
    """
    found = disclose_line(tools.parts().office, E164.parse(number), at_the_command_line(utc_now()))
    text = json.dumps(found.document(), ensure_ascii=False, indent=1)
    if out is None:
        click.echo(text)
    else:
        # It names somebody: nobody else on this machine may read it, not even while it is written.
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    ERR.print(f"{len(found.orders)} orders concern this line.")
