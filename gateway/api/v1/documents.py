"""`/documents`: authority documents, uploaded by a clerk and read by those who may read the order."""

from datetime import datetime
from typing import BinaryIO, cast

from werkzeug.datastructures import FileStorage

from gateway.api.v1.fields import Output
from gateway.api.v1.route import Answer, Call, Route, Stream, Upload, begun
from gateway.register.documents import Document
from gateway.workflows.keep_document import LARGEST_DOCUMENT, keep_document, read_document

_TAG = "Documents"


class DocumentOut(Output):
    """An authority document; an order names it by its SHA-256."""

    id: str
    court: str
    sha256: str
    size: int
    uploaded_by: str
    uploaded_at: datetime


def post_document(call: Call, court_id: str, file: FileStorage) -> Answer:
    """Upload an authority document of a court: a PDF by its content, at most 50 MB."""
    document = keep_document(call.desk.office, court_id, cast("BinaryIO", file.stream), call.errand)
    return Answer(model=_shown(document), location=f"/api/v1/documents/{document.document_id}")


def get_document(call: Call, document_id: str) -> Stream:
    """Download an authority document."""
    document, content = read_document(call.desk.office, document_id, call.errand)
    return Stream(
        chunks=begun(content), media="application/pdf", filename=f"{document.document_id}.pdf", size=document.size
    )


def _shown(document: Document) -> DocumentOut:
    return DocumentOut(
        id=document.document_id,
        court=document.court_id,
        sha256=document.sha256,
        size=document.size,
        uploaded_by=document.uploaded_by,
        uploaded_at=document.uploaded_at,
    )


ROUTES = (
    Route(
        name="upload_document",
        method="POST",
        path="/courts/<id:court_id>/documents",
        handler=post_document,
        tag=_TAG,
        answer=DocumentOut,
        status=201,
        upload=Upload(field="document", limit=LARGEST_DOCUMENT, what="The signed order as a PDF, at most 50 MB."),
    ),
    Route(
        name="download_document",
        method="GET",
        path="/documents/<id:document_id>",
        handler=get_document,
        tag=_TAG,
        media="application/pdf",
    ),
)
