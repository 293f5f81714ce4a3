"""Read the first sheet of a workbook on standard input and print its rows: a program, started by `import_workbook`.

Each line is JSON: a list for a row, a text for what is wrong, null at the end. Who ends without it was stopped.
"""

import datetime as dt
import io
import json
import resource
import sys
from collections.abc import Iterator

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

_MEMORY_BYTES = 3 << 30
_CPU_SECONDS = 300
_NUMBER, _DATE = "\x00n", "\x00d"
Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta


def main() -> None:
    """Apply the bounds to this process, for good, and print the rows."""
    for kind, most in (
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    out = sys.stdout
    try:
        for row in _rows(sys.stdin.buffer.read()):
            out.write(json.dumps(row) + "\n")
    except CalamineError as error:
        out.write(json.dumps(f"it cannot be read ({type(error).__name__})") + "\n")
    else:
        out.write("null\n")
    out.flush()


def _rows(content: bytes) -> Iterator[list[str]]:
    with CalamineWorkbook.from_object(io.BytesIO(content)) as book:
        seen = [each.name for each in book.sheets_metadata if each.visible == SheetVisibleEnum.Visible]
        sheet = book.get_sheet_by_name(seen[0] if seen else book.sheet_names[0])
        for row in sheet.iter_rows():
            cells = [_text(cell) for cell in row]
            yield cells if any(cells) else []


def _text(cell: Cell) -> str:
    match cell:
        case str():
            return cell.replace("\x00", "")
        case bool():
            return "TRUE" if cell else "FALSE"
        case int() | float():
            whole = isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15  # noqa: PLR2004  (exact in a double)
            return f"{_NUMBER}{int(cell) if whole else cell}"
        case dt.datetime() | dt.date() | dt.time():
            return f"{_DATE}{cell.isoformat()}"
        case _:
            return f"{_DATE}{cell}"


if __name__ == "__main__":
    main()
