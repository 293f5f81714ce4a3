"""The steps of a rotation in the key file: a new key that only reads, then writes, and an old one that is let go.

Each step replaces the file whole and can be taken again: what was done before is found in the file.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from gateway.privacy.errors import RotationUnderWayError
from gateway.privacy.key_file import new_master, read, write
from gateway.privacy.keys import from_text


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep the key file to this process for the length of the block. Raises RotationUnderWayError.

    The lock ends with the process, so that a killed rotation does not stand in the way of the next.
    """
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RotationUnderWayError(path=path) from error
        for draft in path.parent.glob(f".{path.name}.????????"):
            draft.unlink(missing_ok=True)  # A process that was killed while it wrote left its keys lying there.
        yield
    finally:
        os.close(descriptor)


def add_key(path: Path) -> str:
    """Add a new key that reads and does not write yet, and return its id; one that waits already is kept."""
    content = read(path)
    if content.pending:
        return content.pending
    master = new_master()
    key_id = from_text(master, source="a new key").key_id
    write(path, replace(content, masters={**content.masters, key_id: master}, pending=key_id))
    return key_id


def activate(path: Path) -> str:
    """Let the key that waits write from now on, and return the id of the active key."""
    content = read(path)
    if content.pending:
        content = replace(content, active=content.pending, pending="")
        write(path, content)
    return content.active


def retire(path: Path, key_id: str) -> None:
    """Let go of a master key; what proves the trail and recognises secrets is kept of it."""
    content = read(path)
    if key_id not in content.masters or key_id in {content.active, content.pending}:
        return
    keys = from_text(content.masters[key_id], source=str(path))
    masters = {each: master for each, master in content.masters.items() if each != key_id}
    write(
        path,
        replace(
            content,
            masters=masters,
            retired={**content.retired, key_id: keys.audit.hex()},
            retired_secrets={**content.retired_secrets, key_id: keys.secrets.hex()},
        ),
    )
