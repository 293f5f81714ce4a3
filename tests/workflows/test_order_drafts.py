"""Drafting an order on both databases: what is refused, by name and leaving nothing, and what an edit changes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from gateway.assembly import Parts
from gateway.audio.errors import WordingMissingError
from gateway.domain.errors import (
    GatewayError,
    InvalidTransitionError,
    InvalidWindowError,
    LineEvidenceError,
    StaleVersionError,
)
from gateway.domain.notice import Purpose
from gateway.domain.order import LONGEST_VALIDITY, OrderState
from gateway.domain.rights import Role
from gateway.register import lines as line_register
from gateway.register import notices
from gateway.register.errors import DuplicateOrderError, InvalidLineError, UnknownEntryError
from gateway.register.tables import lines, proposals
from gateway.workflows.approve_order import approve_order
from gateway.workflows.draft_order import (
    NoSuchDocumentError,
    NothingStatedError,
    OrderRequest,
    ValidityError,
    WrongDistrictError,
    draft_order,
    edit_draft,
    return_order,
    submit_order,
)
from gateway.workflows.end_order import suspend_order
from gateway.workflows.office import Office
from gateway.workflows.propose_notice import propose_notice
from gateway.workflows.publish_notice import Text
from gateway.workflows.read_orders import read_remarks
from gateway.workflows.resume_order import extend_order, resume_order
from tests.builders_office import (
    DAY,
    NOON,
    NUMBER,
    OTHER_COURT,
    OTHER_DISTRICT,
    SISTER,
    a_claim,
    a_company,
    a_document,
    a_draft,
    a_line,
    a_person,
    a_submitted_order,
    an_approved_order,
    an_authority,
    an_errand,
    an_order_request,
    heard,
    lines_of,
    the_order,
)
from tests.workflows.rows import row_counts

SECOND_PDF = b"%PDF-1.7\nthe order that extends it"
SECOND = an_errand(Role.APPROVER)


BAD: dict[str, tuple[OrderRequest, type[GatewayError]]] = {
    "no case number": (an_order_request(case_number=" "), NothingStatedError),
    "a case number without a word or figure": (an_order_request(case_number="--/--"), NothingStatedError),
    "a name that cannot be spoken": (an_order_request(subject=a_company("***")), NothingStatedError),
    "no line": (an_order_request(lines=()), NothingStatedError),
    "the same line twice": (an_order_request(lines=(a_line(), a_line(evidence="other"))), InvalidLineError),
    "no language": (an_order_request(languages=()), NothingStatedError),
    "a language without wording": (an_order_request(languages=("en", "xx")), WordingMissingError),
    "two languages in one": (an_order_request(languages=("en zh",)), WordingMissingError),
    "no legal basis": (
        an_order_request(authority=replace(an_authority(), legal_basis=" ")),
        NothingStatedError,
    ),
    "a document nobody uploaded": (an_order_request(authority=an_authority(b"other")), NoSuchDocumentError),
    "valid for no time": (an_order_request(valid_for=timedelta(0)), ValidityError),
    "valid for less than can be kept": (an_order_request(valid_for=timedelta(milliseconds=999)), ValidityError),
    "valid for longer than a year": (
        an_order_request(valid_for=LONGEST_VALIDITY + timedelta.resolution),
        ValidityError,
    ),
    "an unknown district": (an_order_request(district_id="nowhere"), UnknownEntryError),
    "an unknown court": (an_order_request(court_id="nowhere"), UnknownEntryError),
    "another court's district": (an_order_request(district_id=OTHER_DISTRICT), WrongDistrictError),
    "another court": (an_order_request(court_id=OTHER_COURT, district_id=OTHER_DISTRICT), UnknownEntryError),
}


def test_a_bad_request_is_refused_by_name_as_a_draft_and_as_an_edit_and_leaves_nothing(office: Office) -> None:
    order = a_draft(office)
    before = row_counts(office)
    # An edit stays with the order's court, whichever the request names.
    for_edits = {name: each for name, each in BAD.items() if name != "an unknown court"}
    claim = a_claim()
    for name, (request, error) in BAD.items():
        fresh = replace(request, case_number=request.case_number.replace("2026-CV-7", "2026-CV-8"))
        with pytest.raises(error):
            pytest.fail(f"{name}: {draft_order(office, fresh, replace(an_errand(), claim=claim))}")
    for name, (request, error) in for_edits.items():
        expected = WrongDistrictError if name == "another court" else error
        with pytest.raises(expected):
            pytest.fail(f"{name}: {edit_draft(office, order.order_id, request, an_errand(), expected=1)}")
    assert row_counts(office) == before
    assert the_order(office, order.order_id) == order


def test_a_case_has_one_order_whether_drafted_or_edited_into_it(office: Office) -> None:
    a_draft(office)
    other = a_draft(office, case_number="2026-CV-8")
    before = row_counts(office)
    with pytest.raises(DuplicateOrderError):
        draft_order(office, an_order_request(case_number=" 2026-cv-7"), an_errand())
    with pytest.raises(DuplicateOrderError):
        edit_draft(office, other.order_id, an_order_request(), an_errand(), expected=1)
    assert row_counts(office) == before
    assert the_order(office, other.order_id).case_number == "2026-CV-8"


def test_an_edit_changes_everything_but_the_court_and_the_day_of_the_draft(office: Office) -> None:
    order = a_draft(office)
    sha256 = a_document(office, SECOND_PDF).sha256
    request = an_order_request(
        district_id=SISTER,
        case_number="2026-CV-9",
        subject=a_person(),
        lines=(a_line("+12025550161"), a_line("+12025550162")),
        authority=replace(an_authority(SECOND_PDF), legal_basis="Rule 70"),
        valid_for=30 * DAY,
        languages=("zh", "en", "zh"),
    )
    edited = edit_draft(office, order.order_id, request, an_errand(at=NOON + DAY), expected=1)
    assert the_order(office, order.order_id) == edited
    assert (edited.district_id, edited.case_number, edited.subject) == (SISTER, "2026-CV-9", a_person())
    assert (edited.authority.document_sha256, edited.authority.legal_basis) == (sha256, "Rule 70")
    assert (edited.valid_for, edited.languages, edited.version) == (30 * DAY, ("zh", "en"), 2)
    assert (edited.court_id, edited.drafted_at, edited.earlier_drafters) == (order.court_id, NOON, ())
    assert [each.line.number.number for each in lines_of(office, order.order_id)] != [NUMBER]


def test_only_a_draft_is_edited(office: Office) -> None:
    order = a_submitted_order(office)
    with pytest.raises(InvalidTransitionError, match="is submitted; it cannot be edited"):
        edit_draft(office, order.order_id, an_order_request(), an_errand(), expected=order.version)


def test_an_edit_of_the_case_or_the_subject_drops_what_was_proposed_to_be_said_of_the_former(
    parts: Parts, office: Office
) -> None:
    """A proposal about a person must never be heard as a company's public notice, nor one case's text in another."""
    order = a_draft(office, subject=a_person())
    propose_notice(office, order.order_id, "en", Text(text="Jo Bloggs owes money."), an_errand())
    version = the_order(office, order.order_id).version
    same = an_order_request(subject=a_person(), valid_for=10 * DAY)
    kept = edit_draft(office, order.order_id, same, an_errand(), expected=version)
    with office.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(proposals)) == 1
    edit_draft(office, order.order_id, an_order_request(), an_errand(), expected=kept.version)
    with office.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(proposals)) == 0
    submit_order(office, order.order_id, an_errand())
    approve_order(office, order.order_id, SECOND)
    with office.engine.connect() as connection:
        approved = the_order(office, order.order_id)
        spoken = notices.written_parts(connection, approved, Purpose.PUBLIC, office.cipher)
    assert "Jo Bloggs" not in spoken[0].text
    assert heard(parts, NUMBER, order.order_id, NOON + 3 * DAY) == ("A:public",)


def test_who_reads_an_old_version_changes_nothing(office: Office) -> None:
    order = a_draft(office)
    edit_draft(office, order.order_id, an_order_request(valid_for=10 * DAY), an_errand(), expected=1)
    stale: dict[str, Callable[[], object]] = {
        "edit": lambda: edit_draft(office, order.order_id, an_order_request(), an_errand(), expected=1),
        "submit": lambda: submit_order(office, order.order_id, an_errand(), expected=1),
    }
    for do in stale.values():
        with pytest.raises(StaleVersionError):
            do()
    submit_order(office, order.order_id, an_errand(), expected=2)
    for act in (approve_order, return_order):
        with pytest.raises(StaleVersionError):
            act(office, order.order_id, SECOND, expected=2)
    assert the_order(office, order.order_id).state_at(NOON) is OrderState.SUBMITTED


def test_a_proposal_made_since_an_approver_read_the_order_makes_the_approval_stale(office: Office) -> None:
    """Otherwise an officer would approve words that the officer has not heard."""
    order = a_submitted_order(office)
    propose_notice(office, order.order_id, "en", Text(text="Example Haulage owes a debt."), an_errand())
    with pytest.raises(StaleVersionError):
        approve_order(office, order.order_id, SECOND, expected=order.version)


def test_what_a_verb_refuses_in_the_wrong_state_leaves_nothing(office: Office) -> None:
    draft, approved = a_draft(office), an_approved_order(office, case_number="2026-CV-8")
    sha256 = a_document(office, SECOND_PDF).sha256
    until = NOON + 200 * DAY
    doings: tuple[Callable[[], object], ...] = (
        lambda: approve_order(office, draft.order_id, SECOND),
        lambda: return_order(office, draft.order_id, SECOND),
        lambda: suspend_order(office.engine, office.keys, draft.order_id, an_errand()),
        lambda: resume_order(office, draft.order_id, SECOND),
        lambda: extend_order(office, draft.order_id, SECOND, valid_until=until, document_sha256=sha256),
        lambda: submit_order(office, approved.order_id, an_errand()),
        lambda: approve_order(office, approved.order_id, an_errand(Role.APPROVER, by="per_2")),
        lambda: return_order(office, approved.order_id, SECOND),
        lambda: resume_order(office, approved.order_id, SECOND),
    )
    before = row_counts(office)
    for do in doings:
        with pytest.raises(InvalidTransitionError):
            do()
    assert row_counts(office) == before


def test_what_was_returned_is_a_draft_again_with_the_reason_kept(office: Office) -> None:
    order = a_submitted_order(office)
    returned = return_order(office, order.order_id, SECOND, reason="The name is misspelt.")
    assert returned.state_at(NOON) is OrderState.DRAFT
    remark = read_remarks(office, order.order_id, an_errand())[0]
    assert (remark.about, remark.text) == ("office:order:returned", "The name is misspelt.")
    edit_draft(office, order.order_id, an_order_request(), an_errand(), expected=returned.version)


def test_a_companys_line_needs_evidence_when_it_is_submitted_and_still_when_it_is_approved(office: Office) -> None:
    bare = an_order_request(lines=(a_line(), a_line("+12025550161", evidence=" ")))
    order = a_draft(office, lines=bare.lines)
    with pytest.raises(LineEvidenceError, match=r"\*61 has no evidence") as refused:
        submit_order(office, order.order_id, an_errand())
    assert "+12025550161" not in str(refused.value)
    whole = edit_draft(office, order.order_id, an_order_request(), an_errand(), expected=1)
    submit_order(office, order.order_id, an_errand(), expected=whole.version)
    with office.engine.begin() as connection:  # As no workflow can: the evidence goes after the order was submitted.
        connection.execute(update(lines).where(lines.c.order_id == order.order_id).values(evidence=None))
    with pytest.raises(LineEvidenceError):
        approve_order(office, order.order_id, SECOND)
    assert the_order(office, order.order_id).state_at(NOON) is OrderState.SUBMITTED


def test_a_persons_line_needs_no_evidence(office: Office) -> None:
    order = a_submitted_order(office, subject=a_person(), lines=(a_line(evidence=""),))
    assert order.state_at(NOON) is OrderState.SUBMITTED


def test_an_order_whose_last_line_left_it_is_neither_submitted_nor_approved(office: Office) -> None:
    order = a_draft(office)
    line_id = lines_of(office, order.order_id)[0].line_id
    with office.engine.begin() as connection:
        line_register.remove(connection, line_id)
    with pytest.raises(NothingStatedError, match="line"):
        submit_order(office, order.order_id, an_errand())


@pytest.mark.parametrize("valid_for", [timedelta(seconds=1), 3 * DAY])
def test_an_order_that_would_end_within_its_warning_is_not_approved(office: Office, valid_for: timedelta) -> None:
    order = a_submitted_order(office, valid_for=valid_for)
    with pytest.raises(InvalidWindowError, match="before it begins"):
        approve_order(office, order.order_id, SECOND)
    assert the_order(office, order.order_id).approved_at is None


def test_an_order_is_valid_for_as_long_as_its_draft_asked_from_its_approval_on(office: Office) -> None:
    order = a_submitted_order(office, valid_for=LONGEST_VALIDITY)
    approved = approve_order(office, order.order_id, an_errand(Role.APPROVER, at=NOON + 20 * DAY))
    assert approved.valid_until == NOON + 20 * DAY + LONGEST_VALIDITY
