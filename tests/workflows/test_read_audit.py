"""Reading and verifying the trail for pages: within the reader's reach, and not longer than somebody waits."""

from pathlib import Path

import pytest

from gateway.assembly import Parts
from gateway.audit.reading import TrailQuery
from gateway.clock import utc_now
from gateway.domain.rights import Everywhere, InCourt, InDistrict, NotAllowedError, Right, Role
from gateway.workflows.change import Errand
from gateway.workflows.read_audit import TrailTooLongError, export_now, read_trail, verify_now
from gateway.workflows.read_case_numbers import read_case_numbers
from gateway.workflows.verify_audit import Proofs, verify_export
from tests.builders_office import COURT, DISTRICT, OTHER_COURT, SISTER, a_draft, an_errand, an_office

AUDITOR = an_errand(Role.AUDITOR, scope=Everywhere())


def test_the_trail_is_held_to_the_askers_reach_whatever_the_query_says(parts: Parts) -> None:
    office = an_office(parts)
    a_draft(office)
    query = TrailQuery(reach=AUDITOR.actor.reach(Right.AUDIT_READ))
    assert {each.court_id for each in read_trail(office, query, AUDITOR)} > {COURT, OTHER_COURT}
    own = an_errand(Role.AUDITOR, scope=InCourt(court_id=OTHER_COURT))
    assert {each.court_id for each in read_trail(office, query, own)} == {OTHER_COURT}
    assert read_trail(office, query, an_errand(Role.CLERK)) == ()


def test_a_trail_that_takes_too_long_is_left_to_the_command_line(parts: Parts, tmp_path: Path) -> None:
    office = an_office(parts)
    with pytest.raises(TrailTooLongError, match="more than 3"):
        verify_now(office, tmp_path, AUDITOR, most=3)
    with pytest.raises(TrailTooLongError):
        export_now(office, tmp_path / "trail", AUDITOR, most=3)
    assert not (tmp_path / "trail").exists()


def test_who_reads_no_trail_verifies_and_exports_none(parts: Parts, tmp_path: Path) -> None:
    office = an_office(parts)
    with pytest.raises(NotAllowedError):
        verify_now(office, tmp_path, an_errand(Role.APPROVER))
    with pytest.raises(NotAllowedError):
        export_now(office, tmp_path / "trail", an_errand(Role.AUDITOR))


def test_what_is_exported_can_be_verified_away_from_here(parts: Parts, tmp_path: Path) -> None:
    office = an_office(parts)
    a_draft(office)
    number = export_now(office, tmp_path / "trail", Errand(actor=AUDITOR.actor, at=utc_now()))
    report = verify_export(tmp_path / "trail", office.keys, Proofs(folder=tmp_path / "none"))
    assert (report.is_sound, report.rows) == (True, number)


def test_case_numbers_are_told_within_reach_only(parts: Parts) -> None:
    office = an_office(parts)
    order = a_draft(office, case_number="2026-CV-77")
    asked = [order.order_id, order.order_id, "ord_none"]
    assert read_case_numbers(office, asked, an_errand()) == {order.order_id: "2026-CV-77"}
    inside = an_errand(scope=InDistrict(court_id=COURT, district_id=DISTRICT))
    assert read_case_numbers(office, asked, inside) == {order.order_id: "2026-CV-77"}
    for scope in (InCourt(court_id=OTHER_COURT), InDistrict(court_id=COURT, district_id=SISTER)):
        assert read_case_numbers(office, asked, an_errand(scope=scope)) == {}
    assert read_case_numbers(office, asked, an_errand(Role.OPERATOR)) == {}
    assert read_case_numbers(office, (), an_errand()) == {}
