"""Retention of evidence: what was played when and under which order stays proven, and to which line does not."""

import secrets
from collections.abc import Sequence

from sqlalchemy import Connection, Select, bindparam, select, update

from gateway.audit.tables import plays

_INDEX_BYTES = 16


def unlink_plays(connection: Connection, order_ids: Sequence[str]) -> dict[str, int]:
    """Take line, caller and the provider's call id from the plays of orders; return how many each had, by order id.

    A random index takes the line's place, so that not even who has the keys can tell which plays were on one line. The
    ordinal stays: it says nothing.
    """
    rows = connection.execute(select(plays.c.play_id, plays.c.order_id).where(plays.c.order_id.in_(order_ids))).all()
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.order_id] = counts.get(row.order_id, 0) + 1
    if rows:
        connection.execute(
            update(plays)
            .where(plays.c.play_id == bindparam("this_play"))
            .values(line_index=bindparam("random_index"), provider_call_id=None, caller_index=None),
            [{"this_play": row.play_id, "random_index": secrets.token_bytes(_INDEX_BYTES)} for row in rows],
        )
    return counts


def heard_files(connection: Connection, under: Select[str]) -> frozenset[str]:
    """Return the SHA-256 of what was played under the orders that `under` finds: a court may listen again."""
    rows = connection.execute(select(plays.c.files).where(plays.c.order_id.in_(under)).distinct()).scalars()
    return frozenset(sha256 for files in rows for sha256 in files.split())
