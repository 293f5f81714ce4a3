"""Issue an order: draft it, have a second officer approve it, make its notices, and put it in the register at once."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from gateway.audit.tags import Tag
from gateway.domain.errors import GatewayError
from gateway.domain.events import Event
from gateway.domain.order import Authority, Order, approve, submit
from gateway.domain.subject import Organisation, Subject
from gateway.privacy.field import FieldCipher
from gateway.register import courts, notices, orders
from gateway.register.ids import new_id
from gateway.register.lines import Line
from gateway.register.notices import Officers
from gateway.workflows.change import Errand, change
from gateway.workflows.draft_order import OrderRequest, demand_complete, demand_evidence, demand_own_district
from gateway.workflows.publish_notice import Studio, Wanted, make_parts, make_replies

_LARGEST_DOCUMENT = 50_000_000


class AuthorityDocumentError(GatewayError):
    """The authority document {path} cannot be taken: {why}. Give the signed order as a PDF file."""

    code = "authority_document"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDraft:
    """What two officers put in: whom and which lines it concerns, on what authority, until when, and what is spoken."""

    court_id: str
    district_id: str
    case_number: str
    subject: Subject
    lines: tuple[Line, ...]
    authority: Authority
    officers: Officers
    valid_for: timedelta
    wanted: Wanted


def issue_order(studio: Studio, draft: OrderDraft, errand: Errand) -> Order:
    """Put the approved order with its notices in the register and return it. Raises before anything is written."""
    demand_complete(
        OrderRequest(
            court_id=draft.court_id,
            district_id=draft.district_id,
            case_number=draft.case_number,
            subject=draft.subject,
            lines=draft.lines,
            authority=draft.authority,
            valid_for=draft.valid_for,
            languages=draft.wanted.languages,
        )
    )
    demand_evidence(draft.subject, draft.lines)
    with studio.engine.connect() as connection:
        court = courts.get(connection, draft.court_id)
        demand_own_district(connection, draft.court_id, draft.district_id)
    order = _approved(draft, timedelta(days=court.warning_days), errand.at)
    parts = make_parts(studio, order, court, draft.wanted)
    if not isinstance(draft.subject, Organisation):
        make_replies(studio, draft.wanted.languages)
    cipher = FieldCipher(studio.keys)
    with change(studio.engine, studio.keys, errand) as under_way:
        orders.add(under_way.connection, order, draft.lines, studio.keys)
        for purpose, each in parts.items():
            notices.attach(under_way.connection, order, purpose, each, draft.officers, cipher)
        under_way.note(
            Tag.ORDER_APPROVED,
            order.order_id,
            court_id=order.court_id,
            document=order.authority.document_sha256,
            drafted_by=draft.officers.added_by,
            approved_by=draft.officers.approved_by,
            in_force_from=str(order.in_force_from),
            valid_until=str(order.valid_until),
        )
        under_way.tell(
            Event.ORDER_APPROVED, court_id=order.court_id, order=order.order_id, in_force_from=str(order.in_force_from)
        )
    return order


def _approved(draft: OrderDraft, warning: timedelta, now: datetime) -> Order:
    drafted = Order(
        order_id=new_id("ord"),
        court_id=draft.court_id,
        district_id=draft.district_id,
        case_number=draft.case_number.strip(),
        subject=draft.subject,
        authority=draft.authority,
        drafted_by=draft.officers.added_by,
        drafted_at=now,
        languages=draft.wanted.languages,
        valid_for=draft.valid_for,
    )
    submitted = submit(drafted, now)
    return approve(submitted, draft.officers.approved_by, now + draft.valid_for, warning, now)


def read_authority(path: Path, legal_basis: str) -> Authority:
    """Read the authority document and keep its SHA-256. Raises AuthorityDocumentError where it is no PDF."""
    try:
        if path.stat().st_size > _LARGEST_DOCUMENT:
            raise AuthorityDocumentError(path=path, why=f"it is over {_LARGEST_DOCUMENT // 1_000_000} MB")
        content = path.read_bytes()
    except OSError as error:
        raise AuthorityDocumentError(path=path, why=error.strerror or "it cannot be read") from error
    if not content.startswith(b"%PDF-"):
        raise AuthorityDocumentError(path=path, why="its content is no PDF")
    return Authority(legal_basis=legal_basis, document_sha256=hashlib.sha256(content).hexdigest())
