"""People: the list, finding somebody by the login, one person, adding one, and the code to enrol with."""

from flask import request, url_for
from flask_babel import gettext
from govuk_frontend_wtf.wtforms_widgets import GovCheckboxesInput, GovCheckboxInput, GovSelect, GovTextInput
from werkzeug.wrappers import Response as Answer
from wtforms import BooleanField, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from gateway.console import shown_once
from gateway.console.form import ConsoleForm
from gateway.console.languages import lazily as _l
from gateway.console.page import Page, Visit, seen_at, shown
from gateway.console.places import Places, places_of, value_of
from gateway.console.words import word
from gateway.domain.rights import Right, Role
from gateway.people.api_keys import ApiKey
from gateway.people.directory import Person
from gateway.people.errors import UnknownApiKeyError, UnknownLoginError, UnknownPersonError
from gateway.people.roles import RoleHeld
from gateway.workflows.add_person import PersonDraft, add_person
from gateway.workflows.issue_api_key import read_api_key
from gateway.workflows.list_people import list_people, person_of_login, read_person

_PAGE = 50
_MOST_KEYS = 50
_NOT_FOUND = 404


class FindForm(ConsoleForm):
    """Whom to look for; a login stands in no address, which are kept in histories and logs."""

    login = StringField(
        _l("Login"),
        [InputRequired(_l("Enter the whole login")), Length(max=400)],
        description=_l("The whole login, for example clerk@court.example"),
        widget=GovTextInput(),
    )


class PersonForm(ConsoleForm):
    """A new person, who sets password or passkey with the code that the next page shows."""

    name = StringField(_l("Name"), [InputRequired(_l("Enter a name")), Length(max=400)], widget=GovTextInput())
    login = StringField(
        _l("Login"),
        [InputRequired(_l("Enter a login")), Length(max=400)],
        description=_l("For example an e-mail address; without spaces. It is never given to anybody else"),
        widget=GovTextInput(),
    )
    roles = SelectMultipleField(
        _l("Roles"),
        description=_l("More roles, and roles in other places, can be given afterwards"),
        widget=GovCheckboxesInput(),
    )
    place = SelectField(_l("Where these roles hold"), widget=GovSelect())
    oidc_allowed = BooleanField(
        _l("May sign in at the identity provider"),
        description=_l("The account there whose verified e-mail address is the login opens this account"),
        widget=GovCheckboxInput(),
    )

    def validate_place(self, field: SelectField) -> None:
        """Refuse roles that hold nowhere."""
        if self.roles.data and not field.data:
            raise ValidationError(_l("Choose where these roles hold"))


def show_people(visit: Visit, form: FindForm) -> Answer:
    """List the people whom the reader manages."""
    found = list_people(visit.desk.people, visit.actor, after=request.args.get("after", ""), limit=_PAGE)
    places = places_of(visit)
    return shown("people/list.html", form=form, found=found, places=places, at=visit.at)


def send_people(visit: Visit, form: FindForm) -> Answer:
    """Go to the person with a login."""
    try:
        found = person_of_login(visit.desk.people, visit.actor, str(form.login.data))
    except (UnknownLoginError, UnknownPersonError):
        form.refuse("login", str(gettext("Nobody whom you manage has this login. Check it, and write it in full.")))
        answer = show_people(visit, form)
        answer.status_code = _NOT_FOUND
        return answer
    return seen_at("show_person", person_id=found.person_id)


def ready_person(visit: Visit, form: PersonForm) -> None:
    """Fill in the roles and the places that there are."""
    form.roles.choices = [(role.value, word(role)) for role in Role]
    form.place.choices = places_of(visit).choices(visit.actor, Right.PEOPLE_MANAGE)


def show_add(_visit: Visit, form: PersonForm) -> Answer:
    """Ask who is to be added."""
    return shown("people/add.html", form=form)


def send_add(visit: Visit, form: PersonForm) -> Answer:
    """Add the person, and go on to the enrolment code."""
    held, places = [Role(each) for each in form.roles.data or ()], places_of(visit)
    draft = PersonDraft(
        login=str(form.login.data),
        name=str(form.name.data),
        roles=tuple(RoleHeld(role=each, scope=places.scope_of(str(form.place.data))) for each in held),
        oidc_allowed=bool(form.oidc_allowed.data),
    )
    added = add_person(visit.desk.people, visit.errand, draft)
    return code_shown(visit, added.person.person_id, added.enrolment_code)


def code_shown(visit: Visit, person_id: str, code: str) -> Answer:
    """Go on to the page that shows an enrolment code."""
    return seen_at("show_enrolment_code", person_id=person_id, shown=shown_once.sealed(visit, code, of=person_id))


def show_code(visit: Visit, person_id: str) -> Answer:
    """Show the enrolment code that the reader has just made; nobody can show it again afterwards."""
    person = read_person(visit.desk.people, visit.actor, person_id)
    return shown(
        "people/code.html",
        person=person,
        code=shown_once.opened(visit, of=person_id),
        enrol_at=visit.desk.settings.public_origin + url_for("enrol"),
        zone=places_of(visit).zone,
    )


def show_person(visit: Visit, person_id: str) -> Answer:
    """Show one person, with what the reader may change."""
    person, places = read_person(visit.desk.people, visit.actor, person_id), places_of(visit)
    return shown(
        "people/person.html",
        person=person,
        places=places,
        value_of=value_of,
        is_own=person_id == visit.actor.actor_id,
        may_change=_may_change(visit, person, places),
        may_give=person.closed_at is None,
        may_take={held: places.covers(visit.actor, Right.PEOPLE_MANAGE, held.scope) for held in person.roles},
        keys_left=_keys(visit, request.args.get("keys", "")),
        at=visit.at,
    )


def _may_change(visit: Visit, person: Person, places: Places) -> bool:
    """Tell whether to offer changes of the person as a whole; the workflow judges again."""
    reached = (places.covers(visit.actor, Right.PEOPLE_MANAGE, held.scope) for held in person.roles)
    return person.closed_at is None and all(reached)


def _keys(visit: Visit, ids: str) -> list[ApiKey]:
    """Return the keys in force that an address names; what the reader may not see is left out."""
    found = []
    for key_id in ids.split(",")[:_MOST_KEYS] if ids else ():
        try:
            key = read_api_key(visit.desk.people, visit.actor, key_id)
        except UnknownApiKeyError:
            continue
        if key.revoked_at is None and key.expires_at > visit.at:
            found.append(key)
    return found


PAGES = (
    Page(name="list_people", path="/people", show=show_people, form=FindForm, send=send_people),
    Page(name="add_person", path="/people/add", show=show_add, form=PersonForm, ready=ready_person, send=send_add),
    Page(name="show_person", path="/people/<person_id>", show=show_person),
    Page(name="show_enrolment_code", path="/people/<person_id>/code", show=show_code),
)
