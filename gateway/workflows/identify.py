"""Tell who makes a request, by the token that it carries.

People's roles are read with the session, in one statement, so that a person who is closed or loses a role is stopped at
the next request. That a session or key was used is written seldom, and best effort: where the database is busy, the
request goes on, and at worst a session ends some seconds early.
"""

from contextlib import suppress
from datetime import datetime
from typing import assert_never

from sqlalchemy.exc import SQLAlchemyError

from gateway.domain.rights import Actor, ActorKind
from gateway.people import api_keys, roles, sessions
from gateway.people.tokens import KeyToken, SessionToken, read_bearer
from gateway.workflows.people_desk import PeopleDesk


def identify(desk: PeopleDesk, bearer: str, now: datetime) -> Actor:
    """Return who presents a token, with what they may do at this moment.

    Raises NotSignedInError, SessionExpiredError, ApiKeyExpiredError, ApiKeyRevokedError.
    """
    token = read_bearer(bearer)
    match token:
        case SessionToken():
            return _person(desk, token, now)
        case KeyToken():
            return _program(desk, token, now)
        case _:
            assert_never(token)


def _person(desk: PeopleDesk, token: SessionToken, now: datetime) -> Actor:
    with desk.reading.connect() as connection:
        session = sessions.find(connection, desk.keys, token.text, now)
    if session.is_due:
        with suppress(SQLAlchemyError), desk.noting.begin() as connection:
            sessions.note_use(connection, session.session_id, now)
    return Actor(actor_id=session.person_id, kind=ActorKind.PERSON, grants=roles.grants(session.roles))


def _program(desk: PeopleDesk, token: KeyToken, now: datetime) -> Actor:
    with desk.reading.connect() as connection:
        used = api_keys.find(connection, desk.keys, token, now)
    if used.is_due or used.rehash is not None:
        with suppress(SQLAlchemyError), desk.noting.begin() as connection:
            api_keys.note_use(connection, used, now)
    return Actor(actor_id=used.key_id, kind=ActorKind.API_KEY, grants=used.grants)
