"""The file that orders are imported from: what it is by its content, in which encoding, and its rows one by one.

It is streamed once to find out what it is, and once for its rows; neither holds more than a portion of it in memory.
"""

import codecs
import csv
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import BinaryIO

from gateway.workflows.import_columns import FileRefusedError, score
from gateway.workflows.import_workbook import LARGEST_WORKBOOK, demand_harmless, workbook_rows

LARGEST_FILE = 500_000_000
LONGEST_LINE = 1_000_000
MOST_ROWS = 1_000_000
_CHUNK = 1 << 20
_HEAD = 8
_ZIP, _OLD_OFFICE, _PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DELIMITERS = (",", ";", "\t")


class ImportFileError(FileRefusedError):
    """{file} cannot be imported: {why}. {cure}."""

    code = "import_file"


class FileKind(Enum):
    """What a file is, by its content."""

    CSV = "csv"
    WORKBOOK = "xlsx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file: `opened` gives its content from the beginning, each time it is called."""

    name: str
    opened: Callable[[], BinaryIO] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a file turned out to be; `lines` is about how many rows there are, for a progress bar."""

    kind: FileKind
    encoding: str
    sha256: str
    size: int
    lines: int


def survey(source: Source) -> Survey:
    """Read the whole file once and say what it is. Raises ImportFileError."""
    with source.opened() as file:
        head = file.read(_HEAD)
        _refuse_by_content(source.name, head)
        if head.startswith(_ZIP):
            return _survey_workbook(source.name, head, file)
        return _survey_text(source.name, head, file)


def rows_of(source: Source, found: Survey) -> Iterator[list[str]]:
    """Yield every row as it is, the heading first; an empty line is an empty row. Raises ImportFileError."""
    if found.kind is FileKind.WORKBOOK:
        with source.opened() as file:
            yield from workbook_rows(source.name, file.read(found.size))
        return
    with source.opened() as raw, io.TextIOWrapper(raw, encoding=found.encoding, newline="") as text:
        delimiter = _delimiter(text)
    # Opened anew, and not wound back: a file in the vault is a stream.
    with source.opened() as raw, io.TextIOWrapper(raw, encoding=found.encoding, newline="") as text:
        yield from _csv_rows(source.name, text, delimiter)


def _refuse_by_content(name: str, head: bytes) -> None:
    if not head:
        raise ImportFileError(file=name, why="it is empty", cure="Give a file with a heading row and orders below it")
    if head.startswith(_OLD_OFFICE):
        why = "it is a workbook of the old kind (.xls), or one with a password"
        raise ImportFileError(file=name, why=why, cure="Save it as .xlsx without a password, or as CSV UTF-8")
    if head.startswith(_PDF):
        cure = "Give the table as .csv or .xlsx; the signed order itself goes with --authority"
        raise ImportFileError(file=name, why="it is a PDF", cure=cure)
    if head.startswith(_UTF_16):
        raise ImportFileError(file=name, why="it is encoded as UTF-16", cure="Save it as CSV UTF-8 and import that")


def _survey_workbook(name: str, head: bytes, file: BinaryIO) -> Survey:
    content = head + file.read(LARGEST_WORKBOOK)
    demand_harmless(name, io.BytesIO(content))
    sha256 = hashlib.sha256(content).hexdigest()
    return Survey(kind=FileKind.WORKBOOK, encoding="", sha256=sha256, size=len(content), lines=0)


def _survey_text(name: str, head: bytes, file: BinaryIO) -> Survey:
    digest, size, lines, length = hashlib.sha256(), 0, 0, 0
    guess = _Encodings()
    chunk = head
    while chunk:
        digest.update(chunk)
        size += len(chunk)
        _demand_size(name, size)
        if b"\x00" in chunk:
            cure = "It is no text file, or was damaged: save it again as CSV UTF-8"
            raise ImportFileError(file=name, why="it holds NUL bytes", cure=cure)
        broken = chunk.replace(b"\r", b"\n")
        first, last = broken.find(b"\n"), broken.rfind(b"\n")
        if length + (len(broken) if first < 0 else first) > LONGEST_LINE:
            why = f"line {lines + 1} is longer than {LONGEST_LINE:,} bytes"
            raise ImportFileError(file=name, why=why, cure="Put each order on a line of its own")
        length = length + len(broken) if last < 0 else len(broken) - last - 1
        lines += chunk.count(b"\n") or broken.count(b"\n")
        guess.feed(chunk, last=False)
        chunk = file.read(_CHUNK)
    guess.feed(b"", last=True)
    if guess.encoding is None:
        why = "it is neither UTF-8 nor GB18030"
        raise ImportFileError(file=name, why=why, cure="Save it as CSV UTF-8 and import that")
    return Survey(kind=FileKind.CSV, encoding=guess.encoding, sha256=digest.hexdigest(), size=size, lines=lines)


def _demand_size(name: str, size: int) -> None:
    if size > LARGEST_FILE:
        why = f"it is larger than {LARGEST_FILE // 1_000_000} MB"
        raise ImportFileError(file=name, why=why, cure="Split it into several files")


class _Encodings:
    """Tries UTF-8 and GB18030 on the same stream; the first that reads all of it is the one."""

    def __init__(self) -> None:
        self._left = {name: codecs.getincrementaldecoder(name)() for name in ("utf-8", "gb18030")}
        self._pure = True

    def feed(self, chunk: bytes, *, last: bool) -> None:
        """Read on. Pure ASCII is the same in both, so long as nothing else came before it."""
        self._pure = self._pure and chunk.isascii()
        if self._pure:
            return
        for name, decoder in tuple(self._left.items()):
            try:
                decoder.decode(chunk, last)
            except UnicodeDecodeError:
                del self._left[name]

    @property
    def encoding(self) -> str | None:
        """Return the encoding, or None where it is neither."""
        first = next(iter(self._left), None)
        return "utf-8-sig" if first == "utf-8" else first


def _csv_rows(name: str, text: io.TextIOWrapper, delimiter: str) -> Iterator[list[str]]:
    # Strict: a quotation mark that is never closed would otherwise swallow every row behind it.
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    try:
        for number, row in enumerate(reader):
            if number > MOST_ROWS:
                why = f"it has more than {MOST_ROWS:,} rows"
                raise ImportFileError(file=name, why=why, cure="Split it into several files")
            yield row
    except csv.Error as error:
        why = f"in line {reader.line_num} a quotation mark is not where one may be ({error})"
        cure = 'Put a text with quotation marks in quotation marks, and double those within: "the ""Sea"" Inc."'
        raise ImportFileError(file=name, why=why, cure=cure) from error


def _delimiter(text: io.TextIOWrapper) -> str:
    """Take the delimiter that makes the most headings of the first line that is not empty."""
    heading = next((line for line in text if line.strip()), "")
    return max(_DELIMITERS, key=lambda each: score(heading.replace('"', "").split(each)))
