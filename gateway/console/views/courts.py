"""Courts: the list, one court with its districts, adding and changing them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask_babel import gettext
from govuk_frontend_wtf.wtforms_widgets import GovSelect, GovTextInput
from werkzeug.wrappers import Response as Answer
from wtforms import IntegerField, SelectField, StringField, TimeField
from wtforms.validators import InputRequired, Length

from gateway.console.form import ConsoleForm
from gateway.console.languages import lazily as _l
from gateway.console.page import Page, Visit, seen_at, shown
from gateway.domain.court import Caps, Court, District
from gateway.domain.rights import Place, Right
from gateway.people.directory import read_name
from gateway.register.courts import unknown
from gateway.workflows.read_courts import read_courts
from gateway.workflows.read_districts import DistrictNode, read_districts
from gateway.workflows.set_up_court import add_court, add_district, change_court

_NUMBER = [InputRequired(_l("Enter a number"))]
_TIME = [InputRequired(_l("Enter a time, for example 08:00"))]


class ChangeForm(ConsoleForm):
    """What may be different about a court; the caps are never looser than the law's analogue."""

    name = StringField(_l("Name"), [InputRequired(_l("Enter a name")), Length(max=200)], widget=GovTextInput())
    zone = StringField(
        _l("Time zone"),
        [InputRequired(_l("Enter a time zone")), Length(max=100)],
        description=_l("By its name in the IANA database, for example Europe/London"),
        widget=GovTextInput(),
    )
    warning_days = IntegerField(
        _l("Warning period in days"),
        _NUMBER,
        description=_l("From 1 to 60: how long an organisation is told before callers hear a notice"),
        widget=GovTextInput(),
    )
    openers_per_day = IntegerField(
        _l("Openers a day"),
        _NUMBER,
        description=_l("At most 3: how often a person's line may be spoken to in a day"),
        widget=GovTextInput(),
    )
    contents_per_day = IntegerField(
        _l("Messages a day"),
        _NUMBER,
        description=_l("At most 1: how often a person may hear the content in a day"),
        widget=GovTextInput(),
    )
    contents_per_30_days = IntegerField(
        _l("Messages in 30 days"),
        _NUMBER,
        description=_l("At most 3: how often a person may hear the content in any 30 days"),
        widget=GovTextInput(),
    )
    earliest = TimeField(
        _l("Earliest"),
        _TIME,
        description=_l("Not before 08:00, by the clock of the place where the person's line is"),
        widget=GovTextInput(),
    )
    latest = TimeField(
        _l("Latest"),
        _TIME,
        description=_l("Not after 21:00, by the clock of the place where the person's line is"),
        widget=GovTextInput(),
    )


class CourtForm(ChangeForm):
    """A new court."""

    id = StringField(
        _l("Id"),
        [InputRequired(_l("Choose an id")), Length(max=64)],
        description=_l("Small letters, digits and hyphens, for example lakeside. It stays for good"),
        widget=GovTextInput(),
    )


class DistrictForm(ConsoleForm):
    """A new district; it is switched on."""

    name = StringField(_l("Name"), [InputRequired(_l("Enter a name")), Length(max=200)], widget=GovTextInput())
    id = StringField(
        _l("Id"),
        [InputRequired(_l("Choose an id")), Length(max=64)],
        description=_l("Small letters, digits and hyphens, for example lakeside-north. It stays for good"),
        widget=GovTextInput(),
    )
    parent = SelectField(
        _l("The district that it belongs to"),
        description=_l("Switching that one off silences this one too"),
        widget=GovSelect(),
    )


def show_courts(visit: Visit) -> Answer:
    """List the courts that the reader manages."""
    return shown("courts/list.html", courts=_managed(visit), may_add=visit.actor.may(Right.COURTS_MANAGE, None))


def begin_add(_visit: Visit) -> Mapping[str, Any]:
    """Begin with the values that the law's analogue allows at most."""
    return {"warning_days": 3, **_caps_shown(Caps())}


def show_add(_visit: Visit, form: CourtForm) -> Answer:
    """Ask about the new court."""
    return shown("courts/add.html", form=form)


def send_add(visit: Visit, form: CourtForm) -> Answer:
    """Add the court."""
    office, court_id = visit.desk.office, str(form.id.data)
    court = _filled_in(Court(court_id=court_id, name="", zone=""), form)
    add_court(office.engine, office.keys, court, visit.errand)
    return seen_at("show_court", court_id=court_id)


def show_court(visit: Visit, court_id: str) -> Answer:
    """Show one court with its districts."""
    return shown("courts/court.html", court=_court(visit, court_id), districts=_districts(visit, court_id))


def begin_change(visit: Visit, court_id: str) -> Mapping[str, Any]:
    """Begin with the court as it is."""
    court = _court(visit, court_id)
    own = {"name": court.name, "zone": court.zone, "warning_days": court.warning_days, "version": court.version}
    return {**own, **_caps_shown(court.caps)}


def show_change(visit: Visit, court_id: str, form: ChangeForm) -> Answer:
    """Ask what is to be different."""
    return shown("courts/change.html", form=form, court=_court(visit, court_id))


def send_change(visit: Visit, court_id: str, form: ChangeForm) -> Answer:
    """Change the court; what runs already keeps its dates."""
    office, present = visit.desk.office, _court(visit, court_id)
    expected = present.version if visit.expected is None else visit.expected
    change_court(office.engine, office.keys, _filled_in(present, form), visit.errand, expected=expected)
    return seen_at("show_court", court_id=court_id)


def ready_district(visit: Visit, form: DistrictForm, court_id: str) -> None:
    """Fill in the districts that the new one may belong to."""
    above = [(node.district.district_id, node.district.name) for node in _districts(visit, court_id)]
    form.parent.choices = [("", str(gettext("None: it stands at the top"))), *above]


def show_district(visit: Visit, court_id: str, form: DistrictForm) -> Answer:
    """Ask about the new district."""
    return shown("courts/add_district.html", form=form, court=_court(visit, court_id))


def send_district(visit: Visit, court_id: str, form: DistrictForm) -> Answer:
    """Add the district."""
    office = visit.desk.office
    district = District(
        district_id=str(form.id.data),
        court_id=_court(visit, court_id).court_id,
        name=read_name(str(form.name.data)),
        parent_id=form.parent.data or None,
        enabled=True,
    )
    add_district(office.engine, office.keys, district, visit.errand)
    return seen_at("show_court", court_id=court_id)


def _managed(visit: Visit) -> list[Court]:
    every = read_courts(visit.desk.office, visit.errand).values()
    return [each for each in every if visit.actor.may(Right.COURTS_MANAGE, Place(court_id=each.court_id))]


def _court(visit: Visit, court_id: str) -> Court:
    """Return a court that the reader manages. Raises UnknownEntryError."""
    for court in _managed(visit):
        if court.court_id == court_id:
            return court
    raise unknown(court_id)


def _districts(visit: Visit, court_id: str) -> list[DistrictNode]:
    found = read_districts(visit.desk.office, visit.errand, counting=False)
    return [node for node in found if node.district.court_id == court_id]


def _caps_shown(caps: Caps) -> Mapping[str, Any]:
    return {
        "openers_per_day": caps.openers_per_day,
        "contents_per_day": caps.contents_per_day,
        "contents_per_30_days": caps.contents_per_30_days,
        "earliest": caps.earliest,
        "latest": caps.latest,
    }


def _filled_in(court: Court, form: ChangeForm) -> Court:
    """Return a court as the form has it. Raises CapsTooLooseError."""
    caps = Caps(
        openers_per_day=form.openers_per_day.data,
        contents_per_day=form.contents_per_day.data,
        contents_per_30_days=form.contents_per_30_days.data,
        earliest=form.earliest.data,
        latest=form.latest.data,
    )
    name, zone = read_name(str(form.name.data)), str(form.zone.data).strip()
    return replace(court, name=name, zone=zone, warning_days=form.warning_days.data, caps=caps)


PAGES = (
    Page(name="list_courts", path="/courts", show=show_courts),
    Page(name="add_court", path="/courts/add", show=show_add, form=CourtForm, begin=begin_add, send=send_add),
    Page(name="show_court", path="/courts/<court_id>", show=show_court),
    Page(
        name="change_court",
        path="/courts/<court_id>/change",
        show=show_change,
        form=ChangeForm,
        begin=begin_change,
        send=send_change,
    ),
    Page(
        name="add_district",
        path="/courts/<court_id>/districts/add",
        show=show_district,
        form=DistrictForm,
        ready=ready_district,
        send=send_district,
    ),
)
