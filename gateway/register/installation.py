"""The one row that ties a database to its key, and the announcements of what screens must learn of."""

import secrets
from enum import Enum

from sqlalchemy import Connection, delete, func, select, update

from gateway.privacy.ring import KeyRing
from gateway.register.errors import KeyMismatchError
from gateway.register.tables import announcements, installation

# PostgreSQL's channel on which workers hear that something was announced.
CHANNEL = "notice_gateway_screen"
_MARK_BITS = 62
# Who is further behind than this reads all lines, which is hardly slower then.
_KEPT = 50_000


class Kind(Enum):
    """What an announcement tells screens."""

    ADDED = "added"
    REMOVED = "removed"
    ALL = "all"


def claim(connection: Connection, keys: KeyRing) -> None:
    """Tie the database to the active key on first use, and from then on refuse a ring without that key.

    A rotation ties it to another; until the rotation is over, both are on the ring. Raises KeyMismatchError.
    """
    found = connection.execute(select(installation.c.key_id)).scalar()
    if found is None:
        connection.execute(installation.insert().values(one=1, key_id=keys.key_id, generation=0))
    elif all(found != each.key_id for each in keys.known):
        raise KeyMismatchError(found=found, given=keys.key_id)


def demand(connection: Connection, keys: KeyRing) -> None:
    """Let pass a database that one of the keys is tied to, and nothing else. Raises KeyMismatchError."""
    found = connection.execute(select(installation.c.key_id)).scalar()
    if all(found != each.key_id for each in keys.known):
        raise KeyMismatchError(found=found or "no key", given=keys.key_id)


def is_claimed(connection: Connection) -> bool:
    """Tell whether the database holds anything that some key wrote."""
    return connection.execute(select(installation.c.key_id)).scalar() is not None


def announce(connection: Connection) -> None:
    """Let every screen read all lines again, after a change that no list of orders tells."""
    _announce(connection, Kind.ALL)


def announce_added(connection: Connection, order_id: str) -> None:
    """Let every screen put on the lines of an order that is approved in this transaction."""
    _announce(connection, Kind.ADDED, order_id)


def announce_removed(connection: Connection) -> None:
    """Let every screen know that lines have left the register: it forgets them when it reads all lines next."""
    _announce(connection, Kind.REMOVED)


def generation(connection: Connection) -> int:
    """Return the mark of the last announcement; 0 on a database without any."""
    return int(connection.execute(select(installation.c.generation)).scalar() or 0)


def _announce(connection: Connection, kind: Kind, order_id: str | None = None) -> None:
    """Add to the chain of announcements, under a mark that no other state of this or of a restored database ever had.

    The one row of the installation stays locked until commit, so that announcements commit in the order of their
    numbers: who sees one sees all before it, and a late commit cannot be missed. An earlier release, which may run
    beside this one during an upgrade, renews the mark alone; the chain is broken there, which screens notice.
    """
    previous = connection.execute(select(installation.c.generation).with_for_update()).scalar()
    if previous is None:
        return
    # Asked only now, behind the lock: a statement that had to wait for it would not see what was committed meanwhile.
    seq = (connection.execute(select(func.max(announcements.c.seq))).scalar() or 0) + 1
    mark = secrets.randbits(_MARK_BITS)
    connection.execute(update(installation).values(generation=mark))
    row = {"seq": seq, "previous": previous, "mark": mark, "kind": kind.value, "order_id": order_id}
    connection.execute(announcements.insert().values(row))
    connection.execute(delete(announcements).where(announcements.c.seq <= seq - _KEPT))
    if connection.dialect.name == "postgresql":
        # It arrives when the transaction has committed, and not before.
        connection.execute(select(func.pg_notify(CHANNEL, "")))
