"""Make the day's checkpoint of the trail: a signed file to be kept elsewhere, noted in the trail itself."""

from dataclasses import dataclass
from datetime import UTC, date, timedelta
from pathlib import Path

from sqlalchemy import Engine, func, select

from gateway.audit.checkpoint import (
    Checkpoint,
    CheckpointError,
    Statement,
    file_of,
    files_in,
    keep,
    public_key_of,
    read_file,
    sign,
)
from gateway.audit.daybook import past_days
from gateway.audit.tables import trail
from gateway.audit.tags import Tag
from gateway.audit.trail import head_of
from gateway.privacy.ring import KeyRing
from gateway.workflows.change import Errand, change


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A checkpoint and its file; `is_new` is False where the day had one already."""

    checkpoint: Checkpoint
    path: Path
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Where checkpoints come from and go: the engines that write and read, the keys, and the folder of checkpoints."""

    office: Engine
    reading: Engine
    keys: KeyRing
    folder: Path


def checkpoint_of_the_day(ledger: Ledger, errand: Errand) -> Made:
    """Make the checkpoint of today (UTC) unless there is one; two processes at once make one. Raises OSError."""
    path = file_of(ledger.folder, errand.at.astimezone(UTC).date())
    if path.exists():
        return Made(checkpoint=read_file(path), path=path, is_new=False)
    try:
        return checkpoint_to(ledger, path, errand)
    except FileExistsError:
        return Made(checkpoint=read_file(path), path=path, is_new=False)


def checkpoint_to(ledger: Ledger, path: Path, errand: Errand) -> Made:
    """Make a checkpoint now, in a new file. Raises FileExistsError, OSError.

    It states what is there before its own entry in the trail. Where the file cannot be written, there is no entry.
    """
    checkpoint = sign(_statement(ledger, errand), ledger.keys.active, source=path.name)
    stated = checkpoint.statement
    with change(ledger.office, ledger.keys, errand) as under_way:
        under_way.note(
            Tag.CHECKPOINT,
            f"checkpoint_{stated.at:%Y-%m-%d}",
            seq=stated.seq,
            seal=stated.seal.hex(),
            count=stated.count,
            public_key=checkpoint.public_key,
        )
        keep(checkpoint, path)
    return Made(checkpoint=checkpoint, path=path, is_new=True)


def _statement(ledger: Ledger, errand: Errand) -> Statement:
    with ledger.reading.connect() as connection:
        seq, seal = head_of(connection)
        return Statement(
            at=errand.at,
            seq=seq,
            seal=seal,
            count=connection.execute(select(func.count()).select_from(trail)).scalar_one(),
            evidence=past_days(connection, _open_since(ledger), errand.at),
        )


def _open_since(ledger: Ledger) -> date | None:
    """Return the first day that no checkpoint of ours has stated for good; None where none has stated any."""
    ours = {public_key_of(keys) for keys in ledger.keys.known}
    for path in reversed(files_in(ledger.folder)):
        try:
            before = read_file(path)
        except CheckpointError:
            continue  # `audit verify` names it; the days are stated once more.
        if before.public_key in ours and before.is_signed:
            return before.statement.at.astimezone(UTC).date() - timedelta(days=1)
    return None
