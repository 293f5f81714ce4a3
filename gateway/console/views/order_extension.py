"""Extending an order: a clerk uploads the new authority document, a second officer extends the order on it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import BinaryIO, cast
from zoneinfo import ZoneInfo

from flask import url_for
from flask_wtf.file import FileRequired
from govuk_frontend_wtf.wtforms_widgets import GovFileInput, GovRadioInput, GovTextInput
from werkzeug.wrappers import Response as Answer
from wtforms import DateField, FileField, RadioField, StringField
from wtforms.validators import InputRequired, Length

from gateway.console.form import ConsoleForm
from gateway.console.languages import lazily as _l
from gateway.console.page import Page, Visit, seen_at, shown
from gateway.console.views.order_acts import around, begin_act, order_for_act, read_for_act
from gateway.console.views.order_pages import court_of
from gateway.workflows.keep_document import LARGEST_DOCUMENT, keep_document, read_document
from gateway.workflows.read_order_acts import OrderAct, documents_to_extend_on, read_kept_document
from gateway.workflows.resume_order import extend_order

_MULTIPART = 10_000


class ExtendForm(ConsoleForm):
    """Until when, and on which document; one that is not listed is named by its fingerprint."""

    until = DateField(
        _l("Last day"),
        [InputRequired(_l("Enter the last day of the order"))],
        description=_l("The order ends at the end of this day, in the court's time"),
        widget=GovTextInput(),
    )
    document = RadioField(_l("New authority document"), widget=GovRadioInput(), validate_choice=False)
    document_sha256 = StringField(
        _l("Or the fingerprint of another document"),
        [Length(max=64)],
        description=_l("The SHA-256 of the PDF: 64 characters from 0 to 9 and a to f"),
        widget=GovTextInput(),
    )


class DocumentForm(ConsoleForm):
    """A signed order as a PDF."""

    document = FileField(
        _l("Authority document"),
        [FileRequired(_l("Choose the PDF of the signed order"))],
        description=_l("The signed order as a PDF, at most 50 MB"),
        widget=GovFileInput(),
    )


def ready_extension(visit: Visit, form: ExtendForm, order_id: str) -> None:
    """Fill in the documents that the order could be extended on."""
    found = documents_to_extend_on(visit.desk.office, order_id, visit.errand)
    form.document.choices = [(each.document_id, each.document_id) for each in found]


def show_extension(visit: Visit, order_id: str, form: ExtendForm) -> Answer:
    """Ask until when, and on which document."""
    office, (listed, order) = visit.desk.office, read_for_act(visit, order_id)
    found = documents_to_extend_on(office, order_id, visit.errand)
    known = around(visit, order, OrderAct.EXTEND, form, [each.uploaded_by for each in found])
    return shown("orders/extend.html", form=form, order=order, listed=listed, documents=found, **known)


def send_extension(visit: Visit, order_id: str, form: ExtendForm) -> Answer:
    """Extend the order to the end of the day."""
    office, order = visit.desk.office, order_for_act(visit, order_id)
    sha256 = str(form.document_sha256.data or "").strip().lower()
    if form.document.data and not sha256:
        document, _content = read_document(office, str(form.document.data), visit.errand)
        sha256 = document.sha256
    extend_order(
        office,
        order_id,
        visit.errand,
        valid_until=_end_of(cast("date", form.until.data), court_of(visit, order.court_id).zone),
        document_sha256=sha256,
        expected=visit.expected,
    )
    return seen_at("show_order", order_id=order_id)


def show_upload(visit: Visit, order_id: str, form: DocumentForm) -> Answer:
    """Ask for the document on which a second officer is to extend the order."""
    return shown("orders/document.html", form=form, order=order_for_act(visit, order_id))


def send_upload(visit: Visit, order_id: str, form: DocumentForm) -> Answer:
    """Keep the document and show where to go on."""
    order = order_for_act(visit, order_id)
    kept = keep_document(visit.desk.office, order.court_id, cast("BinaryIO", form.document.data.stream), visit.errand)
    return seen_at("show_order_document", order_id=order_id, document_id=kept.document_id)


def show_kept(visit: Visit, order_id: str, document_id: str) -> Answer:
    """Say that a document is on file, and what a second officer does with it."""
    order = order_for_act(visit, order_id)
    document = read_kept_document(visit.desk.office, order_id, document_id, visit.errand)
    return shown(
        "orders/document_kept.html",
        order=order,
        document=document,
        link=visit.desk.settings.public_origin + url_for("extend_order", order_id=order_id),
    )


def _end_of(day: date, zone: str) -> datetime:
    """Return the instant at which a day ends in a zone."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)


PAGES = (
    Page(
        name="extend_order",
        path="/orders/<order_id>/extend",
        show=show_extension,
        form=ExtendForm,
        begin=begin_act,
        ready=ready_extension,
        send=send_extension,
    ),
    Page(
        name="add_order_document",
        path="/orders/<order_id>/documents/new",
        show=show_upload,
        form=DocumentForm,
        send=send_upload,
        limit=LARGEST_DOCUMENT + _MULTIPART,
    ),
    Page(name="show_order_document", path="/orders/<order_id>/documents/<document_id>", show=show_kept),
)
