"""`/sessions`: signing in with password and code, with a passkey or at an identity provider; and signing out."""

import json
from datetime import datetime
from typing import Any

from pydantic import Field

from gateway.api.v1.fields import Input, Output
from gateway.api.v1.people_models import GrantOut, show_grants
from gateway.api.v1.route import Answer, Call, Route
from gateway.domain.errors import GatewayError
from gateway.domain.rights import ActorKind
from gateway.people import oidc
from gateway.people.oidc import OidcSettings
from gateway.people.sessions import Opened
from gateway.workflows.sign_in import PasswordAttempt, sign_in, sign_out, sign_out_everywhere
from gateway.workflows.sign_in_oidc import OidcReturn, begin_oidc, sign_in_oidc
from gateway.workflows.sign_in_passkey import begin_passkey, sign_in_passkey

_TAG = "Sessions"


class NoProviderError(GatewayError):
    """This gateway has no identity provider; sign in with a password or a passkey."""

    code = "no_provider"


class PasswordIn(Input):
    """What somebody types: the login, the password, and the six digits of the authenticator app."""

    login: str = Field(max_length=400)
    password: str = Field(max_length=1000)
    code: str = Field(max_length=20)


class PasskeyIn(Input):
    """The ticket of the challenge, and what `navigator.credentials.get()` returned, as `toJSON()` writes it."""

    ticket: str = Field(max_length=4096)
    response: dict[str, Any]


class OidcIn(Input):
    """The ticket of the departure, and what the provider put into the address."""

    ticket: str = Field(max_length=4096)
    state: str = Field(max_length=500)
    code: str = Field(max_length=4000)


class SessionOut(Output):
    """A session; `token` is the bearer token, shown this once."""

    token: str
    person: str
    expires_at: datetime


class PasskeyRequestOut(Output):
    """What `navigator.credentials.get()` takes, and the ticket that comes back with its answer."""

    options: dict[str, Any]
    ticket: str


class DepartureOut(Output):
    """Where to send the browser, and the ticket that it keeps until it comes back."""

    url: str
    ticket: str


class SelfOut(Output):
    """Who asks, and what was granted."""

    id: str
    kind: ActorKind
    grants: list[GrantOut]


class SignedOut(Output):
    """How many sessions were closed."""

    closed: int


def post_session(call: Call, body: PasswordIn) -> Answer:
    """Sign in with a password and a code."""
    attempt = PasswordAttempt(login=body.login, password=body.password, totp_code=body.code, address=call.address)
    return _opened(sign_in(call.desk.people, attempt, call.at))


def post_passkey_begin(call: Call) -> Answer:
    """Ask for a challenge for a passkey."""
    wanted = begin_passkey(call.desk.people, call.at)
    return Answer(model=PasskeyRequestOut(options=json.loads(wanted.options), ticket=wanted.ticket))


def post_passkey(call: Call, body: PasskeyIn) -> Answer:
    """Sign in with a passkey."""
    response = json.dumps(body.response)
    return _opened(sign_in_passkey(call.desk.people, body.ticket, response, address=call.address, now=call.at))


def post_oidc_begin(call: Call) -> Answer:
    """Ask where to send somebody who signs in at the identity provider."""
    with oidc.client() as http:
        departure = begin_oidc(call.desk.people, _provider(call), http, call.at)
    return Answer(model=DepartureOut(url=departure.url, ticket=departure.ticket))


def post_oidc(call: Call, body: OidcIn) -> Answer:
    """Sign in with what the identity provider sent back."""
    back = OidcReturn(ticket=body.ticket, state=body.state, code=body.code, address=call.address)
    with oidc.client() as http:
        return _opened(sign_in_oidc(call.desk.people, _provider(call), http, back, call.at))


def delete_session(call: Call) -> Answer:
    """Sign out: close the session whose token this request carries."""
    sign_out(call.desk.people, call.bearer, call.at)
    return Answer()


def post_sign_out(call: Call, person_id: str) -> Answer:
    """Close every session of a person: oneself, or whom one manages."""
    return Answer(model=SignedOut(closed=sign_out_everywhere(call.desk.people, call.errand, person_id)))


def get_self(call: Call) -> Answer:
    """Tell who you are, and what was granted to you."""
    actor = call.actor
    return Answer(model=SelfOut(id=actor.actor_id, kind=actor.kind, grants=show_grants(actor.grants)))


def _provider(call: Call) -> OidcSettings:
    if call.desk.oidc is None:
        raise NoProviderError
    return call.desk.oidc


def _opened(opened: Opened) -> Answer:
    return Answer(model=SessionOut(token=opened.token, person=opened.person_id, expires_at=opened.expires_at))


_SIGNING_IN = frozenset({401, 429, 503})
ROUTES = (
    Route(
        name="sign_in",
        method="POST",
        path="/sessions",
        handler=post_session,
        tag=_TAG,
        answer=SessionOut,
        status=201,
        body=PasswordIn,
        example={"login": "clerk@lakeside.example", "password": "a long phrase of their own", "code": "123456"},
        refusals=_SIGNING_IN,
    ),
    Route(
        name="begin_passkey",
        method="POST",
        path="/sessions/passkey/begin",
        handler=post_passkey_begin,
        tag=_TAG,
        answer=PasskeyRequestOut,
    ),
    Route(
        name="sign_in_with_passkey",
        method="POST",
        path="/sessions/passkey",
        handler=post_passkey,
        tag=_TAG,
        answer=SessionOut,
        status=201,
        body=PasskeyIn,
        example={"ticket": "kQ3v", "response": {"id": "3q2-7w", "type": "public-key"}},
        refusals=_SIGNING_IN,
    ),
    Route(
        name="begin_oidc",
        method="POST",
        path="/sessions/oidc/begin",
        handler=post_oidc_begin,
        tag=_TAG,
        answer=DepartureOut,
        refusals=frozenset({404, 502}),
    ),
    Route(
        name="sign_in_with_oidc",
        method="POST",
        path="/sessions/oidc",
        handler=post_oidc,
        tag=_TAG,
        answer=SessionOut,
        status=201,
        body=OidcIn,
        example={"ticket": "kQ3v", "state": "af0ifjsldkj", "code": "SplxlOBeZQQYbYS6WxSbIA"},
        refusals=_SIGNING_IN | {404, 502},
    ),
    Route(
        name="sign_out",
        method="DELETE",
        path="/sessions/current",
        handler=delete_session,
        tag=_TAG,
        status=204,
    ),
    Route(
        name="sign_out_everywhere",
        method="POST",
        path="/people/<id:person_id>/sign-out",
        handler=post_sign_out,
        tag=_TAG,
        answer=SignedOut,
        refusals=frozenset({403}),
    ),
    Route(name="show_self", method="GET", path="/me", handler=get_self, tag=_TAG, answer=SelfOut),
)
