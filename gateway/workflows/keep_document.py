"""Keep an authority document: sealed in the vault, its hash in the register."""

from collections.abc import Iterator
from typing import BinaryIO

from gateway.audit.tags import Tag
from gateway.domain.errors import GatewayError
from gateway.domain.rights import NotAllowedError, Right
from gateway.register import courts, documents
from gateway.register.documents import Document
from gateway.register.ids import new_id
from gateway.workflows.access import covers_court, sees_court
from gateway.workflows.change import Errand, change, demand_unclaimed
from gateway.workflows.office import Office

LARGEST_DOCUMENT = 50_000_000
_HEAD = b"%PDF-"


class NotAPdfError(GatewayError):
    """The authority document is no PDF: its content does not begin as one. Give the signed order as a PDF file."""

    code = "not_a_pdf"


def keep_document(office: Office, court_id: str, source: BinaryIO, errand: Errand) -> Document:
    """Keep a PDF of a court and return it; the same content again is the document that is there already.

    `source` is read once, to its end, and never held in memory whole. Raises NotAPdfError, FileTooLargeError,
    UnknownEntryError, NotAllowedError.
    """
    with office.reading.connect() as connection:
        courts.get(connection, court_id)
        demand_unclaimed(connection, errand)
    if not sees_court(errand.actor, court_id):
        raise courts.unknown(court_id)
    _demand_drafting(errand, court_id)
    if source.read(len(_HEAD)) != _HEAD:
        raise NotAPdfError
    source.seek(0)
    document_id = new_id("doc")
    sealed = office.vault.seal(document_id, source, limit=LARGEST_DOCUMENT)
    document = Document(
        document_id=document_id,
        court_id=court_id,
        sha256=sealed.sha256,
        size=sealed.size,
        uploaded_by=errand.actor.actor_id,
        uploaded_at=errand.at,
    )
    kept = False
    try:
        with change(office.engine, office.keys, errand) as under_way:
            found = documents.add_once(under_way.connection, document, sealed, office.keys)
            if found is not None:
                return found
            under_way.note(
                Tag.DOCUMENT_UPLOADED, document_id, court_id=court_id, sha256=sealed.sha256, size=sealed.size
            )
        kept = True
    finally:
        if not kept:
            office.vault.remove(document_id)
    return document


def read_document(office: Office, document_id: str, errand: Errand) -> tuple[Document, Iterator[bytes]]:
    """Return a document and its content in chunks. Raises UnknownEntryError, SealedFileError."""
    with office.reading.connect() as connection:
        document = documents.get(connection, document_id)
        orders_reach = errand.actor.reach(Right.ORDERS_READ)
        if orders_reach.is_empty or not documents.is_reached(connection, document, orders_reach):
            raise documents.unknown(document_id)
        key = documents.file_key(connection, document_id, office.keys)
    return document, office.vault.read(document_id, key)


def _demand_drafting(errand: Errand, court_id: str) -> None:
    """Let every officer upload who drafts or approves anywhere in the court, be it in one district."""
    for grant in errand.actor.grants:
        if grant.right in {Right.ORDERS_DRAFT, Right.ORDERS_APPROVE} and covers_court(grant.scope, court_id):
            return
    raise NotAllowedError(right=Right.ORDERS_DRAFT.value, where=f"court {court_id}")
