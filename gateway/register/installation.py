"""The one row that ties a database to its key, and marks the changes that screens must learn of."""

import secrets

from sqlalchemy import Connection, select, update

from gateway.privacy.ring import KeyRing
from gateway.register.errors import KeyMismatchError
from gateway.register.tables import installation

_MARK_BITS = 62


def claim(connection: Connection, keys: KeyRing) -> None:
    """Tie the database to the active key on first use, and from then on refuse a ring without that key.

    A rotation ties it to another; until the rotation is over, both are on the ring. Raises KeyMismatchError.
    """
    found = connection.execute(select(installation.c.key_id)).scalar()
    if found is None:
        connection.execute(installation.insert().values(one=1, key_id=keys.key_id, generation=0))
    elif all(found != each.key_id for each in keys.known):
        raise KeyMismatchError(found=found, given=keys.key_id)


def is_claimed(connection: Connection) -> bool:
    """Tell whether the database holds anything that some key wrote."""
    return connection.execute(select(installation.c.key_id)).scalar() is not None


def announce(connection: Connection) -> None:
    """Let every screen reload, by a mark that no other state of this or of a restored database ever had.

    The row stays locked until commit, so that marks commit in their own order.
    """
    connection.execute(update(installation).values(generation=secrets.randbits(_MARK_BITS)))


def generation(connection: Connection) -> int:
    """Return the mark that lines were last added under; 0 on a database without any."""
    return int(connection.execute(select(installation.c.generation)).scalar() or 0)
