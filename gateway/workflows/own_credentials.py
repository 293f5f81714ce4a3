"""What somebody who is signed in does with what they themselves sign in with: password, passkeys, sessions.

A change of the password asks for the present one and a code, counted and throttled as a sign-in is: who finds an open
browser cannot guess at leisure. What changes a credential closes the person's other sessions, but for a new passkey.
"""

from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from gateway.audit.tags import Tag
from gateway.domain.errors import GatewayError
from gateway.domain.rights import Actor, ActorKind
from gateway.people import (
    challenges,
    credentials,
    directory,
    passkey_checks,
    passkey_list,
    passkeys,
    sessions,
    throttle,
)
from gateway.people.challenges import LIFETIME, ChallengeSpentError, new_challenge, octets
from gateway.people.credentials import Credentials
from gateway.people.directory import Person
from gateway.people.errors import (
    NotSignedInError,
    PasskeyRefusedError,
    WeakPasswordError,
    WrongCodeError,
    WrongCredentialsError,
)
from gateway.people.one_time_codes import new_secret, step_of
from gateway.people.passkey_list import ListedPasskey
from gateway.people.passwords import demand_strong
from gateway.people.sessions import OpenSession
from gateway.people.tables import oidc_links
from gateway.people.tokens import SessionToken, read_bearer
from gateway.privacy.errors import TokenRefusedError
from gateway.workflows.change import Change, Errand, change
from gateway.workflows.people_desk import PeopleDesk
from gateway.workflows.sign_in import count_attempt

_USE = "own-passkey"


class NoPasswordError(GatewayError):
    """You sign in without a password, so there is none to change; go on with your passkey or identity provider."""

    code = "no_password"


class LastWayInError(GatewayError):
    """This passkey is your only way to sign in; add another one first, then remove this one."""

    code = "last_way_in"


class UnknownPasskeyError(GatewayError):
    """You have no passkey {shown!r}; perhaps it was removed already. Look at the list again."""

    code = "unknown_entry"


class UnknownSessionError(GatewayError):
    """You have no open session {shown!r}; perhaps it is over already. Look at the list again."""

    code = "unknown_entry"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChange:
    """What somebody typed to change the own password, and the IP address it came from."""

    current: str = field(repr=False)
    new: str = field(repr=False)
    totp_code: str = field(repr=False)
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyOffer:
    """What `navigator.credentials.create()` takes, as JSON, and the ticket that comes back with its answer."""

    options: str = field(repr=False)
    ticket: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSession:
    """A session of the asker's; `is_this` marks the one that asks."""

    session: OpenSession
    is_this: bool


def change_own_password(desk: PeopleDesk, errand: Errand, typed: PasswordChange, bearer: str) -> int:
    """Change the asker's password, keep the authenticator app, and return how many other sessions were closed.

    `bearer` is the token of the session that goes on. Raises NotSignedInError, NoPasswordError, WeakPasswordError,
    TooManyAttemptsError, SignInBusyError, WrongCredentialsError.
    """
    now = errand.at
    person = _own(desk, errand.actor)
    this = _this_session(desk, errand, bearer)
    if not person.has_password:
        raise NoPasswordError
    demand_strong(typed.new, person.login)
    if typed.new == typed.current:
        raise WeakPasswordError(why="it is the present one")
    by_login, by_address = throttle.by_login(person.login, desk.keys), throttle.by_address(typed.address, desk.keys)
    count_attempt(desk.engine, now, by_address, by_login)
    with desk.reading.connect() as connection:
        found = credentials.of_login(connection, desk.keys, person.login)
    try:
        step = _proven(desk, found, typed, errand)
        hashed = desk.passwords.hash(typed.new)
        with change(desk.engine, desk.keys, errand) as done:
            # It locks the row, and refuses where the password, the app or the code was used or changed meanwhile.
            credentials.use_step(done.connection, desk.keys, found, step)
            credentials.set_password(done.connection, desk.keys, person.person_id, hashed, found.totp or "", step=step)
            throttle.forgive(done.connection, by_login, by_address, now)
            return _changed(done, person.person_id, this, "password")
    except WrongCredentialsError:
        with change(desk.engine, desk.keys, Errand(actor=errand.actor, at=now)) as done:
            done.note(Tag.CREDENTIAL_REFUSED, person.person_id, change="password")
        raise


def begin_own_passkey(desk: PeopleDesk, errand: Errand) -> PasskeyOffer:
    """Return what the browser needs to make a passkey for the asker. Raises NotSignedInError."""
    person, challenge = _own(desk, errand.actor), new_challenge()
    state = {"person": person.person_id, "challenge": challenge}
    return PasskeyOffer(
        options=passkey_checks.creation_options(desk.party, person.person_id, person.login, octets(challenge)),
        ticket=desk.sealer.seal(state, use=_USE, now=errand.at, lifetime=LIFETIME),
    )


def add_own_passkey(desk: PeopleDesk, errand: Errand, ticket: str, *, response: str, label: str) -> str:
    """Add the passkey that the browser made, and return its id; `response` is the browser's, as JSON.

    Raises NotSignedInError, PasskeyRefusedError, PersonClosedError.
    """
    person_id = _person_id(errand.actor)
    challenge = _challenge(desk, errand, ticket)
    made = passkey_checks.check_creation(desk.party, response, octets(challenge))
    try:
        with change(desk.engine, desk.keys, errand) as done:
            directory.locked(done.connection, desk.keys, person_id, expected=None)
            challenges.spend(done.connection, challenge, errand.at)
            passkey_id = passkeys.keep(done.connection, desk.keys, person_id, made, label, errand.at)
            directory.touch(done.connection, person_id)
            done.note(Tag.CREDENTIAL_CHANGED, person_id, change="passkey")
    except ChallengeSpentError as error:
        raise PasskeyRefusedError(why="it was added already") from error
    return passkey_id


def list_own_passkeys(desk: PeopleDesk, errand: Errand) -> tuple[ListedPasskey, ...]:
    """Return the asker's passkeys, the oldest first. Raises NotSignedInError."""
    with desk.reading.connect() as connection:
        return passkey_list.of_person(connection, desk.keys, _person_id(errand.actor))


def remove_own_passkey(desk: PeopleDesk, errand: Errand, passkey_id: str, bearer: str) -> int:
    """Remove a passkey of the asker's, and return how many other sessions were closed: it may be in other hands.

    Raises NotSignedInError, UnknownPasskeyError, LastWayInError, PersonClosedError.
    """
    this = _this_session(desk, errand, bearer)
    with change(desk.engine, desk.keys, errand) as done:
        person = directory.locked(done.connection, desk.keys, errand.actor.actor_id, expected=None)
        if not passkey_list.remove(done.connection, person.person_id, passkey_id):
            raise UnknownPasskeyError(shown=passkey_id)
        if not (person.has_password or person.passkeys > 1 or _is_linked(done.connection, person.person_id)):
            raise LastWayInError
        return _changed(done, person.person_id, this, "passkey_removed")


def list_own_sessions(desk: PeopleDesk, errand: Errand, bearer: str) -> tuple[OwnSession, ...]:
    """Return the asker's open sessions, the one that was used last first. Raises NotSignedInError."""
    this = _this_session(desk, errand, bearer)
    with desk.reading.connect() as connection:
        found = sessions.of_person(connection, errand.actor.actor_id, errand.at)
    return tuple(OwnSession(session=each, is_this=each.session_id == this) for each in found)


def close_own_session(desk: PeopleDesk, errand: Errand, session_id: str) -> None:
    """Close one of the asker's sessions. Raises NotSignedInError, UnknownSessionError."""
    person_id = _person_id(errand.actor)
    with change(desk.engine, desk.keys, errand) as done:
        found = sessions.of_person(done.connection, person_id, errand.at)
        if session_id not in {each.session_id for each in found}:
            raise UnknownSessionError(shown=session_id)
        sessions.close(done.connection, session_id, errand.at)
        done.note(Tag.SIGNED_OUT, person_id, session=session_id)


def _changed(done: Change, person_id: str, this: str, what: str) -> int:
    """Count and note a change of credentials, and close the other sessions."""
    closed = sessions.close_others(done.connection, person_id, this, done.errand.at)
    directory.touch(done.connection, person_id)
    done.note(Tag.CREDENTIAL_CHANGED, person_id, change=what, sessions_closed=closed)
    return closed


def _proven(desk: PeopleDesk, found: Credentials, typed: PasswordChange, errand: Errand) -> int:
    """Return the time step of the code. Password and code are both checked, whatever the first says."""
    right = desk.passwords.is_right(found.password, typed.current)
    try:
        step = step_of(found.totp or new_secret(), typed.totp_code, errand.at, after=found.totp_step)
    except WrongCodeError as error:
        raise WrongCredentialsError from error
    if not right or found.is_closed:
        raise WrongCredentialsError
    return step


def _person_id(actor: Actor) -> str:
    if actor.kind is not ActorKind.PERSON:
        raise NotSignedInError
    return actor.actor_id


def _own(desk: PeopleDesk, actor: Actor) -> Person:
    with desk.reading.connect() as connection:
        return directory.get(connection, desk.keys, _person_id(actor))


def _this_session(desk: PeopleDesk, errand: Errand, bearer: str) -> str:
    """Return the id of the session that asks. Raises NotSignedInError where it is not the asker's."""
    token = read_bearer(bearer)
    if not isinstance(token, SessionToken):
        raise NotSignedInError
    with desk.reading.connect() as connection:
        session = sessions.find(connection, desk.keys, token.text, errand.at)
    if session.person_id != _person_id(errand.actor):
        raise NotSignedInError
    return session.session_id


def _challenge(desk: PeopleDesk, errand: Errand, ticket: str) -> str:
    try:
        state = desk.sealer.open(ticket, use=_USE, now=errand.at)
    except TokenRefusedError as error:
        raise PasskeyRefusedError(why="the request for it was not ours, or has expired") from error
    if state["person"] != errand.actor.actor_id:
        raise PasskeyRefusedError(why="somebody else asked for it")
    return state["challenge"]


def _is_linked(connection: Connection, person_id: str) -> bool:
    """Tell whether the person has signed in at an identity provider, and so has another way in."""
    link = select(oidc_links.c.person_id).where(oidc_links.c.person_id == person_id)
    return connection.execute(link).first() is not None
