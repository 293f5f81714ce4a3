"""Writing rows again under the active key, a few at a time, whatever table they stand in.

Each room says which of its columns are sealed and how their places are called; nothing here knows what a row means.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    Row,
    Table,
    bindparam,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.exc import IntegrityError

from gateway.domain.errors import GatewayError
from gateway.privacy.field import FieldCipher
from gateway.privacy.keys import Keys
from gateway.privacy.ring import KeyRing

Found = Row[*tuple[Any, ...]]
Opened = Mapping[str, str]
MakeIndex = Callable[[Found, Opened, Keys], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """The encrypted columns of a table, and the blind indexes that are made of what they hold.

    The place of a value is `name.column:` and the values of `placed_by` (the primary key, where it names none), joined
    by colons; bytes stand in hexadecimal.
    """

    table: Table
    columns: tuple[str, ...]
    name: str
    placed_by: tuple[str, ...] = ()
    indexes: Mapping[str, MakeIndex] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[Column[Any], ...]:
        """Return the primary key's columns."""
        return tuple(self.table.primary_key.columns)

    def place(self, column: str, row: Found) -> str:
        """Return the place of a value, as the room that owns the table calls it."""
        values = (getattr(row, name) for name in self.placed_by or [key.name for key in self.keys])
        return f"{self.name}.{column}:{_joined(values)}"

    def stale(self, cipher: FieldCipher) -> ColumnElement[bool]:
        """Return the condition under which a row holds something that another key wrote."""
        mark = literal(cipher.mark, LargeBinary)
        return or_(*(func.substr(self.table.c[column], 1, len(cipher.mark)) != mark for column in self.columns))


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """An index that stands for the same thing under another key now."""

    column: str
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """What one step did: how many rows it wrote, where it ended (None at the end of the table), what it could not.

    `stuck` names rows, by table and primary key, that no key of the ring opens, or whose like is there already.
    """

    written: int
    last: tuple[Any, ...] | None
    moved: tuple[Moved, ...] = ()
    stuck: tuple[str, ...] = ()


def count_stale(connection: Connection, sealed: Sealed, cipher: FieldCipher) -> int:
    """Return how many rows hold something that another key wrote."""
    statement = select(func.count()).select_from(sealed.table).where(sealed.stale(cipher))
    return int(connection.execute(statement).scalar_one())


def rewrite(
    connection: Connection, sealed: Sealed, ring: KeyRing, *, after: tuple[Any, ...] | None, limit: int
) -> Portion:
    """Write up to `limit` rows behind the primary key `after` again, in the caller's transaction."""
    cipher = FieldCipher(ring)
    statement = select(sealed.table).where(sealed.stale(cipher)).order_by(*sealed.keys).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(*sealed.keys) > tuple_(*after))
    # Not FOR UPDATE: evidence of a call that refers to the row would have to wait for it.
    rows = connection.execute(statement.with_for_update(key_share=True)).all()
    written, stuck = [], []
    for row in rows:
        try:
            written.append((row, _renewed(sealed, row, cipher, ring)))
        except GatewayError:
            stuck.append(_name(sealed, row))
    kept, colliding = _write(connection, sealed, written)
    return Portion(
        written=len(kept),
        last=_key(sealed, rows[-1]) if len(rows) == limit else None,
        moved=tuple(each for row, values in kept for each in _moves(sealed, row, values)),
        stuck=(*stuck, *colliding),
    )


def _renewed(sealed: Sealed, row: Found, cipher: FieldCipher, ring: KeyRing) -> dict[str, Any]:
    opened: dict[str, str] = {}
    values: dict[str, Any] = {}
    for column in sealed.columns:
        stored = getattr(row, column)
        if stored is None:
            values[column] = None
            continue
        place = sealed.place(column, row)
        opened[column] = cipher.decrypt(stored, place=place)
        values[column] = cipher.encrypt(opened[column], place=place)
    for column, make in sealed.indexes.items():
        values[column] = make(row, opened, ring.active)
    return values


def _write(
    connection: Connection, sealed: Sealed, written: Sequence[tuple[Found, dict[str, Any]]]
) -> tuple[Sequence[tuple[Found, dict[str, Any]]], list[str]]:
    """Write all rows at once, or one by one where one of them collides with a row that is there under the new key."""
    if not written:
        return (), []
    update = sealed.table.update().where(*(key == bindparam(f"key_{key.name}") for key in sealed.keys))
    names = (*sealed.columns, *sealed.indexes)
    update = update.values({name: bindparam(f"new_{name}") for name in names})
    given = [_parameters(sealed, row, values) for row, values in written]
    try:
        with connection.begin_nested():
            connection.execute(update, given)
    except IntegrityError:
        if len(written) == 1:
            return (), [_name(sealed, written[0][0])]
        kept: list[tuple[Found, dict[str, Any]]] = []
        colliding: list[str] = []
        for each in written:
            done, refused = _write(connection, sealed, [each])
            kept.extend(done)
            colliding.extend(refused)
        return kept, colliding
    return written, []


def _parameters(sealed: Sealed, row: Found, values: Mapping[str, Any]) -> dict[str, Any]:
    where = {f"key_{key.name}": value for key, value in zip(sealed.keys, _key(sealed, row), strict=True)}
    return where | {f"new_{name}": value for name, value in values.items()}


def _moves(sealed: Sealed, row: Found, values: Mapping[str, Any]) -> list[Moved]:
    return [
        Moved(column=column, before=getattr(row, column), after=values[column])
        for column in sealed.indexes
        if getattr(row, column) != values[column]
    ]


def _key(sealed: Sealed, row: Found) -> tuple[Any, ...]:
    return tuple(getattr(row, key.name) for key in sealed.keys)


def _name(sealed: Sealed, row: Found) -> str:
    return f"{sealed.name} {_joined(_key(sealed, row))}"


def _joined(values: Iterable[Any]) -> str:
    return ":".join(each.hex() if isinstance(each, bytes) else str(each) for each in values)
