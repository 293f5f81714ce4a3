"""`/enrolments`: a new person sets what to sign in with, by the code that an administrator handed over."""

import json
from typing import Any

from pydantic import Field

from gateway.api.v1.fields import Input, Name, Output
from gateway.api.v1.route import Answer, Call, Route
from gateway.workflows.enrol import begin_enrolment, enrol_with_passkey, enrol_with_password

_TAG = "Sessions"
_CODE = Field(max_length=200)
_TICKET = Field(max_length=4096)


class CodeIn(Input):
    """The enrolment code."""

    code: str = _CODE


class PasswordEnrolmentIn(Input):
    """A password of one's own, and the six digits that show that the app has its secret."""

    code: str = _CODE
    ticket: str = _TICKET
    password: str = Field(max_length=1000)
    totp_code: str = Field(max_length=20)


class PasskeyEnrolmentIn(Input):
    """What `navigator.credentials.create()` returned, as `toJSON()` writes it, and a name for the passkey."""

    code: str = _CODE
    ticket: str = _TICKET
    response: dict[str, Any]
    label: Name


class EnrolmentOut(Output):
    """What to show who enrols: the URI for an authenticator app, the options for a passkey, and the ticket for both."""

    login: str
    totp_uri: str
    passkey_options: dict[str, Any]
    ticket: str


class EnrolledOut(Output):
    """Who can sign in now."""

    person: str


def post_begin(call: Call, body: CodeIn) -> Answer:
    """Begin to enrol; the code stays good."""
    begun = begin_enrolment(call.desk.people, body.code, call.at)
    return Answer(
        model=EnrolmentOut(
            login=begun.login,
            totp_uri=begun.totp_uri,
            passkey_options=json.loads(begun.passkey_options),
            ticket=begun.ticket,
        )
    )


def post_password(call: Call, body: PasswordEnrolmentIn) -> Answer:
    """Set a password with an authenticator app; the code is used up."""
    person = enrol_with_password(
        call.desk.people, body.code, body.ticket, password=body.password, totp_code=body.totp_code, now=call.at
    )
    return Answer(model=EnrolledOut(person=person))


def post_passkey(call: Call, body: PasskeyEnrolmentIn) -> Answer:
    """Set a passkey; the code is used up."""
    response = json.dumps(body.response)
    person = enrol_with_passkey(
        call.desk.people, body.code, body.ticket, response=response, label=body.label, now=call.at
    )
    return Answer(model=EnrolledOut(person=person))


_REFUSED = frozenset({401, 429, 503})
ROUTES = (
    Route(
        name="begin_enrolment",
        method="POST",
        path="/enrolments/begin",
        handler=post_begin,
        tag=_TAG,
        answer=EnrolmentOut,
        body=CodeIn,
        example={"code": "cne_7h0ZkQ"},
        refusals=_REFUSED,
    ),
    Route(
        name="enrol_with_password",
        method="POST",
        path="/enrolments/password",
        handler=post_password,
        tag=_TAG,
        answer=EnrolledOut,
        body=PasswordEnrolmentIn,
        example={
            "code": "cne_7h0ZkQ",
            "ticket": "kQ3v",
            "password": "a long phrase of their own",
            "totp_code": "123456",
        },
        refusals=_REFUSED,
    ),
    Route(
        name="enrol_with_passkey",
        method="POST",
        path="/enrolments/passkey",
        handler=post_passkey,
        tag=_TAG,
        answer=EnrolledOut,
        body=PasskeyEnrolmentIn,
        example={
            "code": "cne_7h0ZkQ",
            "ticket": "kQ3v",
            "response": {"id": "3q2-7w", "type": "public-key"},
            "label": "Laptop",
        },
        refusals=_REFUSED,
    ),
)
