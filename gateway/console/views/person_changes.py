"""What is done to one person: the name, the roles, new credentials, signing out, and the end."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from govuk_frontend_wtf.wtforms_widgets import GovCheckboxInput, GovRadioInput, GovSelect, GovTextInput
from werkzeug.wrappers import Response as Answer
from wtforms import BooleanField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from gateway.console.form import ConsoleForm
from gateway.console.languages import lazily as _l
from gateway.console.page import Page, Visit, seen_at, shown
from gateway.console.places import places_of
from gateway.console.views.people import code_shown
from gateway.console.words import word
from gateway.domain.rights import Right, Role
from gateway.people.errors import UnknownRoleError
from gateway.people.roles import RoleHeld
from gateway.workflows.change_person import (
    PersonEdit,
    change_person,
    close_person,
    give_role,
    reset_credentials,
    take_role,
)
from gateway.workflows.list_people import read_person
from gateway.workflows.sign_in import sign_out_everywhere

_UNPROCESSABLE = 422
_MOST_KEYS = 50


class EditForm(ConsoleForm):
    """The name, and whether the identity provider signs the person in."""

    name = StringField(_l("Name"), [InputRequired(_l("Enter a name")), Length(max=400)], widget=GovTextInput())
    oidc_allowed = BooleanField(
        _l("May sign in at the identity provider"),
        description=_l("The account there whose verified e-mail address is the login opens this account"),
        widget=GovCheckboxInput(),
    )


class RoleForm(ConsoleForm):
    """A role, and where it holds."""

    role = SelectField(_l("Role"), widget=GovSelect())
    place = SelectField(_l("Where it holds"), [InputRequired(_l("Choose a place"))], widget=GovSelect())


class ClosingForm(ConsoleForm):
    """What becomes of the API keys whose secrets the person has seen."""

    revoke_keys = RadioField(
        _l("API keys that this person issued"),
        [InputRequired(_l("Say what becomes of the API keys"))],
        choices=[
            SelectChoice(value="yes", label=_l("Revoke them: the programs that use them stop")),
            SelectChoice(value="no", label=_l("Leave them in force, and replace them later")),
        ],
        description=_l("Whoever issued a key has seen its secret"),
        widget=GovRadioInput(),
    )


def begin_edit(visit: Visit, person_id: str) -> Mapping[str, Any]:
    """Begin with the person as it is."""
    person = read_person(visit.desk.people, visit.actor, person_id)
    return {"name": person.name, "oidc_allowed": person.oidc_allowed, "version": person.version}


def begin_change(visit: Visit, person_id: str, **_path: str) -> Mapping[str, Any]:
    """Begin with the version that the change is decided on."""
    return {"version": read_person(visit.desk.people, visit.actor, person_id).version}


def show_edit(visit: Visit, person_id: str, form: EditForm) -> Answer:
    """Ask what is to be different."""
    return _page(visit, person_id, form, "people/change.html")


def send_edit(visit: Visit, person_id: str, form: EditForm) -> Answer:
    """Change the person."""
    edit = PersonEdit(name=str(form.name.data), oidc_allowed=bool(form.oidc_allowed.data))
    change_person(visit.desk.people, visit.errand, person_id, edit, expected=visit.expected)
    return seen_at("show_person", person_id=person_id)


def ready_role(visit: Visit, form: RoleForm, person_id: str) -> None:  # noqa: ARG001  (the path is handed over)
    """Fill in the roles and the places that there are."""
    form.role.choices = [(role.value, word(role)) for role in Role]
    form.place.choices = places_of(visit).choices(visit.actor, Right.PEOPLE_MANAGE)


def show_give(visit: Visit, person_id: str, form: RoleForm) -> Answer:
    """Ask which role to give."""
    return _page(visit, person_id, form, "people/give_role.html")


def send_give(visit: Visit, person_id: str, form: RoleForm) -> Answer:
    """Give the role."""
    held = RoleHeld(role=Role(form.role.data), scope=places_of(visit).scope_of(str(form.place.data)))
    give_role(visit.desk.people, visit.errand, person_id, held, expected=visit.expected)
    return seen_at("show_person", person_id=person_id)


def show_take(visit: Visit, person_id: str, role: str, place: str, form: ConsoleForm) -> Answer:
    """Ask whether to take a role away."""
    held = _held(visit, person_id, role, place)
    return _page(visit, person_id, form, "people/take_role.html", held=held)


def send_take(visit: Visit, person_id: str, role: str, place: str, form: ConsoleForm) -> Answer:  # noqa: ARG001
    """Take the role away."""
    take_role(visit.desk.people, visit.errand, person_id, _held(visit, person_id, role, place), expected=visit.expected)
    return seen_at("show_person", person_id=person_id)


def show_reset(visit: Visit, person_id: str, form: ConsoleForm) -> Answer:
    """Ask whether to remove all that the person signs in with."""
    return _page(visit, person_id, form, "people/reset.html")


def send_reset(visit: Visit, person_id: str, form: ConsoleForm) -> Answer:
    """Remove it, and go on to the new enrolment code."""
    if person_id == visit.actor.actor_id:
        # It would close the session that has to show the code, and so shut the reader out.
        form.form_errors.append(str(gettext("Another administrator must do this for you, and give you the code.")))
        answer = show_reset(visit, person_id, form)
        answer.status_code = _UNPROCESSABLE
        return answer
    code = reset_credentials(visit.desk.people, visit.errand, person_id, expected=visit.expected)
    return code_shown(visit, person_id, code)


def show_sign_out(visit: Visit, person_id: str, form: ConsoleForm) -> Answer:
    """Ask whether to close all sessions of the person."""
    return _page(visit, person_id, form, "people/sign_out.html")


def send_sign_out(visit: Visit, person_id: str, form: ConsoleForm) -> Answer:  # noqa: ARG001
    """Close all sessions of the person."""
    sign_out_everywhere(visit.desk.people, visit.errand, person_id)
    return seen_at("show_person", person_id=person_id)


def show_close(visit: Visit, person_id: str, form: ClosingForm) -> Answer:
    """Ask whether to close the person for good."""
    return _page(visit, person_id, form, "people/close.html")


def send_close(visit: Visit, person_id: str, form: ClosingForm) -> Answer:
    """Close the person; the page that follows names the API keys that are left to be replaced."""
    revoke = form.revoke_keys.data == "yes"
    closed = close_person(visit.desk.people, visit.errand, person_id, revoke_keys=revoke, expected=visit.expected)
    left = {"keys": ",".join(closed.keys_left[:_MOST_KEYS])} if closed.keys_left else {}
    return seen_at("show_person", person_id=person_id, **left)


def _held(visit: Visit, person_id: str, role: str, place: str) -> RoleHeld:
    """Return the role that an address names. Raises UnknownRoleError, UnknownEntryError."""
    if role not in {each.value for each in Role}:
        raise UnknownRoleError(person_id=person_id, role=role)
    return RoleHeld(role=Role(role), scope=places_of(visit).scope_of(place))


def _page(visit: Visit, person_id: str, form: ConsoleForm, template: str, held: RoleHeld | None = None) -> Answer:
    person = read_person(visit.desk.people, visit.actor, person_id)
    return shown(template, form=form, person=person, places=places_of(visit), held=held)


PAGES = (
    Page(
        name="change_person",
        path="/people/<person_id>/change",
        show=show_edit,
        form=EditForm,
        begin=begin_edit,
        send=send_edit,
    ),
    Page(
        name="give_role",
        path="/people/<person_id>/roles/give",
        show=show_give,
        form=RoleForm,
        begin=begin_change,
        ready=ready_role,
        send=send_give,
    ),
    Page(
        name="take_role",
        path="/people/<person_id>/roles/<role>/take/<path:place>",
        show=show_take,
        form=ConsoleForm,
        begin=begin_change,
        send=send_take,
    ),
    Page(
        name="reset_credentials",
        path="/people/<person_id>/reset",
        show=show_reset,
        form=ConsoleForm,
        begin=begin_change,
        send=send_reset,
    ),
    Page(
        name="sign_person_out",
        path="/people/<person_id>/sign-out",
        show=show_sign_out,
        form=ConsoleForm,
        send=send_sign_out,
    ),
    Page(
        name="close_person",
        path="/people/<person_id>/close",
        show=show_close,
        form=ClosingForm,
        begin=begin_change,
        send=send_close,
    ),
)
