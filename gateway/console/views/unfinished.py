"""Drafts that were put aside, and orders whose draft is to be edited: where the steps are entered and left."""

from flask import url_for
from werkzeug.wrappers import Response as Answer

from gateway.console.form import ConsoleForm
from gateway.console.page import Page, Visit, seen_at, shown
from gateway.console.views.draft import order_of
from gateway.console.views.draft_places import read_places
from gateway.console.views.draft_steps import read_answers, write_answers
from gateway.console.views.draft_summary import summary_of
from gateway.console.zones import zone_of
from gateway.domain.order import Order, OrderState, redraft
from gateway.domain.rights import NotAllowedError, Right
from gateway.errands.unfinished import FormContent, FormKind, UnknownFormError
from gateway.register.errors import PurgedOrderError
from gateway.workflows.keep_form import drop_form, keep_form, list_forms, read_form
from gateway.workflows.read_courts import read_courts
from gateway.workflows.read_orders import read_order


def show_unfinished(visit: Visit) -> Answer:
    """List the reader's own drafts that are not finished."""
    forms = list_forms(visit.desk.office, visit.errand, FormKind.DRAFT_ORDER)
    drafts = [(form, read_answers(form.content.fields)) for form in forms]
    zone = zone_of(read_courts(visit.desk.office, visit.errand).values())
    return shown("draft/unfinished.html", drafts=drafts, places=read_places(visit), zone=zone)


def show_discard(visit: Visit, form_id: str, form: ConsoleForm) -> Answer:
    """Ask whether what was typed is to be forgotten."""
    kept = read_form(visit.desk.office, form_id, visit.errand)
    if kept.kind is not FormKind.DRAFT_ORDER:
        raise UnknownFormError(shown=form_id)
    answers = read_answers(kept.content.fields)
    return shown(
        "draft/discard.html",
        form=form,
        form_id=form_id,
        answers=answers,
        summary=summary_of(answers, read_places(visit)),
    )


def send_discard(visit: Visit, form_id: str, form: ConsoleForm) -> Answer:  # noqa: ARG001  (every form is handed over)
    """Forget it; who asks twice is led to the same list."""
    drop_form(visit.desk.office, form_id, visit.errand)
    return seen_at("unfinished_orders")


def show_edit(visit: Visit, order_id: str, form: ConsoleForm) -> Answer:
    """Show what the draft says, and what editing it means; an edit that was begun before can be gone on with."""
    listed = read_order(visit.desk.office, order_id, visit.errand)
    answers = order_of(visit, order_id)
    begun = [
        each
        for each in list_forms(visit.desk.office, visit.errand, FormKind.DRAFT_ORDER)
        if read_answers(each.content.fields).order_id == order_id
    ]
    return shown(
        "draft/edit.html",
        form=form,
        order=listed.order,
        is_draft=isinstance(listed.order, Order) and listed.order.state_at(visit.at) is OrderState.DRAFT,
        summary=summary_of(answers, read_places(visit)),
        begun=begun,
        at=visit.at,
        zone=zone_of(read_courts(visit.desk.office, visit.errand).values()),
    )


def send_edit(visit: Visit, order_id: str, form: ConsoleForm) -> Answer:  # noqa: ARG001  (every form is handed over)
    """Begin an edit: the draft's content becomes the answers of the steps, and stays as it is until they are sent."""
    order = read_order(visit.desk.office, order_id, visit.errand).order
    if not isinstance(order, Order):
        raise PurgedOrderError(order=order_id, at=order.purged_at)
    redraft(order, visit.actor.actor_id, visit.at)
    place = read_places(visit).get(order.district_id)
    if place is None or not place.may_draft:
        raise NotAllowedError(right=Right.ORDERS_DRAFT.value, where=f"order {order_id}")
    fields = write_answers(order_of(visit, order_id))
    content = FormContent(path=url_for("edit_order", order_id=order_id), fields=fields)
    kept = keep_form(visit.desk.office, FormKind.DRAFT_ORDER, content, visit.errand)
    return seen_at("draft_step", form_id=kept.form_id, step="check")


PAGES = (
    Page(name="unfinished_orders", path="/orders/unfinished", show=show_unfinished),
    Page(
        name="discard_draft",
        path="/orders/draft/<form_id>/discard",
        show=show_discard,
        form=ConsoleForm,
        send=send_discard,
    ),
    Page(name="edit_order", path="/orders/<order_id>/edit", show=show_edit, form=ConsoleForm, send=send_edit),
)
