"""Signing in with a passkey, which is made or used by the browser; and what the pages with passkeys share."""

from flask import request
from flask_babel import gettext
from werkzeug.wrappers import Response as Answer
from wtforms import HiddenField
from wtforms.validators import InputRequired, Length

from gateway.console.form import ConsoleForm
from gateway.console.languages import lazily as _l
from gateway.console.page import Page, Visit, shown
from gateway.console.views.sign_in import enter, local
from gateway.workflows.sign_in_passkey import begin_passkey, sign_in_passkey


class PasskeyForm(ConsoleForm):
    """What `passkey.js` fills in: the browser's answer, and the ticket of what it was asked.

    Neither name is one that is kept when a session expires: an answer is good once, and for what was asked.
    """

    passkey = HiddenField(validators=[InputRequired(_l("The browser made no passkey. Try again")), Length(max=16_000)])
    ticket = HiddenField(validators=[Length(max=4096)])

    def ask(self, ticket: str) -> None:
        """Begin anew: what the browser answered before is no answer to what it is asked now."""
        self.ticket.data, self.passkey.data = ticket, ""


def show_passkey(visit: Visit, form: PasskeyForm) -> Answer:
    """Ask the browser for a passkey, once the reader says so."""
    wanted = begin_passkey(visit.desk.people, visit.at)
    form.ask(wanted.ticket)
    if form.passkey.errors:
        # A hidden field has no place on the page where its error could stand.
        form.form_errors.append(gettext("The browser used no passkey. Try again, or sign in with your password."))
        form.passkey.errors = []
    return shown("sign_in_passkey.html", form=form, options=wanted.options, next=local(request.args.get("next", "")))


def send_passkey(visit: Visit, form: PasskeyForm) -> Answer:
    """Open a session and go on to where the reader wanted to be."""
    ticket, response = str(form.ticket.data), str(form.passkey.data)
    opened = sign_in_passkey(visit.desk.people, ticket, response, address=visit.address, now=visit.at)
    return enter(visit, opened, request.args.get("next", ""))


PAGES = (Page(name="sign_in_passkey", path="/sign-in/passkey", show=show_passkey, form=PasskeyForm, send=send_passkey),)
