"""What a file is, by its content: what is read, and what is refused as a whole, with its cure."""

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from gateway.workflows.import_columns import FileRefusedError, guarded, read_header, unguarded
from gateway.workflows.import_source import LARGEST_FILE, FileKind, Source, rows_of, survey
from tests.workflows.importing import a_row, a_source, a_table, as_csv, as_workbook

GOOD = as_csv(a_table([a_row(1)]))
OPTIONAL = frozenset({"legal_basis", "document_sha256"})


def rows(content: bytes) -> list[list[str]]:
    source = a_source(content)
    return list(rows_of(source, survey(source)))


def a_zip(parts: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return content.getvalue()


def a_bomb() -> bytes:
    """A workbook of some 200 kB whose sheet unpacks to 200 MB."""
    with zipfile.ZipFile(io.BytesIO(as_workbook([["case_number"]]))) as good:
        parts = {name: good.read(name) for name in good.namelist()}
    return a_zip(parts | {"xl/worksheets/sheet1.xml": b"<x>" + b" " * 200_000_000})


def a_lying_bomb() -> bytes:
    """The same, but its directory declares a thousandth of it."""
    content = bytearray(a_bomb())
    at = 0
    size = struct.pack("<I", 200_000_003)
    while (at := content.find(size, at)) >= 0:
        content[at : at + 4] = struct.pack("<I", 200_000)
    return bytes(content)


def a_huge_sheet() -> bytes:
    """A workbook of two cells, at opposite corners of the largest sheet there can be."""
    with zipfile.ZipFile(io.BytesIO(as_workbook([["case_number"]]))) as good:
        parts = {name: good.read(name) for name in good.namelist()}
    cells = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    namespace = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = b'<worksheet xmlns="' + namespace + b'"><sheetData>' + cells + b"</sheetData></worksheet>"
    return a_zip(parts | {"xl/worksheets/sheet1.xml": sheet})


REFUSED: tuple[tuple[str, Callable[[], bytes], tuple[str, ...]], ...] = (
    ("an empty file", lambda: b"", ("empty", "heading")),
    ("a PDF", lambda: b"%PDF-1.7 ...", ("PDF", "--authority")),
    ("an old workbook", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", (".xls", ".xlsx")),
    ("UTF-16", lambda: GOOD.decode().encode("utf-16"), ("UTF-16", "UTF-8")),
    ("neither encoding", lambda: GOOD + b"\xff\xff\xff", ("neither", "UTF-8")),
    ("NUL bytes", lambda: GOOD + b"a,\x00,b\r\n", ("NUL",)),
    ("a line without an end", lambda: GOOD + b"a" * 100_000_000, ("line 3", "longer")),
    ("a quotation that never ends", lambda: GOOD + b'"a,b\r\nc,d\r\n', ("quotation mark",)),
    ("a quotation within a text", lambda: GOOD + b'a,"b"c",d\r\n', ("quotation mark", "double")),
    ("a zip of other things", lambda: a_zip({"july.csv": GOOD}), ("no workbook", "archive")),
    ("half a zip", lambda: as_workbook([["a"]])[:-200], ("damaged",)),
    ("a zip bomb", a_bomb, ("unpack", "200,0")),
    ("a zip bomb that lies", a_lying_bomb, ("Save",)),
    ("a sheet of two far corners", a_huge_sheet, ("memory",)),
)


@pytest.mark.parametrize(("content", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_is_no_table_of_orders_is_refused_with_its_cure(
    content: Callable[[], bytes], words: tuple[str, ...]
) -> None:
    with pytest.raises(FileRefusedError) as refused:
        rows(content())
    for each in words:
        assert each in str(refused.value)
    assert "july.csv" in str(refused.value)


def test_the_type_is_known_by_the_content_and_not_by_the_name() -> None:
    assert survey(a_source(as_workbook([["a"]]), "july.csv")).kind is FileKind.WORKBOOK
    assert survey(a_source(GOOD, "july.xlsx")).kind is FileKind.CSV


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_read(ending: str) -> None:
    assert rows(ending.join(["case_number,name", "1,a", "2,b"]).encode()) == [
        ["case_number", "name"],
        ["1", "a"],
        ["2", "b"],
    ]


def test_the_encoding_is_decided_on_the_whole_file() -> None:
    late = b"case_number,name\n" + b"1,a\n" * 500_000
    assert survey(a_source(late + "2,\u6d4b".encode("gb18030"))).encoding == "gb18030"
    assert survey(a_source(late + "2,\u6d4b".encode())).encoding == "utf-8-sig"


def test_a_file_of_many_megabytes_is_read_within_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.write(GOOD)
        for _ in range(20):
            file.write(b"a,b,c,d,e,f,g,h,i,j,k\r\n" * 40_000)
    source = Source(name="large.csv", opened=lambda: path.open("rb"))
    tracemalloc.start()
    assert sum(1 for _ in rows_of(source, survey(source))) > 800_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert path.stat().st_size > 18_000_000
    assert peak < 8_000_000


class Endless(io.RawIOBase):
    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  (any writable buffer)
        buffer[:] = (b"a,b\n" * (len(buffer) // 4 + 1))[: len(buffer)]
        return len(buffer)


def test_a_file_beyond_the_limit_is_refused_before_it_is_read_to_its_end() -> None:
    def opened() -> BinaryIO:
        return io.BufferedReader(Endless())

    with pytest.raises(FileRefusedError, match=f"{LARGEST_FILE // 1_000_000} MB"):
        survey(Source(name="endless.csv", opened=opened))


HEADINGS: tuple[tuple[str, list[str], tuple[str, ...]], ...] = (
    ("an unknown column", ["case_number", "telefone"], ("'telefone'", "nearest", "'")),
    ("who hears it", ["case_number", "play_to_caller"], ("play_to_caller", "No column decides who hears")),
    ("a missing column", ["case_number", "district", "subject_kind", "name", "line"], ("'line'", "'lines'")),
    ("a column twice", ["case_number", "Case Number"], ("twice",)),
    ("a column without a name", ["case_number", "", "name"], ("column 2", "no heading")),
    ("a text in no language", ["case_number", "text_"], ("names no language", "text_en")),
    ("lines missing", ["case_number", "district", "subject_kind", "name"], ("'lines' is missing",)),
)


@pytest.mark.parametrize(("heading", "words"), [case[1:] for case in HEADINGS], ids=[case[0] for case in HEADINGS])
def test_a_heading_that_cannot_be_used_is_refused_by_name(heading: list[str], words: tuple[str, ...]) -> None:
    with pytest.raises(FileRefusedError) as refused:
        read_header("july.csv", heading, optional=OPTIONAL)
    for each in words:
        assert each in str(refused.value)


def test_a_law_and_a_document_are_needed_from_somewhere() -> None:
    for missing in ("legal_basis", "document_sha256"):
        with pytest.raises(FileRefusedError, match=f"'{missing}' is missing"):
            read_header(
                "july.csv", ["case_number", "district", "subject_kind", "name", "lines"], optional=OPTIONAL - {missing}
            )


def test_headings_are_known_in_any_case_and_order() -> None:
    header = read_header(
        "f",
        ["\ufeffLines", " NAME ", "Subject-Kind", "district", "Case Number", "TEXT_EN-gb", "error", ""],
        optional=OPTIONAL,
    )
    assert header.places == {"lines": 0, "name": 1, "subject_kind": 2, "district": 3, "case_number": 4}
    assert header.texts == {"en-gb": 5}


def cells() -> Iterator[str]:
    yield from ("=1", "+1", "-1", "@x", "'=1", "''+1", "'t Hooft", "2026-1", "00123", "'0", "1.5E+3", "plain", "'", "")


@pytest.mark.parametrize("text", list(cells()))
@pytest.mark.parametrize("column", ["name", "case_number", "lines"])
def test_a_guarded_cell_reads_as_what_it_was_and_is_no_formula(column: str, text: str) -> None:
    cell = guarded(column, text)
    assert unguarded(column, cell) == text
    assert not cell.startswith(("=", "+", "-", "@"))
