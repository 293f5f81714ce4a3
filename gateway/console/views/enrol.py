"""Enrolling: who was given a code sets what to sign in with, and nobody else learns it.

The code, and what was asked of the browser, lie sealed in the console's own cookie between the pages: they never stand
in an address, and reloading a page shows the same secret for the app again.
"""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from flask import abort, redirect, request, session, url_for
from govuk_frontend_wtf.wtforms_widgets import GovPasswordInput, GovTextInput
from werkzeug.wrappers import Response as Answer
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from gateway.console.form import ConsoleForm
from gateway.console.languages import lazily as _l
from gateway.console.page import HTTP_SEE_OTHER, Page, Visit, seen_at, shown
from gateway.console.views.sign_in_passkey import PasskeyForm
from gateway.console.ways_in import takes_passkeys
from gateway.people.challenges import LIFETIME
from gateway.privacy.errors import TokenRefusedError
from gateway.workflows.enrol import begin_enrolment, enrol_with_passkey, enrol_with_password

_KEPT, _USE = "enrolment", "console-enrolment"


class CodeForm(ConsoleForm):
    """The code that an administrator handed over."""

    enrolment_code = StringField(
        _l("Enrolment code"),
        [InputRequired(_l("Enter the code that you were given")), Length(max=200)],
        description=_l("It begins with cne_ and is good for 72 hours"),
        widget=GovTextInput(),
    )


class PasswordForm(ConsoleForm):
    """A password of one's own, and the six digits that show that the app has its secret."""

    password = PasswordField(
        _l("Password"),
        [InputRequired(_l("Choose a password")), Length(max=1000)],
        description=_l("12 characters or more: a phrase of several words that nobody would guess"),
        widget=GovPasswordInput(),
    )
    totp_code = StringField(
        _l("Code"),
        [InputRequired(_l("Enter the six digits that your authenticator app shows")), Length(max=20)],
        description=_l("The six digits that your authenticator app shows now"),
        widget=GovTextInput(),
    )


class NewPasskeyForm(PasskeyForm):
    """A passkey that the browser made, and what to call it."""

    label = StringField(
        _l("Name of the passkey"),
        [InputRequired(_l("Give the passkey a name")), Length(max=100)],
        description=_l("So that you know it again, for example: my office laptop"),
        widget=GovTextInput(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """What was begun with a code."""

    code: str = field(repr=False)
    login: str = field(repr=False)
    totp_uri: str = field(repr=False)
    options: str = field(repr=False)
    ticket: str = field(repr=False)

    @property
    def secret(self) -> str:
        """Return the app's secret in groups of four, to be typed."""
        secret = parse_qs(urlsplit(self.totp_uri).query)["secret"][0]
        return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def show_enrol(_visit: Visit, form: CodeForm) -> Answer:
    """Ask for the code."""
    return shown("account/enrol.html", form=form, late=bool(request.args.get("late")))


def send_enrol(visit: Visit, form: CodeForm) -> Answer:
    """Begin with the code, which stays good, and go on to the password."""
    code = str(form.enrolment_code.data).strip()
    begun = begin_enrolment(visit.desk.people, code, visit.at)
    state = {
        "code": code,
        "login": begun.login,
        "totp_uri": begun.totp_uri,
        "options": begun.passkey_options,
        "ticket": begun.ticket,
    }
    session[_KEPT] = visit.desk.people.sealer.seal(state, use=_USE, now=visit.at, lifetime=LIFETIME)
    return seen_at("enrol_with_password")


def show_password(visit: Visit, form: PasswordForm) -> Answer:
    """Show the secret for the app, and ask for a password and a code."""
    begun = _begun(visit)
    return shown("account/enrol_password.html", form=form, begun=begun, takes_passkeys=takes_passkeys(visit.desk))


def send_password(visit: Visit, form: PasswordForm) -> Answer:
    """Set the password, and go on to sign in with it."""
    begun = _begun(visit)
    password, totp_code = str(form.password.data), str(form.totp_code.data)
    enrol_with_password(
        visit.desk.people, begun.code, begun.ticket, password=password, totp_code=totp_code, now=visit.at
    )
    return _enrolled()


def show_passkey(visit: Visit, form: NewPasskeyForm) -> Answer:
    """Let the browser make a passkey."""
    begun = _begun(visit)
    form.ask(begun.ticket)
    return shown("account/enrol_passkey.html", form=form, begun=begun)


def send_passkey(visit: Visit, form: NewPasskeyForm) -> Answer:
    """Keep the passkey, and go on to sign in with it."""
    begun = _begun(visit)
    response, label = str(form.passkey.data), str(form.label.data)
    enrol_with_passkey(visit.desk.people, begun.code, begun.ticket, response=response, label=label, now=visit.at)
    return _enrolled()


def _begun(visit: Visit) -> _Begun:
    """Return what this browser began; where it began nothing or took too long, the code is asked for again."""
    try:
        return _Begun(**visit.desk.people.sealer.open(str(session.get(_KEPT, "")), use=_USE, now=visit.at))
    except TokenRefusedError:
        abort(seen_at("enrol", late="1"))


def _enrolled() -> Answer:
    session.pop(_KEPT, None)
    return redirect(url_for("sign_in", enrolled="1"), HTTP_SEE_OTHER)


PAGES = (
    Page(name="enrol", path="/enrol", show=show_enrol, form=CodeForm, send=send_enrol),
    Page(
        name="enrol_with_password",
        path="/enrol/password",
        show=show_password,
        form=PasswordForm,
        send=send_password,
    ),
    Page(name="enrol_with_passkey", path="/enrol/passkey", show=show_passkey, form=NewPasskeyForm, send=send_passkey),
)
