"""API keys: the list, one key, issuing one, showing its token once, revoking it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import request
from govuk_frontend_wtf.wtforms_widgets import GovCheckboxesInput, GovSelect, GovTextInput
from werkzeug.wrappers import Response as Answer
from wtforms import DateField, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length

from gateway.console import shown_once
from gateway.console.form import ConsoleForm
from gateway.console.languages import lazily as _l
from gateway.console.page import Page, Visit, seen_at, shown
from gateway.console.places import places_of
from gateway.console.words import word
from gateway.domain.rights import API_KEY_RIGHTS, Right
from gateway.people.api_keys import KeyDraft
from gateway.workflows.issue_api_key import issue_api_key, list_api_keys, read_api_key, revoke_api_key

_PAGE = 50
# Far outside of what a key may last, and well inside of what can be reckoned with.
_EARLIEST, _LATEST = date(2000, 1, 1), date(3000, 1, 1)


class KeyForm(ConsoleForm):
    """A new key: which program it is for, what it may do, where, and until when."""

    name = StringField(
        _l("Program"),
        [InputRequired(_l("Say which program the key is for")), Length(max=400)],
        description=_l("Which program the key is for, for example: the court's payment system"),
        widget=GovTextInput(),
    )
    rights = SelectMultipleField(
        _l("What it may do"),
        [InputRequired(_l("Choose at least one thing that it may do"))],
        description=_l("As little as the program needs. No program approves, resolves disputes or administers"),
        widget=GovCheckboxesInput(),
    )
    place = SelectField(_l("Where it holds"), [InputRequired(_l("Choose a place"))], widget=GovSelect())
    expires_at = DateField(
        _l("Last day"),
        [InputRequired(_l("Choose the last day on which it is good"))],
        description=_l("At most a year from now; the key is good until the end of that day"),
        widget=GovTextInput(),
    )


def show_keys(visit: Visit) -> Answer:
    """List the keys that the reader manages, revoked and expired ones too."""
    found = list_api_keys(visit.desk.people, visit.actor, after=request.args.get("after", ""), limit=_PAGE)
    return shown("api_keys/list.html", found=found, places=places_of(visit), at=visit.at)


def ready_issue(visit: Visit, form: KeyForm) -> None:
    """Fill in what a key may do, and where."""
    form.rights.choices = [(right.value, word(right)) for right in Right if right in API_KEY_RIGHTS]
    form.place.choices = places_of(visit).choices(visit.actor, Right.API_KEYS_MANAGE)


def show_issue(_visit: Visit, form: KeyForm) -> Answer:
    """Ask what the key is for."""
    return shown("api_keys/issue.html", form=form)


def send_issue(visit: Visit, form: KeyForm) -> Answer:
    """Issue the key, and go on to its token."""
    places = places_of(visit)
    draft = KeyDraft(
        name=str(form.name.data),
        rights=frozenset(Right(each) for each in form.rights.data or ()),
        scope=places.scope_of(str(form.place.data)),
        expires_at=_end_of(form, places.zone),
    )
    issued = issue_api_key(visit.desk.people, visit.errand, draft)
    key_id = issued.key.key_id
    return seen_at("show_api_key_token", key_id=key_id, shown=shown_once.sealed(visit, issued.token, of=key_id))


def show_token(visit: Visit, key_id: str) -> Answer:
    """Show the token of a key that the reader has just issued; nobody can show it again afterwards."""
    key = read_api_key(visit.desk.people, visit.actor, key_id)
    return shown("api_keys/token.html", key=key, token=shown_once.opened(visit, of=key_id), places=places_of(visit))


def show_key(visit: Visit, key_id: str) -> Answer:
    """Show a key without its token."""
    key = read_api_key(visit.desk.people, visit.actor, key_id)
    return shown("api_keys/key.html", key=key, places=places_of(visit), at=visit.at)


def show_revoke(visit: Visit, key_id: str, form: ConsoleForm) -> Answer:
    """Ask whether to revoke a key."""
    key = read_api_key(visit.desk.people, visit.actor, key_id)
    return shown("api_keys/revoke.html", form=form, key=key, places=places_of(visit))


def send_revoke(visit: Visit, key_id: str, form: ConsoleForm) -> Answer:  # noqa: ARG001
    """Revoke the key, from its next request on."""
    revoke_api_key(visit.desk.people, visit.errand, key_id)
    return seen_at("show_api_key", key_id=key_id)


def _end_of(form: KeyForm, zone: str) -> datetime:
    """Return the end of the last day by the clock of the reader's courts, which is the beginning of the next."""
    following = min(max(form.expires_at.data, _EARLIEST), _LATEST) + timedelta(days=1)
    return datetime.combine(following, time(0), ZoneInfo(zone)).astimezone(UTC)


PAGES = (
    Page(name="list_api_keys", path="/api-keys", show=show_keys),
    Page(
        name="issue_api_key", path="/api-keys/issue", show=show_issue, form=KeyForm, ready=ready_issue, send=send_issue
    ),
    Page(name="show_api_key", path="/api-keys/<key_id>", show=show_key),
    Page(name="show_api_key_token", path="/api-keys/<key_id>/token", show=show_token),
    Page(name="revoke_api_key", path="/api-keys/<key_id>/revoke", show=show_revoke, form=ConsoleForm, send=send_revoke),
)
