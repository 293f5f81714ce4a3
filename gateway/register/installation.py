"""The one row that ties a database to its key, and counts the changes that screens must learn of."""

from sqlalchemy import Connection, select, update

from gateway.privacy.keys import Keys
from gateway.register.errors import KeyMismatchError
from gateway.register.tables import installation


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
    """Let every screen reload. The row stays locked until commit, so generations commit in their own order."""
    connection.execute(update(installation).values(generation=installation.c.generation + 1))


def generation(connection: Connection) -> int:
    """Return how often lines were added so far; 0 on a database that was never used."""
    return int(connection.execute(select(installation.c.generation)).scalar() or 0)
