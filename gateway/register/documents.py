"""Authority documents: which court keeps which, and the keys that open their files in the vault."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.exc import IntegrityError

from gateway.domain.rights import Reach
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.privacy.vault import SealedFile
from gateway.register.errors import UnknownEntryError
from gateway.register.reach import within
from gateway.register.tables import documents, orders


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An authority document on file: SHA-256 (hex) and size in bytes of the PDF, and who uploaded it when."""

    document_id: str
    court_id: str
    sha256: str
    size: int
    uploaded_by: str
    uploaded_at: datetime


def add_once(connection: Connection, document: Document, sealed: SealedFile, keys: KeyRing) -> Document | None:
    """Add a document whose file is in the vault already, under the document's id; return the one that was there before.

    Two officers may upload the same content at once: the database decides who was first. What was purged is forgotten,
    and the same content comes back as a new document.
    """
    values = {
        "document_id": document.document_id,
        "court_id": document.court_id,
        "sha256": document.sha256,
        "bytes": document.size,
        "file_key": FieldCipher(keys).encrypt(sealed.key, place=f"documents.file_key:{document.document_id}"),
        "uploaded_by": document.uploaded_by,
        "uploaded_at": document.uploaded_at,
        "purged_at": None,
    }
    same = (documents.c.court_id == document.court_id, documents.c.sha256 == document.sha256)
    revived = update(documents).where(*same, documents.c.purged_at.is_not(None)).values(**values)
    if connection.execute(revived).rowcount == 1:
        return None
    try:
        with connection.begin_nested():
            connection.execute(documents.insert().values(**values))
    except IntegrityError:
        found = find(connection, document.court_id, document.sha256)
        if found is None:
            raise
        return found
    return None


def find(connection: Connection, court_id: str, sha256: str) -> Document | None:
    """Return a court's document by its hash, or None where the court has no such document."""
    statement = select(documents).where(
        documents.c.court_id == court_id, documents.c.sha256 == sha256, documents.c.purged_at.is_(None)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else _read(row)


def get(connection: Connection, document_id: str) -> Document:
    """Return one document. Raises UnknownEntryError."""
    return _read(_row(connection, document_id))


def is_reached(connection: Connection, document: Document, reach: Reach) -> bool:
    """Tell whether a document is within reach: as the court's, or as the authority of an order that is."""
    if reach.everywhere or document.court_id in reach.courts:
        return True
    rests_on_it = select(orders.c.order_id).where(
        within(reach), orders.c.court_id == document.court_id, orders.c.document_sha256 == document.sha256
    )
    return connection.execute(rests_on_it.limit(1)).first() is not None


def file_key(connection: Connection, document_id: str, keys: KeyRing) -> str:
    """Return the key that opens a document's file in the vault. Raises UnknownEntryError."""
    row = _row(connection, document_id)
    return FieldCipher(keys).decrypt(row.file_key, place=f"documents.file_key:{document_id}")


def unknown(document_id: str) -> UnknownEntryError:
    """Return the error of a document that does not exist, or that is none of the asker's business."""
    return UnknownEntryError(what="document", shown=document_id, cure="upload the authority document first")


def _row(connection: Connection, document_id: str) -> Row[*tuple[Any, ...]]:
    statement = select(documents).where(documents.c.document_id == document_id, documents.c.purged_at.is_(None))
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise unknown(document_id)
    return row


def _read(row: Row[*tuple[Any, ...]]) -> Document:
    return Document(
        document_id=row.document_id,
        court_id=row.court_id,
        sha256=row.sha256,
        size=row.bytes,
        uploaded_by=row.uploaded_by,
        uploaded_at=row.uploaded_at,
    )
