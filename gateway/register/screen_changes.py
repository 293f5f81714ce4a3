"""What screens have to learn: which announcements came since they looked last, and which lines those put on.

Announcements form a chain: each has a random mark and names the mark before it (see `installation`). So a screen that
follows the chain knows that it missed nothing. Where it cannot follow, be it that the database was restored or
replaced, that an earlier release announced something, or that it is too far behind, it has to be read as a whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, exists, func, select

from gateway.register.installation import Kind
from gateway.register.tables import announcements, installation, lines, orders

_ANNOUNCEMENTS = 500
_Row = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a screen has read: the mark of the last announcement it knows, and its number."""

    generation: int
    seq: int


NOWHERE = Position(generation=-1, seq=-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What came since a position, up to another one.

    `is_whole` is False where all lines have to be read again; `has_removed` says that lines have left the register.
    """

    position: Position
    added: tuple[bytes, ...] = ()
    is_whole: bool = True
    has_removed: bool = False


def present(connection: Connection) -> Position:
    """Return where a screen stands that reads all lines after this."""
    last = select(func.coalesce(func.max(announcements.c.seq), 0)).scalar_subquery()
    generation, seq = connection.execute(select(func.coalesce(func.max(installation.c.generation), 0), last)).one()
    return Position(generation=int(generation), seq=int(seq))


def key_id(connection: Connection) -> str:
    """Return the id of the key that the database is tied to; empty where it is to none."""
    return connection.execute(select(installation.c.key_id)).scalar() or ""


def changes_since(connection: Connection, position: Position) -> Changes:
    """Return the next changes; they are all of them once they end at the position they began at.

    The mark is read before the announcements, and these before the lines: what was committed in between only adds.
    """
    generation = connection.execute(select(installation.c.generation)).scalar() or 0
    if generation == position.generation:
        return Changes(position=position)
    announced = connection.execute(
        select(announcements)
        .where(announcements.c.seq > position.seq)
        .order_by(announcements.c.seq)
        .limit(_ANNOUNCEMENTS)
    ).all()
    if not _is_chain(announced, position.generation, generation):
        return Changes(position=present(connection), is_whole=False)
    return Changes(
        position=Position(generation=announced[-1].mark, seq=announced[-1].seq),
        added=_lines_of(connection, [each.order_id for each in announced if each.kind == Kind.ADDED.value]),
        is_whole=all(each.kind != Kind.ALL.value for each in announced),
        has_removed=any(each.kind == Kind.REMOVED.value for each in announced),
    )


def _is_chain(announced: Sequence[_Row], known: int, generation: int) -> bool:
    """Tell whether the announcements lead from the mark that is known to the one that the database has."""
    mark = known
    for each in announced:
        if each.previous != mark:
            return False
        mark = each.mark
    return len(announced) == _ANNOUNCEMENTS or any(each.mark == generation for each in announced)


def _lines_of(connection: Connection, order_ids: Sequence[str]) -> tuple[bytes, ...]:
    if not order_ids:
        return ()
    return tuple(connection.execute(select(lines.c.line_index).where(lines.c.order_id.in_(order_ids))).scalars())


def are_few(connection: Connection, limit: int) -> bool:
    """Tell whether the register has at most so many lines, without counting more of them."""
    some = select(lines.c.line_id).limit(limit + 1).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one() <= limit


def count_lines(connection: Connection) -> int:
    """Return how many lines the register has, those of drafts included."""
    return connection.execute(select(func.count()).select_from(lines)).scalar_one()


def draft_orders() -> Select[str]:
    """Return the statement that reads the ids of the orders whose lines stay off the screen."""
    return select(orders.c.order_id).where(
        orders.c.approved_at.is_(None), orders.c.lifted_at.is_(None), orders.c.purged_at.is_(None)
    )


def every_line(dialect: str) -> Select[bytes]:
    """Return the statement that reads the index of every line that an approved order names, in no order.

    The lines of a draft stay off the screen: nothing can be played to them before a second officer has approved it. A
    screen may hold too much and never too little, so that they are left out and not the others looked for: drafts are
    few beside orders, and lines are then read in one go. SQLite keeps them as a list, PostgreSQL joins.
    """
    drafts = draft_orders()
    if dialect == "sqlite":
        return select(lines.c.line_index).where(lines.c.order_id.not_in(drafts))
    return select(lines.c.line_index).where(~exists(drafts.where(orders.c.order_id == lines.c.order_id)))
