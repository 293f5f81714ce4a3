"""Throttling of sign-ins, counted in the database so that all workers on all hosts count together.

An attempt is counted before it is judged, in one statement, so that many at once cannot slip through. The first few are
free; then each has to wait longer than the one before, up to a limit: nobody is ever locked out for good. Attempts
that are refused for coming too early are not counted, so hammering does not make it longer.

Somebody who keeps guessing at a login can keep its person waiting, never longer than five minutes at a time; passkeys
and identity providers, where there is nothing to guess, are throttled by address alone and go on working.
"""

import ipaddress
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import ColumnElement, Connection, and_, case, delete, or_, select, update
from sqlalchemy.exc import IntegrityError

from gateway.people.errors import TooManyAttemptsError
from gateway.people.tables import attempts
from gateway.privacy.blind_index import index_secret
from gateway.privacy.ring import KeyRing

WINDOW = timedelta(minutes=15)
_FIRST_DELAY = timedelta(seconds=15)
_LONGEST_DELAY = timedelta(minutes=5)
_MOST_DOUBLINGS = 10
_IPV6_NETWORK = 64


class Kind(Enum):
    """What attempts are counted by."""

    LOGIN = "login"
    ADDRESS = "address"


# A court's people share an address; a login is one person's.
FREE = {Kind.LOGIN: 5, Kind.ADDRESS: 20}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """What one attempt counts under: a keyed hash, from which neither login nor address can be read."""

    kind: Kind
    who: bytes


def by_login(login: str, ring: KeyRing) -> Counter:
    """Return the counter of a login, whether or not it exists."""
    return Counter(kind=Kind.LOGIN, who=index_secret(f"attempt\x00login\x00{login}", ring))


def by_address(address: str, ring: KeyRing) -> Counter:
    """Return the counter of a client's IP address; of IPv6 it is the /64, which one client has to itself."""
    return Counter(kind=Kind.ADDRESS, who=index_secret(f"attempt\x00address\x00{_network(address)}", ring))


def count(connection: Connection, counter: Counter, now: datetime) -> None:
    """Count an attempt. Raises TooManyAttemptsError, with `retry_after` in seconds, where it comes too early."""
    failures = _add_one(connection, counter, now)
    free = FREE[counter.kind]
    if failures >= free:
        delay = min(_FIRST_DELAY * 2 ** min(failures - free, _MOST_DOUBLINGS), _LONGEST_DELAY)
        connection.execute(update(attempts).where(_is(counter)).values(blocked_until=now + delay))


def forgive(connection: Connection, login: Counter | None, address: Counter, now: datetime) -> None:
    """Take back what a sign-in counted that succeeded: all of its login's, one of its address's."""
    if login is not None:
        connection.execute(delete(attempts).where(_is(login)))
    connection.execute(
        update(attempts).where(_is(address), attempts.c.count > 0).values(count=attempts.c.count - 1, blocked_until=now)
    )


def forget(connection: Connection, before: datetime) -> int:
    """Remove counters that nobody added to since an instant and return how many there were."""
    return connection.execute(delete(attempts).where(attempts.c.last_at < before)).rowcount


def _add_one(connection: Connection, counter: Counter, now: datetime) -> int:
    """Add an attempt and return how many there are; who adds at the same time waits for the commit."""
    quiet = attempts.c.last_at <= now - WINDOW
    statement = (
        update(attempts)
        .where(_is(counter), or_(quiet, attempts.c.blocked_until <= now))
        .values(count=case((quiet, 1), else_=attempts.c.count + 1), last_at=now)
        .returning(attempts.c.count)
    )
    found = connection.execute(statement).scalar()
    if found is not None:
        return int(found)
    first = {"kind": counter.kind.value, "who": counter.who, "count": 1, "last_at": now, "blocked_until": now}
    try:
        with connection.begin_nested():
            connection.execute(attempts.insert().values(**first))
    except IntegrityError:
        found = connection.execute(statement).scalar()
        if found is not None:
            return int(found)
        until = connection.execute(select(attempts.c.blocked_until).where(_is(counter))).scalar()
        wait = (until - now).total_seconds() if until is not None else 0
        raise TooManyAttemptsError(retry_after=max(1, math.ceil(wait))) from None
    return 1


def _is(counter: Counter) -> ColumnElement[bool]:
    return and_(attempts.c.kind == counter.kind.value, attempts.c.who == counter.who)


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address.encode(errors="replace").decode()
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(parsed), _IPV6_NETWORK), strict=False))
    return str(parsed)
