"""What an import refused: each flaw with its row and column, and the rows themselves in a file that can be mended.

The file has the columns of the one that was imported, and four more that say what is wrong; they are passed over when
the mended file is imported in its turn. It is made in memory alone, for it speaks of people.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gateway.workflows.import_columns import ABOUT_ERRORS, Header, guarded, unguarded
from gateway.workflows.import_rows import Flaw

MOST_ERRORS = 10_000
LARGEST_ERROR_FILE = 64_000_000
_MARKS = ("\x00n", "\x00d")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """One flaw: the file's row (the heading is row 1), the column (empty for the row as a whole), what, the cure."""

    row: int
    column: str
    code: str
    what: str = field(repr=False)
    cure: str = field(repr=False)


class Refusals:
    """Collects flaws as an import finds them; beyond the most, they are counted and no more than that."""

    def __init__(self, header: Header) -> None:
        """Collect rows of a file with this heading."""
        self._places = {place: column for column, place in header.places.items()}
        self._kept = [place for place, name in enumerate(header.names) if name.casefold() not in ABOUT_ERRORS]
        self._file = io.StringIO()
        self._writer = csv.writer(self._file)
        self._writer.writerow([*(header.names[place] for place in self._kept), *ABOUT_ERRORS])
        self.errors: list[RowError] = []
        self.rows = 0
        self.flaws = 0

    def add(self, row: int, cells: Sequence[str], flaws: Iterable[Flaw]) -> None:
        """Refuse a row."""
        found = list(flaws)
        self.rows += 1
        self.flaws += len(found)
        room = max(MOST_ERRORS - len(self.errors), 0)
        self.errors.extend(
            RowError(row=row, column=each.column, code=each.code, what=each.what, cure=each.cure)
            for each in found[:room]
        )
        if room and self._file.tell() < LARGEST_ERROR_FILE:
            kept = [self._written(place, cells[place]) if place < len(cells) else "" for place in self._kept]
            said = (
                str(row),
                "; ".join(dict.fromkeys(each.column for each in found if each.column)),
                "; ".join(each.what for each in found),
                "; ".join(dict.fromkeys(each.cure for each in found)),
            )
            self._writer.writerow([*kept, *(guarded("", each) for each in said)])

    def file(self) -> bytes:
        """Return the file of refused rows, as CSV in UTF-8 with a mark that spreadsheets know it by."""
        return self._file.getvalue().encode("utf-8-sig")

    def _written(self, place: int, cell: str) -> str:
        column = self._places.get(place, "")
        if cell.startswith(_MARKS):
            return guarded(column, cell[2:])
        return guarded(column, unguarded(column, cell))
