"""Proposed notices: heard by officers first, and by nobody else before a second one has approved them."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from gateway.assembly import Parts
from gateway.audio.errors import RecordingRefusedError, TextEmptyError, WordingMissingError
from gateway.domain.errors import NoticeTooLongError, SameOfficerError, StaleVersionError
from gateway.domain.notice import Purpose
from gateway.domain.order import OrderState
from gateway.domain.rights import Role
from gateway.register.errors import UnknownEntryError
from gateway.register.notices import Part
from gateway.register.tables import notices
from gateway.workflows.approve_order import approve_order
from gateway.workflows.draft_order import submit_order
from gateway.workflows.office import Office
from gateway.workflows.propose_notice import (
    NotApprovedYetError,
    OrderIsOverError,
    approve_notice,
    propose_notice,
)
from gateway.workflows.publish_notice import Recording, Text
from gateway.workflows.read_orders import read_notices
from gateway.workflows.second_officer import OwnProposalError
from tests.builders_office import (
    NOON,
    NUMBER,
    a_draft,
    a_person,
    a_submitted_order,
    an_approved_order,
    an_errand,
    an_order_in,
    details_of,
    heard,
    the_order,
    trail_of,
)
from tests.conftest import a_studio

CLERK, APPROVER = an_errand(), an_errand(Role.APPROVER)
WORDS = Text(text="Example Haulage owes a judgment debt.")


def spoken(office: Office, order_id: str, purpose: Purpose) -> dict[str, Part]:
    """Return what is played for a purpose, by language."""
    parts = read_notices(office, order_id, CLERK).played.get(purpose, ())
    return {part.rendition.language: part for part in parts}


def test_a_notice_proposed_with_a_draft_is_played_as_it_was_proposed(office: Office) -> None:
    order = a_draft(office)
    proposal = propose_notice(office, order.order_id, "en", WORDS, CLERK)
    submit_order(office, order.order_id, CLERK)
    assert read_notices(office, order.order_id, CLERK).played == {}
    approve_order(office, order.order_id, APPROVER)
    assert spoken(office, order.order_id, Purpose.PUBLIC)["en"] == proposal.part
    assert read_notices(office, order.order_id, CLERK).proposed == ()


def test_who_proposed_a_notice_of_an_order_cannot_approve_the_order(office: Office) -> None:
    order = a_submitted_order(office)
    # A clerk elsewhere, who approves here.
    propose_notice(office, order.order_id, "en", WORDS, an_errand(by="per_approver"))
    with pytest.raises(OwnProposalError, match="proposed a notice"):
        approve_order(office, order.order_id, APPROVER)
    assert the_order(office, order.order_id).state_at(NOON) is OrderState.SUBMITTED


def test_a_new_notice_takes_the_place_of_the_old_one_when_a_second_officer_approved_it(office: Office) -> None:
    order = an_approved_order(office)
    before = spoken(office, order.order_id, Purpose.PUBLIC)["en"]
    proposal = propose_notice(office, order.order_id, "en", WORDS, CLERK)
    assert spoken(office, order.order_id, Purpose.PUBLIC)["en"] == before
    with pytest.raises(SameOfficerError):
        approve_notice(office, order.order_id, "en", an_errand(Role.APPROVER, by="per_clerk"))
    assert spoken(office, order.order_id, Purpose.PUBLIC)["en"] == before
    assert approve_notice(office, order.order_id, "en", APPROVER) == proposal.part
    assert spoken(office, order.order_id, Purpose.PUBLIC)["en"] == proposal.part
    assert read_notices(office, order.order_id, CLERK).proposed == ()
    assert trail_of(office, order.order_id)[-2:] == ["office:notice:proposed", "office:notice:approved"]
    assert "judgment debt" not in str(details_of(office, order.order_id))
    with pytest.raises(UnknownEntryError, match="proposal for 'en'"):
        approve_notice(office, order.order_id, "en", APPROVER)


def test_the_later_of_two_proposals_counts_and_the_earlier_approver_is_told_so(office: Office) -> None:
    order = an_approved_order(office)
    propose_notice(office, order.order_id, "en", WORDS, CLERK)
    read = the_order(office, order.order_id).version
    later = propose_notice(office, order.order_id, "en", Text(text="It owes more."), CLERK)
    with pytest.raises(StaleVersionError):
        approve_notice(office, order.order_id, "en", APPROVER, expected=read)
    assert approve_notice(office, order.order_id, "en", APPROVER, expected=read + 1) == later.part


def test_a_language_that_is_new_to_the_order_gets_its_warning_too(parts: Parts, office: Office) -> None:
    order = an_approved_order(office)
    propose_notice(office, order.order_id, "zh", None, CLERK)
    approve_notice(office, order.order_id, "zh", APPROVER)
    assert list(spoken(office, order.order_id, Purpose.PUBLIC)) == ["en", "zh"]
    assert list(spoken(office, order.order_id, Purpose.WARNING)) == ["en", "zh"]
    assert heard(parts, NUMBER, order.order_id, NOON) == ("B:warning",)
    assert heard(parts, NUMBER, order.order_id, NOON + timedelta(days=3)) == ("A:public",)


def test_a_persons_content_in_a_new_language_gets_its_opener_and_its_replies_too(office: Office) -> None:
    order = an_approved_order(office, subject=a_person())
    propose_notice(office, order.order_id, "zh", None, CLERK)
    approve_notice(office, order.order_id, "zh", APPROVER)
    played = read_notices(office, order.order_id, CLERK).played
    assert set(played) == {Purpose.PRIVATE, Purpose.OPENER}
    assert [part.rendition.language for part in played[Purpose.OPENER]] == ["en", "zh"]


@pytest.mark.parametrize("state", OrderState, ids=lambda state: state.value)
def test_a_notice_is_proposed_until_the_order_is_over_and_approved_once_the_order_is(
    office: Office, state: OrderState
) -> None:
    order = an_order_in(office, state)
    over = {OrderState.LIFTED, OrderState.EXPIRED}
    if state in over:
        with pytest.raises(OrderIsOverError):
            propose_notice(office, order.order_id, "en", WORDS, CLERK)
        with pytest.raises(OrderIsOverError):
            approve_notice(office, order.order_id, "en", APPROVER)
        return
    propose_notice(office, order.order_id, "en", WORDS, CLERK)
    if state in {OrderState.DRAFT, OrderState.SUBMITTED}:
        with pytest.raises(NotApprovedYetError):
            approve_notice(office, order.order_id, "en", APPROVER)
        return
    approve_notice(office, order.order_id, "en", APPROVER)
    assert the_order(office, order.order_id).state_at(NOON) is order.state_at(NOON)


def test_a_bad_proposal_is_refused_before_anything_is_changed(parts: Parts, office: Office, tmp_path: Path) -> None:
    order = an_approved_order(office)
    noise = tmp_path / "noise.wav"
    noise.write_bytes(b"RIFF nothing of the kind")
    before = trail_of(office)
    slow = replace(office, studio=a_studio(parts, seconds=21.0))
    for by, language, source, error in (
        (office, "xx", None, WordingMissingError),
        (office, "en", Text(text=" "), TextEmptyError),
        (office, "en", Recording(path=noise), RecordingRefusedError),
        (slow, "en", Text(text="Too slow."), NoticeTooLongError),
    ):
        with pytest.raises(error):
            propose_notice(by, order.order_id, language, source, CLERK)
    assert trail_of(office) == before
    assert read_notices(office, order.order_id, CLERK).proposed == ()
    assert the_order(office, order.order_id) == order


def test_the_database_refuses_a_notice_that_one_officer_made_and_approved(office: Office) -> None:
    order = an_approved_order(office)
    with office.engine.connect() as connection:
        assert set(connection.execute(select(notices.c.added_by, notices.c.approved_by)).all()) >= {
            ("per_clerk", "per_approver")
        }
    with pytest.raises(IntegrityError), office.engine.begin() as connection:
        connection.execute(
            update(notices).where(notices.c.order_id == order.order_id).values(added_by=notices.c.approved_by)
        )
