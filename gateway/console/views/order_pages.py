"""Orders: the list with its filters, one order, and lifting it."""

from typing import Any

from flask import request, url_for
from flask_babel import lazy_gettext as _l
from govuk_frontend_wtf.wtforms_widgets import GovSelect, GovTextArea, GovTextInput
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as Answer
from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import Length

from gateway.console.form import ConsoleForm
from gateway.console.order_filter import read_filter, sealed
from gateway.console.page import HTTP_SEE_OTHER, Page, Visit, seen_at, shown
from gateway.console.words import word
from gateway.domain.e164 import E164
from gateway.domain.order import OrderState
from gateway.workflows.end_order import lift_order
from gateway.workflows.read_courts import read_courts
from gateway.workflows.read_orders import list_orders, read_order

_PAGE = 50


class FilterForm(ConsoleForm):
    """Which orders to list."""

    court = SelectField(_l("Court"), widget=GovSelect())
    state = SelectField(_l("State"), widget=GovSelect())
    case_number = StringField(_l("Case number"), [Length(max=200)], widget=GovTextInput())
    line = StringField(
        _l("Line"),
        [Length(max=40)],
        description=_l("The whole number with its country code, for example +442079460110"),
        widget=GovTextInput(),
    )


class ReasonForm(ConsoleForm):
    """Why, in words that are kept encrypted with the order; it may be left out."""

    reason = TextAreaField(
        _l("Reason"),
        [Length(max=2000)],
        description=_l("Kept encrypted with the order, and shown to whoever may read the order"),
        widget=GovTextArea(),
    )


def begin_orders(visit: Visit) -> dict[str, str]:
    """Begin with the filters of the address."""
    wanted = read_filter(request.args, visit.actor, visit.desk.keys, limit=1)
    state = wanted.query.state.value if wanted.query.state else ""
    return {
        "court": wanted.query.court_id,
        "state": state,
        "line": wanted.line,
        "case_number": wanted.case_number,
    }


def ready_orders(visit: Visit, form: FilterForm) -> None:
    """Fill in the courts and states that there are."""
    courts = read_courts(visit.desk.office, visit.errand)
    form.court.choices = [("", _l("All courts")), *((court.court_id, court.name) for court in courts.values())]
    form.state.choices = [("", _l("All states")), *((state.value, word(state)) for state in OrderState)]


def show_orders(visit: Visit, form: FilterForm) -> Answer:
    """List orders, newest first."""
    wanted = read_filter(request.args, visit.actor, visit.desk.keys, limit=_PAGE + 1)
    found = list_orders(visit.desk.office, wanted.query, visit.errand)
    return shown(
        "orders/list.html",
        form=form,
        wanted=wanted,
        orders=found[:_PAGE],
        after=found[_PAGE - 1].order.order_id if len(found) > _PAGE else "",
        courts=read_courts(visit.desk.office, visit.errand),
        at=visit.at,
    )


def send_orders(visit: Visit, form: FilterForm) -> Answer:
    """Go on to the list that was asked for."""
    line = str(form.line.data or "").strip()
    sought = sealed(E164(line).number if line else "", str(form.case_number.data or "").strip(), visit.desk.keys)
    named = {"court": form.court.data, "state": form.state.data, "sought": sought}
    chosen: dict[str, Any] = {name: str(value) for name, value in named.items() if value}
    return redirect(url_for("list_orders", **chosen), HTTP_SEE_OTHER)


def show_order(visit: Visit, order_id: str) -> Answer:
    """Show one order."""
    listed = read_order(visit.desk.office, order_id, visit.errand)
    return shown("orders/order.html", listed=listed, courts=read_courts(visit.desk.office, visit.errand), at=visit.at)


def show_lift(visit: Visit, order_id: str, form: ReasonForm) -> Answer:
    """Ask for the reason, and say what lifting does."""
    listed = read_order(visit.desk.office, order_id, visit.errand)
    return shown(
        "orders/lift.html", listed=listed, form=form, courts=read_courts(visit.desk.office, visit.errand), at=visit.at
    )


def send_lift(visit: Visit, order_id: str, form: ReasonForm) -> Answer:
    """Lift the order; the page that follows says when it took effect."""
    office = visit.desk.office
    lift_order(office.engine, office.keys, order_id, visit.errand, reason=str(form.reason.data or ""))
    return seen_at("show_order", order_id=order_id)


PAGES = (
    Page(
        name="list_orders",
        path="/orders",
        show=show_orders,
        form=FilterForm,
        begin=begin_orders,
        ready=ready_orders,
        send=send_orders,
    ),
    Page(name="show_order", path="/orders/<order_id>", show=show_order),
    Page(name="lift_order", path="/orders/<order_id>/lift", show=show_lift, form=ReasonForm, send=send_lift),
)
