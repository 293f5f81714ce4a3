"""Disputes: the court's inbox, what a call's evidence says, and what an officer makes of it."""

from typing import Any

from flask import abort, request
from govuk_frontend_wtf.wtforms_widgets import GovSelect, GovTextArea
from werkzeug.wrappers import Response as Answer
from wtforms import SelectField, TextAreaField
from wtforms.validators import Length

from gateway.console.form import ConsoleForm
from gateway.console.languages import lazily as _l
from gateway.console.page import Page, Visit, seen_at, shown
from gateway.domain.rights import Right
from gateway.register.disputes import DisputeQuery, Resolution
from gateway.workflows.may_resolve import may_resolve
from gateway.workflows.read_case_numbers import read_case_numbers
from gateway.workflows.read_courts import read_courts
from gateway.workflows.read_dispute import DisputeEvidence, read_dispute_evidence
from gateway.workflows.read_names import read_names
from gateway.workflows.read_orders import list_disputes, read_order
from gateway.workflows.resolve_dispute import resolve_dispute

_PAGE = 50
_IDS = 64


class DisputeFilter(ConsoleForm):
    """Which disputes to list; it stands in the address."""

    court = SelectField(_l("Court"), widget=GovSelect(), validate_choice=False)
    state = SelectField(_l("State"), widget=GovSelect(), validate_choice=False)


class ResolveForm(ConsoleForm):
    """Why, in words that are kept encrypted with the dispute; they may be left out."""

    note = TextAreaField(
        _l("Note"),
        [Length(max=2000)],
        description=_l("Kept encrypted with the dispute, and shown to whoever may read it"),
        widget=GovTextArea(),
    )


def show_disputes(visit: Visit) -> Answer:
    """List disputes, the oldest first: it has waited the longest."""
    office, errand = visit.desk.office, visit.errand
    courts = read_courts(office, errand)
    wanted = DisputeFilter(formdata=request.args, meta={"csrf": False})
    wanted.court.choices = [("", _l("All courts")), *((court.court_id, court.name) for court in courts.values())]
    wanted.state.choices = [("", _l("Open")), ("all", _l("Open and resolved"))]
    query = DisputeQuery(
        reach=visit.actor.reach(Right.DISPUTES_READ),
        court_id=request.args.get("court", "")[:_IDS],
        open_only=request.args.get("state", "") != "all",
        after=request.args.get("after", "")[:_IDS],
        limit=_PAGE + 1,
    )
    found = list_disputes(office, query, errand)
    address = {name: request.args[name] for name in ("court", "state") if request.args.get(name)}
    return shown(
        "disputes/list.html",
        wanted=wanted,
        address=address,
        disputes=found[:_PAGE],
        after=found[_PAGE - 1].dispute_id if len(found) > _PAGE else "",
        cases=read_case_numbers(office, (each.order_id for each in found), errand),
        courts=courts,
        open_only=query.open_only,
    )


def show_dispute(visit: Visit, dispute_id: str) -> Answer:
    """Show one dispute with its call, its line and its order."""
    evidence = read_dispute_evidence(visit.desk.office, dispute_id, visit.errand)
    return shown("disputes/dispute.html", **_shared(visit, evidence), resolutions=tuple(Resolution))


def show_resolve(visit: Visit, dispute_id: str, way: str, form: ResolveForm) -> Answer:
    """Say what a resolution does, and ask for a note."""
    evidence = read_dispute_evidence(visit.desk.office, dispute_id, visit.errand)
    return shown("disputes/resolve.html", **_shared(visit, evidence), resolution=_resolution(way), form=form)


def send_resolve(visit: Visit, dispute_id: str, way: str, form: ResolveForm) -> Answer:
    """Resolve the dispute; the page that follows says how and since when."""
    resolve_dispute(visit.desk.office, dispute_id, _resolution(way), visit.errand, note=str(form.note.data or ""))
    return seen_at("show_dispute", dispute_id=dispute_id)


def _resolution(way: str) -> Resolution:
    """Return what the address asks for; an address that asks for anything else leads nowhere."""
    found = next((each for each in Resolution if each.value == way), None)
    return found if found is not None else abort(404)


def _shared(visit: Visit, evidence: DisputeEvidence) -> dict[str, Any]:
    office, errand, dispute = visit.desk.office, visit.errand, evidence.dispute
    courts = read_courts(office, errand)
    by = dispute.resolved_by or ""
    court = courts.get(dispute.court_id)
    return {
        "evidence": evidence,
        "dispute": dispute,
        "order": read_order(office, dispute.order_id, errand).order,
        "courts": courts,
        "zone": court.zone if court is not None else "UTC",
        "resolved_by": read_names(office, [by], errand)[by] if by else "",
        "may_resolve": may_resolve(office, dispute, errand),
        "at": visit.at,
    }


PAGES = (
    Page(name="list_disputes", path="/disputes", show=show_disputes),
    Page(name="show_dispute", path="/disputes/<dispute_id>", show=show_dispute),
    Page(
        name="resolve_dispute",
        path="/disputes/<dispute_id>/resolve/<way>",
        show=show_resolve,
        form=ResolveForm,
        send=send_resolve,
    ),
)
