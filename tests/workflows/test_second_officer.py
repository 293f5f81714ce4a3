"""Nobody approves what they wrote, had written by a program, or uploaded; the database knows it too."""

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from gateway.domain.errors import (
    SameOfficerError,
)
from gateway.domain.rights import ActorKind, InCourt, Right, Role
from gateway.people import api_keys
from gateway.people.api_keys import KeyDraft
from gateway.register.tables import orders
from gateway.workflows.approve_order import approve_order
from gateway.workflows.change import Errand
from gateway.workflows.draft_order import (
    edit_draft,
    submit_order,
)
from gateway.workflows.end_order import suspend_order
from gateway.workflows.office import Office
from gateway.workflows.propose_notice import approve_notice, propose_notice
from gateway.workflows.publish_notice import Text
from gateway.workflows.resume_order import extend_order, resume_order
from gateway.workflows.second_officer import OwnKeyError
from tests.builders_office import (
    DAY,
    NOON,
    a_document,
    a_draft,
    a_submitted_order,
    an_approved_order,
    an_errand,
    an_order_request,
    by_whom,
)

SECOND_PDF = b"%PDF-1.7\nthe order that extends it"
SECOND = an_errand(Role.APPROVER)


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
