"""Every mistake that a row can hold: which column it is told of, in what words, and how to mend it."""

import datetime as dt
from collections.abc import Iterator

import pytest

from gateway.assembly import put_together
from gateway.settings import Settings
from gateway.workflows.office import Office
from tests.workflows.importing import a_document, a_person_row, a_row, a_table, an_office, as_csv, as_workbook, bring_in

ORGANISATION, PERSON = a_row(), a_person_row()
LEI = "00000000000000000098"
# What is wrong; the row; the cells that are changed; the column and code that are told; words of the two sentences.
MISTAKES: tuple[tuple[str, dict[str, str], dict[str, str], str, str, tuple[str, ...]], ...] = (
    ("no case number", PERSON, {"case_number": " "}, "case_number", "nothing_stated", ("empty", "docket")),
    ("no district", PERSON, {"district": ""}, "district", "unknown_district", ("names no district",)),
    (
        "an unknown district",
        PERSON,
        {"district": "lakeside-nrth"},
        "district",
        "unknown_district",
        ("lakeside-nrth", "nearest", "lakeside-north"),
    ),
    ("another court's", PERSON, {"district": "thameside"}, "district", "wrong_district", ("another court",)),
    ("no kind", PERSON, {"subject_kind": ""}, "subject_kind", "subject_kind", ("whom", "natural_person")),
    ("another kind", PERSON, {"subject_kind": "company"}, "subject_kind", "subject_kind", ("organisation",)),
    ("no name", PERSON, {"name": ""}, "name", "nothing_stated", ("empty", "judgment")),
    ("a name on two lines", PERSON, {"name": "A.\nPerson"}, "name", "control_character", ("line break", "one line")),
    (
        "a person with an identifier",
        PERSON,
        {"identifier": "ein:12-3456789"},
        "identifier",
        "person_with_identifier",
        (),
    ),
    ("a person with a legal form", PERSON, {"legal_form": "Inc."}, "legal_form", "person_with_identifier", ()),
    ("no identifier", ORGANISATION, {"identifier": ""}, "identifier", "no_identifier", ("proven", "lei:")),
    ("no scheme", ORGANISATION, {"identifier": "12-3456789"}, "identifier", "no_identifier", ("names no register",)),
    ("an unknown scheme", ORGANISATION, {"identifier": "vat:1"}, "identifier", "invalid_identifier", ("siren",)),
    ("an LEI's check digit", ORGANISATION, {"identifier": f"lei:{LEI[:-1]}7"}, "identifier", "invalid_identifier", ()),
    ("a SIREN's check digit", ORGANISATION, {"identifier": "siren:552008444"}, "identifier", "invalid_identifier", ()),
    ("an EIN of no campus", ORGANISATION, {"identifier": "ein:07-1234567"}, "identifier", "invalid_identifier", ()),
    (
        "a sole trader's USCC",
        ORGANISATION,
        {"identifier": "uscc:92330106MA27XJ1X0T"},
        "identifier",
        "invalid_identifier",
        ("USCC",),
    ),
    ("no legal form", ORGANISATION, {"legal_form": ""}, "legal_form", "legal_form", ("sole traders", "SARL")),
    (
        "a sole trader's form",
        ORGANISATION,
        {"legal_form": "sole proprietor"},
        "identifier",
        "sole_trader",
        ("service",),
    ),
    ("no line", PERSON, {"lines": ""}, "lines", "lines", ("no line",)),
    ("a word for a line", PERSON, {"lines": "reception"}, "lines", "invalid_number", ("E.164", "+442079460110")),
    ("a line too short", PERSON, {"lines": "+1202555"}, "lines", "invalid_line", ("short",)),
    ("no such country", PERSON, {"lines": "+9991234567"}, "lines", "invalid_line", ("country code",)),
    ("a trunk zero", PERSON, {"lines": "+44 (0)20 7946 0110"}, "lines", "invalid_number", ("E.164",)),
    ("a plus that was lost", PERSON, {"lines": "12025550160"}, "lines", "no_plus", ("no +", "Text")),
    (
        "a number in scientific notation",
        PERSON,
        {"lines": "1.20256E+10"},
        "lines",
        "scientific",
        ("scientific", "Text"),
    ),
    ("a case in scientific notation", PERSON, {"case_number": "2,02E+09"}, "case_number", "scientific", ("lost",)),
    ("the same line twice", PERSON, {"lines": "+12025550160;+1 202 555 0160"}, "lines", "same_line", ("twice",)),
    (
        "a zone that does not exist",
        PERSON,
        {"zone": "Lakeside/North"},
        "zone",
        "unknown_zone",
        ("IANA", "Europe/London"),
    ),
    ("a zone that is a continent", PERSON, {"zone": "Europe"}, "zone", "unknown_zone", ("IANA",)),
    ("no evidence", ORGANISATION, {"line_evidence": ""}, "line_evidence", "line_evidence", ("publishes", "seen")),
    (
        "evidence for two of three lines",
        ORGANISATION,
        {"line_evidence": "one||two", "lines": "+12025550160 +12025550161 +12025550162"},
        "line_evidence",
        "evidence",
        ("2 pieces", "3 lines"),
    ),
    ("no legal basis", PERSON, {"legal_basis": ""}, "legal_basis", "nothing_stated", ("law",)),
    ("a language without prompts", PERSON, {"languages": "en tlh"}, "languages", "unknown_language", ("tlh", "zh")),
    ("no days", PERSON, {"valid_days": "0"}, "valid_days", "validity", ("above 0", "366")),
    ("too many days", PERSON, {"valid_days": "367"}, "valid_days", "validity", ("366",)),
    ("days in words", PERSON, {"valid_days": "ninety"}, "valid_days", "validity", ("number of days",)),
    ("days without an end", PERSON, {"valid_days": "inf"}, "valid_days", "validity", ()),
    ("days that are none", PERSON, {"valid_days": "nan"}, "valid_days", "validity", ()),
    ("a text of nothing", PERSON, {"text_en": "..."}, "text_en", "text_empty", ()),
    ("a text too long", PERSON, {"text_en": "word " * 700}, "text_en", "text_too_long", ()),
    ("a text in a language without prompts", PERSON, {"text_tlh": "Qapla"}, "languages", "unknown_language", ("tlh",)),
    ("no such document", PERSON, {"document_sha256": "0" * 64}, "document_sha256", "no_such_document", ("upload",)),
    ("half a hash", PERSON, {"document_sha256": "abc"}, "document_sha256", "no_document", ("64",)),
    ("a cell of 5,000 characters", PERSON, {"name": "a" * 5_000}, "name", "too_long", ("5,000", "4,000")),
)


@pytest.fixture
def office(sqlite_settings: Settings) -> Iterator[Office]:
    opened = put_together(sqlite_settings)
    made = an_office(opened)
    a_document(made)
    yield made
    opened.close()


@pytest.mark.parametrize(
    ("row", "changed", "column", "code", "words"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES]
)
def test_a_mistake_is_told_by_its_row_and_column_with_its_cure(
    office: Office, row: dict[str, str], changed: dict[str, str], column: str, code: str, words: tuple[str, ...]
) -> None:
    done = bring_in(office, [a_person_row(7), {**row, **changed}], dry_run=True)
    assert [(each.row, each.column, each.code) for each in done.errors] == [(3, column, code)]
    told = f"{done.errors[0].what}. {done.errors[0].cure}"
    for each in words:
        assert each in told
    assert done.errors[0].cure
    assert row["name"] not in told or len(row["name"]) == 0


def test_every_mistake_of_a_row_is_told_at_once(office: Office) -> None:
    done = bring_in(office, [a_row(1, district="x", lines="y", valid_days="z", legal_form="")], dry_run=True)
    assert {each.column for each in done.errors} == {"district", "lines", "valid_days", "legal_form"}


def test_cells_beyond_the_heading_are_told_of(office: Office) -> None:
    content = as_csv([*a_table([a_row(1)]), ["2026-2", *[""] * 11, "beyond"]])
    done = bring_in(office, content, dry_run=True)
    assert [(each.row, each.code) for each in done.errors] == [(3, "too_many_cells")]


def test_empty_rows_are_passed_over_and_count_as_a_spreadsheet_counts_them(office: Office) -> None:
    table = a_table([a_row(1), a_row(2, district="nowhere")])
    done = bring_in(office, as_csv([table[0], table[1], [], [" ", ""], table[2]]), dry_run=True)
    assert [each.row for each in done.errors] == [5]
    done = bring_in(office, as_workbook([[], table[0], table[1], [], table[2]]), dry_run=True)
    assert [each.row for each in done.errors] == [5]


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("lines", 12025550160),
        ("lines", 1.20256e10),
        ("case_number", 20260017),
        ("case_number", dt.datetime(2026, 1, 17)),  # noqa: DTZ001  (a spreadsheet's dates have no zone)
        ("case_number", dt.date(2026, 1, 17)),
    ],
)
def test_a_workbooks_cell_that_is_no_text_is_told_kindly(office: Office, column: str, cell: object) -> None:
    heading, row = a_table([a_row(1)])
    cells: list[object] = [cell if name == column else text for name, text in zip(heading, row, strict=True)]
    done = bring_in(office, as_workbook([heading, cells]), dry_run=True)
    assert [(each.column, each.code) for each in done.errors] == [(column, "not_a_text")]
    assert "Text" in done.errors[0].cure


def test_a_workbooks_numbers_are_numbers_where_numbers_belong(office: Office) -> None:
    heading, row = a_table([a_row(1)])
    cells: list[object] = [30 if name == "valid_days" else text for name, text in zip(heading, row, strict=True)]
    assert bring_in(office, as_workbook([heading, cells]), dry_run=True).errors == ()


@pytest.mark.parametrize("lines", ["'+12025550160", "0012025550160", "+1 202-555-0160", "+12025550160\n+12025550161;"])
def test_what_people_and_spreadsheets_do_to_numbers_without_harm_is_taken(office: Office, lines: str) -> None:
    assert bring_in(office, [a_person_row(1, lines=lines)], dry_run=True).errors == ()
