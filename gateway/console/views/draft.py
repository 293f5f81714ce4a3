"""Drafting an order in steps that can be put aside; a draft that is there already is edited by the same steps."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import Any, BinaryIO, cast

from babel.core import get_global
from flask import redirect, request, url_for
from flask_babel import gettext
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as Answer

from gateway.console.beside import beside
from gateway.console.page import HTTP_SEE_OTHER, Page, Visit, seen_at, shown
from gateway.console.views.draft_choices import make_ready
from gateway.console.views.draft_forms import ADD, GO, NEXT, SAVE, DraftForm
from gateway.console.views.draft_places import read_places
from gateway.console.views.draft_steps import (
    STEPS,
    Answers,
    answers_of,
    mark_of,
    read_answers,
    request_of,
    write_answers,
)
from gateway.console.views.draft_summary import problems_of, size_of, summary_of
from gateway.console.views.draft_typed import typed_in, values_of
from gateway.domain.errors import GatewayError, StaleVersionError
from gateway.domain.order import Order
from gateway.errands.unfinished import FormContent, FormKind, Unfinished, UnknownFormError
from gateway.workflows.draft_order import NothingStatedError, demand_evidence, draft_order, edit_draft, submit_order
from gateway.workflows.keep_document import LARGEST_DOCUMENT, keep_document
from gateway.workflows.keep_form import drop_form, keep_form, list_forms, read_form
from gateway.workflows.read_orders import read_order

SUBMIT = "submit"
_LIMIT = LARGEST_DOCUMENT + 2_000_000


def begin_new(_visit: Visit) -> dict[str, Any]:
    """Begin with nothing but what is usual."""
    return values_of(Answers())


def ready_new(visit: Visit, form: DraftForm) -> None:
    """Leave the first step."""
    make_ready(visit, form, "court", Answers())


def show_new(visit: Visit, form: DraftForm) -> Answer:
    """Ask where the order belongs, and name the drafts that wait to be finished."""
    waiting = len(list_forms(visit.desk.office, visit.errand, FormKind.DRAFT_ORDER))
    return shown(
        "draft/step.html", form=form, step="court", steps=STEPS, form_id="", answers=Answers(), waiting=waiting
    )


def send_new(visit: Visit, form: DraftForm) -> Answer:
    """Keep the first answer, and go on."""
    answers = typed_in(form, "court", Answers(), _courts(visit))
    content = FormContent(path=url_for("new_order"), fields=write_answers(answers))
    kept = keep_form(visit.desk.office, FormKind.DRAFT_ORDER, content, visit.errand)
    return _onward(form, kept.form_id, "court")


def begin_step(visit: Visit, form_id: str, step: str) -> dict[str, Any]:
    """Begin with what was answered before."""
    if step not in STEPS:
        raise NotFound
    answers = _answers(visit, form_id)
    return {**values_of(answers), "version": mark_of(answers, step)}


def ready_step(visit: Visit, form: DraftForm, form_id: str, step: str) -> None:
    """Leave the fields of the step, and fill in what there is to choose from."""
    make_ready(visit, form, step, _answers(visit, form_id))


def show_step(visit: Visit, form: DraftForm, form_id: str, step: str) -> Answer:
    """Show one step, or all answers."""
    answers = _answers(visit, form_id)
    values: dict[str, Any] = {"form": form, "step": step, "steps": STEPS, "form_id": form_id, "answers": answers}
    if form.form_errors:
        # What was refused as a whole is shown with what is kept now, and sent again on that.
        form.version.data = mark_of(answers, step)
    if step != "check":
        zones = sorted(get_global("zone_territories")) if step == "lines" else ()
        return shown("draft/step.html", **values, size=size_of(answers.document_size), zones=zones)
    now = _order_now(visit, answers)
    is_stale = now is not None and now.order_version != answers.order_version
    if now is not None:
        form.order_version.data = now.order_version
    summary = summary_of(answers, read_places(visit), now if is_stale else None)
    return shown("draft/check.html", **values, summary=summary, problems=problems_of(answers), is_stale=is_stale)


def send_step(visit: Visit, form: DraftForm, form_id: str, step: str) -> Answer:
    """Keep what was typed in a step, and go on; at the end draft the order."""
    kept = _kept(visit, form_id)
    before = read_answers(kept.content.fields)
    if step == "check" and form.asked not in {SAVE, GO}:
        _demand_seen(visit, form, before, before, step)
        if problems_of(before, submitting=form.asked == SUBMIT):
            form.form_errors.append(gettext("Mend what is marked below before the order is drafted"))
            return _unsent(visit, form, form_id, step)
        return _drafted(visit, form, form_id, before)
    after = before if step == "check" else typed_in(form, step, before, _courts(visit))
    _demand_seen(visit, form, before, after, step)
    if step != "authority":
        _keep(visit, kept, after)
        return _onward(form, form_id, step)
    after = _with_document(visit, form, after)
    if form.asked == NEXT and not _is_authority_stated(form, after):
        # What has arrived is kept all the same, without the form's claim: the form is sent again.
        _keep(replace(visit, claim=None), kept, after)
        form.version.data = mark_of(after, step)
        return _unsent(visit, form, form_id, step)
    _keep(visit, kept, after)
    return _onward(form, form_id, step)


def order_of(visit: Visit, order_id: str) -> Answers:
    """Return the answers that an order was drafted from. Raises UnknownEntryError; purged orders are not there."""
    listed = read_order(visit.desk.office, order_id, visit.errand)
    if not isinstance(listed.order, Order):
        raise NotFound
    return answers_of(listed, listed.order)


def _courts(visit: Visit) -> Mapping[str, str]:
    return {key: place.court_id for key, place in read_places(visit).items()}


def _kept(visit: Visit, form_id: str) -> Unfinished:
    """Return the reader's own draft. Raises UnknownFormError."""
    found = read_form(visit.desk.office, form_id, visit.errand)
    if found.kind is not FormKind.DRAFT_ORDER:
        raise UnknownFormError(shown=form_id)
    return found


def _answers(visit: Visit, form_id: str) -> Answers:
    """Return the answers; of a draft that was sent a moment ago nothing is left, and its twin is led after it."""
    try:
        return read_answers(_kept(visit, form_id).content.fields)
    except UnknownFormError:
        if request.method == "POST":
            return Answers()
        raise


def _order_now(visit: Visit, answers: Answers) -> Answers | None:
    """Return what the order that is edited says now; None for a new one."""
    return order_of(visit, answers.order_id) if answers.order_id else None


def _demand_seen(visit: Visit, form: DraftForm, before: Answers, after: Answers, step: str) -> None:
    """Refuse to put answers in the place of others that another window kept meanwhile. Raises StaleVersionError."""
    is_same = after == before and step != "check"
    if visit.expected in {None, mark_of(before, step)} or is_same:
        return
    if step != "check":
        rows = summary_of(before, read_places(visit))[step]
        says = "; ".join(f"{row.name}: {', '.join(row.shown)}" for row in rows)
        form.form_errors.append(
            gettext("It says now: %(answers)s. Send it again to put what stands below in its place.", answers=says)
        )
    raise StaleVersionError(what=gettext("This step"))


def _keep(visit: Visit, kept: Unfinished, answers: Answers) -> None:
    content = FormContent(path=kept.content.path, fields=write_answers(answers))
    office, kind = visit.desk.office, FormKind.DRAFT_ORDER
    keep_form(office, kind, content, visit.errand, form_id=kept.form_id, expected=kept.version)


def _with_document(visit: Visit, form: DraftForm, answers: Answers) -> Answers:
    """Keep the document that was chosen, in the court's vault. The form's claim is for the answers."""
    file = form.upload
    if file is None:
        return answers
    with beside("document"):
        if not answers.court:
            raise NothingStatedError(what="The district", cure="choose it in the first step")
        errand = replace(visit, claim=None).errand
        document = keep_document(visit.desk.office, answers.court, cast("BinaryIO", file.stream), errand)
    name = "".join(each for each in str(file.filename) if each.isprintable())[-120:]
    return replace(answers, document_name=name, document_size=str(document.size), document_sha256=document.sha256)


def _is_authority_stated(form: DraftForm, answers: Answers) -> bool:
    """Say beside the fields what is missing; only here is it known whether a document is on file."""
    if not answers.legal_basis:
        form.refuse("legal_basis", gettext("Cite the law that allows this order"))
    if not answers.document_sha256:
        form.refuse("document", gettext("Choose the signed order as a PDF file"))
    return bool(answers.legal_basis and answers.document_sha256)


def _unsent(visit: Visit, form: DraftForm, form_id: str, step: str) -> Answer:
    """Show a step again, with what was found to be wanting only when it was sent."""
    answer = show_step(visit, form=form, form_id=form_id, step=step)
    answer.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    return answer


def _onward(form: DraftForm, form_id: str, step: str) -> Answer:
    """Go to where the button leads."""
    match form.asked:
        case "save":
            return seen_at("unfinished_orders")
        case "go" if form.target in STEPS:
            return seen_at("draft_step", form_id=form_id, step=form.target)
        case "add" | "remove":
            row = len(form.lines.entries) if form.asked == ADD else 0
            here = url_for("draft_step", form_id=form_id, step=step, _anchor=f"lines-{row}-number")
            return redirect(here, HTTP_SEE_OTHER)
        case _:
            after = "check" if request.args.get("from") == "check" else STEPS[STEPS.index(step) + 1]
            return seen_at("draft_step", form_id=form_id, step=after)


def _drafted(visit: Visit, form: DraftForm, form_id: str, answers: Answers) -> Answer:
    """Draft the order or change its draft, submit it where that was asked for, and let the form go."""
    office, errand = visit.desk.office, visit.errand
    wanted = request_of(answers)
    if form.asked == SUBMIT:
        demand_evidence(wanted.subject, wanted.lines)
    if answers.order_id:
        seen = str(form.order_version.data or "")
        expected = int(seen) if seen.isdecimal() else 0
        order = edit_draft(office, answers.order_id, wanted, errand, expected=expected)
    else:
        order = draft_order(office, wanted, errand)
    drop_form(office, form_id, errand)
    if form.asked == SUBMIT:
        # The order is drafted; where it cannot be submitted after all, its page shows it as a draft, and why.
        with suppress(GatewayError):
            submit_order(office, order.order_id, replace(visit, claim=None).errand, expected=order.version)
    return seen_at("show_order", order_id=order.order_id)


PAGES = (
    Page(
        name="new_order",
        path="/orders/new",
        show=show_new,
        form=DraftForm,
        begin=begin_new,
        ready=ready_new,
        send=send_new,
    ),
    Page(
        name="draft_step",
        path="/orders/draft/<form_id>/<step>",
        show=show_step,
        form=DraftForm,
        begin=begin_step,
        ready=ready_step,
        send=send_step,
        limit=_LIMIT,
    ),
)
