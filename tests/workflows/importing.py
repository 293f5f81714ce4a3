"""Files of orders to import, and offices to import them in."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import openpyxl
from sqlalchemy import func, select

from gateway.assembly import Parts
from gateway.clock import utc_now
from gateway.domain.rights import Actor, ActorKind, Grant, InCourt, InDistrict, Right, Role, Scope, grants_of
from gateway.register.tables import lines, orders, own_words
from gateway.workflows.change import Errand
from gateway.workflows.import_orders import Imported, ImportRequest, Mode, import_orders
from gateway.workflows.import_source import Source
from gateway.workflows.keep_document import keep_document
from gateway.workflows.office import Office
from tests.conftest import a_studio

COURT, DISTRICT = "lakeside", "lakeside-north"
HEADING = (
    "case_number",
    "district",
    "subject_kind",
    "name",
    "identifier",
    "legal_form",
    "lines",
    "zone",
    "line_evidence",
    "legal_basis",
    "languages",
    "valid_days",
)
PDF = b"%PDF-1.7 a signed order"


def an_office(parts: Parts) -> Office:
    """Return the office of `parts`, with a voice that hums."""
    return replace(parts.office, studio=a_studio(parts))


def an_officer(role: Role = Role.CLERK, name: str = "clerk", scope: Scope | None = None) -> Actor:
    return Actor(
        actor_id=f"per_{name}",
        kind=ActorKind.COMMAND_LINE,
        grants=grants_of(role, scope or InCourt(court_id=COURT)),
    )


def a_drafter_in(district_id: str) -> Actor:
    scope = InDistrict(court_id=COURT, district_id=district_id)
    return Actor(
        actor_id="per_local", kind=ActorKind.PERSON, grants=frozenset({Grant(right=Right.ORDERS_DRAFT, scope=scope)})
    )


def clerk(at: datetime | None = None) -> Errand:
    return Errand(actor=an_officer(), at=at or utc_now())


def judge(at: datetime | None = None) -> Errand:
    return Errand(actor=an_officer(Role.APPROVER, "judge"), at=at or utc_now())


def a_row(number: int = 0, **changed: str) -> dict[str, str]:
    """Return a good row about an organisation; `changed` replaces or adds cells."""
    row = {
        "case_number": f"2026-IM-{number}",
        "district": DISTRICT,
        "subject_kind": "organisation",
        "name": f"Imported {number} Incorporated",
        "identifier": f"ein:12-3{number:06d}",
        "legal_form": "Inc.",
        "lines": f"+1202{2_000_000 + number}",
        "zone": "America/New_York",
        "line_evidence": "its own web page, seen 2026-03-02",
        "legal_basis": "Rule 69",
        "languages": "en",
        "valid_days": "90",
    }
    return row | changed


def a_person_row(number: int = 0, **changed: str) -> dict[str, str]:
    person = {
        "subject_kind": "natural_person",
        "name": f"Person {number}",
        "identifier": "",
        "legal_form": "",
        "line_evidence": "",
    }
    return a_row(number, **(person | changed))


def a_table(rows: Iterable[Mapping[str, str]], heading: Sequence[str] = ()) -> list[list[str]]:
    given = list(rows)
    names = list(heading) or list(dict.fromkeys((*HEADING, *(name for row in given for name in row))))
    return [names, *([row.get(name, "") for name in names] for row in given)]


def as_csv(table: Sequence[Sequence[str]], *, encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(table)
    return text.getvalue().encode(encoding)


def as_workbook(table: Iterable[Sequence[object]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in table:
        sheet.append(list(row))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def a_source(content: bytes, name: str = "july.csv") -> Source:
    return Source(name=name, opened=lambda: io.BytesIO(content))


def a_document(office: Office) -> str:
    """Keep an authority document of the court, and return its hash."""
    return keep_document(office, COURT, io.BytesIO(PDF), clerk()).sha256


def bring_in(
    office: Office,
    rows: Iterable[Mapping[str, str]] | bytes,
    *,
    mode: Mode = Mode.ALL_OR_NOTHING,
    dry_run: bool = False,
    errand: Errand | None = None,
    legal_basis: str = "",
) -> Imported:
    """Import rows, or the content of a file."""
    content = rows if isinstance(rows, bytes) else as_csv(a_table(rows))
    request = ImportRequest(
        court_id=COURT,
        source=a_source(content),
        mode=mode,
        dry_run=dry_run,
        legal_basis=legal_basis,
        document_sha256=a_document(office),
    )
    return import_orders(office, request, errand or clerk(), clock=utc_now)


def counted(office: Office) -> tuple[int, int, int]:
    """Count the rows of orders, lines and own words, hidden ones too."""
    with office.reading.connect() as connection:
        found = [connection.scalar(select(func.count()).select_from(each)) for each in (orders, lines, own_words)]
    return found[0] or 0, found[1] or 0, found[2] or 0
