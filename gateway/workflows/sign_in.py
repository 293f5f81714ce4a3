"""Sign in with a password and a code, and sign out.

A login that does not exist, a wrong password and a wrong code get the same answer after the same work. The attempt is
counted first, in a transaction of its own, and no transaction is open while the password is hashed.
"""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from gateway.audit.tags import Tag
from gateway.domain.rights import GATEWAY, Actor, ActorKind
from gateway.people import credentials, directory, sessions, throttle
from gateway.people.credentials import Credentials
from gateway.people.errors import (
    InvalidLoginError,
    NotSignedInError,
    SessionExpiredError,
    WrongCodeError,
    WrongCredentialsError,
)
from gateway.people.one_time_codes import new_secret, step_of
from gateway.people.sessions import Method, Opened
from gateway.people.throttle import Counter
from gateway.people.tokens import SessionToken, read_bearer
from gateway.privacy.ring import KeyRing
from gateway.workflows.change import Change, Errand, change
from gateway.workflows.people_desk import PeopleDesk, demand_person


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordAttempt:
    """What somebody typed, and the IP address it came from."""

    login: str = field(repr=False)
    password: str = field(repr=False)
    totp_code: str = field(repr=False)
    address: str = field(repr=False)


def sign_in(desk: PeopleDesk, attempt: PasswordAttempt, now: datetime) -> Opened:
    """Open a session. Raises TooManyAttemptsError, SignInBusyError, WrongCredentialsError."""
    login = _login(attempt.login)
    by_login, by_address = throttle.by_login(login, desk.keys), throttle.by_address(attempt.address, desk.keys)
    count_attempt(desk.engine, now, by_address, by_login)
    with desk.reading.connect() as connection:
        found = credentials.of_login(connection, desk.keys, login)
    try:
        step = _check(desk, found, attempt, now)
        renewed = _renewed(desk, found, attempt.password)
        with change(desk.engine, desk.keys, errand_of(found.person_id, now)) as done:
            credentials.use_step(done.connection, desk.keys, found, step)
            if renewed is not None:
                credentials.renew_hash(done.connection, desk.keys, found.person_id, renewed)
            throttle.forgive(done.connection, by_login, by_address, now)
            return open_session(desk.keys, done, found.person_id, Method.PASSWORD)
    except WrongCredentialsError:
        with change(desk.engine, desk.keys, Errand(actor=GATEWAY, at=now)) as done:
            done.note(Tag.SIGN_IN_REFUSED, found.person_id, method=Method.PASSWORD.value)
        raise


def sign_out(desk: PeopleDesk, bearer: str, now: datetime) -> None:
    """Close the session of a token; one that is over already stays so. Raises NotSignedInError for an API key."""
    token = read_bearer(bearer)
    if not isinstance(token, SessionToken):
        raise NotSignedInError
    with desk.reading.connect() as connection:
        try:
            session = sessions.find(connection, desk.keys, token.text, now)
        except (NotSignedInError, SessionExpiredError):
            return
    with change(desk.engine, desk.keys, errand_of(session.person_id, now)) as done:
        sessions.close(done.connection, session.session_id, now)
        done.note(Tag.SIGNED_OUT, session.person_id, session=session.session_id)


def sign_out_everywhere(desk: PeopleDesk, errand: Errand, person_id: str) -> int:
    """Close every session of a person, oneself or whom one may manage, and return how many there were.

    Raises UnknownPersonError, NotAllowedError.
    """
    with change(desk.engine, desk.keys, errand) as done:
        if errand.actor.actor_id != person_id:
            demand_person(done.connection, errand.actor, directory.get(done.connection, desk.keys, person_id))
        closed = sessions.close_all(done.connection, person_id, errand.at)
        done.note(Tag.SIGNED_OUT, person_id, sessions_closed=closed)
        return closed


def count_attempt(engine: Engine, now: datetime, *counters: Counter) -> None:
    """Count an attempt under each counter, before it is judged. Raises TooManyAttemptsError."""
    for counter in counters:
        with engine.begin() as connection:
            throttle.count(connection, counter, now)


def open_session(keys: KeyRing, done: Change, person_id: str, method: Method) -> Opened:
    """Open a session in a change under way, with its entry in the trail."""
    opened = sessions.open_(done.connection, keys, person_id, method, done.errand.at)
    done.note(Tag.SIGNED_IN, person_id, method=method.value, session=opened.session_id)
    return opened


def _check(desk: PeopleDesk, found: Credentials, attempt: PasswordAttempt, now: datetime) -> int:
    """Return the time step of the code. Password and code are both checked, whatever the first says."""
    right = desk.passwords.is_right(found.password, attempt.password)
    try:
        step = step_of(found.totp or new_secret(), attempt.totp_code, now, after=found.totp_step)
    except WrongCodeError as error:
        raise WrongCredentialsError from error
    if not right or found.is_closed:
        raise WrongCredentialsError
    return step


def _renewed(desk: PeopleDesk, found: Credentials, password: str) -> str | None:
    outdated = found.password is not None and desk.passwords.is_outdated(found.password)
    return desk.passwords.hash(password) if outdated else None


def _login(text: str) -> str:
    """Return a login to look up; what cannot be one is a login that does not exist."""
    try:
        return directory.read_login(text)
    except InvalidLoginError:
        return ascii(text)[:200]


def errand_of(person_id: str, now: datetime) -> Errand:
    """Return the errand of somebody who signs in or out; it grants nothing."""
    return Errand(actor=Actor(actor_id=person_id, kind=ActorKind.PERSON, grants=frozenset()), at=now)
