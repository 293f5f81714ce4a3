"""Orders: the list with its filters, finding one, and one order's page with its authority document."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import chain
from typing import Any

from flask import Response, request, url_for
from govuk_frontend_wtf.wtforms_widgets import GovSelect, GovTextInput
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as Answer
from wtforms import Field, HiddenField, SelectField, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from gateway.audit.play_list import PlayQuery
from gateway.console import policy
from gateway.console.filter_fields import FixedChoices
from gateway.console.form import ConsoleForm
from gateway.console.languages import LANGUAGES, language
from gateway.console.languages import lazily as _l
from gateway.console.life_words import what_happened, who
from gateway.console.order_filter import read_filter, sealed
from gateway.console.order_rows import order_rows
from gateway.console.page import HTTP_SEE_OTHER, Page, Visit, seen_at, shown
from gateway.console.rights import NEEDS
from gateway.console.views.draft_summary import name_of_language, size_of
from gateway.console.words import word
from gateway.domain.court import Court
from gateway.domain.e164 import E164
from gateway.domain.errors import InvalidNumberError
from gateway.domain.order import Order, OrderState
from gateway.domain.rights import Right
from gateway.register.disputes import DisputeQuery
from gateway.register.order_list import ListedOrder
from gateway.workflows.find_order import find_order
from gateway.workflows.keep_document import read_document
from gateway.workflows.read_audit import read_plays
from gateway.workflows.read_courts import read_courts
from gateway.workflows.read_districts import Branch, DistrictNode, read_branches, read_districts
from gateway.workflows.read_names import read_names
from gateway.workflows.read_order_acts import OrderAct, liftable, read_authority_document, read_order_acts
from gateway.workflows.read_order_life import read_order_life
from gateway.workflows.read_orders import list_disputes, outline_orders, read_notices, read_order

_PAGE = 50
_SOME = 10


class FilterForm(ConsoleForm):
    """Which orders to list."""

    court = SelectField(_l("Court"), widget=GovSelect())
    district = SelectField(_l("District"), widget=GovSelect())
    state = SelectField(_l("State"), widget=GovSelect())
    case_number = StringField(_l("Case number"), [Length(max=200)], widget=GovTextInput())
    line = StringField(_l("Line, with its country code"), [Length(max=40)], widget=GovTextInput())
    batch = HiddenField()
    # The courts that there are, as `ready_orders` found them.
    seen: dict[str, Court]

    def validate_line(self, field: Field) -> None:
        """Refuse what no line can be looked for by."""
        if str(field.data or "").strip():
            try:
                E164.parse(str(field.data))
            except InvalidNumberError as error:
                raise ValidationError(
                    str(_l("Enter the whole number with + and its country code, for example +442079460110"))
                ) from error


class FindForm(ConsoleForm):
    """What stands in the header of every page: one field for whatever somebody has at hand."""

    sought = StringField(
        _l("Case number or line"),
        [InputRequired(_l("Enter a case number, or a line with its country code")), Length(max=200)],
        description=_l("The whole case number, or the whole line with its country code"),
        widget=GovTextInput(),
    )


def begin_orders(visit: Visit) -> dict[str, str]:
    """Begin with the filters of the address."""
    wanted = read_filter(request.args, visit.actor, visit.desk.keys, limit=1)
    return {
        "court": wanted.query.court_id,
        "district": wanted.query.district_id,
        "state": wanted.query.state.value if wanted.query.state else "",
        "line": wanted.line,
        "case_number": wanted.case_number,
        "batch": wanted.query.batch_id,
    }


def ready_orders(visit: Visit, form: FilterForm) -> None:
    """Fill in the courts, districts and states that there are."""
    form.seen = courts = read_courts(visit.desk.office, visit.errand)
    branches = read_branches(visit.desk.office, visit.errand)
    form.court.choices = [("", _l("All courts")), *((court.court_id, court.name) for court in courts.values())]
    form.district.choices = [
        ("", _l("All districts")),
        *((each.district.district_id, _deep(each)) for each in branches),
    ]
    form.state.choices = _states(language())


def show_orders(visit: Visit, form: FilterForm) -> Answer:
    """List orders, newest first; beside a form that was refused, nothing that it did not ask for."""
    office = visit.desk.office
    wanted = read_filter(request.args, visit.actor, visit.desk.keys, limit=_PAGE + 1)
    found = () if form.errors else outline_orders(office, wanted.query, visit.errand)
    listed = found[:_PAGE]
    may_lift = liftable(office, listed, visit.errand)
    return shown(
        "orders/list.html",
        form=form,
        wanted=wanted,
        number=len(listed),
        rows=order_rows(listed, form.seen, may_lift),
        after=listed[-1].order_id if len(found) > _PAGE else "",
        liftable=may_lift,
        may_draft=_may_open(visit, "new_order"),
    )


def send_orders(visit: Visit, form: FilterForm) -> Answer:
    """Go on to the list that was asked for."""
    line = str(form.line.data or "").strip()
    case_number = str(form.case_number.data or "").strip()
    sought = sealed(E164.parse(line).number if line else "", case_number, visit.desk.keys)
    named = {name: form[name].data for name in ("court", "district", "state", "batch")} | {"sought": sought}
    chosen: dict[str, Any] = {name: str(value) for name, value in named.items() if value}
    return redirect(url_for("list_orders", **chosen), HTTP_SEE_OTHER)


def show_find(_visit: Visit, form: FindForm) -> Answer:
    """Ask what to find, where the header's field led to nothing."""
    return shown("orders/find.html", form=form)


def send_find(visit: Visit, form: FindForm) -> Answer:
    """Go on to the order that was meant, or to the list of those that were."""
    found = find_order(visit.desk.office, str(form.sought.data), visit.errand)
    if found.order_id:
        return seen_at("show_order", order_id=found.order_id)
    return seen_at("list_orders", sought=sealed(found.line, found.case_number, visit.desk.keys))


def show_order(visit: Visit, order_id: str) -> Answer:
    """Show one order: what it says, its life, and what the reader may do to it."""
    listed = read_order(visit.desk.office, order_id, visit.errand)
    court = court_of(visit, listed.order.court_id)
    life = read_order_life(visit.desk.office, order_id, visit.errand)
    known = _whole(visit, listed) if isinstance(listed.order, Order) else {}
    return shown(
        "orders/order.html" if isinstance(listed.order, Order) else "orders/purged.html",
        listed=listed,
        order=listed.order,
        court=court,
        zone=court.zone,
        district=district_of(visit, listed.order.district_id),
        life=life,
        what_happened=what_happened,
        who=who,
        name_of_language=name_of_language,
        size_of=size_of,
        audit=_address(visit, "list_audit", subject=order_id),
        at=visit.at,
        **known,
    )


def _whole(visit: Visit, listed: ListedOrder) -> dict[str, Any]:
    """Read what there is of an order as long as it was not purged."""
    office, order_id, errand = visit.desk.office, listed.order.order_id, visit.errand
    order = listed.order
    if not isinstance(order, Order):
        return {}
    document = read_authority_document(office, order_id, errand)
    reach = visit.actor.reach(Right.DISPUTES_READ)
    inbox = list_disputes(office, DisputeQuery(reach=reach, order_id=order_id), errand)
    plays = visit.actor.reach(Right.PLAYS_READ)
    acts = read_order_acts(office, order_id, errand)
    heard = read_plays(office, PlayQuery(reach=plays, order_id=order_id, limit=_SOME + 1), errand)
    wrote = (
        *order.earlier_drafters,
        order.drafted_by,
        order.approved_by or "",
        document.uploaded_by if document else "",
    )
    return {
        "acts": acts,
        "addresses": _addresses(visit, acts.may, order_id),
        "document": document,
        "names": names_of(visit, wrote),
        "spoken": read_notices(office, order_id, errand),
        "notices": _address(visit, "show_notices", order_id=order_id),
        "disputes": inbox,
        "shows_disputes": not reach.is_empty and "show_dispute" in NEEDS,
        "plays": heard[:_SOME],
        "shows_plays": not plays.is_empty,
        "all_plays": _address(visit, "list_plays", order=order_id) if len(heard) > _SOME else "",
        "new_document": _address(visit, "add_order_document", order_id=order_id),
    }


def show_document(visit: Visit, document_id: str) -> Answer:
    """Hand out an authority document: to be read in the browser, or kept with `?keep=1`."""
    document, content = read_document(visit.desk.office, document_id, visit.errand)
    # A file that cannot be opened is a page that says so, and not half an answer.
    first = next(content, b"")
    response = Response(chain((first,), content), mimetype="application/pdf")
    response.headers["Content-Length"] = str(document.size)
    how = "attachment" if request.args.get("keep") else "inline"
    response.headers["Content-Disposition"] = f'{how}; filename="{document.document_id}.pdf"'
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers[policy.HEADER] = policy.DOCUMENT
    return response


def court_of(visit: Visit, court_id: str) -> Court:
    """Return a court that the reader sees an order of."""
    return read_courts(visit.desk.office, visit.errand)[court_id]


def district_of(visit: Visit, district_id: str) -> DistrictNode | None:
    """Return a district with whether it is heard, where the reader may know."""
    nodes = read_districts(visit.desk.office, visit.errand, counting=False)
    return next((each for each in nodes if each.district.district_id == district_id), None)


def names_of(visit: Visit, actor_ids: Iterable[str]) -> dict[str, str]:
    """Return what to call each actor, in the reader's language."""
    names = read_names(visit.desk.office, (each for each in actor_ids if each), visit.errand)
    return {actor_id: who(name) for actor_id, name in names.items()}


def _addresses(visit: Visit, acts: Iterable[OrderAct], order_id: str) -> Mapping[str, str]:
    found = {act.value: _address(visit, f"{act.value}_order", order_id=order_id) for act in acts}
    return {name: address for name, address in found.items() if address}


def _address(visit: Visit, endpoint: str, **values: str) -> str:
    """Return where a page is that the reader may open somewhere; empty where there is none."""
    return url_for(endpoint, **dict[str, Any](values)) if _may_open(visit, endpoint) else ""


def _may_open(visit: Visit, endpoint: str) -> bool:
    need = NEEDS.get(endpoint)
    return isinstance(need, Right) and not visit.actor.reach(need).is_empty


@lru_cache(maxsize=len(LANGUAGES))
def _states(_language: str) -> FixedChoices:
    return FixedChoices([("", str(_l("All states"))), *((state.value, word(state)) for state in OrderState)])


def _deep(branch: Branch) -> str:
    return "\u00a0\u00a0" * branch.depth + branch.district.name


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
    Page(name="find_order", path="/find", show=show_find, form=FindForm, send=send_find),
    Page(name="show_order", path="/orders/<order_id>", show=show_order),
    Page(name="show_document", path="/documents/<document_id>", show=show_document),
)
