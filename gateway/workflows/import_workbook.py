"""Workbooks (.xlsx): their rows, read by python-calamine in a process with bounds of its own.

A zip declares how large its parts become, and that is checked first. It may lie, and a small file may still make a
huge sheet; so whoever opens it has a bounded memory, and dies alone.
"""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from gateway.workflows.import_columns import FileRefusedError

LARGEST_WORKBOOK = 100_000_000
LARGEST_CONTENT = 1_000_000_000
_HIGHEST_RATIO = 300
_MOST_PARTS = 2_000
_SHEET_READER = "gateway.workflows.read_sheet"


class WorkbookError(FileRefusedError):
    """{file} cannot be imported: {why}. {cure}."""

    code = "import_file"


def demand_harmless(name: str, file: BinaryIO) -> None:
    """Raise WorkbookError where a zip is no workbook, or declares more than anybody's orders need."""
    size = file.seek(0, os.SEEK_END)
    if size > LARGEST_WORKBOOK:
        why = f"a workbook may have {LARGEST_WORKBOOK // 1_000_000} MB at most"
        raise WorkbookError(file=name, why=why, cure="Save it as CSV UTF-8, or split it")
    try:
        with zipfile.ZipFile(file) as parts:
            found = parts.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise WorkbookError(file=name, why="it is a damaged zip file", cure="Save the workbook again") from error
    if "xl/workbook.xml" not in {each.filename for each in found}:
        cure = "Give a workbook (.xlsx) or a text table (.csv), not an archive of files"
        raise WorkbookError(file=name, why="it is a zip file and no workbook", cure=cure)
    declared = sum(each.file_size for each in found)
    if declared > LARGEST_CONTENT or declared > size * _HIGHEST_RATIO or len(found) > _MOST_PARTS:
        why = f"it would unpack to {declared:,} bytes in {len(found)} parts, which no table of orders does"
        raise WorkbookError(file=name, why=why, cure="Copy the rows into a new workbook, or save them as CSV UTF-8")


def workbook_rows(name: str, content: bytes) -> Iterator[list[str]]:
    """Yield the rows of the first sheet that is not hidden; numbers and dates are marked as such. Raises WorkbookError.

    A row that is wholly empty is an empty row, so that counting them gives the row's number in the sheet.
    """
    command = [sys.executable, "-I", "-m", _SHEET_READER]
    # The content goes through memory alone: a temporary file would hold names and numbers in the clear.
    descriptor = os.memfd_create("workbook")
    try:
        with open(descriptor, "r+b", closefd=False) as file:
            file.write(content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        process = subprocess.Popen(  # noqa: S603  (this interpreter and a module of this package)
            command, stdin=descriptor, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"LANG": "C.UTF-8"}
        )
    finally:
        os.close(descriptor)
    with process:
        try:
            yield from _rows(name, process)
        finally:
            process.kill()


def _rows(name: str, process: subprocess.Popen[bytes]) -> Iterator[list[str]]:
    if process.stdout is None:
        raise WorkbookError(file=name, why="its reader could not be started", cure="Try again")
    for line in process.stdout:
        read = json.loads(line)
        if isinstance(read, str):
            raise WorkbookError(file=name, why=read, cure="Save the workbook again, or save it as CSV UTF-8")
        if read is None:
            return
        yield read
    why = "it takes more memory or time than a table of orders does"
    raise WorkbookError(file=name, why=why, cure="Copy the rows into a new workbook, or save them as CSV UTF-8")
