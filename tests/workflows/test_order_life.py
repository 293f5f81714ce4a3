"""An order from draft to lift on both databases: what is heard, what is told, and what is on record."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from gateway.assembly import Parts
from gateway.audit.tables import trail
from gateway.domain.e164 import E164
from gateway.domain.errors import (
    InvalidWindowError,
    NaiveTimeError,
    NoticeTooLongError,
)
from gateway.domain.notice import Purpose
from gateway.domain.order import LONGEST_VALIDITY, OrderState
from gateway.domain.rights import ActorKind, InCourt, Right, Role
from gateway.outbox.tables import messages
from gateway.register import notices
from gateway.register.screen import Screen
from gateway.workflows.approve_order import approve_order
from gateway.workflows.draft_order import (
    NoSuchDocumentError,
    edit_draft,
    submit_order,
)
from gateway.workflows.end_order import lift_order, satisfy_order, suspend_order
from gateway.workflows.office import Office
from gateway.workflows.propose_notice import propose_notice
from gateway.workflows.publish_notice import Text
from gateway.workflows.read_orders import read_order, read_remarks
from gateway.workflows.resume_order import extend_order, resume_order
from gateway.workflows.second_officer import OwnDocumentError
from tests.builders_office import (
    DAY,
    HOUR,
    NOON,
    NUMBER,
    OTHER_COURT,
    PDF,
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
    an_order_request,
    by_whom,
    details_of,
    heard,
    the_order,
    told_of,
    trail_of,
)
from tests.conftest import a_studio
from tests.workflows.rows import row_counts

SECOND_PDF = b"%PDF-1.7\nthe order that extends it"
SECOND = an_errand(Role.APPROVER)
PAYMENTS = by_whom(Right.SATISFACTION_REPORT, by="key_payments", kind=ActorKind.API_KEY)


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


def test_an_extension_needs_a_new_document_of_the_court_that_another_officer_uploaded(office: Office) -> None:
    order = an_approved_order(office)
    own = a_document(office, SECOND_PDF, errand=SECOND).sha256
    foreign = a_document(
        office, b"%PDF-foreign", errand=an_errand(scope=InCourt(court_id=OTHER_COURT)), court_id=OTHER_COURT
    ).sha256
    theirs = a_document(office, b"%PDF-third").sha256
    before = row_counts(office)
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
    assert row_counts(office) == before
    extended = extend_order(office, order.order_id, SECOND, valid_until=NOON + 200 * DAY, document_sha256=theirs)
    assert the_order(office, order.order_id) == extended
    assert extended.authority.document_sha256 == theirs


def test_an_approval_whose_notice_cannot_be_played_leaves_nothing(parts: Parts, office: Office) -> None:
    order = a_submitted_order(office, languages=("en", "zh"))
    before = row_counts(office)
    slow = replace(office, studio=a_studio(parts, seconds=11.0))
    with pytest.raises(NoticeTooLongError, match="20 s"):
        approve_order(slow, order.order_id, replace(SECOND, claim=a_claim()))
    assert row_counts(office) == before
    assert the_order(office, order.order_id) == order


def test_a_change_whose_last_row_the_database_refuses_leaves_nothing(office: Office) -> None:
    """The outbox is written last: by then the order, its notices, the claim and the trail were."""
    order = a_submitted_order(office)
    before = row_counts(office)
    with office.engine.begin() as connection:
        connection.execute(text("ALTER TABLE webhook_messages RENAME TO elsewhere"))
    with pytest.raises(DBAPIError):
        approve_order(office, order.order_id, replace(SECOND, claim=a_claim()))
    with office.engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO webhook_messages"))
    assert row_counts(office) == before
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
