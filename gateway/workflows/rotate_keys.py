"""Rotate the keys while the gateway serves: everything that an old key wrote is written again under the active one.

The order of the steps keeps every row readable for every worker at every moment: a key reads everywhere before it
writes anywhere, and the old one is let go only when nothing is left that needs it. Each step can be taken again, so
that a rotation that was killed goes on where it was.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from gateway.audit import rotation as audit
from gateway.audit.tags import Tag
from gateway.domain.errors import GatewayError
from gateway.errands import rotation as errands
from gateway.outbox import rotation as outbox
from gateway.people import rotation as people
from gateway.privacy.field import FieldCipher
from gateway.privacy.rewrite import Portion, Sealed, count_stale, rewrite
from gateway.privacy.ring import KeyRing
from gateway.register import rotation as register
from gateway.register.installation import announce
from gateway.workflows.change import Errand, change

# Lines come first: until they are done, a look-up of a call asks for two indexes.
SEALED: tuple[Sealed, ...] = (*register.SEALED, *audit.SEALED, *people.SEALED, *outbox.SEALED, *errands.SEALED)
# Caps look back 30 days; a play that cannot be found under the new key has to be found under the old one until then.
CAPS_LOOK_BACK = timedelta(days=31)
_TRIES = 5


class RowsLeftError(GatewayError):
    """{count} rows still need an old key ({which}). Give `notice-gateway keys rotate` again, then retire."""

    code = "rows_left"


class NotYetRetiredError(GatewayError):
    """The old key is still needed until {until:%Y-%m-%d %H:%M} UTC: {why}. Retire it then{now}."""

    code = "key_in_use"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How hard to work: rows in one transaction, and how long to rest after it, as a share of the time it took.

    A call waits for the database for 0.25 s at most, so that a transaction has to be short and the rest long enough.
    """

    rows: int = 40
    rest: float = 1.0
    least_rest: float = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How many of `total` rows are done; `stuck` names those that no key opens."""

    table: str
    done: int
    total: int
    stuck: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """The seconds that pass, and waiting for some of them."""

    seconds: Callable[[], float]
    sleep: Callable[[float], None]


def stale_rows(engine: Engine, keys: KeyRing) -> dict[str, int]:
    """Return how many rows of each table need another key than the active one; tables without any are left out."""
    cipher = FieldCipher(keys)
    with engine.connect() as connection:
        counts = {sealed.name: count_stale(connection, sealed, cipher) for sealed in SEALED}
    return {name: count for name, count in counts.items() if count}


def begin(engine: Engine, keys: KeyRing, errand: Errand) -> bool:
    """Tie the database to the active key, and return whether it was tied to another: once for each rotation."""
    with change(engine, keys, errand) as changing:
        before = register.tied_to(changing.connection)
        if before == keys.key_id:
            return False
        register.tie_to(changing.connection, keys.key_id)
        changing.note(Tag.KEYS_ROTATION_BEGUN, keys.key_id, before=before)
    return True


def renew(engine: Engine, keys: KeyRing, timer: Timer, pace: Pace) -> Generator[Progress, None, None]:
    """Write every row again that the active key did not write; yields after each transaction."""
    counts: Mapping[str, int] = stale_rows(engine, keys)
    done, total = 0, sum(counts.values())
    for sealed in SEALED:
        if sealed.name not in counts:
            continue
        after: tuple[object, ...] | None = None
        while True:
            began = timer.seconds()
            portion = _renew_some(engine, sealed, keys, after, pace.rows, timer)
            done += portion.written
            yield Progress(table=sealed.name, done=done, total=max(total, done), stuck=portion.stuck)
            if portion.last is None:
                break
            after = portion.last
            timer.sleep(max(pace.least_rest, pace.rest * (timer.seconds() - began)))


def complete(engine: Engine, keys: KeyRing, errand: Errand, *, rows: int) -> None:
    """Let screens reload, and note that nothing needs another key. Raises RowsLeftError."""
    left = stale_rows(engine, keys)
    if left:
        raise RowsLeftError(count=sum(left.values()), which=", ".join(left))
    with change(engine, keys, errand) as changing:
        register.tied_to(changing.connection)
        announce(changing.connection)
        if audit.noted_at(changing.connection, Tag.KEYS_ROTATED, keys.key_id) is None:
            changing.note(Tag.KEYS_ROTATED, keys.key_id, rows=rows, public_key=audit.public_key(keys.active))


def demand_unneeded(
    engine: Engine, keys: KeyRing, now: datetime, *, token_lifetime: timedelta, caps_begin_anew: bool
) -> None:
    """Raise RowsLeftError or NotYetRetiredError while anything needs another key than the active one."""
    left = stale_rows(engine, keys)
    if left:
        raise RowsLeftError(count=sum(left.values()), which=", ".join(left))
    with engine.connect() as connection:
        rotated = audit.noted_at(connection, Tag.KEYS_ROTATED, keys.key_id)
        if rotated is None:
            raise RowsLeftError(count="Perhaps some", which="the rotation was not completed")
        if now < rotated + token_lifetime:
            why = "calls that are under way carry tokens that it sealed"
            raise NotYetRetiredError(until=rotated + token_lifetime, why=why, now="")
        count = audit.plays_out_of_reach(connection, register.known_lines(), now - CAPS_LOOK_BACK, rotated)
    if count and not caps_begin_anew:
        why = f"{count} plays on lines that were taken out of their orders still count for caps"
        raise NotYetRetiredError(until=rotated + CAPS_LOOK_BACK, why=why, now=", or let caps begin anew with --anyway")


def note_retired(engine: Engine, keys: KeyRing, errand: Errand, key_id: str) -> None:
    """Write in the trail, once, that a key is let go."""
    with change(engine, keys, errand) as changing:
        register.tied_to(changing.connection)
        if audit.noted_at(changing.connection, Tag.KEYS_RETIRED, key_id) is None:
            changing.note(Tag.KEYS_RETIRED, key_id, active=keys.key_id)


def _renew_some(
    engine: Engine, sealed: Sealed, keys: KeyRing, after: tuple[object, ...] | None, limit: int, timer: Timer
) -> Portion:
    """Write some rows in one transaction; where others hold what it needs for too long, it is tried again."""
    for attempt in range(1, _TRIES + 1):
        try:
            return _in_one_transaction(engine, sealed, keys, after, limit)
        except OperationalError:
            if attempt == _TRIES:
                raise
            timer.sleep(0.1 * 2**attempt)
    raise AssertionError("unreachable")


def _in_one_transaction(
    engine: Engine, sealed: Sealed, keys: KeyRing, after: tuple[object, ...] | None, limit: int
) -> Portion:
    with engine.begin() as connection:
        portion = rewrite(connection, sealed, keys, after=after, limit=limit)
        if sealed is register.LINES:
            for moved in portion.moved:
                audit.move_plays(connection, moved.before, moved.after)
    return portion
