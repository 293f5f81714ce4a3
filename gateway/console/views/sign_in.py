"""Signing in with password and code, and signing out; the language."""

from contextlib import suppress
from urllib.parse import urlsplit

from flask import redirect, request, session, url_for
from govuk_frontend_wtf.wtforms_widgets import GovPasswordInput, GovTextInput
from werkzeug.wrappers import Response as Answer
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from gateway.console.cookies import give_language, give_session, take_session
from gateway.console.form import ConsoleForm
from gateway.console.languages import LANGUAGES
from gateway.console.languages import lazily as _l
from gateway.console.page import HTTP_SEE_OTHER, Page, Visit, seen_at, shown
from gateway.console.ways_in import ways_in
from gateway.people.errors import NotSignedInError
from gateway.people.sessions import Opened
from gateway.workflows.load_demo_people import DEMO_PASSWORD, PEOPLE, demo_code
from gateway.workflows.sign_in import PasswordAttempt, sign_in, sign_out

_HOME = "/console"


class SignInForm(ConsoleForm):
    """What somebody types: the login, the password, and the six digits of the authenticator app."""

    login = StringField(_l("Login"), [InputRequired(_l("Enter your login")), Length(max=400)], widget=GovTextInput())
    password = PasswordField(
        _l("Password"), [InputRequired(_l("Enter your password")), Length(max=1000)], widget=GovPasswordInput()
    )
    code = StringField(
        _l("Code"),
        [InputRequired(_l("Enter the six digits that your authenticator app shows")), Length(max=20)],
        description=_l("The six digits that your authenticator app shows now"),
        widget=GovTextInput(),
    )


def show_sign_in(visit: Visit, form: SignInForm) -> Answer:
    """Show the form to sign in, and the other ways to."""
    return shown(
        "sign_in.html",
        form=form,
        ended=bool(request.args.get("ended")),
        enrolled=bool(request.args.get("enrolled")),
        next=local(request.args.get("next", "")),
        ways=ways_in(visit.desk),
        demo=_demo(visit),
    )


def _demo(visit: Visit) -> dict[str, object] | None:
    """Return what everybody may know who looks at the demo; None anywhere else."""
    if not visit.desk.settings.is_demo:
        return None
    return {"people": list(PEOPLE), "password": DEMO_PASSWORD, "code": demo_code(visit.at)}


def send_sign_in(visit: Visit, form: SignInForm) -> Answer:
    """Open a session and go on to where the reader wanted to be."""
    attempt = PasswordAttempt(
        login=str(form.login.data),
        password=str(form.password.data),
        totp_code=str(form.code.data).replace(" ", ""),
        address=visit.address,
    )
    return enter(visit, sign_in(visit.desk.people, attempt, visit.at), request.args.get("next", ""))


def enter(visit: Visit, opened: Opened, then: str) -> Answer:
    """Give the browser a session that was just opened, and go on to `then`.

    The session that the browser had before is closed: its token leaves the browser, and nobody would close it later.
    """
    with suppress(NotSignedInError):
        sign_out(visit.desk.people, visit.token, visit.at)
    # A token of a form from before the sign-in is worth nothing after it.
    session.clear()
    response = redirect(local(then), HTTP_SEE_OTHER)
    give_session(response, visit.desk, opened.token, opened.expires_at)
    return response


def show_sign_out(_visit: Visit, form: ConsoleForm) -> Answer:
    """Ask whether to sign out."""
    return shown("sign_out.html", form=form)


def send_sign_out(visit: Visit, form: ConsoleForm) -> Answer:  # noqa: ARG001  (every form is handed over)
    """Close the session."""
    sign_out(visit.desk.people, visit.token, visit.at)
    return signed_out(visit)


def signed_out(visit: Visit) -> Answer:
    """Take the cookies of a session that was closed, and go to the page to sign in on."""
    session.clear()
    response = seen_at("sign_in")
    take_session(response, visit.desk)
    return response


def show_language(visit: Visit, language: str) -> Answer:
    """Change the language and go back."""
    response = redirect(local(request.args.get("next", "")), HTTP_SEE_OTHER)
    if language in LANGUAGES:
        give_language(response, visit.desk, language)
    return response


def local(address: str) -> str:
    """Return an address of the console to go on to; an address elsewhere is replaced by the home page."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return url_for("home")
    is_ours = not parts.scheme and not parts.netloc and (parts.path == _HOME or parts.path.startswith(_HOME + "/"))
    # Browsers read a backslash as a slash, and pass over what cannot be printed.
    return address if is_ours and "\\" not in address and address.isprintable() else url_for("home")


PAGES = (
    Page(name="sign_in", path="/sign-in", show=show_sign_in, form=SignInForm, send=send_sign_in),
    Page(name="sign_out", path="/sign-out", show=show_sign_out, form=ConsoleForm, send=send_sign_out),
    Page(name="choose_language", path="/language/<language>", show=show_language),
)
