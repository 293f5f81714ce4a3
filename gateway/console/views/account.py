"""One's own account: what one signs in with, the roles one has, and the sessions that are open."""

from govuk_frontend_wtf.wtforms_widgets import GovPasswordInput, GovTextInput
from werkzeug.wrappers import Response as Answer
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from gateway.console.form import ConsoleForm
from gateway.console.languages import lazily as _l
from gateway.console.page import Page, Visit, seen_at, shown
from gateway.console.places import places_of
from gateway.console.views.enrol import NewPasskeyForm
from gateway.console.views.sign_in import signed_out
from gateway.console.ways_in import takes_passkeys
from gateway.people.passkey_list import ListedPasskey
from gateway.workflows.list_people import read_person
from gateway.workflows.own_credentials import (
    OwnSession,
    PasswordChange,
    UnknownPasskeyError,
    UnknownSessionError,
    add_own_passkey,
    begin_own_passkey,
    change_own_password,
    close_own_session,
    list_own_passkeys,
    list_own_sessions,
    remove_own_passkey,
)
from gateway.workflows.sign_in import sign_out_everywhere


class PasswordChangeForm(ConsoleForm):
    """The present password and a code, which show who asks, and the new password."""

    current_password = PasswordField(
        _l("Present password"),
        [InputRequired(_l("Enter your present password")), Length(max=1000)],
        widget=GovPasswordInput(),
    )
    password = PasswordField(
        _l("New password"),
        [InputRequired(_l("Choose a new password")), Length(max=1000)],
        description=_l("12 characters or more: a phrase of several words that nobody would guess"),
        widget=GovPasswordInput(),
    )
    totp_code = StringField(
        _l("Code"),
        [InputRequired(_l("Enter the six digits that your authenticator app shows")), Length(max=20)],
        description=_l("The six digits that your authenticator app shows now"),
        widget=GovTextInput(),
    )


def show_account(visit: Visit) -> Answer:
    """Show the reader's own account."""
    desk, errand = visit.desk, visit.errand
    return shown(
        "account/account.html",
        person=read_person(desk.people, visit.actor, visit.actor.actor_id),
        places=places_of(visit),
        passkeys=list_own_passkeys(desk.people, errand),
        sessions=list_own_sessions(desk.people, errand, visit.token),
        takes_passkeys=takes_passkeys(desk),
    )


def show_password(visit: Visit, form: PasswordChangeForm) -> Answer:
    """Ask for the present password, a code and the new password; the login is there for password managers."""
    person = read_person(visit.desk.people, visit.actor, visit.actor.actor_id)
    return shown("account/password.html", form=form, login=person.login)


def send_password(visit: Visit, form: PasswordChangeForm) -> Answer:
    """Change the password; the reader's other sessions are closed."""
    typed = PasswordChange(
        current=str(form.current_password.data),
        new=str(form.password.data),
        totp_code=str(form.totp_code.data),
        address=visit.address,
    )
    change_own_password(visit.desk.people, visit.errand, typed, visit.token)
    return seen_at("account")


def show_add_passkey(visit: Visit, form: NewPasskeyForm) -> Answer:
    """Let the browser make a passkey."""
    offer = begin_own_passkey(visit.desk.people, visit.errand)
    form.ask(offer.ticket)
    return shown("account/add_passkey.html", form=form, options=offer.options)


def send_add_passkey(visit: Visit, form: NewPasskeyForm) -> Answer:
    """Keep the passkey that the browser made."""
    response, label = str(form.passkey.data), str(form.label.data)
    add_own_passkey(visit.desk.people, visit.errand, str(form.ticket.data), response=response, label=label)
    return seen_at("account")


def show_remove_passkey(visit: Visit, passkey_id: str, form: ConsoleForm) -> Answer:
    """Ask whether to remove a passkey."""
    return shown("account/remove_passkey.html", form=form, passkey=_passkey(visit, passkey_id))


def send_remove_passkey(visit: Visit, passkey_id: str, form: ConsoleForm) -> Answer:  # noqa: ARG001
    """Remove a passkey; the reader's other sessions are closed."""
    remove_own_passkey(visit.desk.people, visit.errand, passkey_id, visit.token)
    return seen_at("account")


def show_close_session(visit: Visit, session_id: str, form: ConsoleForm) -> Answer:
    """Ask whether to close a session."""
    return shown("account/close_session.html", form=form, open=_session(visit, session_id), places=places_of(visit))


def send_close_session(visit: Visit, session_id: str, form: ConsoleForm) -> Answer:  # noqa: ARG001
    """Close a session; the browser that has it is asked to sign in at its next page."""
    is_this = _session(visit, session_id).is_this
    close_own_session(visit.desk.people, visit.errand, session_id)
    return signed_out(visit) if is_this else seen_at("account")


def show_everywhere(_visit: Visit, form: ConsoleForm) -> Answer:
    """Ask whether to close every session, this one too."""
    return shown("account/sign_out_everywhere.html", form=form)


def send_everywhere(visit: Visit, form: ConsoleForm) -> Answer:  # noqa: ARG001
    """Close every session of the reader's, this one too."""
    sign_out_everywhere(visit.desk.people, visit.errand, visit.actor.actor_id)
    return signed_out(visit)


def _passkey(visit: Visit, passkey_id: str) -> ListedPasskey:
    found = {each.passkey_id: each for each in list_own_passkeys(visit.desk.people, visit.errand)}
    if passkey_id not in found:
        raise UnknownPasskeyError(shown=passkey_id)
    return found[passkey_id]


def _session(visit: Visit, session_id: str) -> OwnSession:
    listed = list_own_sessions(visit.desk.people, visit.errand, visit.token)
    found = {each.session.session_id: each for each in listed}
    if session_id not in found:
        raise UnknownSessionError(shown=session_id)
    return found[session_id]


PAGES = (
    Page(name="account", path="/account", show=show_account),
    Page(
        name="change_own_password",
        path="/account/password",
        show=show_password,
        form=PasswordChangeForm,
        send=send_password,
    ),
    Page(
        name="add_own_passkey",
        path="/account/passkeys/add",
        show=show_add_passkey,
        form=NewPasskeyForm,
        send=send_add_passkey,
    ),
    Page(
        name="remove_own_passkey",
        path="/account/passkeys/<passkey_id>/remove",
        show=show_remove_passkey,
        form=ConsoleForm,
        send=send_remove_passkey,
    ),
    Page(
        name="close_own_session",
        path="/account/sessions/<session_id>/close",
        show=show_close_session,
        form=ConsoleForm,
        send=send_close_session,
    ),
    Page(
        name="sign_out_everywhere",
        path="/account/sign-out",
        show=show_everywhere,
        form=ConsoleForm,
        send=send_everywhere,
    ),
)
