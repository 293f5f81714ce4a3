"""`notice-gateway backup` and `restore`."""

from pathlib import Path

import click
from rich.filesize import decimal

from gateway.cli.context import ERR, Tools
from gateway.clock import utc_now
from gateway.domain.errors import GatewayError
from gateway.privacy.key_file import load
from gateway.privacy.key_words import ring_of
from gateway.privacy.ring import KeyRing
from gateway.settings import Settings
from gateway.workflows.archive import KEYS, Manifest
from gateway.workflows.archive_reader import Archive, read_archive
from gateway.workflows.back_up import BackedUp, back_up
from gateway.workflows.change import at_the_command_line
from gateway.workflows.restore_backup import ForgedArchiveError, Restored, restore_backup

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--verify", is_flag=True, help="Check every hash of the backup FILE; nothing is made or restored.")
@click.option("--with-keys", is_flag=True, help="Put the key file in too: who has such a backup can read all of it.")
@click.pass_obj
def backup(tools: Tools, *, file: Path, verify: bool, with_keys: bool) -> None:
    """Write a backup of the whole gateway into the new FILE, while it goes on answering calls.

    FILE is a tar archive, readable by its owner alone: the database as it was at one instant, renditions, documents and
    checkpoints, with the SHA-256 of each. The key file is not in it; keep that in another place, for without it nobody
    can open the backup.

    \b
    Examples:
      notice-gateway backup /mnt/backups/2026-03-01.tar
      notice-gateway backup --verify /mnt/backups/2026-03-01.tar
    """  # noqa: D301  (the backslash is click's own mark for a paragraph that keeps its lines)
    if verify:
        if with_keys:
            raise click.UsageError("--verify makes no backup; leave out --with-keys")
        _verify(tools.settings(), file)
        return
    parts = tools.parts()
    made = back_up(
        parts.settings, parts.studio.engine, parts.keys, file, at_the_command_line(utc_now()), with_keys=with_keys
    )
    _say_what_was_made(file, made, with_keys=with_keys)


@click.command()
@click.argument("file", type=_FILE)
@click.option(
    "--keys", "keys", type=_FILE, metavar="KEYFILE", help="The key file that belongs to the backup; it is put in place."
)
@click.option("--as-it-was", is_flag=True, help="Leave orders in force; only where none was lifted since the backup.")
@click.pass_obj
def restore(tools: Tools, *, file: Path, keys: Path | None, as_it_was: bool) -> None:
    """Restore the backup FILE into an empty data folder and, with PostgreSQL, an empty database.

    The register does not know which orders were lifted after the backup was made. So every order that could be heard
    is suspended, and an officer resumes each after checking it. --as-it-was leaves them as they were: callers may then
    hear notices of orders that were lifted since.

    \b
    Examples:
      notice-gateway restore /mnt/backups/2026-03-01.tar --keys /mnt/keys/keys.json
    """  # noqa: D301  (the backslash is click's own mark for a paragraph that keeps its lines)
    settings = tools.settings()
    restored = restore_backup(settings, file, at_the_command_line(utc_now()), given_keys=keys, as_it_was=as_it_was)
    _say_what_was_restored(settings, restored)


def _verify(settings: Settings, file: Path) -> None:
    archive = read_archive(file)
    key_id = archive.manifest.key_id
    ring = _keys_at_hand(settings)
    click.echo(f"{file} is whole: {_described(archive.manifest)}.")
    if ring is None or key_id not in {each.key_id for each in ring.known}:
        ERR.print(
            f"Its seal was not checked, for key {key_id} is not here; restoring it needs that key.", style="yellow"
        )
        return
    _check_seal(archive, ring)
    click.echo(f"It was sealed with key {key_id}, which is here.")


def _check_seal(archive: Archive, ring: KeyRing) -> None:
    key_id = archive.manifest.key_id
    if not archive.is_sealed_with(ring.key(key_id).audit):
        raise ForgedArchiveError(path=archive.path, key_id=key_id)


def _keys_at_hand(settings: Settings) -> KeyRing | None:
    try:
        if settings.master_key is not None:
            others = settings.master_keys_previous.get_secret_value() if settings.master_keys_previous else ""
            return ring_of(settings.master_key.get_secret_value(), others)
        return load(settings.key_file)
    except GatewayError:
        return None


def _say_what_was_made(file: Path, made: BackedUp, *, with_keys: bool) -> None:
    click.echo(f"{file} holds {_described(made.manifest)}.")
    if with_keys:
        ERR.print(
            f"The key file is in it: whoever has {file} can read all of it. Guard it like the key.",
            style="bold red",
        )
    else:
        click.echo(
            f"The key {made.manifest.key_id} is not in it. Keep the key file in another place, and not only here."
        )
    if made.left_out:
        ERR.print(f"Left out, for they are none of the gateway's files: {', '.join(made.left_out)}.", style="yellow")


def _say_what_was_restored(settings: Settings, restored: Restored) -> None:
    manifest, suspended = restored.manifest, restored.suspended
    click.echo(f"{settings.data_dir} holds {_described(manifest)}.")
    since = f"{manifest.made_at:%Y-%m-%d %H:%M} UTC"
    if suspended is None:
        ERR.print(
            f"Every order is as it was: one that was lifted or suspended after {since} is heard again. Look for them.",
            style="bold red",
        )
    else:
        click.echo(
            f"{suspended.orders} orders are suspended: they may have been lifted after {since}."
            " An officer resumes each once that was checked."
        )
    if suspended is not None and suspended.unreadable:
        ERR.print(f"{suspended.unreadable} of them cannot be read; `audit verify` says more.", style="yellow")
    if restored.missing_keys:
        ERR.print(
            f"Not here, though the gateway held them then: {', '.join(restored.missing_keys)}."
            " What was written under these keys cannot be read.",
            style="yellow",
        )
    ERR.print(
        f"What happened after {since} is not known here: accounts closed, API keys revoked, keys pressed on calls,"
        " personal data purged. Go through these before you serve.",
        style="yellow",
    )


def _described(manifest: Manifest) -> str:
    kinds = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
    keys = ", with the key file" if any(each.name == KEYS for each in manifest.files) else ""
    return (
        f"the register of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC ({kinds[manifest.kind]},"
        f" {manifest.rows.get('orders', 0)} orders, trail entry {manifest.trail_seq}),"
        f" {len(manifest.files)} files, {decimal(manifest.size)}{keys}"
    )
