"""Verify the trail, the evidence of plays and the checkpoints; or a trail that was exported."""

from dataclasses import dataclass, replace
from pathlib import Path

from gateway.audit.checkpoint import Checkpoint, CheckpointError, files_in, read_file
from gateway.audit.export import head_of_file, lines_of, rows_of_file
from gateway.audit.faults import Fault, Flaw, Report
from gateway.audit.stored import head_in, rows_in
from gateway.audit.verification import verify, verify_rows
from gateway.db.snapshot import Reading
from gateway.privacy.ring import KeyRing


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofs:
    """What the trail is held against: the folder of checkpoints, others kept elsewhere, and public keys (hex)."""

    folder: Path
    files: tuple[Path, ...] = ()
    public_keys: tuple[str, ...] = ()


def verify_audit(reading: Reading, ring: KeyRing, proofs: Proofs) -> Report:
    """Verify a gateway's trail and evidence; `reading` shows one state of the database and holds up no writer."""
    checkpoints, unreadable = _read(proofs)
    with reading.connect() as connection:
        report = verify(connection, ring, checkpoints, proofs.public_keys)
    return replace(report, faults=(*report.faults, *unreadable))


def verify_export(path: Path, ring: KeyRing, proofs: Proofs) -> Report:
    """Verify an exported trail, away from its database. Raises ExportError, OSError."""
    checkpoints, unreadable = _read(proofs)
    report = verify_rows(lambda: rows_of_file(path), head_of_file(path), ring, checkpoints, proofs.public_keys)
    return replace(report, faults=(*report.faults, *unreadable))


def export_audit(reading: Reading, path: Path) -> int:
    """Write the trail to a new file and return how many entries it has. Raises FileExistsError, OSError."""
    written = 0
    with reading.connect() as connection, path.open("x", encoding="utf-8") as file:
        for line in lines_of(head_in(connection), rows_in(connection)):
            file.write(line)
            written += 1
    return written - 1


def _read(proofs: Proofs) -> tuple[tuple[Checkpoint, ...], tuple[Fault, ...]]:
    """Read every checkpoint; one that cannot be read is a fault. One that was asked for by name must be there."""
    found: list[Checkpoint] = []
    faults: list[Fault] = []
    for path in (*files_in(proofs.folder), *proofs.files):
        try:
            found.append(read_file(path))
        except CheckpointError as error:
            faults.append(Fault(flaw=Flaw.CHECKPOINT, words=str(error), subject=path.name))
    return tuple(found), tuple(faults)
