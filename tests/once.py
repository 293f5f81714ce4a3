"""What is made once for all test processes of a run, by whichever asks first; the others wait for it and share it."""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, worker_id: str, name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder that `make` has made: one for all of xdist's workers, which nobody changes.

    A draft gets its name when it is whole: who finds it after a failure makes it anew.
    """
    base = factory.getbasetemp()
    root = base if worker_id == "master" else base.parent
    made, draft = root / name, root / f"{name}.draft"
    with _only_one(root / f"{name}.lock"):
        if not made.exists():
            shutil.rmtree(draft, ignore_errors=True)
            make(draft)
            draft.rename(made)
    return made


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
