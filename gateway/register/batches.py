"""Batches: a file of orders that appears whole or not at all, and what became of it.

Orders go in a portion at a time; until the batch is ready, and once it was withdrawn, those that nobody approved are
hidden. Who loads a batch holds a lease, renewed in each portion's own transaction: who has lost it writes nothing.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select, update

from gateway.domain.errors import GatewayError
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.register.errors import UnknownEntryError
from gateway.register.tables import batches, orders

LEASE = timedelta(seconds=30)
_PAGE = 1000


class BatchBusyError(GatewayError):
    """Batch {batch} is being loaded by a process that was at it {seconds} s ago; try again in half a minute."""

    code = "batch_busy"


class BatchTakenError(GatewayError):
    """Batch {batch} was withdrawn, or taken over by another import of the same file, while this one was at it."""

    code = "batch_taken"


class BatchStateError(GatewayError):
    """Batch {batch} is {state}; only one that is {allowed} can be {verb}."""

    code = "batch_state"


class BatchState(Enum):
    """How far a batch is."""

    LOADING = "loading"
    READY = "ready"
    REFUSED = "refused"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch; `accepted` orders are new, `known` rows were in the register before, `refused` ones are not in it."""

    batch_id: str
    court_id: str
    state: BatchState
    file_sha256: str
    accepted: int
    known: int
    refused: int
    approved: int
    has_errors: bool
    created_by: str
    created_at: datetime
    finished_at: datetime | None

    @property
    def cursor(self) -> tuple[datetime, str]:
        """Return where a list goes on after this one."""
        return self.created_at, self.batch_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of a file's rows."""

    accepted: int = 0
    known: int = 0
    refused: int = 0


def visible() -> ColumnElement[bool]:
    """Return the condition that an order is not one of a batch that is still loading, or was withdrawn."""
    hidden = select(batches.c.batch_id).where(
        batches.c.state.in_((BatchState.LOADING.value, BatchState.WITHDRAWN.value))
    )
    return or_(orders.c.batch_id.is_(None), orders.c.approved_at.is_not(None), orders.c.batch_id.not_in(hidden))


def waiting(batch_id: str) -> ColumnElement[bool]:
    """Return the condition that an order of a batch is neither approved nor over."""
    return and_(
        orders.c.batch_id == batch_id,
        orders.c.approved_at.is_(None),
        orders.c.lifted_at.is_(None),
        orders.c.purged_at.is_(None),
    )


def add(
    connection: Connection, batch_id: str, court_id: str, file_sha256: str, *, created_by: str, now: datetime
) -> None:
    """Add a batch that nobody is loading yet."""
    connection.execute(
        batches.insert().values(
            batch_id=batch_id,
            court_id=court_id,
            state=BatchState.LOADING.value,
            file_sha256=file_sha256,
            accepted=0,
            known=0,
            refused=0,
            approved=0,
            created_by=created_by,
            created_at=now,
        )
    )


def find_loading(connection: Connection, court_id: str, file_sha256: str) -> str:
    """Return the id of the batch of the same file that was begun and not finished, or an empty text."""
    statement = select(batches.c.batch_id).where(
        batches.c.court_id == court_id,
        batches.c.file_sha256 == file_sha256,
        batches.c.state == BatchState.LOADING.value,
    )
    return connection.execute(statement.order_by(batches.c.created_at)).scalars().first() or ""


def take(connection: Connection, batch_id: str, loader: str, now: datetime) -> None:
    """Take the lease of a batch that is loading. Raises BatchBusyError, BatchStateError, UnknownEntryError."""
    row = _row(connection, batch_id, lock=True)
    demand(read(row), BatchState.LOADING, verb="loaded")
    if row.loader not in {None, loader} and row.leased_until > now:
        shown = int((LEASE - (row.leased_until - now)).total_seconds())
        raise BatchBusyError(batch=batch_id, seconds=max(shown, 0))
    values = {"loader": loader, "leased_until": now + LEASE}
    connection.execute(update(batches).where(batches.c.batch_id == batch_id).values(**values))


def renew(connection: Connection, batch_id: str, loader: str, now: datetime) -> None:
    """Renew the lease, which locks the batch until commit. Raises BatchTakenError."""
    if not connection.execute(_mine(batch_id, loader).values(leased_until=now + LEASE)).rowcount:
        raise BatchTakenError(batch=batch_id)


def release(connection: Connection, batch_id: str, loader: str) -> None:
    """Give the lease back before its time, so that another import of the file may go on at once."""
    connection.execute(_mine(batch_id, loader).values(loader=None, leased_until=None))


def finish(
    connection: Connection,
    batch_id: str,
    loader: str,
    counts: Counts,
    *,
    state: BatchState,
    orders_sha256: str,
    now: datetime,
) -> None:
    """End the loading of a batch: from the commit on, its orders are there. Raises BatchTakenError."""
    values = {
        "state": state.value,
        "accepted": counts.accepted,
        "known": counts.known,
        "refused": counts.refused,
        "orders_sha256": orders_sha256,
        "loader": None,
        "leased_until": None,
        "finished_at": now,
    }
    if not connection.execute(_mine(batch_id, loader).values(**values)).rowcount:
        raise BatchTakenError(batch=batch_id)


def keep_errors(connection: Connection, batch_id: str, key: str, sha256: str, keys: KeyRing) -> None:
    """Keep the key of the file of refused rows, which lies in the vault under the batch's id."""
    sealed = FieldCipher(keys).encrypt(key, place=_place(batch_id))
    values = {"errors_key": sealed, "errors_sha256": sha256}
    connection.execute(update(batches).where(batches.c.batch_id == batch_id).values(**values))


def errors_key(connection: Connection, batch_id: str, keys: KeyRing) -> str:
    """Return the key of the file of refused rows. Raises UnknownEntryError where there is none, or none any more."""
    row = _row(connection, batch_id)
    if row.errors_key is None:
        raise UnknownEntryError(what="file of refused rows of batch", shown=batch_id, cure="no row of it was refused")
    return FieldCipher(keys).decrypt(row.errors_key, place=_place(batch_id))


def get(connection: Connection, batch_id: str, *, lock: bool = False) -> Batch:
    """Return one batch, locked against other writers until commit if `lock`. Raises UnknownEntryError."""
    return read(_row(connection, batch_id, lock=lock))


def listed(
    connection: Connection,
    which: ColumnElement[bool],
    *,
    after: tuple[datetime, str] | None = None,
    most: int = 50,
) -> tuple[Batch, ...]:
    """Return batches, the newest first; `after` is the cursor of the last one that was seen."""
    statement = select(batches).where(which)
    if after is not None:
        at, batch_id = after
        earlier = and_(batches.c.created_at == at, batches.c.batch_id < batch_id)
        statement = statement.where(or_(batches.c.created_at < at, earlier))
    newest = statement.order_by(batches.c.created_at.desc(), batches.c.batch_id.desc()).limit(most)
    return tuple(read(row) for row in connection.execute(newest))


def set_state(connection: Connection, batch_id: str, state: BatchState) -> None:
    """Change the state of a batch, and take the lease from whoever is loading it."""
    values = {"state": state.value, "loader": None, "leased_until": None}
    connection.execute(update(batches).where(batches.c.batch_id == batch_id).values(**values))


def left_loading(connection: Connection, before: datetime, now: datetime) -> tuple[str, ...]:
    """Return the batches begun before an instant that are still loading, and that nobody is at."""
    idle = or_(batches.c.leased_until.is_(None), batches.c.leased_until <= now)
    statement = select(batches.c.batch_id).where(
        batches.c.state == BatchState.LOADING.value, batches.c.created_at < before, idle
    )
    return tuple(connection.execute(statement).scalars())


def set_counts(connection: Connection, batch_id: str, counts: Counts) -> None:
    """Write what became of a file's rows."""
    values = {"accepted": counts.accepted, "known": counts.known, "refused": counts.refused}
    connection.execute(update(batches).where(batches.c.batch_id == batch_id).values(**values))


def note_approved(connection: Connection, batch_id: str) -> tuple[int, int]:
    """Count the approved orders of a batch, keep the count, and return it with how many still wait."""
    approved = select(func.count()).where(orders.c.batch_id == batch_id, orders.c.approved_at.is_not(None))
    done = int(connection.execute(approved).scalar_one())
    left = int(connection.execute(select(func.count()).select_from(orders).where(waiting(batch_id))).scalar_one())
    connection.execute(update(batches).where(batches.c.batch_id == batch_id).values(approved=done))
    return done, left


def orders_digest(connection: Connection, batch_id: str) -> tuple[int, str]:
    """Return how many orders a batch has, and the SHA-256 (hex) over their ids, each with a line's end, in order."""
    statement = select(orders.c.order_id).where(orders.c.batch_id == batch_id).order_by(orders.c.order_id)
    digest, count = hashlib.sha256(), 0
    for order_id in connection.execute(statement.execution_options(yield_per=_PAGE)).scalars():
        digest.update(f"{order_id}\n".encode())
        count += 1
    return count, digest.hexdigest()


def waiting_ids(connection: Connection, batch_id: str, *, after: str, most: int) -> tuple[str, ...]:
    """Return orders of a batch that wait for their approval, in the order of the file's rows."""
    statement = select(orders.c.order_id).where(
        waiting(batch_id), orders.c.submitted_at.is_not(None), orders.c.order_id > after
    )
    return tuple(connection.execute(statement.order_by(orders.c.order_id).limit(most)).scalars())


def forget_refused_rows(connection: Connection, cutoff: datetime) -> int:
    """Forget the keys of files of refused rows from before `cutoff`: nobody reads them any more; return how many."""
    statement = update(batches).where(batches.c.created_at <= cutoff, batches.c.errors_key.is_not(None))
    return connection.execute(statement.values(errors_key=None)).rowcount


def unreadable_files(connection: Connection) -> frozenset[str]:
    """Return the ids of batches without a key for refused rows: a file of theirs in the vault is a leftover."""
    return frozenset(connection.execute(select(batches.c.batch_id).where(batches.c.errors_key.is_(None))).scalars())


def unknown(batch_id: str) -> UnknownEntryError:
    """Return the error of a batch that does not exist, or that is none of the asker's business."""
    return UnknownEntryError(what="batch", shown=batch_id, cure="`notice-gateway orders batches` shows them")


def demand(batch: Batch, *allowed: BatchState, verb: str) -> None:
    """Raise BatchStateError where a batch is in no state that allows this."""
    if batch.state not in allowed:
        names = " or ".join(each.value for each in allowed)
        raise BatchStateError(batch=batch.batch_id, state=batch.state.value, allowed=names, verb=verb)


def read(row: Row[*tuple[Any, ...]]) -> Batch:
    """Build a batch from its row."""
    return Batch(
        batch_id=row.batch_id,
        court_id=row.court_id,
        state=BatchState(row.state),
        file_sha256=row.file_sha256,
        accepted=row.accepted,
        known=row.known,
        refused=row.refused,
        approved=row.approved,
        has_errors=row.errors_key is not None,
        created_by=row.created_by,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def _mine(batch_id: str, loader: str) -> Any:  # noqa: ANN401  (an update of the batches)
    return update(batches).where(
        batches.c.batch_id == batch_id, batches.c.loader == loader, batches.c.state == BatchState.LOADING.value
    )


def _row(connection: Connection, batch_id: str, *, lock: bool = False) -> Row[*tuple[Any, ...]]:
    statement: Select[*tuple[Any, ...]] = select(batches).where(batches.c.batch_id == batch_id)
    row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise unknown(batch_id)
    return row


def _place(batch_id: str) -> str:
    return f"batches.errors_key:{batch_id}"
