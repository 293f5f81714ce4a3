"""Signing in at the identity provider: the way there and back.

What must survive it (the ticket, and where the reader wanted to be) lies in the console's own cookie: signed, closed to
scripts, and taken away by the first return, so that a return which is sent again opens nothing.
"""

from flask import redirect, request, session
from flask_babel import gettext
from werkzeug.wrappers import Response as Answer

from gateway.console import refusals
from gateway.console.page import HTTP_SEE_OTHER, Page, Visit, shown
from gateway.console.views.sign_in import SignInForm, enter, local
from gateway.console.ways_in import provider_of, ways_in
from gateway.domain.errors import GatewayError
from gateway.people import oidc
from gateway.workflows.sign_in_oidc import OidcReturn, begin_oidc, sign_in_oidc

_TICKET, _THEN = "oidc_ticket", "oidc_then"
_UNPROCESSABLE = 422


def begin_at_provider(visit: Visit) -> Answer:
    """Send the reader to the identity provider."""
    provider = provider_of(visit.desk)
    if provider is None:
        return _refused(visit, gettext("The console signs nobody in at an identity provider. Use your password."))
    try:
        with oidc.client() as http:
            departure = begin_oidc(visit.desk.people, provider, http, visit.at)
    except GatewayError as error:
        return _refused(visit, refusals.message_of(error), refusals.status_of(error))
    session[_TICKET], session[_THEN] = departure.ticket, local(request.args.get("next", ""))
    return redirect(departure.url, HTTP_SEE_OTHER)


def come_back(visit: Visit) -> Answer:
    """Open a session for whom the identity provider sends back."""
    ticket, then = str(session.pop(_TICKET, "")), str(session.pop(_THEN, ""))
    provider = provider_of(visit.desk)
    state, code = request.args.get("state", ""), request.args.get("code", "")
    if provider is None or not ticket or not code:
        # RFC 6749, 4.1.2.1: a provider that lets nobody in sends `error` back. What it says is not repeated here.
        return _refused(visit, gettext("The sign-in at the identity provider was not finished. Start again."))
    back = OidcReturn(ticket=ticket, state=state[:500], code=code[:4000], address=visit.address)
    try:
        with oidc.client() as http:
            opened = sign_in_oidc(visit.desk.people, provider, http, back, visit.at)
    except GatewayError as error:
        return _refused(visit, refusals.message_of(error), refusals.status_of(error))
    return enter(visit, opened, then)


def _refused(visit: Visit, message: str, status: int = _UNPROCESSABLE) -> Answer:
    """Show the page to sign in on with what was wrong; its form is sent to that page, and not back here."""
    form = SignInForm(formdata=None)
    form.form_errors.append(message)
    return shown("sign_in.html", status, form=form, next=local(""), ways=ways_in(visit.desk))


PAGES = (
    Page(name="begin_sign_in_oidc", path="/sign-in/oidc/begin", show=begin_at_provider),
    Page(name="sign_in_oidc", path="/sign-in/oidc", show=come_back),
)
