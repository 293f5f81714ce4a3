"""Districts: the tree with its switches, what each switch silences, and who turned it when."""

from collections.abc import Mapping
from typing import Any

from govuk_frontend_wtf.wtforms_widgets import GovTextArea
from werkzeug.wrappers import Response as Answer
from wtforms import HiddenField, TextAreaField
from wtforms.validators import AnyOf, InputRequired, Length

from gateway.console.form import ConsoleForm
from gateway.console.languages import lazily as _l
from gateway.console.page import Page, Visit, seen_at, shown
from gateway.domain.rights import NotAllowedError
from gateway.register.errors import UnknownEntryError
from gateway.workflows.foresee_switch import foresee_switch
from gateway.workflows.read_courts import read_courts
from gateway.workflows.read_districts import DistrictNode, Switching, district_history, read_districts
from gateway.workflows.switch_district import switch_district

_ON, _OFF = "on", "off"


class SwitchForm(ConsoleForm):
    """Why a district is switched, and which way the page said it would be: a switch has only two."""

    turn = HiddenField(validators=[AnyOf([_ON, _OFF])])
    reason = TextAreaField(
        _l("Reason"),
        [InputRequired(_l("Write why: the record keeps it")), Length(max=500)],
        description=_l(
            "Kept in the record for good, and shown to everybody who sees the district: name no person here"
        ),
        widget=GovTextArea(),
    )


def show_districts(visit: Visit) -> Answer:
    """Show the tree of districts."""
    nodes = read_districts(visit.desk.office, visit.errand)
    return shown("districts/list.html", **_shared(visit, nodes), nodes=nodes)


def show_district(visit: Visit, district_id: str) -> Answer:
    """Show one district, with who switched it when."""
    nodes = read_districts(visit.desk.office, visit.errand)
    node = _one(nodes, district_id)
    below = [each for each in nodes if each.district.parent_id == district_id]
    return shown(
        "districts/district.html",
        **_shared(visit, nodes),
        node=node,
        below=below,
        history=_history(visit, district_id),
    )


def begin_switch(visit: Visit, district_id: str) -> Mapping[str, Any]:
    """Begin with the version that the page is made from, and with the only way that the switch can be turned."""
    district = _one(read_districts(visit.desk.office, visit.errand, counting=False), district_id).district
    return {"version": district.version, "turn": _OFF if district.enabled else _ON}


def show_switch(visit: Visit, district_id: str, form: SwitchForm) -> Answer:
    """Say what the switch will do, and ask for the reason."""
    nodes = read_districts(visit.desk.office, visit.errand)
    node = _one(nodes, district_id)
    if not node.may_switch:
        raise NotAllowedError(right="districts:switch", where=f"district {district_id}")
    to_enabled = form.turn.data == _ON
    return shown(
        "districts/switch.html",
        **_shared(visit, nodes),
        node=node,
        form=form,
        effect=foresee_switch(nodes, district_id, to_enabled=to_enabled),
        is_stale=form.read_version != node.district.version,
    )


def send_switch(visit: Visit, district_id: str, form: SwitchForm) -> Answer:
    """Turn the switch; the page that follows says since when."""
    office = visit.desk.office
    switch_district(
        office.engine,
        office.keys,
        district_id,
        visit.errand,
        to_enabled=form.turn.data == _ON,
        reason=str(form.reason.data),
        # A form whose version was taken out is as stale as one can be.
        expected=visit.expected or 0,
    )
    return seen_at("show_district", district_id=district_id)


def _shared(visit: Visit, nodes: tuple[DistrictNode, ...]) -> dict[str, Any]:
    return {
        "courts": read_courts(visit.desk.office, visit.errand),
        "names": {each.district.district_id: each.district.name for each in nodes},
        "at": visit.at,
    }


def _one(nodes: tuple[DistrictNode, ...], district_id: str) -> DistrictNode:
    for node in nodes:
        if node.district.district_id == district_id:
            return node
    raise UnknownEntryError(what="district", shown=district_id, cure="the list of districts has them all")


def _history(visit: Visit, district_id: str) -> tuple[Switching, ...] | None:
    """Return who switched it; None where the district is only shown because one's own lies in the same tree."""
    try:
        return district_history(visit.desk.office, district_id, visit.errand)
    except NotAllowedError:
        return None


PAGES = (
    Page(name="list_districts", path="/districts", show=show_districts),
    Page(name="show_district", path="/districts/<district_id>", show=show_district),
    Page(
        name="switch_district",
        path="/districts/<district_id>/switch",
        show=show_switch,
        form=SwitchForm,
        begin=begin_switch,
        send=send_switch,
    ),
)
