"""Enrol: a new person, or one whose credentials were reset, sets what to sign in with, and nobody else learns it.

Two ways: a password with an authenticator app, or a passkey, which verifies its holder and so needs no password beside
it. The secret of the app waits in a sealed ticket until a code shows that the app has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from gateway.audit.tags import Tag
from gateway.people import credentials, directory, passkey_checks, passkeys, sessions
from gateway.people.challenges import LIFETIME, new_challenge, octets
from gateway.people.errors import EnrolmentRefusedError
from gateway.people.one_time_codes import new_secret, step_of, uri_of
from gateway.people.passwords import demand_strong
from gateway.privacy.errors import TokenRefusedError
from gateway.workflows.change import Errand, change
from gateway.workflows.people_desk import PeopleDesk, demand_person
from gateway.workflows.sign_in import errand_of

_USE = "enrol"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What to show who enrols: `totp_uri` for an app, `passkey_options` for a browser; `ticket` comes back."""

    person_id: str
    login: str = field(repr=False)
    totp_uri: str = field(repr=False)
    passkey_options: str = field(repr=False)
    ticket: str = field(repr=False)


def begin_enrolment(desk: PeopleDesk, code: str, now: datetime) -> Enrolment:
    """Return what is needed to enrol with a code; the code stays good. Raises EnrolmentRefusedError."""
    with desk.engine.begin() as connection:
        who = credentials.find_enrolment(connection, desk.keys, code, now)
    secret, challenge = new_secret(), new_challenge()
    state = {"person": who.person_id, "totp": secret, "challenge": challenge}
    return Enrolment(
        person_id=who.person_id,
        login=who.login,
        totp_uri=uri_of(secret, who.login),
        passkey_options=passkey_checks.creation_options(desk.party, who.person_id, who.login, octets(challenge)),
        ticket=desk.sealer.seal(state, use=_USE, now=now, lifetime=LIFETIME),
    )


def enrol_with_password(
    desk: PeopleDesk, code: str, ticket: str, *, password: str, totp_code: str, now: datetime
) -> str:
    """Set a password with an authenticator app, use the enrolment code up, and return the person_id.

    Raises EnrolmentRefusedError, WeakPasswordError, WrongCodeError, SignInBusyError.
    """
    state = _state(desk, ticket, now)
    with desk.engine.begin() as connection:
        who = credentials.find_enrolment(connection, desk.keys, code, now)
    demand_strong(password, who.login)
    step = step_of(state["totp"], totp_code, now, after=0)
    hashed = desk.passwords.hash(password)
    with change(desk.engine, desk.keys, errand_of(who.person_id, now)) as done:
        _finish(desk, done.connection, code, state, now)
        credentials.set_password(done.connection, desk.keys, who.person_id, hashed, state["totp"], step=step)
        done.note(Tag.CREDENTIAL_CHANGED, who.person_id, change="password")
    return who.person_id


def enrol_with_passkey(desk: PeopleDesk, code: str, ticket: str, *, response: str, label: str, now: datetime) -> str:
    """Set a passkey, use the enrolment code up, and return the person_id; `response` is the browser's, as JSON.

    Raises EnrolmentRefusedError, PasskeyRefusedError.
    """
    state = _state(desk, ticket, now)
    made = passkey_checks.check_creation(desk.party, response, octets(state["challenge"]))
    with change(desk.engine, desk.keys, errand_of(state["person"], now)) as done:
        person_id = _finish(desk, done.connection, code, state, now)
        passkeys.keep(done.connection, desk.keys, person_id, made, label, now)
        done.note(Tag.CREDENTIAL_CHANGED, person_id, change="passkey")
    return person_id


def enrol_at_console(desk: PeopleDesk, errand: Errand, person_id: str, password: str) -> str:
    """Replace all that a person signs in with by a password, and return the otpauth URI for the person's app.

    Raises UnknownPersonError, NotAllowedError, PersonClosedError, WeakPasswordError, SignInBusyError.
    """
    with desk.reading.connect() as connection:
        person = directory.get(connection, desk.keys, person_id)
        demand_person(connection, errand.actor, person)
    demand_strong(password, person.login)
    hashed, secret = desk.passwords.hash(password), new_secret()
    with change(desk.engine, desk.keys, errand) as done:
        directory.locked(done.connection, desk.keys, person_id, expected=None)
        credentials.remove_all(done.connection, person_id)
        sessions.close_all(done.connection, person_id, errand.at)
        credentials.set_password(done.connection, desk.keys, person_id, hashed, secret, step=0)
        directory.touch(done.connection, person_id)
        done.note(Tag.CREDENTIAL_CHANGED, person_id, change="password")
    return uri_of(secret, person.login)


def _state(desk: PeopleDesk, ticket: str, now: datetime) -> dict[str, str]:
    try:
        return desk.sealer.open(ticket, use=_USE, now=now)
    except TokenRefusedError as error:
        raise EnrolmentRefusedError from error


def _finish(desk: PeopleDesk, connection: Connection, code: str, state: Mapping[str, str], now: datetime) -> str:
    """Use the code up: of two who bring it at once, one finds it gone."""
    who = credentials.find_enrolment(connection, desk.keys, code, now)
    if who.person_id != state["person"]:
        raise EnrolmentRefusedError
    credentials.end_enrolment(connection, who.person_id)
    directory.touch(connection, who.person_id)
    return who.person_id
