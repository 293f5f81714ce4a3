"""What officers do to an order: each act has a page that says what it does, and asks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from flask_babel import LazyString
from govuk_frontend_wtf.wtforms_widgets import GovTextArea
from werkzeug.wrappers import Response as Answer
from wtforms import HiddenField, TextAreaField
from wtforms.validators import Length

from gateway.console import policy
from gateway.console.form import ConsoleForm
from gateway.console.languages import lazily as _l
from gateway.console.life_words import what_happened, who
from gateway.console.order_marks import changed_since, marks_of, written
from gateway.console.page import Page, Visit, seen_at, shown
from gateway.console.views.draft_summary import name_of_language, size_of
from gateway.console.views.order_pages import court_of, district_of, names_of
from gateway.domain.order import Order
from gateway.register.documents import Document
from gateway.register.errors import PurgedOrderError
from gateway.register.order_list import ListedOrder
from gateway.workflows.approve_order import approve_order
from gateway.workflows.draft_order import return_order, submit_order
from gateway.workflows.end_order import lift_order, suspend_order
from gateway.workflows.read_order_acts import (
    OrderAct,
    read_authority_document,
    read_order_acts,
)
from gateway.workflows.read_order_life import LifeEvent, LifeKind, read_order_life
from gateway.workflows.read_order_words import Words, read_order_words
from gateway.workflows.read_orders import read_order
from gateway.workflows.resume_order import resume_order


class ReasonForm(ConsoleForm):
    """Why, in words that are kept encrypted with the order; it may be left out."""

    reason = TextAreaField(
        _l("Reason"),
        [Length(max=2000, message=_l("Write at most 2000 characters"))],
        description=_l("Kept encrypted with the order, and shown to whoever may read the order"),
        widget=GovTextArea(),
    )


class ApproveForm(ConsoleForm):
    """`seen` tells what the order said when the page was made."""

    seen = HiddenField()


Do = Callable[[Visit, str, str], Order]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An act that asks for nothing but a reason, and not even for that where `form` has none.

    `title` has the place %(case)s for the case number.
    """

    act: OrderAct
    title: LazyString
    effect: LazyString
    button: LazyString
    do: Do
    form: type[ConsoleForm] = ReasonForm
    is_warning: bool = False


def begin_act(visit: Visit, order_id: str) -> Mapping[str, Any]:
    """Begin with the version that the page is made from."""
    return {"version": order_for_act(visit, order_id).version}


def show_act(act: Act, visit: Visit, order_id: str, form: ConsoleForm) -> Answer:
    """Say what the act does, and ask."""
    listed, order = read_for_act(visit, order_id)
    return shown(
        "orders/act.html", form=form, act=act, order=order, listed=listed, **around(visit, order, act.act, form)
    )


def send_act(act: Act, visit: Visit, order_id: str, form: ConsoleForm) -> Answer:
    """Do it; the order's page says since when it holds."""
    act.do(visit, order_id, str(form["reason"].data or "").strip() if "reason" in form else "")
    return seen_at("show_order", order_id=order_id)


def begin_approval(visit: Visit, order_id: str) -> Mapping[str, Any]:
    """Begin with the version, and with marks of what the order says now."""
    listed, order = read_for_act(visit, order_id)
    words = read_order_words(visit.desk.office, order_id, visit.errand)
    return {"version": order.version, "seen": written(marks_of(order, listed, words, visit.desk.keys))}


def show_approval(visit: Visit, order_id: str, form: ApproveForm) -> Answer:
    """Show what the order says beside its authority document."""
    office, (listed, order) = visit.desk.office, read_for_act(visit, order_id)
    words = read_order_words(office, order_id, visit.errand)
    marks = marks_of(order, listed, words, visit.desk.keys)
    changed = changed_since(str(form.seen.data or ""), marks)
    form.seen.data = written(marks)
    document = read_authority_document(office, order_id, visit.errand)
    response = shown(
        "orders/approve.html",
        form=form,
        order=order,
        listed=listed,
        words=words,
        marked=changed,
        document=document,
        district=district_of(visit, order.district_id),
        **around(visit, order, OrderAct.APPROVE, form, _writers(order, document, words)),
    )
    response.headers[policy.HEADER] = policy.PAGE_WITH_DOCUMENT
    return response


def send_approval(visit: Visit, order_id: str, form: ApproveForm) -> Answer:  # noqa: ARG001  (every form is handed over)
    """Approve what was read."""
    approve_order(visit.desk.office, order_id, visit.errand, expected=visit.expected)
    return seen_at("show_order", order_id=order_id)


def around(visit: Visit, order: Order, act: OrderAct, form: ConsoleForm, also: Iterable[str] = ()) -> dict[str, Any]:
    """Return what the pages of all acts show: whether it can be done, and what happened since the form was made.

    From here on the form stands on what the order says now. `also` are further actors whose names the page tells.
    """
    office = visit.desk.office
    acts = read_order_acts(office, order.order_id, visit.errand)
    court = court_of(visit, order.court_id)
    return {
        "court": court,
        "zone": court.zone,
        "at": visit.at,
        "may": act in acts.may,
        "refused": acts.refused.get(act),
        "names": names_of(visit, (order.drafted_by, *order.earlier_drafters, order.approved_by or "", *also)),
        "meanwhile": _meanwhile(visit, order, form),
        "what_happened": what_happened,
        "name_of_language": name_of_language,
        "size_of": size_of,
    }


def _meanwhile(visit: Visit, order: Order, form: ConsoleForm) -> list[LifeEvent]:
    """Return what was done since the form was made, and let the form stand on what the order says now."""
    seen = form.read_version
    form.version.data = str(order.version)
    if seen is None or seen == order.version:
        return []
    life = read_order_life(visit.desk.office, order.order_id, visit.errand)
    done = (each for each in life.events if each.kind is LifeKind.DONE)
    since = (each for each in done if each.version is not None and each.version > seen)
    return [replace(each, actor_name=who(each.actor_name)) for each in since]


def read_for_act(visit: Visit, order_id: str) -> tuple[ListedOrder, Order]:
    """Return an order as lists have it, and by itself. Raises UnknownEntryError, PurgedOrderError."""
    listed = read_order(visit.desk.office, order_id, visit.errand)
    if not isinstance(listed.order, Order):
        raise PurgedOrderError(order=order_id, at=listed.order.purged_at)
    return listed, listed.order


def order_for_act(visit: Visit, order_id: str) -> Order:
    """Return an order that something is to be done to. Raises UnknownEntryError, PurgedOrderError."""
    return read_for_act(visit, order_id)[1]


def _writers(order: Order, document: Document | None, words: Iterable[Words]) -> list[str]:
    return [order.drafted_by, *(each.proposed_by for each in words), document.uploaded_by if document else ""]


def _submit(visit: Visit, order_id: str, _reason: str) -> Order:
    return submit_order(visit.desk.office, order_id, visit.errand, expected=visit.expected)


def _return(visit: Visit, order_id: str, reason: str) -> Order:
    return return_order(visit.desk.office, order_id, visit.errand, expected=visit.expected, reason=reason)


def _suspend(visit: Visit, order_id: str, reason: str) -> Order:
    office = visit.desk.office
    return suspend_order(office.engine, office.keys, order_id, visit.errand, reason=reason)


def _resume(visit: Visit, order_id: str, reason: str) -> Order:
    return resume_order(visit.desk.office, order_id, visit.errand, expected=visit.expected, reason=reason)


def _lift(visit: Visit, order_id: str, reason: str) -> Order:
    office = visit.desk.office
    return lift_order(office.engine, office.keys, order_id, visit.errand, reason=reason)


_ACTS = (
    Act(
        act=OrderAct.SUBMIT,
        title=_l("Submit order %(case)s for approval"),
        effect=_l("The order goes to the approvers. Nothing is heard before a second officer has approved it."),
        button=_l("Submit the order"),
        do=_submit,
        form=ConsoleForm,
    ),
    Act(
        act=OrderAct.RETURN,
        title=_l("Send order %(case)s back to its drafter"),
        effect=_l("The order becomes a draft again, which can be changed and submitted anew."),
        button=_l("Send the order back"),
        do=_return,
    ),
    Act(
        act=OrderAct.SUSPEND,
        title=_l("Suspend order %(case)s"),
        effect=_l("Once this is done, no call plays a notice of this order until a second officer resumes it."),
        button=_l("Suspend the order"),
        do=_suspend,
    ),
    Act(
        act=OrderAct.RESUME,
        title=_l("Resume order %(case)s"),
        effect=_l(
            "Notices are heard again. Lines that a key on a call silenced stay silent till their dispute is resolved."
        ),
        button=_l("Resume the order"),
        do=_resume,
    ),
    Act(
        act=OrderAct.LIFT,
        title=_l("Lift order %(case)s"),
        effect=_l(
            "Once this is done, no call plays a notice of this order any more. A lifted order cannot be brought back."
        ),
        button=_l("Lift the order"),
        do=_lift,
        is_warning=True,
    ),
)


def _page(act: Act) -> Page:
    return Page(
        name=f"{act.act.value}_order",
        path=f"/orders/<order_id>/{act.act.value}",
        show=partial(show_act, act),
        form=act.form,
        begin=begin_act,
        send=partial(send_act, act),
    )


PAGES = (
    *(_page(act) for act in _ACTS),
    Page(
        name="approve_order",
        path="/orders/<order_id>/approve",
        show=show_approval,
        form=ApproveForm,
        begin=begin_approval,
        send=send_approval,
    ),
)
