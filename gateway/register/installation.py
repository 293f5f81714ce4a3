"""The one row that ties a database to its key, and marks the changes that screens must learn of."""

import secrets

from sqlalchemy import Connection, select, update

from gateway.privacy.keys import Keys
from gateway.register.errors import KeyMismatchError
from gateway.register.tables import installation

_MARK_BITS = 62


def claim(connection: Connection, keys: Keys) -> None:
    """Tie the database to `keys` on first use, and from then on refuse any other. Raises KeyMismatchError."""
    found = connection.execute(select(installation.c.key_id)).scalar()
    if found is None:
        connection.execute(installation.insert().values(one=1, key_id=keys.key_id, generation=0))
    elif found != keys.key_id:
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
