"""`notice-gateway keys`."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gateway.assembly import Parts
from gateway.cli.context import ERR, Tools
from gateway.clock import utc_now
from gateway.privacy import key_file, key_steps
from gateway.privacy.key_words import retired_word
from gateway.workflows import rotate_keys
from gateway.workflows.change import at_the_command_line
from gateway.workflows.rotate_keys import Pace, RowsLeftError, Timer

# Beyond two polls: for a worker that was busy, and for commands that were just being run.
_MARGIN_SECONDS = 2.0
_PASSES = 3


@click.group()
def keys() -> None:
    """Rotate the keys that protect the register, and let old ones go."""


@keys.command("list")
@click.pass_obj
def list_keys(tools: Tools) -> None:
    """Show the keys on the ring, and what still needs an old one."""
    parts = tools.parts()
    for each in parts.keys.known:
        click.echo(f"{each.key_id}  {'writes' if each.key_id == parts.keys.key_id else 'reads'}")
    for key_id in parts.keys.held.retired_audit:
        click.echo(f"{key_id}  retired")
    for name, count in rotate_keys.stale_rows(parts.studio.engine, parts.keys).items():
        click.echo(f"{count} rows of {name} need another key than {parts.keys.key_id}.")


@keys.command()
def new() -> None:
    """Print a new master key, for installations that keep it in the environment."""
    click.echo(key_file.new_master())


@keys.command()
@click.option("--settle", type=click.FloatRange(0, 600), help="Seconds until every worker has read a changed key file.")
@click.option("--rows", default=40, show_default=True, type=click.IntRange(1, 1000), help="Rows in one transaction.")
@click.option("--rest", default=1.0, show_default=True, type=click.FloatRange(0, 100), help="Rest, as a share of work.")
@click.pass_obj
def rotate(tools: Tools, *, settle: float | None, rows: int, rest: float) -> None:
    """Make a new key and write everything again under it, while the gateway serves.

    A command that was ended goes on where it was when it is given again. Where the master key is in the environment,
    set the new one first and restart every host twice (docs/adr/0010-key-ring.md); this command does the rest.
    """
    parts = tools.parts()
    wait = 2 * parts.settings.screen_poll_seconds + _MARGIN_SECONDS if settle is None else settle
    with ExitStack() as stack:
        if parts.settings.master_key is None:
            stack.enter_context(key_steps.alone(parts.settings.key_file))
            _change_key_file(parts, parts.settings.key_file, lambda: time.sleep(wait))
        done = _rewrite(parts, Pace(rows=rows, rest=rest))
    retire_at = utc_now() + timedelta(seconds=parts.settings.token_seconds)
    click.echo(f"{done} rows were written again under key {parts.keys.key_id}; nothing needs an older one.")
    if len(parts.keys.known) > 1:
        click.echo(f"From {retire_at:%Y-%m-%d %H:%M} UTC on, `notice-gateway keys retire` lets the old key go.")


@keys.command()
@click.option("--anyway", is_flag=True, help="Though some plays of the last 31 days then no longer count for caps.")
@click.pass_obj
def retire(tools: Tools, *, anyway: bool) -> None:
    """Let old keys go. What proves the audit trail and recognises API keys is kept of them; they open nothing more."""
    parts = tools.parts()
    engine, ring, now = parts.studio.engine, parts.keys, utc_now()
    old = ring.known[1:]
    if not old:
        click.echo("There is no old key.")
        return
    lifetime = timedelta(seconds=parts.settings.token_seconds)
    in_file = parts.settings.master_key is None
    with ExitStack() as stack:
        if in_file:
            stack.enter_context(key_steps.alone(parts.settings.key_file))
            waiting = key_file.read(parts.settings.key_file).pending
            old = tuple(each for each in old if each.key_id != waiting)
        rotate_keys.demand_unneeded(engine, ring, now, token_lifetime=lifetime, caps_begin_anew=anyway)
        for each in old:
            rotate_keys.note_retired(engine, ring, at_the_command_line(now), each.key_id)
            if in_file:
                key_steps.retire(parts.settings.key_file, each.key_id)
                click.echo(f"Key {each.key_id} is retired. Keep backups of {parts.settings.key_file} up to date.")
            else:
                click.echo(f"Key {each.key_id} is retired: in NOTICE_GATEWAY_MASTER_KEYS_PREVIOUS, put in its place")
                click.echo(retired_word(each))


def _change_key_file(parts: Parts, path: Path, settle: Callable[[], None]) -> None:
    """Make a new key known to every worker, then active; or go on with the rotation that is under way."""
    content = key_file.read(path)
    if not content.pending and (len(content.masters) > 1 or rotate_keys.stale_rows(parts.studio.engine, parts.keys)):
        ERR.print(f"Going on with the rotation to key {content.active}.")
        settle()
        return
    key_id = key_steps.add_key(path)
    ERR.print(f"Key {key_id} is in {path}: add that file to your backup of keys now.", soft_wrap=True)
    settle()
    key_steps.activate(path)
    parts.keys.replace(key_file.load(path))
    settle()


def _rewrite(parts: Parts, pace: Pace) -> int:
    """Write rows again until none is left, and note it; a row that cannot be opened ends it by name."""
    engine, ring = parts.studio.engine, parts.keys
    rotate_keys.begin(engine, ring, at_the_command_line(utc_now()))
    timer = Timer(seconds=time.monotonic, sleep=time.sleep)
    done = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERR) as progress:
        for attempt in range(_PASSES):
            task = progress.add_task("Writing again", total=None)
            before = done
            for step in rotate_keys.renew(engine, ring, timer, pace):
                progress.update(task, completed=step.done, total=step.total, description=step.table)
                done = before + step.done
                for name in step.stuck:
                    ERR.print(f"{name} cannot be written again: no key opens it, or its like is there.", style="red")
            try:
                rotate_keys.complete(engine, ring, at_the_command_line(utc_now()), rows=done)
            except RowsLeftError:
                if attempt == _PASSES - 1:
                    raise
            else:
                break
    return done
