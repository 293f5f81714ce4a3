"""Audit: the trail of what was done, what was heard, and the proof that nobody has changed either."""

import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, request
from flask_babel import gettext
from govuk_frontend_wtf.wtforms_widgets import GovSelect, GovTextInput
from werkzeug.wrappers import Response as Answer
from wtforms import DateField, Form, SelectField, StringField
from wtforms.validators import Length, Optional

from gateway.audit.play_list import PlayQuery
from gateway.audit.reading import TrailEntry, TrailQuery
from gateway.audit.tags import Tag
from gateway.console.filter_fields import FixedChoices
from gateway.console.form import ConsoleForm
from gateway.console.languages import LANGUAGES, language
from gateway.console.languages import lazily as _l
from gateway.console.page import Page, Visit, shown
from gateway.console.trail_rows import trail_rows
from gateway.console.words import word
from gateway.console.zones import zone_of
from gateway.domain.notice import Purpose
from gateway.domain.rights import Right
from gateway.workflows.read_audit import export_now, read_plays, read_trail, verify_now
from gateway.workflows.read_case_numbers import read_case_numbers
from gateway.workflows.read_courts import read_courts
from gateway.workflows.read_districts import read_branches
from gateway.workflows.read_names import read_names

_PAGE = 50
_IDS = 64
_LONGEST_NUMBER = 15
_TAGS = {tag.value: tag for tag in Tag}


class Period(Form):  # type: ignore[misc]  # WTForms has no types.
    """Which court and which days; it stands in the address, and changes nothing that would have to be guarded."""

    class Meta(Form.Meta):  # type: ignore[misc]  # WTForms has no types.
        """What WTForms says by itself is in the reader's language, as in all forms of the console."""

        @property
        def locales(self) -> tuple[str, ...]:
            """Return the reader's language."""
            return (language(),)

    court = SelectField(_l("Court"), widget=GovSelect(), validate_choice=False)
    since = DateField(_l("From"), [Optional()], widget=GovTextInput())
    until = DateField(_l("To the end of"), [Optional()], widget=GovTextInput())


class TrailFilter(Period):
    """Which entries to list."""

    tag = SelectField(_l("What was done"), widget=GovSelect(), validate_choice=False)
    subject = StringField(
        _l("Done to"), [Length(max=_IDS)], description=_l("An id, for example ord_9f86d081884c"), widget=GovTextInput()
    )
    actor = StringField(
        _l("Done by"), [Length(max=_IDS)], description=_l("An id, for example per_2c26b46b68ff"), widget=GovTextInput()
    )


class PlayFilter(Period):
    """Which plays to list."""

    purpose = SelectField(_l("What was heard"), widget=GovSelect(), validate_choice=False)
    order = StringField(_l("Order"), [Length(max=_IDS)], description=_l("The order's id"), widget=GovTextInput())


def show_trail(visit: Visit) -> Answer:
    """List the trail, newest first."""
    wanted = TrailFilter(formdata=request.args)
    wanted.tag.choices = _tags(language())
    asked = _asked("court", "since", "until", "tag", "subject", "actor", "after")
    shared = _shared(visit, wanted, asked["court"])
    since, until = _period(wanted, shared["zone"])
    query = TrailQuery(
        reach=visit.actor.reach(Right.AUDIT_READ),
        since=since,
        until=until,
        court_id=asked["court"],
        subject_id=asked["subject"],
        actor=asked["actor"],
        tag=_TAGS.get(asked["tag"]),
        after_seq=_number(asked["after"]),
        limit=_PAGE + 1,
    )
    found = read_trail(visit.desk.office, query, visit.errand) if wanted.validate() else ()
    return shown(
        "audit/trail.html",
        **shared,
        wanted=wanted,
        rows=trail_rows(found[:_PAGE], _names(visit, found[:_PAGE]), shared["courts"], shared["zone"]),
        after=found[_PAGE - 1].seq if len(found) > _PAGE else 0,
        address=_address(asked),
        reads_all=visit.actor.may(Right.AUDIT_READ, None),
    )


def show_plays(visit: Visit) -> Answer:
    """List what was heard, newest first."""
    wanted = PlayFilter(formdata=request.args)
    wanted.purpose.choices = [("", _l("Everything")), *((each.value, word(each)) for each in Purpose)]
    asked = _asked("court", "since", "until", "purpose", "order", "after")
    shared = _shared(visit, wanted, asked["court"])
    since, until = _period(wanted, shared["zone"])
    query = PlayQuery(
        reach=visit.actor.reach(Right.PLAYS_READ),
        since=since,
        until=until,
        court_id=asked["court"],
        order_id=asked["order"],
        purpose={each.value: each for each in Purpose}.get(asked["purpose"]),
        after=asked["after"],
        limit=_PAGE + 1,
    )
    found = read_plays(visit.desk.office, query, visit.errand) if wanted.validate() else ()
    return shown(
        "audit/plays.html",
        **shared,
        wanted=wanted,
        plays=found[:_PAGE],
        cases=read_case_numbers(visit.desk.office, (each.order_id for each in found), visit.errand),
        after=found[_PAGE - 1].play_id if len(found) > _PAGE else "",
        address=_address(asked),
        reads_trail=not visit.actor.reach(Right.AUDIT_READ).is_empty,
    )


def show_verify(_visit: Visit, form: ConsoleForm) -> Answer:
    """Say what verifying does, and offer it."""
    return shown("audit/verify.html", form=form)


def send_verify(visit: Visit, form: ConsoleForm) -> Answer:  # noqa: ARG001  (every form is handed over)
    """Verify, and show what was found: nothing is changed, so that there is no page to go on to."""
    verified = verify_now(visit.desk.office, visit.desk.settings.checkpoints_dir, visit.errand)
    zone = zone_of(read_courts(visit.desk.office, visit.errand).values())
    return shown("audit/verified.html", verified=verified, report=verified.report, at=visit.at, zone=zone)


def show_export(visit: Visit) -> Answer:
    """Send the whole trail as a file; the folder that it was written to is gone before it is sent."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trail.ndjson"
        export_now(visit.desk.office, path, visit.errand)
        content = path.read_bytes()
    name = f"trail-{visit.at:%Y-%m-%d-%H%M%S}.ndjson"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype="application/x-ndjson", headers=headers)


@lru_cache(maxsize=len(LANGUAGES))
def _tags(_language: str) -> FixedChoices:
    """Return what there is to choose from, in the order of the reader's words."""
    tags = [(tag.value, word(tag)) for tag in Tag]
    return FixedChoices([("", gettext("Everything")), *sorted(tags, key=itemgetter(1))])


def _asked(*names: str) -> dict[str, str]:
    arguments = request.args
    return {name: arguments.get(name, "").strip()[:_IDS] for name in names}


def _address(asked: Mapping[str, str]) -> dict[str, str]:
    """Return the filters as an address has them; where a page of the list begins is none of them."""
    return {name: value for name, value in asked.items() if value and name != "after"}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < _LONGEST_NUMBER else 0


def _period(wanted: Period, zone: str) -> tuple[datetime | None, datetime | None]:
    """Return when the days that were asked for begin and end, by the clock of the page."""
    until = wanted.until.data + timedelta(days=1) if wanted.until.data and wanted.until.data < date.max else None
    return _midnight(wanted.since.data, zone), _midnight(until, zone)


def _midnight(day: date | None, zone: str) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))


def _shared(visit: Visit, wanted: Period, court_id: str) -> dict[str, Any]:
    courts = read_courts(visit.desk.office, visit.errand)
    wanted.court.choices = [("", _l("All courts")), *((court.court_id, court.name) for court in courts.values())]
    chosen = courts.get(court_id)
    return {"courts": courts, "zone": zone_of([chosen] if chosen else courts.values()), "at": visit.at}


def _names(visit: Visit, entries: Sequence[TrailEntry]) -> dict[str, str]:
    """Return names for the ids in entries, as far as the reader may know them."""
    office, errand = visit.desk.office, visit.errand
    people = {each.actor for each in entries} | {each.subject_id for each in entries if each.tag.startswith("people:")}
    names = dict(read_names(office, people, errand))
    if any(each.tag.startswith("office:district:") for each in entries):
        nodes = read_branches(office, errand)
        names.update({each.district.district_id: each.district.name for each in nodes})
    ordered = [each.subject_id for each in entries if each.subject_id.startswith("ord_")]
    names.update(read_case_numbers(office, ordered, errand))
    return names


PAGES = (
    Page(name="list_audit", path="/audit", show=show_trail),
    Page(name="verify_audit", path="/audit/verify", show=show_verify, form=ConsoleForm, send=send_verify),
    Page(name="export_audit", path="/audit/export", show=show_export),
    Page(name="list_plays", path="/plays", show=show_plays),
)
