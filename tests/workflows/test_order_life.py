"""An order from draft to lift on both databases: who may, what is refused, what is heard, and what is on record."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from gateway.assembly import Parts
from gateway.audio.errors import WordingMissingError
from gateway.audit.tables import trail
from gateway.domain.e164 import E164
from gateway.domain.errors import (
    GatewayError,
    InvalidTransitionError,
    InvalidWindowError,
    LineEvidenceError,
    NaiveTimeError,
    NoticeTooLongError,
    SameOfficerError,
    StaleVersionError,
)
from gateway.domain.notice import Purpose
from gateway.domain.order import LONGEST_VALIDITY, OrderState
from gateway.domain.rights import ActorKind, InCourt, Right, Role
from gateway.errands.tables import claims
from gateway.outbox.tables import messages
from gateway.people import api_keys
from gateway.people.api_keys import KeyDraft
from gateway.register import lines as line_register
from gateway.register import notices
from gateway.register.errors import DuplicateOrderError, InvalidLineError, UnknownEntryError
from gateway.register.screen import Screen
from gateway.register.tables import lines, orders, proposals
from gateway.workflows.approve_order import approve_order
from gateway.workflows.change import Errand
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
from gateway.workflows.end_order import lift_order, satisfy_order, suspend_order
from gateway.workflows.office import Office
from gateway.workflows.propose_notice import approve_notice, propose_notice
from gateway.workflows.publish_notice import Text
from gateway.workflows.read_orders import read_order, read_remarks
from gateway.workflows.resume_order import extend_order, resume_order
from gateway.workflows.second_officer import OwnDocumentError, OwnKeyError
from tests.builders_office import (
    DAY,
    HOUR,
    NOON,
    NUMBER,
    OTHER_COURT,
    OTHER_DISTRICT,
    PDF,
    SISTER,
    a_claim,
    a_company,
    a_document,
    a_draft,
    a_line,
    a_person,
    a_submitted_order,
    a_suspended_order,
    an_approved_order,
    an_authority,
    an_errand,
    an_office,
    an_order_request,
    by_whom,
    details_of,
    heard,
    lines_of,
    the_order,
    told_of,
    trail_of,
)
from tests.conftest import a_studio

SECOND_PDF = b"%PDF-1.7\nthe order that extends it"
SECOND = an_errand(Role.APPROVER)
PAYMENTS = by_whom(Right.SATISFACTION_REPORT, by="key_payments", kind=ActorKind.API_KEY)


@pytest.fixture
def office(parts: Parts) -> Office:
    return an_office(parts)


def counts(office: Office) -> tuple[int | None, ...]:
    """Count everything that a change could leave behind."""
    tables = (orders, lines, proposals, trail, messages, claims)
    with office.engine.connect() as connection:
        return tuple(connection.scalar(select(func.count()).select_from(table)) for table in tables)


def warnings_of(office: Office, order_id: str) -> list[str]:
    with office.engine.connect() as connection:
        order = the_order(office, order_id)
        return [part.text for part in notices.written_parts(connection, order, Purpose.WARNING, office.cipher)]


def test_an_order_lives_from_draft_to_lift_and_everything_is_on_record(parts: Parts, office: Office) -> None:
    clerk, second = an_errand(), SECOND
    order_id = a_draft(office).order_id
    assert heard(parts, NUMBER, order_id, NOON) == ()
    submit_order(office, order_id, clerk)
    assert heard(parts, NUMBER, order_id, NOON) == ()
    approved = approve_order(office, order_id, second)
    assert approved.in_force_from == NOON + 3 * DAY
    assert heard(parts, NUMBER, order_id, NOON) == ("B:warning",)
    assert heard(parts, NUMBER, order_id, NOON + 3 * DAY - timedelta.resolution) == ("B:warning",)
    assert heard(parts, NUMBER, order_id, NOON + 3 * DAY) == ("A:public",)
    later = NOON + 10 * DAY
    suspend_order(office.engine, office.keys, order_id, replace(clerk, at=later))
    assert heard(parts, NUMBER, order_id, later) == ()
    resume_order(office, order_id, replace(second, at=later + DAY), reason="The appeal was withdrawn.")
    assert heard(parts, NUMBER, order_id, later + DAY) == ("A:public",)
    sha256 = a_document(office, SECOND_PDF).sha256
    until = NOON + 200 * DAY
    extend_order(office, order_id, replace(second, at=later + DAY + HOUR), valid_until=until, document_sha256=sha256)
    assert heard(parts, NUMBER, order_id, NOON + 199 * DAY) == ("A:public",)
    assert heard(parts, NUMBER, order_id, until) == ()
    satisfy_order(office.engine, office.keys, order_id, replace(PAYMENTS, at=later + 2 * DAY), reference="P1")
    assert heard(parts, NUMBER, order_id, later + 2 * DAY) == ()
    assert the_order(office, order_id).state_at(NOON) is OrderState.LIFTED
    assert trail_of(office, order_id) == [
        "office:order:drafted",
        "office:order:submitted",
        "office:order:approved",
        "office:order:suspended",
        "office:order:resumed",
        "office:order:extended",
        "payment:order:lifted",
    ]
    assert told_of(office, order_id) == [
        "order.approved",
        "order.suspended",
        "order.resumed",
        "order.extended",
        "order.lifted",
    ]
    assert [each.text for each in read_remarks(office, order_id, clerk)] == ["The appeal was withdrawn."]


def test_a_person_is_told_as_soon_as_the_second_officer_approved_and_callers_never(
    parts: Parts, office: Office
) -> None:
    noon_in_new_york = NOON + timedelta(hours=5)
    order_id = an_approved_order(office, at=noon_in_new_york, subject=a_person()).order_id
    assert heard(parts, NUMBER, order_id, noon_in_new_york) == ("B:opener",)


def test_a_warning_that_was_suspended_goes_on_and_names_the_new_date(parts: Parts, office: Office) -> None:
    order_id = an_approved_order(office).order_id
    assert "7 March 2026" in warnings_of(office, order_id)[0]
    suspend_order(office.engine, office.keys, order_id, an_errand(at=NOON + DAY))
    resumed = resume_order(office, order_id, an_errand(Role.APPROVER, at=NOON + 10 * DAY))
    assert resumed.in_force_from == NOON + 12 * DAY
    assert "16 March 2026" in warnings_of(office, order_id)[0]
    assert heard(parts, NUMBER, order_id, NOON + 12 * DAY - timedelta.resolution) == ("B:warning",)
    assert heard(parts, NUMBER, order_id, NOON + 12 * DAY) == ("A:public",)


def test_a_warning_that_was_over_stays_as_it_was_spoken(office: Office) -> None:
    order_id = an_approved_order(office).order_id
    before = warnings_of(office, order_id)
    suspend_order(office.engine, office.keys, order_id, an_errand(at=NOON + 4 * DAY))
    resume_order(office, order_id, an_errand(Role.APPROVER, at=NOON + 10 * DAY))
    assert warnings_of(office, order_id) == before


def test_the_lines_of_a_draft_are_not_on_the_screen_and_those_of_an_approved_order_are(
    parts: Parts, office: Office
) -> None:
    def is_screened() -> bool:
        screen = Screen(parts.keys)
        with parts.calls.connect() as connection:
            screen.refresh(connection)
        return screen.may_hold(E164(NUMBER))

    order = a_submitted_order(office)
    assert not is_screened()
    approve_order(office, order.order_id, SECOND)
    assert is_screened()


def test_a_screen_that_was_loaded_before_learns_of_the_lines_of_an_approved_order(parts: Parts, office: Office) -> None:
    order = a_submitted_order(office)
    screen = Screen(parts.keys)
    with parts.calls.connect() as connection:
        screen.refresh(connection)
        approve_order(office, order.order_id, SECOND)
        screen.refresh(connection)
    assert screen.may_hold(E164(NUMBER))


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
    before = counts(office)
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
    assert counts(office) == before
    assert the_order(office, order.order_id) == order


def test_a_case_has_one_order_whether_drafted_or_edited_into_it(office: Office) -> None:
    a_draft(office)
    other = a_draft(office, case_number="2026-CV-8")
    before = counts(office)
    with pytest.raises(DuplicateOrderError):
        draft_order(office, an_order_request(case_number=" 2026-cv-7"), an_errand())
    with pytest.raises(DuplicateOrderError):
        edit_draft(office, other.order_id, an_order_request(), an_errand(), expected=1)
    assert counts(office) == before
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
    before = counts(office)
    for do in doings:
        with pytest.raises(InvalidTransitionError):
            do()
    assert counts(office) == before


def test_what_was_returned_is_a_draft_again_with_the_reason_kept(office: Office) -> None:
    order = a_submitted_order(office)
    returned = return_order(office, order.order_id, SECOND, reason="The name is misspelt.")
    assert returned.state_at(NOON) is OrderState.DRAFT
    remark = read_remarks(office, order.order_id, an_errand())[0]
    assert (remark.about, remark.text) == ("office:order:returned", "The name is misspelt.")
    edit_draft(office, order.order_id, an_order_request(), an_errand(), expected=returned.version)


def test_neither_of_two_clerks_who_edited_each_others_draft_can_approve_it(office: Office) -> None:
    """Who also is an approver could otherwise have a colleague change a comma, and approve the rest."""
    order = a_draft(office, an_errand(by="per_a"))
    edit_draft(office, order.order_id, an_order_request(), an_errand(by="per_b"), expected=1)
    submit_order(office, order.order_id, an_errand(by="per_c"))
    for officer in ("per_a", "per_b", "PER_A"):
        with pytest.raises(SameOfficerError):
            approve_order(office, order.order_id, an_errand(Role.APPROVER, by=officer))
    assert approve_order(office, order.order_id, an_errand(Role.APPROVER, by="per_c")).approved_by == "per_c"
    suspend_order(office.engine, office.keys, order.order_id, an_errand())
    sha256 = a_document(office, SECOND_PDF, errand=an_errand(by="per_d")).sha256
    for officer in ("per_a", "per_b"):
        errand = an_errand(Role.APPROVER, by=officer)
        with pytest.raises(SameOfficerError):
            resume_order(office, order.order_id, errand)
        with pytest.raises(SameOfficerError):
            extend_order(office, order.order_id, errand, valid_until=NOON + 200 * DAY, document_sha256=sha256)


@pytest.mark.parametrize(
    "values",
    [
        {"approved_by": "per_clerk"},
        {"approved_by": "PER_CLERK"},
        {"earlier_drafters": "|per_a|per_approver|per_b|"},
        {"earlier_drafters": "|PER_approver|"},
    ],
)
def test_the_database_refuses_an_approver_who_wrote_any_of_the_order(office: Office, values: dict[str, str]) -> None:
    order = an_approved_order(office)
    with pytest.raises(IntegrityError), office.engine.begin() as connection:
        connection.execute(update(orders).where(orders.c.order_id == order.order_id).values(**values))


def test_who_issued_the_key_of_a_program_cannot_approve_what_the_program_drafts(office: Office) -> None:
    order = a_submitted_order(office, a_program(office))
    with pytest.raises(OwnKeyError, match=order.drafted_by):
        approve_order(office, order.order_id, SECOND)
    assert approve_order(office, order.order_id, an_errand(Role.APPROVER, by="per_2")).approved_by == "per_2"


def test_who_issued_a_key_cannot_approve_the_notice_that_its_program_proposes_or_the_document_it_uploads(
    office: Office,
) -> None:
    program = a_program(office)
    order = an_approved_order(office)
    propose_notice(office, order.order_id, "en", Text(text="It owes a debt."), program)
    with pytest.raises(OwnKeyError):
        approve_notice(office, order.order_id, "en", SECOND)
    sha256 = a_document(office, SECOND_PDF, errand=program).sha256
    with pytest.raises(OwnKeyError):
        extend_order(office, order.order_id, SECOND, valid_until=NOON + 200 * DAY, document_sha256=sha256)


def a_program(office: Office) -> Errand:
    """Return the errand of a program, whose key the approver issued."""
    rights = frozenset({Right.ORDERS_DRAFT, Right.ORDERS_READ})
    place = InCourt(court_id="lakeside")
    draft = KeyDraft(name="case system", rights=rights, scope=place, expires_at=NOON + 30 * DAY)
    with office.engine.begin() as connection:
        key = api_keys.issue(connection, office.keys, draft, created_by="per_approver", now=NOON).key
    return by_whom(*rights, by=key.key_id, kind=ActorKind.API_KEY)


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


def test_an_extension_needs_a_new_document_of_the_court_that_another_officer_uploaded(office: Office) -> None:
    order = an_approved_order(office)
    own = a_document(office, SECOND_PDF, errand=SECOND).sha256
    foreign = a_document(
        office, b"%PDF-foreign", errand=an_errand(scope=InCourt(court_id=OTHER_COURT)), court_id=OTHER_COURT
    ).sha256
    theirs = a_document(office, b"%PDF-third").sha256
    before = counts(office)
    for sha256, until, error in (
        (an_authority(PDF).document_sha256, NOON + 200 * DAY, NoSuchDocumentError),
        ("0" * 64, NOON + 200 * DAY, NoSuchDocumentError),
        (foreign, NOON + 200 * DAY, NoSuchDocumentError),
        (own, NOON + 200 * DAY, OwnDocumentError),
        (theirs, NOON + 80 * DAY, InvalidWindowError),
        (theirs, NOON + LONGEST_VALIDITY + DAY, InvalidWindowError),
        (theirs, (NOON + 200 * DAY).replace(tzinfo=None), NaiveTimeError),
    ):
        with pytest.raises(error):
            extend_order(office, order.order_id, SECOND, valid_until=until, document_sha256=sha256)
    assert counts(office) == before
    extended = extend_order(office, order.order_id, SECOND, valid_until=NOON + 200 * DAY, document_sha256=theirs)
    assert the_order(office, order.order_id) == extended
    assert extended.authority.document_sha256 == theirs


def test_an_approval_whose_notice_cannot_be_played_leaves_nothing(parts: Parts, office: Office) -> None:
    order = a_submitted_order(office, languages=("en", "zh"))
    before = counts(office)
    slow = replace(office, studio=a_studio(parts, seconds=11.0))
    with pytest.raises(NoticeTooLongError, match="20 s"):
        approve_order(slow, order.order_id, replace(SECOND, claim=a_claim()))
    assert counts(office) == before
    assert the_order(office, order.order_id) == order


def test_a_change_whose_last_row_the_database_refuses_leaves_nothing(office: Office) -> None:
    """The outbox is written last: by then the order, its notices, the claim and the trail were."""
    order = a_submitted_order(office)
    before = counts(office)
    with office.engine.begin() as connection:
        connection.execute(text("ALTER TABLE webhook_messages RENAME TO elsewhere"))
    with pytest.raises(DBAPIError):
        approve_order(office, order.order_id, replace(SECOND, claim=a_claim()))
    with office.engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO webhook_messages"))
    assert counts(office) == before
    assert the_order(office, order.order_id) == order
    with office.engine.connect() as connection:
        assert notices.parts_of(connection, [order.order_id]) == {}


def test_a_payment_lifts_once_and_its_reference_is_nowhere_in_the_clear(office: Office) -> None:
    order = an_approved_order(office)
    for reference in ("PAY-2026-81724", "PAY-2026-81725"):
        satisfy_order(office.engine, office.keys, order.order_id, PAYMENTS, reference=reference)
    assert trail_of(office, order.order_id)[-1] == "payment:order:lifted"
    assert told_of(office, order.order_id) == ["order.approved", "order.lifted"]
    paid = details_of(office, order.order_id)[-1]["payment"]
    assert isinstance(paid, str)
    assert len(paid) == 32
    assert "81724" not in str(details_of(office, order.order_id))


def test_lifting_ends_an_order_in_any_state_once(office: Office) -> None:
    found = (a_draft(office), a_submitted_order(office, case_number="8"), a_suspended_order(office, case_number="9"))
    for order in found:
        for _ in range(2):
            lifted = lift_order(office.engine, office.keys, order.order_id, an_errand(at=NOON + DAY), reason="Paid")
            assert lifted.lifted_at == NOON + DAY
        assert trail_of(office, order.order_id).count("office:order:lifted") == 1
        assert len(read_remarks(office, order.order_id, an_errand())) == 1


def test_nothing_personal_is_in_the_trail_or_the_outbox(office: Office) -> None:
    order = an_approved_order(office, case_number="2026-CANARY-7", subject=a_company("Canary Cartage Inc"))
    suspend_order(office.engine, office.keys, order.order_id, an_errand(), reason="Canary words")
    propose_notice(office, order.order_id, "en", Text(text="Canary text."), an_errand())
    with office.engine.connect() as connection:
        written = str(connection.execute(select(trail)).all()) + str(connection.execute(select(messages)).all())
    assert "anary" not in written.replace("CANARY", "anary")
    assert NUMBER[1:] not in written


def test_an_order_is_read_as_it_was_written(office: Office) -> None:
    order = a_draft(office, an_errand(by="per_a"))
    edit_draft(office, order.order_id, an_order_request(), an_errand(by="per_b"), expected=1)
    listed = read_order(office, order.order_id, an_errand())
    assert listed.order == the_order(office, order.order_id)
    assert [each.line for each in listed.lines] == [a_line()]
    assert listed.open_disputes == 0
