"""Officers named at the command line: who sits at the machine says on whose behalf, and the trail says that it was so.

The command line cannot prove who somebody is. It can see to it that the officer exists, was not closed, and has the
right; whoever wants proof lets officers sign in and use the API.
"""

from sqlalchemy import Engine

from gateway.domain.rights import Actor, ActorKind
from gateway.people import directory, roles
from gateway.people.errors import PersonClosedError
from gateway.privacy.ring import KeyRing


def officer_named(engine: Engine, keys: KeyRing, login: str) -> Actor:
    """Return the officer with a login, with the rights that the officer's roles give.

    Raises UnknownLoginError, InvalidLoginError, PersonClosedError.
    """
    with engine.connect() as connection:
        person = directory.get(connection, keys, directory.id_of_login(connection, keys, login))
    if person.closed_at is not None:
        raise PersonClosedError(person_id=person.person_id)
    return Actor(actor_id=person.person_id, kind=ActorKind.COMMAND_LINE, grants=roles.grants(person.roles))
