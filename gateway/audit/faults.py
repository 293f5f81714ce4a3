"""What can be wrong with the trail and the evidence, and the report that says it."""

from dataclasses import dataclass
from enum import Enum


class Flaw(Enum):
    """A kind of fault."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    MOVED = "moved"
    FORKED = "forked"
    CUT_OFF = "cut_off"
    HEAD = "head"
    UNKNOWN_KEY = "unknown_key"
    CHECKPOINT = "checkpoint"
    PLAY_CHANGED = "play_changed"
    PLAYS_DIFFER = "plays_differ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: rows `first` to `last` of the trail (0 where it is about none), the play or checkpoint, and words."""

    flaw: Flaw
    words: str
    first: int = 0
    last: int = 0
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was looked through and what is wrong; `untold` faults were found beyond the ones that are listed.

    `unsealed` plays were recorded by a release that did not seal them yet.
    """

    rows: int
    plays: int
    checkpoints: int
    unsealed: int
    faults: tuple[Fault, ...]
    untold: int = 0

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.faults


def rows_in_words(first: int, last: int) -> str:
    """Return `row 5` or `rows 5 to 9`."""
    return f"row {first}" if first == last else f"rows {first} to {last}"
