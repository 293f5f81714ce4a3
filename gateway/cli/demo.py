"""`notice-gateway demo`."""

import sys
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gateway.cli.context import ERR, OUT, Tools
from gateway.clock import utc_now
from gateway.settings import DEMO_TOKEN
from gateway.workflows.load_demo import RealDataError, load_demo, person_in_permitted_hours, refuse_real_data
from gateway.workflows.load_demo_people import DEMO_PASSWORD, DEMO_TOTP_SECRET, PEOPLE, load_demo_people

_MARK = """This folder holds the court notice gateway's demo and nothing else.
While this file is here and no auth token is set, the gateway accepts the public token "demo-token".
"""


@click.command()
@click.pass_obj
def demo(tools: Tools) -> None:
    """Load sample courts, districts, orders and notices into an empty data folder.

    Nothing in it is real: the courts do not exist and the numbers are reserved for fiction. A folder with real data is
    refused. Running it again puts the demo back to its first state, for an order's warning period lasts three days.
    """
    settings = tools.settings()
    if not settings.is_demo and settings.database_url == "" and settings.data_dir.exists():
        strange = sorted(path.name for path in settings.data_dir.iterdir() if path != settings.sqlite_path)
        made = (settings.key_file, settings.renditions_dir, settings.screen_dir)
        known = {"register.sqlite3-wal", "register.sqlite3-shm", *(path.name for path in made)}
        foreign = [name for name in strange if name not in known]
        if foreign:
            raise RealDataError(where=settings.data_dir, what=foreign[0])
    parts = tools.prepared()
    try:
        refuse_real_data(parts.studio, str(settings.data_dir), marked=settings.is_demo)
        settings.demo_mark.write_text(_MARK, encoding="utf-8")
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=ERR) as progress:
            task = progress.add_task("Making renditions")
            for done, total, what in load_demo(parts.studio, utc_now()):
                progress.update(task, completed=done, total=total, description=what)
        load_demo_people(parts.office, utc_now())
    finally:
        parts.close()
    OUT.print(f"The demo is loaded in {settings.data_dir}. Its webhooks are signed with the token {DEMO_TOKEN!r}.")
    OUT.print("\nWhile `notice-gateway serve` runs, try from another terminal:", soft_wrap=True)
    person, city = person_in_permitted_hours(utc_now())
    for line, what in (
        ("+12025550110", "an organisation: the caller hears the notice"),
        ("+12025550111", "in its warning period: only the callee hears something"),
        (f"{person} --key 1@5", f"a person in {city}: asked in private, and presses 1"),
    ):
        OUT.print(f"  {_program()} call {line:<24} {what}", soft_wrap=True)
    OUT.print(f"\nThe API is described at {settings.public_origin}/api/v1/docs. Officers of the demo:", soft_wrap=True)
    OUT.print(f"  {', '.join(PEOPLE)}; password {DEMO_PASSWORD!r}, TOTP secret {DEMO_TOTP_SECRET}", soft_wrap=True)
    OUT.print()


def _program() -> str:
    """Return how this program was called, for commands that can be typed again."""
    path = Path(sys.argv[0])
    if path.name != "notice-gateway":
        return "notice-gateway"
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
