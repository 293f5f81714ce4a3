"""Importing orders: what goes in, what is known, what is refused and comes back mended."""

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from gateway.assembly import Parts
from gateway.audit.tables import trail
from gateway.audit.tags import Tag
from gateway.clock import utc_now
from gateway.domain.errors import GatewayError
from gateway.domain.order import OrderState
from gateway.domain.rights import NotAllowedError, Reach, Role
from gateway.domain.subject import NaturalPerson, Organisation
from gateway.register import order_list, orders
from gateway.register.batches import BatchState
from gateway.register.errors import UnknownEntryError
from gateway.register.order_list import OrderQuery
from gateway.workflows.change import Errand
from gateway.workflows.end_order import lift_order
from gateway.workflows.export_orders import ExportQuery, export_orders
from gateway.workflows.import_orders import Mode
from gateway.workflows.office import Office
from tests.workflows.importing import (
    COURT,
    a_document,
    a_drafter_in,
    a_person_row,
    a_row,
    a_table,
    an_office,
    an_officer,
    as_csv,
    as_workbook,
    bring_in,
    clerk,
    counted,
)

EVERYWHERE = Reach(everywhere=True, courts=frozenset(), districts=frozenset())


def listed(office: Office, batch_id: str) -> tuple[order_list.ListedOrder, ...]:
    with office.reading.connect() as connection:
        return order_list.listed(connection, OrderQuery(reach=EVERYWHERE, batch_id=batch_id), office.keys, utc_now())


def test_a_file_becomes_submitted_orders_of_one_batch(office: Office) -> None:
    now = utc_now()
    done = bring_in(
        office,
        [a_row(1, lines="+12022000001; +442079460110@Europe/London"), a_person_row(2, languages="en zh")],
        errand=clerk(now),
    )
    assert (done.state, done.counts.accepted, done.counts.refused) == (BatchState.READY, 2, 0)
    first, second = sorted(listed(office, done.batch_id), key=lambda each: each.order.order_id)
    with office.reading.connect() as connection:
        order = orders.read(connection, first.order.order_id, office.keys)
        person = orders.read(connection, second.order.order_id, office.keys)
    assert order.state_at(now) is OrderState.SUBMITTED
    assert isinstance(order.subject, Organisation)
    assert (order.case_number, order.subject.name) == ("2026-IM-1", "Imported 1 Incorporated")
    assert (order.drafted_by, order.valid_for, order.languages) == ("per_clerk", timedelta(days=90), ("en",))
    assert order.authority.document_sha256 == a_document(office)
    assert {(str(each.line.number), each.line.zone) for each in first.lines} == {
        ("+12022000001", "America/New_York"),
        ("+442079460110", "Europe/London"),
    }
    assert {each.line.evidence for each in first.lines} == {"its own web page, seen 2026-03-02"}
    assert person.subject == NaturalPerson(name="Person 2")
    assert person.languages == ("en", "zh")


def test_the_trail_has_one_entry_with_a_digest_and_nothing_of_the_case(office: Office) -> None:
    done = bring_in(office, [a_row(n) for n in range(5)])
    with office.reading.connect() as connection:
        rows = connection.execute(select(trail).where(trail.c.tag == Tag.ORDERS_IMPORTED.value)).all()
    assert len(rows) == 1
    assert rows[0].subject_id == done.batch_id
    assert '"accepted":5' in rows[0].details
    assert not any(word in rows[0].details for word in ("2026-IM", "Imported", "+1202"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_chinese_names_arrive_whatever_the_encoding_and_the_separator(
    parts: Parts, encoding: str, delimiter: str
) -> None:
    office = an_office(parts)
    name = "\u6d4b\u8bd5\u8d38\u6613\u6709\u9650\u516c\u53f8"
    row = a_row(1, name=name, identifier="uscc:91330106MA27XJ1X09", legal_form="")
    row["identifier"] = "company_gb:00000110"
    done = bring_in(office, as_csv(a_table([row]), encoding=encoding, delimiter=delimiter))
    assert done.errors == ()
    with office.reading.connect() as connection:
        order = orders.read(connection, listed(office, done.batch_id)[0].order.order_id, office.keys)
    assert order.subject.name == name


def test_a_workbook_is_imported_as_the_same_table_in_text_is(office: Office) -> None:
    table = a_table([a_row(1), a_person_row(2)])
    assert bring_in(office, as_workbook(table)).counts.accepted == 2
    assert bring_in(office, as_csv(table)).counts.known == 2


def test_the_same_file_again_changes_nothing(office: Office) -> None:
    rows = [a_row(1, text_en="The court gives notice."), a_person_row(2), a_row(3, case_number=" 2026-im-3 ")]
    bring_in(office, rows)
    before = counted(office)
    again = bring_in(office, [*rows[:2], a_row(3)])
    assert (again.counts.accepted, again.counts.known, again.counts.refused) == (0, 3, 0)
    assert counted(office) == before


CHANGES = {
    "district": "lakeside",
    "name": "Renamed Incorporated",
    "identifier": "ein:12-3999999",
    "lines": "+12022999999",
    "line_evidence": "its letterhead",
    "legal_basis": "Rule 70",
    "languages": "en zh",
    "valid_days": "30",
    "text_en": "Other words of the court.",
}


@pytest.mark.parametrize("column", CHANGES)
def test_other_content_under_the_same_case_is_refused_and_says_in_which_column(office: Office, column: str) -> None:
    bring_in(office, [a_row(1, text_en="The court gives notice.")])
    done = bring_in(office, [a_row(1, **({"text_en": "The court gives notice."} | {column: CHANGES[column]}))])
    assert done.state is BatchState.REFUSED
    assert [each.code for each in done.errors] == ["other_content"]
    assert done.errors[0].column == ("lines" if column == "line_evidence" else column)


def test_a_known_order_is_known_in_whatever_state_it_is(office: Office) -> None:
    done = bring_in(office, [a_row(1)])
    lift_order(office.engine, office.keys, listed(office, done.batch_id)[0].order.order_id, clerk())
    assert bring_in(office, [a_row(1)]).counts.known == 1


def test_one_bad_row_lets_nothing_in_and_the_mended_file_goes_in(office: Office) -> None:
    before = counted(office)
    bad = a_person_row(2, lines="2022000002", name="=cmd|' /C calc'!A0")
    done = bring_in(office, [a_row(1), bad])
    assert (done.state, done.counts.accepted, done.counts.refused) == (BatchState.REFUSED, 0, 1)
    assert counted(office) == before
    table = list(csv.reader(io.StringIO(done.refused_rows.decode("utf-8-sig"))))
    refused = dict(zip(table[0], table[1], strict=True))
    assert (refused["error_row"], refused["error_column"]) == ("3", "lines")
    assert "+" in refused["how_to_fix"]
    # A spreadsheet that opens the file finds no formula in it.
    assert refused["name"].startswith("'=")
    refused["lines"] = "'+12022000002"
    mended = as_csv([list(refused), list(refused.values())])
    assert bring_in(office, mended).counts.accepted == 1
    assert bring_in(office, [a_row(1), {**bad, "lines": "+12022000002"}]).counts.accepted == 1


def test_row_by_row_the_good_ones_go_in(office: Office) -> None:
    done = bring_in(office, [a_row(1), a_row(2, district="nowhere"), a_row(3)], mode=Mode.PER_ROW)
    assert (done.state, done.counts.accepted, done.counts.refused) == (BatchState.READY, 2, 1)
    assert [(each.row, each.column) for each in done.errors] == [(3, "district")]


def test_a_dry_run_says_the_same_and_writes_nothing_at_all(office: Office) -> None:
    a_document(office)
    before = counted(office)
    with office.reading.connect() as connection:
        entries = len(connection.execute(select(trail.c.seq)).all())
    done = bring_in(office, [a_row(1), a_row(2, district="nowhere")], dry_run=True, mode=Mode.PER_ROW)
    assert (done.counts.accepted, done.counts.refused, done.batch_id) == (1, 1, "")
    assert counted(office) == before
    with office.reading.connect() as connection:
        assert len(connection.execute(select(trail.c.seq)).all()) == entries


def test_of_two_rows_about_one_case_the_second_is_refused(office: Office) -> None:
    done = bring_in(office, [a_row(1), a_row(2), a_row(3, case_number="2026-im-1")], mode=Mode.PER_ROW)
    assert done.counts.accepted == 2
    assert [(each.row, each.code) for each in done.errors] == [(4, "same_case")]
    assert "row 2" in done.errors[0].what


def test_what_was_exported_is_known_row_by_row(office: Office) -> None:
    bring_in(
        office,
        [
            a_row(1, name="=SUM(A1)", line_evidence="@home || -1", lines="+12022000001 +12022000002"),
            a_row(2, case_number="00123", valid_days="0.5", name="'t Hooft Incorporated"),
            a_row(3, case_number="1/2", name="''=x", lines="+12022000003;+442079460113@Europe/London", zone=""),
            a_person_row(4, name='\u5f20\u4e09, called "San"', languages="zh"),
        ],
    )
    exported = b"".join(export_orders(office, ExportQuery(court_id=COURT), clerk_who_may_export()))
    cells = [cell for row in csv.reader(io.StringIO(exported.decode("utf-8-sig"))) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    done = bring_in(office, exported)
    assert done.errors == ()
    assert (done.counts.accepted, done.counts.known) == (0, len(exported.decode().splitlines()) - 1)


def clerk_who_may_export() -> Errand:
    return Errand(actor=an_officer(Role.AUDITOR, "auditor"), at=utc_now())


def test_an_export_is_in_the_trail_before_its_first_byte_and_holds_what_is_within_reach(office: Office) -> None:
    chunks = export_orders(office, ExportQuery(), clerk_who_may_export())
    with office.reading.connect() as connection:
        details = connection.execute(select(trail.c.details).where(trail.c.tag == Tag.ORDERS_EXPORTED.value)).scalar()
    rows = list(csv.DictReader(io.StringIO(b"".join(chunks).decode("utf-8-sig"))))
    assert {row["court"] for row in rows} == {COURT}
    assert f'"orders":{len(rows)}' in (details or "")
    states = export_orders(office, ExportQuery(state=OrderState.LIFTED), clerk_who_may_export())
    assert {row["state"] for row in csv.DictReader(io.StringIO(b"".join(states).decode("utf-8-sig")))} == {"lifted"}
    with pytest.raises(NotAllowedError):
        export_orders(office, ExportQuery(), clerk())
    with pytest.raises(UnknownEntryError):
        export_orders(office, ExportQuery(court_id="thameside"), clerk_who_may_export())


def test_who_may_draft_in_one_district_imports_into_that_one_only(office: Office) -> None:
    a_document(office)
    errand = Errand(actor=a_drafter_in("lakeside-north"), at=utc_now())
    done = bring_in(office, [a_row(1), a_row(2, district="lakeside")], mode=Mode.PER_ROW, errand=errand)
    assert done.counts.accepted == 1
    assert [(each.row, each.code) for each in done.errors] == [(3, "not_allowed")]


@pytest.mark.parametrize(
    ("role", "error"), [(Role.AUDITOR, NotAllowedError), (Role.OPERATOR, NotAllowedError)], ids=str
)
def test_who_may_not_draft_may_not_import(office: Office, role: Role, error: type[GatewayError]) -> None:
    with pytest.raises(error):
        bring_in(office, [a_row(1)], errand=Errand(actor=an_officer(role, "other"), at=utc_now()))


def test_another_court_is_no_business_of_ours(office: Office) -> None:
    stranger = replace(an_officer(), grants=frozenset())
    with pytest.raises(UnknownEntryError):
        bring_in(office, [a_row(1)], errand=Errand(actor=stranger, at=utc_now()))


def test_only_ten_thousand_errors_are_told_and_the_rest_are_counted(office: Office) -> None:
    rows = [a_row(n, district="nowhere", zone="Nowhere/At_all") for n in range(10_100)]
    done = bring_in(office, rows)
    assert len(done.errors) == 10_000
    assert done.flaws == 20_200
    assert done.counts.refused == 10_100
    assert len(done.refused_rows.splitlines()) == 5_001


def test_a_large_file_is_shared_out_and_gives_what_a_small_one_does(office: Office) -> None:
    rows = [a_row(n) if n % 2 else a_person_row(n, district="" if n == 5_000 else "lakeside") for n in range(6_000)]
    done = bring_in(office, rows, mode=Mode.PER_ROW)
    assert (done.counts.accepted, done.counts.refused) == (5_999, 1)
    assert done.errors[0].row == 5_002
    assert bring_in(office, rows[5_990:]).counts.known == 10
