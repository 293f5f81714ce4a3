"""Issue an order: draft it, have a second officer approve it, make its notices, and put it in the register at once."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from gateway.domain.errors import GatewayError
from gateway.domain.order import Authority, Order, approve, submit
from gateway.domain.subject import Organisation, Subject
from gateway.privacy.field import FieldCipher
from gateway.register import courts, districts, notices, orders
from gateway.register.notices import Officers
from gateway.register.orders import Line
from gateway.workflows.publish_notice import Studio, Wanted, make_parts, make_replies

_LARGEST_DOCUMENT = 50_000_000


class AuthorityDocumentError(GatewayError):
    """The authority document {path} cannot be taken: {why}. Give the signed order as a PDF file."""

    code = "authority_document"


class WrongDistrictError(GatewayError):
    """District {district!r} belongs to court {owner!r}, not to {court!r}. Choose one of the court's own districts."""

    code = "wrong_district"


class NothingStatedError(GatewayError):
    """{what} is missing: {cure}."""

    code = "nothing_stated"


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


def issue_order(studio: Studio, draft: OrderDraft, now: datetime) -> Order:
    """Put the approved order with its notices in the register and return it. Raises before anything is written."""
    for what, stated, cure in (
        ("The case number", draft.case_number.strip(), "give the court's docket number"),
        ("The line", draft.lines, "name at least one"),
        ("The language", draft.wanted.languages, "name at least one"),
        ("The legal basis", draft.authority.legal_basis.strip(), "cite the law that allows this order"),
    ):
        if not stated:
            raise NothingStatedError(what=what, cure=cure)
    with studio.engine.connect() as connection:
        court = courts.get(connection, draft.court_id)
        district = districts.get(connection, draft.district_id)
    if district.court_id != court.court_id:
        raise WrongDistrictError(district=district.district_id, owner=district.court_id, court=court.court_id)
    order = _approved(draft, timedelta(days=court.warning_days), now)
    parts = make_parts(studio, order, court, draft.wanted, now)
    if not isinstance(draft.subject, Organisation):
        make_replies(studio, draft.wanted.languages, now)
    cipher = FieldCipher(studio.keys)
    with studio.engine.begin() as connection:
        orders.add(connection, order, draft.lines, studio.keys)
        for purpose, each in parts.items():
            notices.attach(connection, order, purpose, each, draft.officers, cipher)
    return order


def _approved(draft: OrderDraft, warning: timedelta, now: datetime) -> Order:
    drafted = Order(
        order_id=orders.new_id("ord"),
        court_id=draft.court_id,
        district_id=draft.district_id,
        case_number=draft.case_number.strip(),
        subject=draft.subject,
        authority=draft.authority,
        drafted_by=draft.officers.added_by,
        drafted_at=now,
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
